/* Digests, keyed hashes and constant-time tools. All pure. */
#ifndef GRANTD_DIGEST_H
#define GRANTD_DIGEST_H

#include "str.h"

#define SHA256_BYTES 32
#define MAC_BYTES    32

/* SHA-256 with a context kept per thread and a digest fetched once. */
void digest_sha256(str data, uint8_t out[SHA256_BYTES]);

/* BLAKE2b keyed with 32 bytes; out_n 16..64. */
void digest_mac(const uint8_t key[32], str data, uint8_t *out, size_t out_n);

/* A 64-bit keyed hash (SipHash-2-4) for tables whose keys strangers choose. */
uint64_t digest_short(const uint8_t key[16], str data);

/* Equality in time that depends on n alone. */
bool secret_equal(const uint8_t *a, const uint8_t *b, size_t n);

/* Equality of two slices in time that depends on their lengths alone. */
bool secret_str_equal(str a, str b);

/* Overwrites memory; never optimised away. */
void secret_wipe(void *p, size_t n);

#endif
