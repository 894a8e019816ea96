/* base64url without padding (RFC 4648 s5), strict, and hex. */
#ifndef GRANTD_B64_H
#define GRANTD_B64_H

#include "str.h"

/* Characters that n bytes take. */
static inline size_t b64url_length(size_t n) { return (n * 4 + 2) / 3; }

/* Writes b64url_length(n) characters to out. */
void b64url_encode(const uint8_t *bytes, size_t n, char *out);

/* Decodes s into out (room for s.n * 3 / 4 bytes). False when s has a character outside the alphabet, padding, an
 * impossible length, or non-zero bits behind the last byte (so every byte string has exactly one text). */
bool b64url_decode(str s, uint8_t *out, size_t *out_n);

/* Standard base64 with padding (RFC 4648 s4): encode for the signed_access_token member, decode for Basic. */
static inline size_t b64_length(size_t n) { return (n + 2) / 3 * 4; }
void b64_encode(const uint8_t *bytes, size_t n, char *out);
bool b64_decode(str s, uint8_t *out, size_t *out_n);

/* Lower-case hex, 2n characters; decode takes both cases. */
void hex_encode(const uint8_t *bytes, size_t n, char *out);
bool hex_decode(str s, uint8_t *out, size_t out_n);

#endif
