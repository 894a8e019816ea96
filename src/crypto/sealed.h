/* Things of any size that are kept in the store under the master key: XChaCha20-Poly1305, with a label that says what they are, so
 * that one row can never be passed off as another. */
#ifndef GRANTD_SEALED_H
#define GRANTD_SEALED_H

#include "keyring.h"

#define SEALED_NONCE_BYTES 24
#define SEALED_OVERHEAD    (SEALED_NONCE_BYTES + 16)

/* out gets SEALED_OVERHEAD + plain.n bytes. `nonce` is fresh and random. */
void sealed_make(const uint8_t master[MASTER_KEY_BYTES], str label, const uint8_t nonce[SEALED_NONCE_BYTES], str plain,
                 uint8_t *out);

/* out has room for sealed.n bytes and gets sealed.n - SEALED_OVERHEAD. FAULT_KEY when the master key is another one, the row was changed, or
 * it was made under another label. */
RC sealed_open(const uint8_t master[MASTER_KEY_BYTES], str label, str sealed, uint8_t *out);

#endif
