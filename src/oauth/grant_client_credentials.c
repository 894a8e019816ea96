/* grant_type=client_credentials: RFC 6749 s4.4. The app acts for itself; nothing is asked, nothing is stored, there is no refresh token. */
#include "resources.h"
#include "scopes.h"
#include "token.h"

static void decide(struct oauth_call *c, struct token_call *t) {
    struct access_token access = {
        .kind = ACCESS_OF_CLIENT,
        .app_id = c->app->app_id,
        .hub_id = c->app->bound_hub_id,
        .issued_ms = c->env.now_ms,
        .expires_ms = c->env.now_ms + c->app->access_ttl_s * 1000,
    };
    if (!scopes_read(c, t->params.scope, &c->app->scopes, true, &access.scopes)) return;
    if (!resources_read(c, &t->params.resource, &access.resources)) return;
    token_answer(c, &(struct token_answer){.access = &access});
}

const struct grant_rule grant_client_credentials = {
    S("client_credentials"), APP_GRANT_CLIENT_CREDENTIALS, false, NULL, NULL, decide, NULL};
