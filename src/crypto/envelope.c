#include "envelope.h"

#include <sodium.h>

#include "digest.h"

#define TAG_BYTES    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEADER_BYTES (1 + ENVELOPE_NONCE_BYTES)
_Static_assert(ENVELOPE_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20 nonce");
_Static_assert(ENVELOPE_OVERHEAD == HEADER_BYTES + TAG_BYTES, "header and tag");
_Static_assert(REFRESH_TAG_BYTES == crypto_stream_xchacha20_NONCEBYTES, "a refresh tag is the nonce of its cipher");

void envelope_seal(const struct ring_key *key, enum envelope_purpose purpose, const uint8_t nonce[ENVELOPE_NONCE_BYTES],
                   str plain, uint8_t *out) {
    out[0] = key->number;
    memcpy(out + 1, nonce, ENVELOPE_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + HEADER_BYTES, NULL, (const uint8_t *)plain.p, plain.n, out, 1,
                                               NULL, nonce, key->envelope[purpose]);
}

bool envelope_open(const struct keyring *ring, enum envelope_purpose purpose, str sealed, uint8_t *out_plain,
                   size_t *out_n) {
    if (sealed.n < ENVELOPE_OVERHEAD) return false;
    const uint8_t *in = (const uint8_t *)sealed.p;
    const struct ring_key *key = ring->by_number[in[0]];
    if (!key) return false;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out_plain, NULL, NULL, in + HEADER_BYTES, sealed.n - HEADER_BYTES,
                                                   in, 1, in + 1, key->envelope[purpose]) != 0)
        return false;
    *out_n = sealed.n - ENVELOPE_OVERHEAD;
    return true;
}

void envelope_mask(const struct ring_key *key, const uint8_t nonce[ENVELOPE_NONCE_BYTES], uint8_t *bytes, size_t n) {
    crypto_stream_xchacha20_xor(bytes, bytes, n, nonce, key->jwt_id);
}

#define CLAIM_BYTES (GRANT_ID_BYTES + 4) /* grant id and n, as they are encrypted */
_Static_assert(REFRESH_BYTES == 1 + REFRESH_TAG_BYTES + CLAIM_BYTES, "key number, tag, claim");

static void put_be32(uint32_t v, uint8_t out[4]) {
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const uint8_t in[4]) {
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* All three parts have one length each, so their concatenation is unambiguous. */
static void compute_tag(const struct ring_key *key, const uint8_t grant_id[GRANT_ID_BYTES], uint32_t n,
                        const uint8_t salt[GRANT_SALT_BYTES], uint8_t out[REFRESH_TAG_BYTES]) {
    uint8_t said[CLAIM_BYTES + GRANT_SALT_BYTES];
    memcpy(said, grant_id, GRANT_ID_BYTES);
    put_be32(n, said + GRANT_ID_BYTES);
    memcpy(said + CLAIM_BYTES, salt, GRANT_SALT_BYTES);
    digest_mac(key->refresh_tag, (str){(const char *)said, sizeof said}, out, REFRESH_TAG_BYTES);
}

void refresh_derive(const struct ring_key *key, const uint8_t grant_id[GRANT_ID_BYTES], uint32_t n,
                    const uint8_t salt[GRANT_SALT_BYTES], uint8_t out[REFRESH_BYTES]) {
    uint8_t *tag = out + 1, *claim = tag + REFRESH_TAG_BYTES;
    out[0] = key->number;
    compute_tag(key, grant_id, n, salt, tag);
    memcpy(claim, grant_id, GRANT_ID_BYTES);
    put_be32(n, claim + GRANT_ID_BYTES);
    crypto_stream_xchacha20_xor(claim, claim, CLAIM_BYTES, tag, key->refresh_cipher);
}

bool refresh_open(const struct keyring *ring, str token, struct refresh_claim *out) {
    if (token.n != REFRESH_BYTES) return false;
    const uint8_t *in = (const uint8_t *)token.p, *tag = in + 1;
    const struct ring_key *key = ring->by_number[in[0]];
    if (!key) return false;
    uint8_t claim[CLAIM_BYTES];
    crypto_stream_xchacha20_xor(claim, tag + REFRESH_TAG_BYTES, CLAIM_BYTES, tag, key->refresh_cipher);
    *out = (struct refresh_claim){.key = key, .n = get_be32(claim + GRANT_ID_BYTES)};
    memcpy(out->grant_id, claim, GRANT_ID_BYTES);
    memcpy(out->tag, tag, REFRESH_TAG_BYTES);
    return true;
}

bool refresh_is_genuine(const struct refresh_claim *claim, const uint8_t salt[GRANT_SALT_BYTES]) {
    uint8_t tag[REFRESH_TAG_BYTES];
    compute_tag(claim->key, claim->grant_id, claim->n, salt, tag);
    bool same = secret_equal(tag, claim->tag, sizeof tag);
    secret_wipe(tag, sizeof tag);
    return same;
}
