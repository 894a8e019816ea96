/* The token endpoint's own: what its grants share. */
#ifndef GRANTD_TOKEN_H
#define GRANTD_TOKEN_H

#include "client_auth.h"
#include "tokens.h"

struct token_params {
    struct client_params client;
    str grant_type, code, redirect_uri, code_verifier, refresh_token, scope;
    struct param_list resource;
};

/* What of a grant goes into an access token. */
struct token_part {
    struct scope_set scopes;
    struct resource_set resources;
};

struct token_call {
    struct token_params params;
    const struct grant_rule *rule;
    struct code code;           /* authorization_code, opened */
    struct refresh_claim claim; /* refresh_token, not proven */
    struct token_part part;     /* authorization_code */
};

/* One row per grant type; the members mean what they mean in struct endpoint. */
struct grant_rule {
    str name;
    uint32_t app_grant;                                        /* enum app_grant that the app needs */
    bool for_public;                                           /* public apps may use it */
    void (*start)(struct oauth_call *c, struct token_call *t); /* NULL: nothing to check before decide */
    size_t (*ask)(struct oauth_call *c, struct token_call *t, struct ask out[ASKS_MAX]); /* NULL: needs nothing */
    void (*decide)(struct oauth_call *c, struct token_call *t);
    void (*lost)(struct oauth_call *c, struct token_call *t); /* NULL: never */
};

extern const struct grant_rule grant_code, grant_refresh, grant_client_credentials;

/* What the ID token says beside the access token, when there is one. */
struct id_token_facts {
    str nonce; /* empty: none */
    int64_t auth_time_ms;
    unsigned claims; /* CLAIM_BITs that were asked for */
};

/* What a successful answer says (RFC 6749 s5.1 and HubSpot's members). */
struct token_answer {
    const struct access_token *access; /* is sealed here */
    str refresh_token;                 /* empty: none */
    const struct id_token_facts *id;   /* NULL: it speaks of nobody */
};

/* Seals the access token, signs an ID token if the scope openid is among those of the access token (OpenID Connect Core s3.1.3.3, s12.2), and
 * fills c->answer. Refuses the call, and drops its change, when nothing could be signed, or when a resource wants a signed token and it would be
 * too long. */
void token_answer(struct oauth_call *c, const struct token_answer *a);

/* The same for a grant: a new access token for this part of it, that ends no later than the grant. `code`: that was redeemed; NULL: none. */
void token_answer_grant(struct oauth_call *c, const struct grant *grant, const struct token_part *part,
                        str refresh_token, const struct code *code);

/* A revocation of a grant in c->change. The row is kept as long as a code could still ask for it, and as long as the access
 * tokens that outlive it where an option lets them. */
enum revoked_by { REVOKED_BY_CLIENT, REVOKED_AS_STOLEN };
void change_revoke_grant(struct oauth_call *c, const struct grant_id *id, enum revoked_by by);

#endif
