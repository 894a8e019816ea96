#include "sealed.h"

#include <sodium.h>

_Static_assert(SEALED_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEALED_OVERHEAD == SEALED_NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "nonce and tag");

void sealed_make(const uint8_t master[MASTER_KEY_BYTES], str label, const uint8_t nonce[SEALED_NONCE_BYTES], str plain,
                 uint8_t *out) {
    memcpy(out, nonce, SEALED_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEALED_NONCE_BYTES, NULL, (const uint8_t *)plain.p, plain.n,
                                               (const uint8_t *)label.p, label.n, NULL, nonce, master);
}

RC sealed_open(const uint8_t master[MASTER_KEY_BYTES], str label, str sealed, uint8_t *out) {
    const uint8_t *bytes = (const uint8_t *)sealed.p;
    if (sealed.n < SEALED_OVERHEAD || crypto_aead_xchacha20poly1305_ietf_decrypt(
                                          out, NULL, NULL, bytes + SEALED_NONCE_BYTES, sealed.n - SEALED_NONCE_BYTES,
                                          (const uint8_t *)label.p, label.n, bytes, master) != 0)
        return rc_fail(FAULT_KEY, "a sealed row of the store does not open with this master key");
    return RC_OK;
}
