/* Session tickets (RFC 8446 s4.6.1) that every node can open: their keys come from the key ring and the clock, so nothing is stored and nothing
 * is exchanged. The name of a ticket says which key sealed it: "grtk", generation, three zeros, the period in 8 bytes. */
#include "tls.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <time.h>

#define NAME_BYTES 16
#define MARK       "grtk"

static int64_t period_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec / WEB_TICKET_PERIOD_S;
}

static void write_name(uint8_t generation, int64_t period, unsigned char out[NAME_BYTES]) {
    memset(out, 0, NAME_BYTES);
    memcpy(out, MARK, 4);
    out[4] = generation;
    for (int i = 0; i < 8; i++) out[8 + i] = (unsigned char)((uint64_t)period >> (56 - 8 * i));
}

/* The nodes' clocks may differ a little: a period that begins there has not begun here. */
static bool read_name(const unsigned char name[NAME_BYTES], uint8_t *out_generation, int64_t *out_period) {
    unsigned char again[NAME_BYTES];
    uint64_t period = 0;
    for (int i = 0; i < 8; i++) period = period << 8 | name[8 + i];
    write_name(name[4], (int64_t)period, again);
    *out_generation = name[4];
    *out_period = (int64_t)period;
    int64_t age = period_now() - *out_period;
    return memcmp(name, again, NAME_BYTES) == 0 && name[4] != 0 && age >= -1 && age <= 1;
}

static bool use_mac_key(EVP_MAC_CTX *mac, struct web_ticket_key *key) {
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* 1: good; 2: good, and the client gets a new one, because a ticket that is used twice links its uses (RFC 8446 s C.4); 0: none; -1: fault. */
static int seal(const struct tls_set *set, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac) {
    struct web_ticket_key key;
    int64_t period = period_now();
    uint8_t generation = set->options.ticket_keys(set->options.ticket_keys_arg, 0, period, &key);
    if (!generation) return 0;
    write_name(generation, period, name);
    bool good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(set->ticket_cipher)) == 1 &&
                EVP_EncryptInit_ex(cipher, set->ticket_cipher, NULL, key.cipher, iv) == 1 && use_mac_key(mac, &key);
    OPENSSL_cleanse(&key, sizeof key);
    return good ? 1 : -1;
}

static int unseal(const struct tls_set *set, const unsigned char *name, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac) {
    struct web_ticket_key key;
    uint8_t generation;
    int64_t period;
    if (!read_name(name, &generation, &period)) return 0;
    if (!set->options.ticket_keys(set->options.ticket_keys_arg, generation, period, &key)) return 0;
    bool good = EVP_DecryptInit_ex(cipher, set->ticket_cipher, NULL, key.cipher, iv) == 1 && use_mac_key(mac, &key);
    OPENSSL_cleanse(&key, sizeof key);
    return good ? 2 : -1;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int sealing) {
    const struct tls_set *set = tls_set_of(ssl);
    return sealing ? seal(set, name, iv, cipher, mac) : unseal(set, name, iv, cipher, mac);
}

void tls_tickets_enable(SSL_CTX *context) {
    const struct tls_set *set = SSL_CTX_get_app_data(context);
    SSL_CTX_set_timeout(context, WEB_TICKET_PERIOD_S);
    SSL_CTX_set_num_tickets(context, set->options.ticket_keys ? 1 : 0);
    if (set->options.ticket_keys)
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    else
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}
