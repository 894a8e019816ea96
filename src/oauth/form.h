/* form: application/x-www-form-urlencoded text to pairs of decoded names and values. */
#ifndef GRANTD_FORM_H
#define GRANTD_FORM_H

#include "oauth.h"

struct form_pair {
    str name, value;
};

struct form {
    size_t n;
    struct form_pair pairs[PARAMS_MAX];
};

/* Appends the pairs of `text` to `form`; what they point to is `text` itself or lives in the arena (and is wiped with it).
 * REFUSAL_REQUEST_MALFORMED on a broken escape, a NUL, bytes that are not UTF-8, or more than PARAMS_MAX pairs. */
enum refusal form_parse(str text, struct arena *arena, struct form *form);

/* Whether the body is one, or there is none. */
bool form_is_sent(const struct oauth_req *req);

/* The form of a request: the query of a GET; else the body, whose media type must be a form's (REFUSAL_MEDIA_TYPE),
 * together with the query where the route allows it (v1). */
enum refusal form_read(const struct oauth_req *req, struct arena *arena, struct form *out);

#endif
