/* jose: JSON Web Keys, signatures and tokens (RFC 7515, 7517, 7519) through libcjose. Keys are prepared once and then only
 * read, so that any number of threads can sign and verify with them. */
#ifndef GRANTD_JOSE_H
#define GRANTD_JOSE_H

#include "arena.h"
#include "buf.h"
#include "jose_known.h"
#include "rc.h"

/* The algorithms that we know (RFC 7518 s3.1): asymmetric ones only. `none` and the HMACs have no row, so nothing can choose them. libcjose
 * has no EdDSA. */
enum jose_alg { JOSE_ES256, JOSE_PS256, JOSE_RS256, JOSE_ALGS };
#define JOSE_BIT(alg) (1u << (alg))
#define JOSE_ANY      (JOSE_BIT(JOSE_ALGS) - 1)

/* "ES256" */
str jose_alg_name(enum jose_alg alg);

#define JOSE_KEYS_MAX     16   /* of one set */
#define JOSE_KID_MAX      128  /* bytes of a key id */
#define JOSE_TOKEN_MAX    8192 /* characters of a token that is looked at */
#define JOSE_JWKS_MAX     32768
#define JOSE_RSA_BITS     2048 /* of the keys that we make, and the least that we take */
#define JOSE_RSA_BITS_MAX 4096 /* verifying with longer ones costs too much */

/* One key, private or public. */
struct jose_key;

/* Makes a private key and writes it as a JWK. Takes a tenth of a second for RSA. FAULT_CRYPTO. */
RC jose_key_make(enum jose_alg alg, str kid, struct buf *out_private_jwk);

/* Opens a private key that jose_key_make wrote; the caller frees it. FAULT_KEY. */
RC jose_key_open(enum jose_alg alg, str private_jwk, struct jose_key **out);
void jose_key_free(struct jose_key *key); /* NULL is allowed */

str jose_key_kid(const struct jose_key *key);
enum jose_alg jose_key_alg(const struct jose_key *key);

/* Signs a payload: the compact form (RFC 7515 s7.1) in the arena. Empty when the library failed. `typ` is a plain literal. */
str jose_sign(const struct jose_key *key, str typ, str payload, struct arena *arena);

/* The characters of a token over a payload of n bytes. */
size_t jose_signed_length(const struct jose_key *key, str typ, size_t n);

/* A set of keys. It borrows or owns them, as its maker says. */
struct jose_keys {
    size_t n;
    struct jose_key *keys[JOSE_KEYS_MAX];
};

/* The public halves as a JWK Set (RFC 7517 s5), each with `use`, `alg` and `kid`, and no private member. */
RC jose_keys_write(const struct jose_keys *keys, struct buf *out);

/* Reads a JWK Set of public keys that somebody else made. Keys for encryption and of kinds that we do not know are passed over (RFC 7517 s5); symmetric
 * and private ones are refused, as whoever sends them has lost them. FAULT_CONFIG with a sentence when no usable key is left.
 * The set owns its keys: jose_keys_free. */
RC jose_keys_read(str jwks, struct jose_keys **out);
void jose_keys_free(struct jose_keys *keys); /* NULL is allowed */

/* True when a token that names this key could have been signed by one of them. */
bool jose_keys_have(const struct jose_keys *keys, str kid);

/* The keys that we sign with: all that a verifier must know, and per algorithm the one in use (NULL: none). */
struct jose_signers {
    struct jose_keys keys;
    const struct jose_key *current[JOSE_ALGS];
};

/* What a token said, after its signature was found good. Absent texts are empty; slices live in the arena. */
struct jose_jwt {
    enum jose_alg alg;
    str kid, typ;
    str iss, sub, jti, client_id, scope;
    str cnf_x5t; /* cnf.x5t#S256 (RFC 8705 s3.1) */
    int64_t exp_s, iat_s, nbf_s, hub_id;
    bool has_exp, has_iat, has_nbf;
    bool aud_is_list; /* an array, even if of one */
    const str *aud;
    size_t n_aud;
};

/* Verifies a compact token with one of the keys, by the algorithms of the mask, and reads it. Claims are for the rule to judge. False when it
 * is not well formed, has a critical extension (RFC 7515 s4.1.11), another algorithm, or no key fits. */
bool jose_verify(const struct jose_keys *keys, uint32_t algs, str token, struct arena *arena, struct jose_jwt *out);

/* The same for tokens that are shown again and again: a signature that was found good before is not computed anew, everything else is looked at
 * each time. It counts only with the very key that it was found good with, so with a key that has left the set nothing is known. */
struct jose_verifier {
    const struct jose_keys *keys;
    uint32_t algs;
    struct jose_known *known; /* NULL: nothing is remembered */
};
bool jose_verify_again(const struct jose_verifier *by, str token, struct arena *arena, struct jose_jwt *out);

/* Reads a token without looking at its signature. Only to find out whose it says it is: nothing of it is proven. */
bool jose_peek(str token, struct arena *arena, struct jose_jwt *out);

#endif
