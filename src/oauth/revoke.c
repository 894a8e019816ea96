/* Revocation: RFC 7009, and v1's DELETE of a refresh token. Unknown and dead tokens are answered like live ones. */
#include "render.h"
#include "shown_params.h"
#include "token.h"

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct shown *shown = c->state;
    bool of_client = shown->kind == SHOWN_ACCESS && shown->access.kind == ACCESS_OF_CLIENT;
    return round == 0 && !of_client ? shown_ask(shown, out) : 0; /* a token of client_credentials has no row to read */
}

/* Every access token that the grant has issued so far dies; the refresh token lives. The bound is the latest time that any of them can
 * carry: clocks of two machines, and tokens issued in the millisecond of the last revocation, may be ahead of now. */
static void revoke_access(struct oauth_call *c, const struct access_token *t) {
    if (c->env.now_ms >= t->expires_ms) return;
    if (t->kind == ACCESS_OF_CLIENT) {
        c->change = (struct change){.kind = CHANGE_TOKEN_REVOKE, .expires_ms = t->expires_ms};
        memcpy(c->change.token_id, t->token_id, TOKEN_ID_BYTES);
        return;
    }
    if (!c->facts.grant_found) return;
    int64_t until_ms = c->env.now_ms > t->issued_ms ? c->env.now_ms : t->issued_ms;
    int64_t before_ms = c->facts.grant.access_not_before_ms;
    if (before_ms && until_ms <= before_ms) until_ms = before_ms + 1;
    c->change = (struct change){.kind = CHANGE_GRANT_NOT_BEFORE, .grant_id = t->grant_id, .now_ms = until_ms};
}

/* A refresh token takes its grant with it (RFC 7009 s2.1). A superseded one as well: its holder wants the session to end, and may be one
 * whose last answer was lost. */
static void revoke_refresh(struct oauth_call *c) {
    if (!c->facts.grant.revoked_ms) change_revoke_grant(c, &c->facts.grant.id, REVOKED_BY_CLIENT);
}

static void start(struct oauth_call *c) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    c->state = shown;
    shown_params_read(c, false, shown);
}

static void decide(struct oauth_call *c) {
    const struct shown *shown = c->state;
    int32_t app_id = 0;
    c->change.kind = CHANGE_NONE;
    c->answer = render_empty(200);
    if (!shown_is_genuine(c, shown, &app_id)) return; /* RFC 7009 s2.2: an unknown token is none to worry about */
    if (app_id != c->app->app_id) return oauth_refuse(c, REFUSAL_TOKEN_FOREIGN);
    if (shown->kind == SHOWN_ACCESS) return revoke_access(c, &shown->access);
    revoke_refresh(c);
}

const struct endpoint endpoint_revoke = {"revoke", start, ask, decide, NULL};

/* v1: whoever has the token may end it; there is no client authentication. */
static void start_v1(struct oauth_call *c) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    c->state = shown;
    shown_open(c, c->req.path_arg, shown);
    if (shown->kind != SHOWN_REFRESH) shown->kind = SHOWN_NOTHING;
}

static void decide_v1(struct oauth_call *c) {
    int32_t app_id = 0;
    c->change.kind = CHANGE_NONE;
    c->answer = render_empty(204);
    if (shown_is_genuine(c, c->state, &app_id)) revoke_refresh(c);
}

const struct endpoint endpoint_v1_refresh_delete = {"v1_refresh_delete", start_v1, ask, decide_v1, NULL};
