/* Private to this folder: what a key is. */
#ifndef GRANTD_JOSE_KEY_H
#define GRANTD_JOSE_KEY_H

#include <cjose/cjose.h>

#include "digest.h"
#include "jose.h"

struct jose_key {
    cjose_jwk_t *jwk;
    uint32_t algs;     /* that it may be used with: bits of enum jose_alg */
    enum jose_alg alg; /* of a key of ours */
    size_t kid_n;
    char kid[JOSE_KID_MAX + 1];
    uint8_t fingerprint[SHA256_BYTES]; /* of the public key and its id: no other key has it */
};

#endif
