/* The text form of every visible token: prefix, body in base64url, six base62 digits of a CRC-32 over both. Secret
 * scanners find leaked ones by the prefix, and a typing error costs no read of the store. */
#ifndef GRANTD_TOKEN_TEXT_H
#define GRANTD_TOKEN_TEXT_H

#include "bounds.h"
#include "str.h"

enum token_kind {
    TOKEN_ACCESS,  /* gda_ */
    TOKEN_REFRESH, /* gdr_ */
    TOKEN_CODE,    /* gdc_ */
    TOKEN_SECRET,  /* gds_ */
    TOKEN_KINDS
};
#define TOKEN_PREFIX_BYTES 4
#define TOKEN_CHECK_BYTES  6
#define TOKEN_BODY_MAX     ((TOKEN_TEXT_MAX - TOKEN_PREFIX_BYTES - TOKEN_CHECK_BYTES) * 3 / 4)

str token_prefix(enum token_kind kind);

/* Writes the text of a body (body.n <= TOKEN_BODY_MAX); returns its length, at most TOKEN_TEXT_MAX. */
size_t token_text_write(enum token_kind kind, str body, char out[TOKEN_TEXT_MAX]);

/* The kind, by prefix alone. False when it is none of ours. */
bool token_text_kind(str text, enum token_kind *out);

/* Checks prefix and checksum and decodes the body into out_body. False when it is not a well-formed token of that kind. */
bool token_text_read(enum token_kind kind, str text, uint8_t out_body[TOKEN_BODY_MAX], size_t *out_n);

#endif
