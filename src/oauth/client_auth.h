/* Client authentication (RFC 6749 s2.3): who calls, and can it prove it. */
#ifndef GRANTD_CLIENT_AUTH_H
#define GRANTD_CLIENT_AUTH_H

#include "params.h"

/* The parameters that identify and authenticate a client; the first member of the parameter struct of an endpoint. */
struct client_params {
    str client_id, client_secret, client_assertion, client_assertion_type;
};
#define CLIENT_PARAM_ROWS(type, member)                                                                                \
    PARAM_ALIAS(type, "client_id", member.client_id, 0, 0),                                                            \
        PARAM_ALIAS(type, "client_secret", member.client_secret, 0, 0),                                                \
        PARAM_ALIAS(type, "client_assertion", member.client_assertion, 0, 0),                                          \
        PARAM_ALIAS(type, "client_assertion_type", member.client_assertion_type, 0, 0)

/* What a request shows of its client. */
struct client_auth {
    const struct client_method *method; /* never NULL after client_identify succeeded */
    str secret;                         /* empty: none was sent */
    bool basic;                         /* the Basic scheme was used: refusals are 401 (RFC 6749 s5.2) */
    bool always_401;                    /* set by the endpoint before client_identify: introspection (RFC 7662 s2.3) */
};

/* Finds the method and the app: sets c->client_id and c->app. Refuses and returns false when two methods were used, the id
 * is missing, or the app is unknown or disabled (after as much work as a wrong secret costs). */
bool client_identify(struct oauth_call *c, const struct client_params *params, struct client_auth *auth);

/* Proves the app that client_identify found, by the one way it was registered with. Public apps have nothing to prove, and must not send a secret. */
bool client_authenticate(struct oauth_call *c, const struct client_params *params, const struct client_auth *auth);

/* Refuses with one of the client rows, as 401 where that is due. */
void client_refuse(struct oauth_call *c, const struct client_auth *auth, enum refusal refused);

/* The hash under which a client secret is stored, with the key of one ring generation. */
void client_secret_hash(const struct ring_key *key, str secret, uint8_t out[MAC_BYTES]);

#endif
