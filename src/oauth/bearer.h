/* bearer: how an access token comes with a request (RFC 6750). */
#ifndef GRANTD_BEARER_H
#define GRANTD_BEARER_H

#include "liveness.h"

/* The token of the header Authorization (s2.1); empty: none. */
str bearer_of_header(const struct oauth_call *c);

/* Refuses the call and says why in WWW-Authenticate (s3). */
void bearer_refuse(struct oauth_call *c, enum refusal refused);

/* Opens the token of a person and finds its app; refuses the call when it is none, or over. The store has not been asked yet. */
bool bearer_open(struct oauth_call *c, str token, struct shown *out);

#endif
