/* Userinfo: what the bearer of an access token with the scope openid may know of the person (OpenID Connect Core s5.3). */
#include "bearer.h"
#include "claims.h"
#include "params.h"

struct userinfo_params {
    str access_token;
};
static const struct param param_rows[] = {PARAM(struct userinfo_params, access_token, 0, 0)};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

/* RFC 6750 s2: in the header, or in the form of a POST; never in the address, and not in both. A body of another kind is nobody's. */
static bool read_token(struct oauth_call *c, str *out) {
    struct userinfo_params params = {{NULL, 0}};
    *out = bearer_of_header(c);
    if (c->req.method != METHOD_POST || (out->n && !form_is_sent(&c->req))) return true;
    if (!params_read(c, &params_table, &params)) return false;
    if (out->n && params.access_token.n) {
        oauth_refuse(c, REFUSAL_REQUEST_MALFORMED);
        return false;
    }
    if (!out->n) *out = params.access_token;
    return true;
}

static void start(struct oauth_call *c) {
    struct shown *shown = ARENA_NEW(c->arena, struct shown);
    str token = {NULL, 0};
    c->state = shown;
    if (read_token(c, &token)) (void)bearer_open(c, token, shown);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    return round == 0 ? shown_ask(c->state, out) : 0;
}

static void decide(struct oauth_call *c) {
    const struct shown *shown = c->state;
    const struct subject *person = &c->facts.subject;
    if (!shown_is_live(c, shown)) return bearer_refuse(c, REFUSAL_BEARER_INVALID);
    if (!scopes_have(c->env.registry, &shown->access.scopes, OPENID_SCOPE_OPENID))
        return bearer_refuse(c, REFUSAL_SCOPE_INSUFFICIENT);
    size_t bound = CLAIMS_BOUND + 6 * (person->email.n + person->user_name.n);
    struct buf out = buf_on(arena_alloc_secret(c->arena, bound), bound);
    struct json j = json_on(&out);
    json_open(&j);
    json_member_str(&j, S("sub"), claims_subject(c->arena, shown->access.user_id));
    claims_write(&j, person, claims_of_scopes(c->env.registry, &shown->access.scopes));
    json_close(&j);
    c->answer = (struct answer){.http = 200, .type = ANSWER_JSON, .body = buf_str(&out), .no_store = true};
}

const struct endpoint endpoint_userinfo = {"userinfo", start, ask, decide, NULL};
