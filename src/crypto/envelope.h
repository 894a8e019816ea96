/* Sealed envelopes (XChaCha20-Poly1305) and derived refresh tokens, as bytes. Pure: nonces come in. */
#ifndef GRANTD_ENVELOPE_H
#define GRANTD_ENVELOPE_H

#include "keyring.h"

#define ENVELOPE_NONCE_BYTES 24
#define ENVELOPE_OVERHEAD    (1 + ENVELOPE_NONCE_BYTES + 16) /* key number, nonce, tag */

/* out gets ENVELOPE_OVERHEAD + plain.n bytes: key number, nonce, ciphertext and tag. */
void envelope_seal(const struct ring_key *key, enum envelope_purpose purpose, const uint8_t nonce[ENVELOPE_NONCE_BYTES],
                   str plain, uint8_t *out);

/* Opens an envelope of any generation of the ring. out_plain has room for sealed.n bytes. False when it was not made
 * here for this purpose. */
bool envelope_open(const struct keyring *ring, enum envelope_purpose purpose, str sealed, uint8_t *out_plain,
                   size_t *out_n);

/* Encrypts, or decrypts, n bytes in place, without a tag: for what a signature around it proves. A nonce must not be used twice for
 * different bytes. */
void envelope_mask(const struct ring_key *key, const uint8_t nonce[ENVELOPE_NONCE_BYTES], uint8_t *bytes, size_t n);

#define GRANT_ID_BYTES    16
#define GRANT_SALT_BYTES  16
#define REFRESH_TAG_BYTES 24
#define REFRESH_BYTES     (1 + REFRESH_TAG_BYTES + GRANT_ID_BYTES + 4) /* key number, tag, encrypted grant id and n */

/* Token number n of a grant: tag = BLAKE2b(key, grant id, n, salt), then XChaCha20(grant id, n; nonce = tag). */
void refresh_derive(const struct ring_key *key, const uint8_t grant_id[GRANT_ID_BYTES], uint32_t n,
                    const uint8_t salt[GRANT_SALT_BYTES], uint8_t out[REFRESH_BYTES]);

/* What a refresh token says; nothing of it is proven until refresh_is_genuine. */
struct refresh_claim {
    const struct ring_key *key;
    uint8_t grant_id[GRANT_ID_BYTES];
    uint32_t n;
    uint8_t tag[REFRESH_TAG_BYTES];
};

/* Decrypts the claim. False when the size is wrong or the key number unknown. */
bool refresh_open(const struct keyring *ring, str token, struct refresh_claim *out);

/* Recomputes the tag with the salt of the grant's row and compares in constant time. */
bool refresh_is_genuine(const struct refresh_claim *claim, const uint8_t salt[GRANT_SALT_BYTES]);

#endif
