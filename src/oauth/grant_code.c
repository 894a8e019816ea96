/* grant_type=authorization_code: RFC 6749 s4.1.3, RFC 7636 s4.6. A code is a sealed envelope; what makes it single-use is the primary
 * key of the grant that its redemption inserts. */
#include "liveness.h"
#include "resources.h"
#include "token.h"

/* RFC 6749 s4.1.3: sent in the authorization request, it must be here and identical; left out there, it may be left out here. */
static enum refusal check_redirect_uri(const struct code *code, str redirect_uri) {
    if (redirect_uri.n == 0) return code->redirect_uri_sent ? REFUSAL_REDIRECT_URI_MISSING : REFUSAL_NONE;
    uint8_t hash[REDIRECT_HASH_BYTES];
    redirect_hash(redirect_uri, hash);
    return secret_equal(hash, code->redirect_hash, sizeof hash) ? REFUSAL_NONE : REFUSAL_REDIRECT_URI_MISMATCH;
}

/* RFC 7636 s4.6. A verifier without a challenge is a downgrade (RFC 9700 s2.1.1); so is a code without one for an app that by now needs it. */
static enum refusal check_verifier(const struct app *app, const struct code *code, str verifier) {
    if (!code->has_challenge)
        return verifier.n || app_has(app, APP_PUBLIC | APP_REQUIRE_PKCE) ? REFUSAL_VERIFIER_WRONG : REFUSAL_NONE;
    if (verifier.n == 0) return REFUSAL_VERIFIER_WRONG;
    if (verifier.n < CODE_VERIFIER_MIN || verifier.n > CODE_VERIFIER_MAX || !str_is_all(verifier, 'U'))
        return REFUSAL_VERIFIER_MALFORMED;
    uint8_t hash[SHA256_BYTES];
    digest_sha256(verifier, hash);
    return secret_equal(hash, code->challenge, sizeof hash) ? REFUSAL_NONE : REFUSAL_VERIFIER_WRONG;
}

static bool refuse(struct oauth_call *c, enum refusal refused, str parameter) {
    if (!refused) return false;
    oauth_refuse(c, refused);
    c->refused_parameter = parameter;
    return true;
}

/* Everything that needs no store. Whatever fails here leaves the code as it is: nobody can burn somebody else's. */
static void start(struct oauth_call *c, struct token_call *t) {
    const struct token_params *p = &t->params;
    enum refusal refused = REFUSAL_NONE;
    if (p->code.n == 0)
        refused = REFUSAL_CODE_MISSING;
    else if (!code_open(&c->env, c->arena, p->code, &t->code) || t->code.app_id != c->app->app_id)
        refused = REFUSAL_CODE_INVALID;
    else if (c->env.now_ms >= t->code.expires_ms)
        refused = REFUSAL_CODE_EXPIRED;
    if (refuse(c, refused, S("code"))) return;
    if (refuse(c, check_redirect_uri(&t->code, p->redirect_uri), S("redirect_uri"))) return;
    if (refuse(c, check_verifier(c->app, &t->code, p->code_verifier), S("code_verifier"))) return;
    resources_narrow(c, &p->resource, t->code.resources, &t->part.resources);
}

static size_t ask(struct oauth_call *c, struct token_call *t, struct ask out[ASKS_MAX]) {
    (void)c;
    out[0] = (struct ask){
        .kind = ASK_SUBJECT,
        .app_id = t->code.app_id,
        .hub_id = t->code.hub_id,
        .user_id = t->code.user_id,
    };
    out[1] = (struct ask){.kind = ASK_REVOKED_TOKEN};
    removal_mark(t->code.user_id, t->code.app_id, t->code.hub_id, out[1].token_id);
    return 2;
}

/* When the row may go: never for a refresh token without end; never before the code's own end, as the row is what keeps the code from
 * being redeemed again. */
static int64_t grant_expiry_ms(const struct oauth_call *c, const struct code *code) {
    const struct app *app = c->app;
    int64_t end_ms;
    if (!(app->grants & APP_GRANT_REFRESH))
        end_ms = c->env.now_ms + app->access_ttl_s * 1000;
    else if (app->refresh_absolute_s)
        end_ms = code->issued_ms + app->refresh_absolute_s * 1000;
    else
        return 0;
    return end_ms > code->expires_ms ? end_ms : code->expires_ms + 1;
}

static void insert_grant(struct oauth_call *c, const struct code *code) {
    struct grant *g = &c->change.grant;
    c->change.kind = CHANGE_GRANT_INSERT;
    *g = (struct grant){
        .id = code->grant_id,
        .app_id = code->app_id,
        .hub_id = code->hub_id,
        .user_id = code->user_id,
        .scopes = code->scopes,
        .created_ms = code->issued_ms,
        .expires_ms = grant_expiry_ms(c, code),
        .last_used_day = day_of(c->env.now_ms),
        .auth_time_ms = code->auth_time_ms,
        .resources = code->resources,
    };
    /* a removal in this very moment comes before or after, never between the look and the insert */
    removal_mark(code->user_id, code->app_id, code->hub_id, c->change.token_id);
    /* RFC 8705 s4: what an app without a secret gets is for its certificate alone */
    if (app_has(c->app, APP_PUBLIC) && app_has(c->app, APP_CERTIFICATE_BOUND))
        g->certificate = (str){(const char *)c->req.certificate->thumbprint, SHA256_BYTES};
    memcpy(g->salt, c->env.random + OAUTH_RANDOM_SALT, GRANT_SALT_BYTES);
}

static void decide(struct oauth_call *c, struct token_call *t) {
    enum life life = subject_life(&c->facts, t->code.issued_ms);
    if (life != LIFE_LIVE) return oauth_refuse(c, life == LIFE_HUB_GONE ? REFUSAL_HUB_GONE : REFUSAL_CODE_INVALID);
    if (is_removed(&c->facts, t->code.issued_ms)) return oauth_refuse(c, REFUSAL_CODE_INVALID);
    if (!scope_set_decode(t->code.scopes, &t->part.scopes)) return oauth_refuse(c, REFUSAL_CODE_INVALID);
    insert_grant(c, &t->code);
    const struct grant *g = &c->change.grant;
    bool refreshable = c->app->grants & APP_GRANT_REFRESH;
    token_answer_grant(c, g, &t->part, refreshable ? refresh_make(&c->env, c->arena, g, 1) : S(""), &t->code);
}

/* The code was redeemed before, and this is its rightful client with the right verifier: one of the two is a thief
 * (RFC 6749 s4.1.2). What was issued from it dies. */
static void lost(struct oauth_call *c, struct token_call *t) {
    oauth_refuse(c, REFUSAL_CODE_INVALID);
    c->refused_parameter = S("code");
    change_revoke_grant(c, &t->code.grant_id, REVOKED_AS_STOLEN);
}

const struct grant_rule grant_code = {S("authorization_code"), APP_GRANT_CODE, true, start, ask, decide, lost};
