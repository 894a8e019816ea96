#include "keyring.h"

#include <sodium.h>

#include "digest.h"

/* What a generation's subkeys are derived for: BLAKE2b keyed with the secret, the purpose in its salt (crypto_kdf).
 * A purpose keeps its number forever; a number is never used twice. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = {'g', 'r', 'a', 'n', 't', 'd', 'k', 'r'};
static const struct {
    uint64_t purpose;
    size_t offset;
} subkeys[] = {
    {1, offsetof(struct ring_key, envelope[ENVELOPE_CODE])},
    {2, offsetof(struct ring_key, envelope[ENVELOPE_ACCESS])},
    {3, offsetof(struct ring_key, refresh_tag)},
    {4, offsetof(struct ring_key, refresh_cipher)},
    {5, offsetof(struct ring_key, secret_hash)},
    {6, offsetof(struct ring_key, signature)},
    {8, offsetof(struct ring_key, envelope[ENVELOPE_BROWSER])},
    {9, offsetof(struct ring_key, browser)},
    {10, offsetof(struct ring_key, jwt_id)},
    {16, offsetof(struct ring_key, ticket)},
};
#define SUBKEY_BYTES 32
_Static_assert(ENVELOPE_PURPOSES == 3, "each purpose of an envelope needs a row in subkeys");
_Static_assert(RING_SECRET_BYTES == crypto_kdf_KEYBYTES, "a ring secret is a kdf key");
_Static_assert(RING_SEALED_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + RING_SECRET_BYTES +
                                        crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce, ciphertext, tag");

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define LABEL_BYTES 16

/* The associated data of a sealed ring secret: what it is, and its number. */
static void ring_label(uint8_t number, uint8_t out[LABEL_BYTES]) {
    memcpy(out, "grantd ring key", LABEL_BYTES - 1);
    out[LABEL_BYTES - 1] = number;
}

void ring_secret_seal(const uint8_t master[MASTER_KEY_BYTES], uint8_t number, const uint8_t nonce[24],
                      const uint8_t secret[RING_SECRET_BYTES], uint8_t out[RING_SEALED_BYTES]) {
    uint8_t label[LABEL_BYTES];
    ring_label(number, label);
    memcpy(out, nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, secret, RING_SECRET_BYTES, label, sizeof label,
                                               NULL, nonce, master);
}

struct rc ring_secret_open(const uint8_t master[MASTER_KEY_BYTES], uint8_t number, str sealed,
                           uint8_t out_secret[RING_SECRET_BYTES]) {
    uint8_t label[LABEL_BYTES];
    ring_label(number, label);
    if (sealed.n != RING_SEALED_BYTES)
        return rc_fail(FAULT_KEY, "key %u of the ring has %zu bytes instead of %d", number, sealed.n,
                       RING_SEALED_BYTES);
    const uint8_t *nonce = (const uint8_t *)sealed.p;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out_secret, NULL, NULL, nonce + NONCE_BYTES, sealed.n - NONCE_BYTES,
                                                   label, sizeof label, nonce, master) != 0)
        return rc_fail(FAULT_KEY, "key %u of the ring does not open with this master key", number);
    return RC_OK;
}

/* Every node must choose the same one: the newest, and of two that were made in one millisecond the higher number. */
static bool is_newer(const struct ring_key *a, const struct ring_key *b) {
    return a->created_ms != b->created_ms ? a->created_ms > b->created_ms : a->number > b->number;
}

struct rc keyring_add(struct keyring *ring, uint8_t number, int64_t created_ms,
                      const uint8_t secret[RING_SECRET_BYTES]) {
    if (ring->by_number[number]) return rc_fail(FAULT_KEY, "key %u is in the ring already", number);
    if (ring->n >= RING_MAX) return rc_fail(FAULT_KEY, "the key ring is full (%d keys)", RING_MAX);
    struct ring_key *key = &ring->keys[ring->n++];
    *key = (struct ring_key){.number = number, .created_ms = created_ms};
    for (size_t i = 0; i < sizeof subkeys / sizeof subkeys[0]; i++)
        crypto_kdf_derive_from_key((uint8_t *)key + subkeys[i].offset, SUBKEY_BYTES, subkeys[i].purpose, kdf_context,
                                   secret);
    ring->by_number[number] = key;
    if (!ring->current || is_newer(key, ring->current)) ring->current = key;
    return RC_OK;
}

void keyring_use(struct keyring *ring, uint8_t number) { ring->current = ring->by_number[number]; }

void keyring_wipe(struct keyring *ring) { secret_wipe(ring, sizeof *ring); }
