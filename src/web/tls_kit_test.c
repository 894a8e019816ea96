#include "tls_kit_test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------------------------ */

char folder[] = "/tmp/grantd-tls-XXXXXX";

char *path_of(const char *name) {
    static char paths[8][64];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void add_extension(X509 *certificate, int nid, const char *text) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

struct issued issue(const char *name, bool rsa, long days, const struct issued *issuer) {
    static long serial = 1000;
    struct issued made = {X509_new(), rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")};
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -2 * 86400);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), days * 86400);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC, (const unsigned char *)name,
                               -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer ? issuer->certificate : made.certificate));
    char text[128];
    snprintf(text, sizeof text, "DNS:%s", name);
    add_extension(made.certificate, NID_subject_alt_name, text);
    if (strcmp(name, "ca") == 0) add_extension(made.certificate, NID_basic_constraints, "CA:TRUE");
    assert_true(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

void write_pair(const char *name, const struct issued *issued, mode_t key_mode) {
    char path[64];
    snprintf(path, sizeof path, "%s.pem", path_of(name));
    FILE *f = fopen(path, "we");
    PEM_write_X509(f, issued->certificate);
    fclose(f);
    snprintf(path, sizeof path, "%s.key", path_of(name));
    f = fopen(path, "we");
    PEM_write_PrivateKey(f, issued->key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    chmod(path, key_mode);
}

void forget(struct issued *issued) {
    X509_free(issued->certificate);
    EVP_PKEY_free(issued->key);
}

void make_pair(const char *file, const char *name, bool rsa) {
    struct issued made = issue(name, rsa, 30, NULL);
    write_pair(file, &made, 0600);
    forget(&made);
}

/* --- the server -------------------------------------------------------------------------------------------------- */

uint8_t generations[2] = {3, 2};

/* Two generations of a ring; a node that has another ring has other keys. */
static uint8_t ticket_key(void *arg, uint8_t generation, int64_t period, struct web_ticket_key *out) {
    uint8_t wanted = generation ? generation : generations[0];
    if (wanted != generations[0] && wanted != generations[1]) return 0;
    memset(out, wanted ^ *(const char *)arg, sizeof *out);
    memcpy(out->cipher, &period, sizeof period);
    return wanted;
}

static struct web_tls_pair pairs[3];

struct web_tls_options tls_options(size_t n) {
    static char ring[] = "a";
    static char names[6][64];
    static const char *const files[] = {"a.pem", "a.key", "b.pem", "b.key", "c.pem", "c.key"};
    for (size_t i = 0; i < COUNT(files); i++) snprintf(names[i], sizeof names[i], "%s/%s", folder, files[i]);
    for (size_t i = 0; i < COUNT(pairs); i++) pairs[i] = (struct web_tls_pair){names[2 * i], names[2 * i + 1]};
    return (struct web_tls_options){.pairs = pairs, .n_pairs = n, .ticket_keys = ticket_key, .ticket_keys_arg = ring};
}

struct web_tls *tls;

static void start_tls_as(const struct web_options *web, const struct web_tls_options *options, bool ask) {
    struct rc rc = web_tls_open(options, &tls);
    if (!rc_ok(rc)) fail_msg("%s", rc_detail());
    start_as(web, "127.0.0.1:0", (struct web_listening){.tls = tls, .ask_certificate = ask});
}

void start_tls_with(const struct web_tls_options *options, bool ask) {
    struct web_options web = options_default();
    start_tls_as(&web, options, ask);
}

void start_hasty_tls(void) {
    struct web_options web = options_hasty();
    struct web_tls_options options = tls_options(1);
    start_tls_as(&web, &options, false);
}

void start_tls(void) {
    struct web_tls_options options = tls_options(1);
    start_tls_with(&options, false);
}

void stop_tls(void) {
    stop();
    web_tls_close(tls);
}

/* --- the client -------------------------------------------------------------------------------------------------- */

SSL_CTX *client;

SSL *shake(int fd, const char *name, SSL_SESSION *session) {
    SSL *ssl = SSL_new(client);
    SSL_set_fd(ssl, fd);
    if (name) SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)name); /* the macro casts const away */
    if (session) SSL_set_session(ssl, session);
    if (SSL_connect(ssl) == 1) return ssl;
    SSL_free(ssl);
    return NULL;
}

SSL *dial_tls(const char *name) {
    int fd = dial();
    SSL *ssl = shake(fd, name, NULL);
    assert_non_null(ssl);
    return ssl;
}

void hang_up(SSL *ssl) {
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(fd);
}

void say_tls(SSL *ssl, const char *text) { assert_true(SSL_write(ssl, text, (int)strlen(text)) > 0); }

str hear_tls(SSL *ssl, const char *last) {
    static char heard[1 << 16];
    size_t n = 0, last_n = last ? strlen(last) : 0;
    while (n < sizeof heard - 1) {
        int got = SSL_read(ssl, heard + n, (int)(sizeof heard - 1 - n));
        if (got <= 0) break;
        n += (size_t)got;
        if (last && n >= last_n && memcmp(heard + n - last_n, last, last_n) == 0) break;
    }
    heard[n] = 0;
    return (str){heard, n};
}

SSL_SESSION *kept;
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

void new_client(int version) {
    SSL_CTX_free(client);
    client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(client, 0);
    if (version) SSL_CTX_set_min_proto_version(client, version);
    if (version) SSL_CTX_set_max_proto_version(client, version);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, keep_session);
}
