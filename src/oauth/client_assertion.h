/* private_key_jwt: a client proves itself by a signed assertion (RFC 7523 s2.2, s3; OpenID Connect Core s9). */
#ifndef GRANTD_CLIENT_ASSERTION_H
#define GRANTD_CLIENT_ASSERTION_H

#include "client_auth.h"

/* The client id that an assertion speaks of; empty: it cannot be read. Nothing is proven. */
str assertion_client_id(struct arena *arena, const struct client_params *params);

/* Whether the assertion proves c->app: its signature, and every claim. Sets c->proof, by which it is used up: whoever sends it again is
 * refused, on every node and after a restart. */
bool assertion_proves(struct oauth_call *c, const struct client_params *params);

#endif
