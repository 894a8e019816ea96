/* Certificates, keys and OCSP responses from files, and every check that can be made before a client sees them. */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_BYTES_MAX (1 << 20)
#define CHAIN_MAX      10
#define CLOCK_SLACK_S  300

struct rc tls_fault(enum fault fault, const char *path, const char *what) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    struct rc rc = rc_fail(fault, "%s: %s%s%s", path, what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return rc;
}

static RC open_file(const char *path, BIO **out) {
    struct stat info;
    *out = BIO_new_file(path, "re");
    if (!*out) {
        struct rc rc = rc_fail(FAULT_CONFIG, "%s cannot be read: %s", path, strerror(errno));
        ERR_clear_error();
        return rc;
    }
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= FILE_BYTES_MAX) return RC_OK;
    BIO_free(*out);
    return rc_fail(FAULT_CONFIG, "%s is no file of a sensible size", path);
}

/* A key with a passphrase would ask the terminal for it. */
static int no_passphrase(char *out, int n, int writing, void *arg) {
    (void)out, (void)n, (void)writing, (void)arg;
    return -1;
}

static bool is_end_of_pem(void) {
    unsigned long error = ERR_peek_last_error();
    bool end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (end) ERR_clear_error();
    return end;
}

static RC read_chain(const char *path, BIO *file, struct tls_pair *out) {
    out->certificate = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
    if (!out->certificate) return tls_fault(FAULT_CONFIG, path, "there is no PEM certificate in it");
    out->chain = sk_X509_new_null();
    for (X509 *next; (next = PEM_read_bio_X509(file, NULL, no_passphrase, NULL));) {
        if (sk_X509_num(out->chain) < CHAIN_MAX && sk_X509_push(out->chain, next)) continue;
        X509_free(next);
        return rc_fail(FAULT_CONFIG, "%s: the chain has more than %d certificates", path, CHAIN_MAX);
    }
    return is_end_of_pem() ? RC_OK : tls_fault(FAULT_CONFIG, path, "a certificate of the chain cannot be read");
}

static RC check_key_mode(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && (info.st_mode & 07))
        return rc_fail(FAULT_UNSAFE, "the key %s can be read by everybody; run: chmod o= %s", path, path);
    return RC_OK;
}

static RC read_key(const char *path, BIO *file, struct tls_pair *out) {
    TRY(check_key_mode(path));
    out->key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
    return out->key ? RC_OK : tls_fault(FAULT_CONFIG, path, "there is no PEM key without a passphrase in it");
}

static RC check_pair(const struct web_tls_pair *files, const struct tls_pair *pair) {
    if (X509_check_private_key(pair->certificate, pair->key) != 1) {
        ERR_clear_error();
        return rc_fail(FAULT_CONFIG, "the key %s does not belong to the certificate %s", files->key,
                       files->certificate);
    }
    if (X509_cmp_current_time(X509_get0_notAfter(pair->certificate)) <= 0)
        return rc_fail(FAULT_CONFIG, "the certificate %s has ended", files->certificate);
    if (sk_X509_num(pair->chain) && X509_check_issued(sk_X509_value(pair->chain, 0), pair->certificate) != X509_V_OK)
        return rc_fail(FAULT_CONFIG, "%s: the second certificate has not issued the first one", files->certificate);
    return RC_OK;
}

/* ---- the staple ---- */

static int64_t time_of(const ASN1_TIME *text) {
    struct tm parts;
    return text && ASN1_TIME_to_tm(text, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* Whether the response speaks of this certificate and is good now; *out_until_s is when it ends. */
static bool judge_single(OCSP_SINGLERESP *single, const X509 *certificate, int64_t *out_until_s) {
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    ASN1_INTEGER *serial = NULL;
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
    OCSP_id_get0_info(NULL, NULL, NULL, &serial, (OCSP_CERTID *)(uintptr_t)id);
    if (!serial || ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) return false;
    *out_until_s = until ? time_of(until) : INT64_MAX;
    return status == V_OCSP_CERTSTATUS_GOOD && OCSP_check_validity(from, until, CLOCK_SLACK_S, -1) == 1;
}

static bool judge_response(OCSP_RESPONSE *response, const X509 *certificate, int64_t *out_until_s) {
    OCSP_BASICRESP *basic = NULL;
    if (OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) basic = OCSP_response_get1_basic(response);
    bool good = false;
    for (int i = 0; basic && !good && i < OCSP_resp_count(basic); i++)
        good = judge_single(OCSP_resp_get0(basic, i), certificate, out_until_s);
    OCSP_BASICRESP_free(basic);
    return good;
}

static RC read_staple(const char *path, struct tls_pair *pair) {
    BIO *file;
    TRY(open_file(path, &file));
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE_bio(file, NULL);
    BIO_free(file);
    bool good = response && judge_response(response, pair->certificate, &pair->staple_until_s);
    if (good) pair->staple_n = i2d_OCSP_RESPONSE(response, &pair->staple);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    if (good && pair->staple_n > 0) return RC_OK;
    return rc_fail(FAULT_CONFIG, "%s is no OCSP response that calls the certificate beside it good today", path);
}

static RC find_staple(const char *certificate, struct tls_pair *out) {
    char path[4096];
    struct stat info;
    int n = snprintf(path, sizeof path, "%s.ocsp", certificate);
    if (n < 0 || (size_t)n >= sizeof path) return rc_fail(FAULT_CONFIG, "the path %s is too long", certificate);
    return stat(path, &info) == 0 ? read_staple(path, out) : RC_OK;
}

/* ---- together ---- */

RC tls_pair_read(const struct web_tls_pair *files, struct tls_pair *out) {
    BIO *file;
    TRY(open_file(files->certificate, &file));
    struct rc rc = read_chain(files->certificate, file, out);
    BIO_free(file);
    TRY(rc);
    TRY(open_file(files->key, &file));
    rc = read_key(files->key, file, out);
    BIO_free(file);
    TRY(rc);
    TRY(check_pair(files, out));
    return find_staple(files->certificate, out);
}

void tls_pair_wipe(struct tls_pair *pair) {
    X509_free(pair->certificate);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
    OPENSSL_free(pair->staple);
    *pair = (struct tls_pair){0};
}

bool tls_pair_covers(const struct tls_pair *pair, const char *name) {
    return X509_check_host(pair->certificate, name, 0, 0, NULL) == 1;
}

RC tls_store_read(const char *path, X509_STORE **out_store, STACK_OF(X509_NAME) * *out_names) {
    BIO *file;
    TRY(open_file(path, &file));
    BIO_free(file);
    *out_store = X509_STORE_new();
    *out_names = SSL_load_client_CA_file(path);
    if (!*out_store || !*out_names || X509_STORE_load_file(*out_store, path) != 1)
        return tls_fault(FAULT_CONFIG, path, "there is no PEM certificate in it");
    return RC_OK;
}
