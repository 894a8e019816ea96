/* From files to contexts: which versions, ciphers and names a listener answers with. */
#include "tls.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <time.h>

#include "must_alloc.h"

/* Mozilla's "intermediate" of guideline 5.7 without its finite-field suites, which cost much and serve nobody any more. TLS 1.3 keeps
 * OpenSSL's three suites. */
#define CIPHERS                                                                                                        \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                         \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES         "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS         "X25519:P-256:P-384"
#define CERT_BYTES_MAX 32768 /* of a client's chain */

struct tls_set *tls_set_of(const SSL *ssl) {
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* ---- what a client asks for ---- */

/* RFC 7301 s3.2: a protocol that we do not speak is refused, so that nobody is talked into reading us as something else. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n,
                   void *arg) {
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned skip = tls_set_of(ssl)->options.http2 ? 0 : 3;
    unsigned char *chosen = NULL;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_n, ours + skip, (unsigned)sizeof ours - 1 - skip, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* The version is known here. The tickets of TLS 1.2 seal the keys of the very traffic, so that a key ring that is lost one day would open what
 * was recorded before; those of 1.3 do not (RFC 8446 s2.3, psk_dhe_ke). */
static int on_server_name(SSL *ssl, int *alert, void *arg) {
    const struct tls_set *set = tls_set_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert, (void)arg;
    if (SSL_version(ssl) < TLS1_3_VERSION) SSL_set_options(ssl, SSL_OP_NO_TICKET);
    for (size_t i = 0; name && i < set->n; i++) {
        if (!tls_pair_covers(&set->pairs[i], name)) continue;
        if (i) SSL_set_SSL_CTX(ssl, set->contexts[i]);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static int64_t now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

static int on_status_request(SSL *ssl, void *arg) {
    const struct tls_pair *pair = arg;
    if (!pair->staple || now_s() >= pair->staple_until_s) return SSL_TLSEXT_ERR_NOACK;
    unsigned char *copy = OPENSSL_memdup(pair->staple, (size_t)pair->staple_n);
    if (!copy) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, pair->staple_n);
    return SSL_TLSEXT_ERR_OK;
}

/* Any certificate is taken: what it is worth is the protocol's business (RFC 8705 s2.2 wants self-signed ones as well). Whether it leads
 * to client_ca stays in the verify result. Its sessions are not resumed, so that each connection shows it anew. */
static int on_client_certificate(X509_STORE_CTX *check, void *arg) {
    const struct tls_set *set = arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (!set->client_store)
        X509_STORE_CTX_set_error(check, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
    else if (X509_verify_cert(check) != 1 && X509_STORE_CTX_get_error(check) == X509_V_OK)
        X509_STORE_CTX_set_error(check, X509_V_ERR_UNSPECIFIED);
    SSL_set_num_tickets(ssl, 0);
    return 1;
}

/* ---- contexts ---- */

static bool add_pair(SSL_CTX *context, const struct tls_pair *pair) {
    return SSL_CTX_use_cert_and_key(context, pair->certificate, pair->key, pair->chain, 1) == 1;
}

/* The same name may have a certificate of another kind of key: then the client's signature algorithms choose. */
static bool add_siblings(const struct tls_set *set, size_t i, SSL_CTX *context) {
    char name[256];
    bool good = true;
    const struct tls_pair *own = &set->pairs[i];
    X509_NAME *subject = X509_get_subject_name(own->certificate);
    if (X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name) <= 0) return true;
    for (size_t k = i + 1; k < set->n && good; k++) {
        const struct tls_pair *other = &set->pairs[k];
        bool same_kind = EVP_PKEY_get_base_id(other->key) == EVP_PKEY_get_base_id(own->key);
        if (!same_kind && tls_pair_covers(other, name)) good = add_pair(context, other);
    }
    return good && add_pair(context, own); /* the last one added is the current one */
}

static bool set_protocol(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    char groups[] = GROUPS; /* the macro of OpenSSL takes no const, though it only reads */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, CERT_BYTES_MAX);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS) == 1 && SSL_CTX_set_ciphersuites(context, SUITES) == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 &&
           SSL_CTX_set_session_id_context(context, (const unsigned char *)"grantd", 6) == 1;
}

static void set_callbacks(SSL_CTX *context, struct tls_set *set, struct tls_pair *pair) {
    SSL_CTX_set_app_data(context, set);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_tlsext_status_cb(context, on_status_request);
    SSL_CTX_set_tlsext_status_arg(context, pair);
    SSL_CTX_set_cert_verify_callback(context, on_client_certificate, set);
    tls_tickets_enable(context);
}

