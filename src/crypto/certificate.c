#include "certificate.h"

#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static str copy_string(const ASN1_STRING *s, struct arena *arena) {
    str text = {(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
    str none = {NULL, 0};
    return str_find(text, '\0') < text.n ? none : arena_copy(arena, text);
}

static str address_text(const uint8_t *bytes, size_t n, struct arena *arena) {
    char text[INET6_ADDRSTRLEN];
    str none = {NULL, 0};
    if ((n != 4 && n != 16) || !inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text)) return none;
    return arena_copy(arena, str_of(text));
}

str certificate_address(str text, struct arena *arena) {
    uint8_t bytes[16];
    const char *s = arena_cstr(arena, text);
    if (strlen(s) == text.n && inet_pton(AF_INET, s, bytes) == 1) return address_text(bytes, 4, arena);
    if (strlen(s) == text.n && inet_pton(AF_INET6, s, bytes) == 1) return address_text(bytes, 16, arena);
    return (str){NULL, 0};
}

/* False: of a kind that no rule asks for. */
static bool read_name(const GENERAL_NAME *name, struct arena *arena, struct certificate_name *out) {
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    switch (type) {
    case GEN_DNS: *out = (struct certificate_name){CERTIFICATE_DNS, copy_string(value, arena)}; break;
    case GEN_URI: *out = (struct certificate_name){CERTIFICATE_URI, copy_string(value, arena)}; break;
    case GEN_EMAIL: *out = (struct certificate_name){CERTIFICATE_EMAIL, copy_string(value, arena)}; break;
    case GEN_IPADD:
        *out = (struct certificate_name){
            CERTIFICATE_IP, address_text(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), arena)};
        break;
    default: return false;
    }
    return out->text.n > 0;
}

static void read_names(X509 *x509, struct arena *arena, struct certificate *out) {
    GENERAL_NAMES *all = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    struct certificate_name *names = ARENA_ARRAY(arena, struct certificate_name, CERTIFICATE_NAMES_MAX);
    for (int i = 0; i < sk_GENERAL_NAME_num(all) && out->n_names < CERTIFICATE_NAMES_MAX; i++)
        if (read_name(sk_GENERAL_NAME_value(all, i), arena, &names[out->n_names])) out->n_names++;
    out->names = names;
    GENERAL_NAMES_free(all);
}

static bool read_subject(X509 *x509, struct arena *arena, struct certificate *out) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool good = bio && X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0,
                                          XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0;
    long n = good ? BIO_get_mem_data(bio, &text) : 0;
    if (n > 0) out->subject = arena_copy(arena, (str){text, (size_t)n});
    BIO_free(bio);
    return good;
}

static X509 *parse(str der) {
    const unsigned char *at = (const unsigned char *)der.p;
    if (der.n == 0 || der.n > CERTIFICATE_MAX) return NULL;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.n);
    if (at == (const unsigned char *)der.p + der.n) return x509;
    X509_free(x509);
    return NULL;
}

static bool has_number(const EVP_PKEY *key, const char *name, str want) {
    BIGNUM *number = NULL;
    BIGNUM *wanted = BN_bin2bn((const unsigned char *)want.p, (int)want.n, NULL);
    bool same = wanted && EVP_PKEY_get_bn_param(key, name, &number) && BN_cmp(number, wanted) == 0;
    BN_free(number);
    BN_free(wanted);
    return same;
}

bool certificate_is_of_key(str der, const struct public_key *key) {
    X509 *x509 = parse(der);
    const EVP_PKEY *own = x509 ? X509_get0_pubkey(x509) : NULL;
    bool same = own && EVP_PKEY_is_a(own, key->is_rsa ? "RSA" : "EC") &&
                has_number(own, key->is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, key->first) &&
                has_number(own, key->is_rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, key->second);
    X509_free(x509);
    ERR_clear_error();
    return same;
}

bool certificate_read(str der, struct arena *arena, struct certificate *out) {
    *out = (struct certificate){.n_names = 0};
    X509 *x509 = parse(der);
    bool good = x509 && read_subject(x509, arena, out);
    if (good) read_names(x509, arena, out);
    if (good) digest_sha256(der, out->thumbprint);
    X509_free(x509);
    ERR_clear_error();
    return good;
}

bool certificate_read_pem(str *pem, struct arena *arena, struct certificate *out) {
    BIO *bio = pem->n && pem->n <= INT32_MAX ? BIO_new_mem_buf(pem->p, (int)pem->n) : NULL;
    X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int n = x509 ? i2d_X509(x509, &der) : 0;
    bool good = n > 0 && certificate_read((str){(const char *)der, (size_t)n}, arena, out);
    if (bio) *pem = str_from(*pem, pem->n - (size_t)BIO_ctrl_pending(bio));
    OPENSSL_free(der);
    X509_free(x509);
    BIO_free(bio);
    ERR_clear_error();
    return good;
}
