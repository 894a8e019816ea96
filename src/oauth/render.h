/* How answers leave. */
#ifndef GRANTD_RENDER_H
#define GRANTD_RENDER_H

#include "oauth.h"

struct render_pair {
    str name, value;
};

/* The Location of an authorization response: the verified redirect URI with its own query kept (RFC 6749 s4.1.2), the pairs, `state` as it
 * was sent, and `iss` (RFC 9207). Every value is percent-encoded here. */
str render_location(const struct oauth_call *c, const struct render_pair *pairs, size_t n);

/* An address with the pairs behind its own query; those without a value are left out, the others percent-encoded. */
str render_address(struct arena *arena, str base, const struct render_pair *pairs, size_t n);

/* 303 after a POST, so that no body is sent on (RFC 9700 s4.12); 302 after a GET. */
int render_redirect_status(const struct oauth_call *c);

/* An answer without a body. */
struct answer render_empty(int http);

#endif
