/* v1's GET of a token: the token is its own credential. */
#include "info.h"

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    return round == 0 ? shown_ask(c->state, out) : 0;
}

static void start(struct oauth_call *c, enum shown_kind wanted) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    c->state = shown;
    shown_open(c, c->req.path_arg, shown);
    if (shown->kind != wanted) oauth_refuse(c, REFUSAL_TOKEN_UNKNOWN);
}

/* HubSpot tells a malformed access token from a dead one: the checksum is the format. */
static void start_access(struct oauth_call *c) {
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = 0;
    bool is_jwt = str_find(c->req.path_arg, '.') < c->req.path_arg.n;
    if (!is_jwt && !token_text_read(TOKEN_ACCESS, c->req.path_arg, body, &n))
        return oauth_refuse(c, REFUSAL_TOKEN_FORMAT);
    start(c, SHOWN_ACCESS);
}

static void start_refresh(struct oauth_call *c) { start(c, SHOWN_REFRESH); }

static void decide(struct oauth_call *c) {
    if (!shown_is_live(c, c->state)) return oauth_refuse(c, REFUSAL_TOKEN_UNKNOWN);
    info_answer(c, c->state, INFO_V1);
}

const struct endpoint endpoint_v1_access_token = {"v1_access_token", start_access, ask, decide, NULL};
const struct endpoint endpoint_v1_refresh_token = {"v1_refresh_token", start_refresh, ask, decide, NULL};
