#include "token.h"

#include "claims.h"
#include "client_certificate.h"
#include "id_token.h"
#include "jwt_access.h"
#include "resources.h"
#include "scopes.h"

/* RFC 6749 s3.2, s4.1.3, s4.4.2, s6; RFC 7636 s4.5. Tokens, codes and credentials have no maximum here: one that is too long is
 * simply unknown, and the rule that reads it says so. */
static const struct param param_rows[] = {
    CLIENT_PARAM_ROWS(struct token_params, client),
    PARAM(struct token_params, grant_type, 0, 0),
    PARAM(struct token_params, code, 0, 0),
    PARAM(struct token_params, redirect_uri, 0, 0),
    PARAM(struct token_params, code_verifier, 0, 0),
    PARAM(struct token_params, refresh_token, 0, 0),
    PARAM(struct token_params, scope, SCOPE_LIST_MAX, 0),
    PARAM_MANY(struct token_params, resource),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

static const struct grant_rule *const rules[] = {&grant_code, &grant_refresh, &grant_client_credentials};
#define RULE_COUNT (sizeof rules / sizeof rules[0])

size_t oauth_list_grant_types(str out[OAUTH_LIST_MAX]) {
    for (size_t i = 0; i < RULE_COUNT; i++) out[i] = rules[i]->name;
    return RULE_COUNT;
}

static const struct grant_rule *find_rule(str grant_type) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (str_eq(rules[i]->name, grant_type)) return rules[i];
    return NULL;
}

static void refuse_parameter(struct oauth_call *c, enum refusal refused, str parameter) {
    oauth_refuse(c, refused);
    c->refused_parameter = parameter;
}

/* The order of checks is a promise: client id, grant type, client authentication, and only then what the grant needs, so that a
 * caller without credentials learns nothing of codes, tokens, or what an app may do. */
static void start(struct oauth_call *c) {
    struct token_call *t = ARENA_NEW(c->arena, struct token_call);
    struct client_auth auth = {.always_401 = false};
    c->state = t;
    if (!params_read(c, &params_table, &t->params)) return;
    if (!client_identify(c, &t->params.client, &auth)) return;
    if (t->params.grant_type.n == 0) return refuse_parameter(c, REFUSAL_GRANT_TYPE_MISSING, S("grant_type"));
    t->rule = find_rule(t->params.grant_type);
    if (!t->rule) return refuse_parameter(c, REFUSAL_GRANT_TYPE_UNKNOWN, S("grant_type"));
    if (!client_authenticate(c, &t->params.client, &auth)) return;
    bool allowed = (c->app->grants & t->rule->app_grant) && (t->rule->for_public || !app_has(c->app, APP_PUBLIC));
    if (!allowed) return refuse_parameter(c, REFUSAL_GRANT_TYPE_NOT_ALLOWED, S("grant_type"));
    if (!certificate_bind(c)) return;
    if (t->rule->start) t->rule->start(c, t);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    struct token_call *t = c->state;
    return round == 0 && t->rule->ask ? t->rule->ask(c, t, out) : 0;
}

static void decide(struct oauth_call *c) {
    struct token_call *t = c->state;
    c->change.kind = CHANGE_NONE;
    c->again = false;
    t->rule->decide(c, t);
}

static void lost(struct oauth_call *c) {
    struct token_call *t = c->state;
    c->change.kind = CHANGE_NONE;
    if (t->rule->lost) t->rule->lost(c, t);
}

const struct endpoint endpoint_token = {"token", start, ask, decide, lost};

/* A signed token that does not fit is given out as an opaque one: an app that could meet this was not allowed to be set to signed ones, but the
 * issuer may have become longer since. Empty: a resource wants a signed one, which its API verifies by itself. */
static str access_text(const struct oauth_call *c, const struct access_token *t) {
    enum token_format format = resources_format(c->env.registry, &t->resources);
    bool is_signed = format == TOKEN_FORMAT_JWT || (format == TOKEN_FORMAT_OF_APP && app_has(c->app, APP_JWT));
    str text = is_signed ? jwt_access_make(&c->env, c->arena, c->app, t) : (str){NULL, 0};
    return text.n || format == TOKEN_FORMAT_JWT ? text : access_seal(&c->env, c->arena, t);
}

