/* The form that introspection and revocation share (RFC 7662 s2.1, RFC 7009 s2.1). */
#ifndef GRANTD_SHOWN_PARAMS_H
#define GRANTD_SHOWN_PARAMS_H

#include "client_auth.h"
#include "liveness.h"

struct shown_params {
    struct client_params client;
    str token;           /* HubSpot's guide calls it access_token or refresh_token, as the hint says */
    str token_type_hint; /* only a hint: the prefix of a token tells its kind */
};

/* Reads the form, the client and its proof, and the token, in this order. Refuses and returns false when one is wrong.
 * `introspection`: refusals of clients are 401, and public apps are refused. */
bool shown_params_read(struct oauth_call *c, bool introspection, struct shown *out);

#endif
