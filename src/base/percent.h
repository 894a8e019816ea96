/* Percent and form encoding (RFC 3986 s2.1, application/x-www-form-urlencoded). */
#ifndef GRANTD_PERCENT_H
#define GRANTD_PERCENT_H

#include "buf.h"

enum percent_kind { PERCENT_URI, PERCENT_FORM }; /* FORM: '+' is a space */

/* Decodes s into out (room for s.n bytes; out may be s.p itself). False on a broken escape, a NUL, or a result that is not UTF-8. */
bool percent_decode(str s, enum percent_kind kind, char *out, size_t *out_n);

/* Appends s with everything but unreserved characters escaped (RFC 3986 s2.3). */
void percent_encode(struct buf *b, str s);

#endif
