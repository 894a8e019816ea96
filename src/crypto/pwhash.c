#include "pwhash.h"

#include <sodium.h>

#include "digest.h"

_Static_assert(PWHASH_TEXT_BYTES == crypto_pwhash_STRBYTES, "libsodium's PHC strings fit exactly");

static size_t memory_bytes(struct pwhash_cost cost) { return (size_t)cost.memory_kib * 1024; }

struct rc pwhash_make(str password, struct pwhash_cost cost, char out[PWHASH_TEXT_BYTES]) {
    if (password.n > PASSWORD_MAX) return rc_fail(FAULT_CRYPTO, "a password has at most %d bytes", PASSWORD_MAX);
    if (crypto_pwhash_str_alg(out, password.n ? password.p : "", password.n, cost.passes, memory_bytes(cost),
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return rc_fail(FAULT_CRYPTO, "Argon2id with %u passes and %u KiB did not run", cost.passes, cost.memory_kib);
    return RC_OK;
}

/* The work of a check whose answer is no in any case: whether a person is known must not show in the time. */
static void hash_in_vain(str password, struct pwhash_cost cost) {
    static const uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t out[32];
    int done = crypto_pwhash(out, sizeof out, password.n ? password.p : "", password.n, salt, cost.passes,
                             memory_bytes(cost), crypto_pwhash_ALG_ARGON2ID13);
    (void)done;
    secret_wipe(out, sizeof out);
}

bool pwhash_check(str password, const char *hash, struct pwhash_cost cost) {
    if (password.n > PASSWORD_MAX) return false;
    if (!hash || !hash[0]) {
        hash_in_vain(password, cost);
        return false;
    }
    return crypto_pwhash_str_verify(hash, password.n ? password.p : "", password.n) == 0;
}