static RC open_context(struct tls_set *set, size_t i) {
    const char *path = set->options.pairs[i].certificate;
    SSL_CTX *context = set->contexts[i] = SSL_CTX_new(TLS_server_method());
    if (!context || !set_protocol(context)) return tls_fault(FAULT_CRYPTO, path, "TLS cannot be set up");
    if (!add_pair(context, &set->pairs[i]) || !add_siblings(set, i, context))
        return tls_fault(FAULT_CONFIG, path, "OpenSSL does not take this certificate and key");
    if (set->client_store) SSL_CTX_set1_verify_cert_store(context, set->client_store);
    set_callbacks(context, set, &set->pairs[i]);
    return RC_OK;
}

static RC open_clients(struct tls_set *set) {
    STACK_OF(X509_NAME) *names = NULL;
    if (!set->options.client_ca) return RC_OK;
    struct rc rc = tls_store_read(set->options.client_ca, &set->client_store, &names);
    for (size_t i = 0; rc_ok(rc) && i < set->n; i++)
        SSL_CTX_set_client_CA_list(set->contexts[i], SSL_dup_CA_list(names));
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    for (size_t i = 0; rc_ok(rc) && i < set->n; i++)
        SSL_CTX_set1_verify_cert_store(set->contexts[i], set->client_store);
    return rc;
}

static RC open_all(struct tls_set *set) {
    set->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (!set->ticket_cipher) return tls_fault(FAULT_CRYPTO, "AES-256-CBC", "OpenSSL does not have it");
    for (size_t i = 0; i < set->n; i++) TRY(tls_pair_read(&set->options.pairs[i], &set->pairs[i]));
    for (size_t i = 0; i < set->n; i++) TRY(open_context(set, i));
    return open_clients(set);
}

RC tls_set_open(const struct web_tls_options *options, struct tls_set **out) {
    struct tls_set *set = must_alloc(sizeof *set);
    set->options = *options;
    set->n = options->n_pairs;
    set->pairs = must_alloc(set->n * sizeof *set->pairs);
    set->contexts = must_alloc(set->n * sizeof(SSL_CTX *));
    atomic_init(&set->holders, 1);
    struct rc rc = open_all(set);
    if (rc_ok(rc))
        *out = set;
    else
        tls_set_release(set);
    return rc;
}

void tls_set_release(struct tls_set *set) {
    if (!set || atomic_fetch_sub(&set->holders, 1) != 1) return;
    for (size_t i = 0; i < set->n; i++) SSL_CTX_free(set->contexts[i]);
    for (size_t i = 0; i < set->n; i++) tls_pair_wipe(&set->pairs[i]);
    X509_STORE_free(set->client_store);
    EVP_CIPHER_free(set->ticket_cipher);
    free(set->contexts);
    free(set->pairs);
    free(set);
}

/* ---- the object ---- */

struct tls_set *tls_set_hold(struct web_tls *tls) {
    pthread_mutex_lock(&tls->lock);
    struct tls_set *set = tls->now;
    atomic_fetch_add(&set->holders, 1);
    pthread_mutex_unlock(&tls->lock);
    return set;
}

RC web_tls_open(const struct web_tls_options *options, struct web_tls **out) {
    struct tls_set *set;
    if (options->n_pairs == 0) return rc_fail(FAULT_CONFIG, "TLS needs a certificate");
    TRY(tls_set_open(options, &set));
    struct web_tls *tls = must_alloc(sizeof *tls);
    pthread_mutex_init(&tls->lock, NULL);
    tls->now = set;
    *out = tls;
    return RC_OK;
}

RC web_tls_reload(struct web_tls *tls, const struct web_tls_options *options) {
    struct tls_set *fresh, *old = tls->now;
    TRY(tls_set_open(options ? options : &old->options, &fresh));
    pthread_mutex_lock(&tls->lock);
    tls->now = fresh;
    pthread_mutex_unlock(&tls->lock);
    tls_set_release(old);
    return RC_OK;
}

int web_tls_days_left(struct web_tls *tls) {
    struct tls_set *set = tls_set_hold(tls);
    int least = 100000;
    for (size_t i = 0; i < set->n; i++) {
        int days = 0, seconds = 0;
        ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(set->pairs[i].certificate));
        if (days < least) least = days;
    }
    tls_set_release(set);
    return least;
}

void web_tls_close(struct web_tls *tls) {
    if (!tls) return;
    tls_set_release(tls->now);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