/* Empty when none is due. False when one is due and cannot be made. */
static bool make_id_token(struct oauth_call *c, const struct token_answer *a, str access_text, str *out) {
    const struct registry *registry = c->env.registry;
    const struct scope_set *scopes = &a->access->scopes;
    *out = (str){NULL, 0};
    if (!a->id || !scopes_have(registry, scopes, OPENID_SCOPE_OPENID)) return true;
    const struct id_token id = {
        .access = a->access,
        .access_text = access_text,
        .nonce = a->id->nonce,
        .auth_time_ms = a->id->auth_time_ms,
        .claims = a->id->claims & claims_of_scopes(registry, scopes),
    };
    *out = id_token_make(c, &id);
    return out->n > 0;
}

/* Member order as in HubSpot's answers; a success body never has a member called `message`. */
void token_answer(struct oauth_call *c, const struct token_answer *a) {
    const struct access_token token = certificate_bound(c, a->access), *t = &token;
    str access = access_text(c, t), id_token;
    if (access.n == 0) {
        c->change.kind = CHANGE_NONE; /* neither is a code used up */
        return refuse_parameter(c, REFUSAL_RESOURCE_FORMAT, S("resource"));
    }
    if (!make_id_token(c, a, access, &id_token)) {
        c->change.kind = CHANGE_NONE;
        return oauth_refuse(c, REFUSAL_INTERNAL);
    }
    size_t bound = 1024 + 2 * BOUND_TOKEN_TEXT_MAX + id_token.n + scopes_bound(c->env.registry, &t->scopes);
    struct buf out = buf_on(arena_alloc_secret(c->arena, bound), bound);
    struct json j = json_on(&out);
    json_open(&j);
    json_member_str(&j, S("token_type"), S("bearer"));
    json_member_str(&j, S("access_token"), access);
    if (a->refresh_token.n) json_member_str(&j, S("refresh_token"), a->refresh_token);
    json_member_int(&j, S("expires_in"), (t->expires_ms - c->env.now_ms) / 1000);
    json_member_str(&j, S("token_use"), t->kind == ACCESS_OF_CLIENT ? S("client_credentials") : S("access_token"));
    if (t->hub_id) json_member_int(&j, S("hub_id"), t->hub_id);
    if (t->user_id) json_member_int(&j, S("user_id"), t->user_id);
    scopes_write(&j, c, &t->scopes, true);
    if (id_token.n) json_member_str(&j, S("id_token"), id_token);
    json_close(&j);
    c->answer = (struct answer){.http = 200, .type = ANSWER_JSON, .body = buf_str(&out), .no_store = true};
}

void token_answer_grant(struct oauth_call *c, const struct grant *grant, const struct token_part *part,
                        str refresh_token, const struct code *code) {
    struct id_token_facts id = {.auth_time_ms = grant->auth_time_ms};
    struct access_token access = {
        .kind = ACCESS_OF_GRANT,
        .grant_id = grant->id,
        .app_id = grant->app_id,
        .hub_id = grant->hub_id,
        .user_id = grant->user_id,
        .issued_ms = c->env.now_ms,
        .scopes = part->scopes,
        .resources = part->resources,
    };
    /* a revocation and a token of the same millisecond: the token is the later one */
    if (access.issued_ms <= grant->access_not_before_ms) access.issued_ms = grant->access_not_before_ms + 1;
    access.expires_ms = access.issued_ms + c->app->access_ttl_s * 1000;
    if (grant->expires_ms && access.expires_ms > grant->expires_ms) access.expires_ms = grant->expires_ms;
    if (code) id.nonce = code->nonce;
    if (code) id.claims = code->id_token_claims;
    token_answer(c, &(struct token_answer){.access = &access, .refresh_token = refresh_token, .id = &id});
}

/* `revocation_keep_access_tokens` is for clients that say good-bye. What a thief may hold dies at once. */
void change_revoke_grant(struct oauth_call *c, const struct grant_id *id, enum revoked_by by) {
    int64_t keep_s = c->env.settings->revocation_keep_access_tokens ? ACCESS_TTL_MAX_S : CODE_TTL_MAX_S;
    c->change = (struct change){
        .kind = CHANGE_GRANT_REVOKE,
        .grant_id = *id,
        .now_ms = c->env.now_ms,
        .expires_ms = c->env.now_ms + keep_s * 1000,
        .access_not_before_ms = by == REVOKED_AS_STOLEN ? c->env.now_ms : 0,
    };
}
