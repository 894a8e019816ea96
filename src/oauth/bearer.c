#include "bearer.h"

#include "client_certificate.h"

/* The scheme compares without case. */
str bearer_of_header(const struct oauth_call *c) {
    str header = c->req.authorization;
    if (!str_starts_with_nocase(header, S("bearer "))) return (str){NULL, 0};
    return str_trim(str_from(header, 7));
}

void bearer_refuse(struct oauth_call *c, enum refusal refused) {
    oauth_refuse(c, refused);
    c->www_authenticate = refused == REFUSAL_SCOPE_INSUFFICIENT
                              ? S("Bearer error=\"insufficient_scope\", scope=\"openid\"")
                              : S("Bearer error=\"invalid_token\"");
}

bool bearer_open(struct oauth_call *c, str token, struct shown *out) {
    enum refusal refused = REFUSAL_NONE;
    shown_open(c, token, out);
    const struct access_token *t = &out->access;
    /* an app's own token speaks for nobody, and for no installation; one that is for some API alone could come from there (RFC 9700 s2.3) */
    bool is_for_us = out->kind == SHOWN_ACCESS && t->kind == ACCESS_OF_GRANT && t->resources.n == 0;
    if (!is_for_us || !certificate_fits_token(c, t) || !(c->app = live_app(c, out->access.app_id)))
        refused = REFUSAL_BEARER_INVALID;
    else if (c->env.now_ms >= out->access.expires_ms)
        refused = REFUSAL_BEARER_EXPIRED;
    if (c->app) c->client_id = c->app->client_id;
    if (refused) bearer_refuse(c, refused);
    return !refused;
}
