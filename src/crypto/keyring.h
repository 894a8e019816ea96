/* The key ring: numbered generations of 32 random bytes, each sealed in the store under the master key, and the subkeys
 * derived from each of them once, when the ring is loaded. One generation is current (used for new things), the older
 * ones open what they made. A ring is immutable once built: a change builds a new one. It is never copied or moved,
 * because `current` and `by_number` point into `keys`. An empty ring is all zeros. */
#ifndef GRANTD_KEYRING_H
#define GRANTD_KEYRING_H

#include "rc.h"
#include "str.h"

#define MASTER_KEY_BYTES  32
#define RING_SECRET_BYTES 32
#define RING_SEALED_BYTES (24 + RING_SECRET_BYTES + 16)
#define RING_MAX          64 /* generations that can be live at once */

/* What an envelope is for. The purpose takes part in the key, so that one kind can never be opened as another. */
enum envelope_purpose { ENVELOPE_CODE, ENVELOPE_ACCESS, ENVELOPE_BROWSER, ENVELOPE_PURPOSES };

struct ring_key {
    uint8_t number; /* stands in every token that this generation made */
    int64_t created_ms;
    uint8_t envelope[ENVELOPE_PURPOSES][32];
    uint8_t refresh_tag[32];
    uint8_t refresh_cipher[32];
    uint8_t secret_hash[32]; /* keyed hash of client secrets */
    uint8_t signature[32];   /* signed_access_token of introspection */
    uint8_t browser[32];     /* keyed hash of session cookies, tokens of forms */
    uint8_t jwt_id[32];      /* hides what the jti of a signed access token carries */
    uint8_t ticket[32];      /* derives the keys of TLS session tickets */
};

struct keyring {
    size_t n;
    struct ring_key keys[RING_MAX];
    const struct ring_key *current;
    const struct ring_key *by_number[256]; /* NULL where there is none */
};

/* Seals 32 bytes of a new generation under the master key; the number is authenticated. `nonce` is 24 fresh random bytes. */
void ring_secret_seal(const uint8_t master[MASTER_KEY_BYTES], uint8_t number, const uint8_t nonce[24],
                      const uint8_t secret[RING_SECRET_BYTES], uint8_t out[RING_SEALED_BYTES]);

/* Opens it again. FAULT_KEY when the master key is not the one it was sealed under, or the row was changed. */
RC ring_secret_open(const uint8_t master[MASTER_KEY_BYTES], uint8_t number, str sealed,
                    uint8_t out_secret[RING_SECRET_BYTES]);

/* Adds a generation and derives its subkeys; the one with the latest created_ms is current. FAULT_KEY when the number
 * is taken or the ring is full. */
RC keyring_add(struct keyring *ring, uint8_t number, int64_t created_ms, const uint8_t secret[RING_SECRET_BYTES]);

/* Makes another generation the current one; the number is in the ring. Only while the ring is built: one that was published ahead of its use is
 * newer than the current one. */
void keyring_use(struct keyring *ring, uint8_t number);

/* Wipes the ring. */
void keyring_wipe(struct keyring *ring);

#endif
