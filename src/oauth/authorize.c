/* The authorization endpoint: RFC 6749 s4.1.1, RFC 7636 s4.3, RFC 9207. Until the redirect URI is verified everything that is wrong is
 * said on a page; from then on it goes back to the app. Here the answer comes at once, as the person that the option
 * auto_approve names; without the option there is nothing at this address. */
#include "b64.h"
#include "liveness.h"
#include "params.h"
#include "redirect_uri.h"
#include "render.h"
#include "scopes.h"

struct authorize_params {
    str client_id, redirect_uri, response_type, scope, optional_scope, state, code_challenge, code_challenge_method,
        nonce, prompt, login_hint, ui_locales;
};

static const struct param param_rows[] = {
    PARAM(struct authorize_params, client_id, 0, 0),
    PARAM(struct authorize_params, redirect_uri, 0, 0),
    PARAM(struct authorize_params, response_type, 0, 0),
    PARAM(struct authorize_params, scope, SCOPE_LIST_MAX, 0),
    PARAM(struct authorize_params, optional_scope, SCOPE_LIST_MAX, 0),
    PARAM_ALIAS(struct authorize_params, "optional_scopes", optional_scope, SCOPE_LIST_MAX, 0),
    PARAM(struct authorize_params, state, STATE_MAX, 0),
    PARAM(struct authorize_params, code_challenge, 0, 0),
    PARAM(struct authorize_params, code_challenge_method, 0, 0),
    PARAM(struct authorize_params, nonce, OIDC_NONCE_MAX, 0),
    PARAM(struct authorize_params, prompt, 0, 0),
    PARAM(struct authorize_params, login_hint, 0, 0),
    PARAM(struct authorize_params, ui_locales, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct authorize_call {
    struct authorize_params params;
    struct params_problem problem; /* told to the app, once it is known where that is */
    struct code code;
};

static bool refuse(struct oauth_call *c, enum refusal refused) {
    oauth_refuse(c, refused);
    return false;
}

/* A parameter that was sent twice has no value that could be trusted. */
#define IS_REPEATED(a, member)                                                                                         \
    params_is_repeated(&(a)->problem, &params_table, PARAM_OFFSET(struct authorize_params, member))

static bool check_client(struct oauth_call *c, const struct authorize_call *a) {
    str id = a->params.client_id;
    if (IS_REPEATED(a, client_id)) return refuse(c, REFUSAL_PARAMETER_REPEATED);
    c->client_id = id;
    const struct app *app = id.n && id.n <= CLIENT_ID_MAX ? registry_app_by_client_id(c->env.registry, id) : NULL;
    if (!app || app_has(app, APP_DISABLED | APP_DELETED)) return refuse(c, REFUSAL_AUTHORIZE_CLIENT);
    c->app = app;
    return true;
}

/* The URI that was asked for, if it is a registered one; left out, the only registered one. */
static str find_redirect_uri(const struct app *app, str requested) {
    str none = {NULL, 0};
    if (requested.n == 0) return app->n_redirect_uris == 1 ? app->redirect_uris[0] : none;
    for (size_t i = 0; i < app->n_redirect_uris; i++)
        if (redirect_uri_matches(app->redirect_uris[i], requested)) return requested;
    return none;
}

/* A second look at what was registered keeps a row that went around the rule from becoming an open redirector. */
static bool check_redirect_uri(struct oauth_call *c, struct authorize_call *a) {
    if (IS_REPEATED(a, redirect_uri)) return refuse(c, REFUSAL_PARAMETER_REPEATED);
    str uri = find_redirect_uri(c->app, a->params.redirect_uri);
    if (!redirect_uri_is_registrable(uri)) return refuse(c, REFUSAL_AUTHORIZE_REDIRECT_URI);
    a->code.redirect_uri_sent = a->params.redirect_uri.n > 0;
    redirect_hash(uri, a->code.redirect_hash);
    c->form = FORM_REDIRECT;
    c->redirect_base = uri;
    if (!IS_REPEATED(a, state) && a->params.state.n <= STATE_MAX) c->redirect_state = a->params.state;
    return true;
}

/* RFC 7636 s4.3, s4.4.1. A challenge without a method means "plain", which is refused like any method but S256. */
static bool check_challenge(struct oauth_call *c, struct authorize_call *a) {
    str challenge = a->params.code_challenge, method = a->params.code_challenge_method;
    size_t n = 0;
    if (challenge.n == 0) {
        if (method.n || app_has(c->app, APP_PUBLIC | APP_REQUIRE_PKCE)) return refuse(c, REFUSAL_CHALLENGE_MISSING);
        return true;
    }
    if (!str_eq(method, S("S256"))) return refuse(c, REFUSAL_CHALLENGE_METHOD);
    if (challenge.n != CODE_CHALLENGE_CHARS || !b64url_decode(challenge, a->code.challenge, &n))
        return refuse(c, REFUSAL_CHALLENGE_MALFORMED);
    a->code.has_challenge = true;
    return true;
}

/* OpenID Connect Core s3.1.2.1: `none` stands alone. Automatic approval needs no page, so it satisfies every value. */
static bool check_prompt(struct oauth_call *c, str prompt) {
    bool none = false;
    size_t values = 0;
    while (prompt.n) {
        str value = str_take(&prompt, ' ');
        if (value.n == 0) continue;
        values++;
        none |= str_eq(value, S("none"));
    }
    return !none || values == 1 || refuse(c, REFUSAL_REQUEST_MALFORMED);
}

static bool check_scopes(struct oauth_call *c, struct authorize_call *a) {
    struct scope_set scopes;
    if (!scopes_read(c, a->params.scope, &c->app->scopes, true, &scopes)) return false;
    scopes_read_optional(c, a->params.optional_scope, &scopes);
    a->code.scopes = scopes_encode(c->arena, &scopes);
    return true;
}

/* What goes back to the app. */
static bool check_request(struct oauth_call *c, struct authorize_call *a) {
    const struct authorize_params *p = &a->params;
    if (a->problem.refusal) return refuse(c, a->problem.refusal);
    if (p->response_type.n && !str_eq(p->response_type, S("code"))) return refuse(c, REFUSAL_RESPONSE_TYPE);
    if (!(c->app->grants & APP_GRANT_CODE)) return refuse(c, REFUSAL_AUTHORIZE_NOT_ALLOWED);
    return check_scopes(c, a) && check_challenge(c, a) && check_prompt(c, p->prompt);
}

/* /oauth/{hub_id}/authorize asks for one account. */
static bool check_account(struct oauth_call *c) {
    uint64_t hub_id = 0;
    if (c->req.path_arg.n == 0) return true;
    (void)str_to_u64(c->req.path_arg, ID_MAX, &hub_id);
    return hub_id == (uint64_t)c->env.settings->auto_hub_id || refuse(c, REFUSAL_ACCESS_DENIED);
}

static void start(struct oauth_call *c) {
    struct authorize_call *a = ARENA_NEW(c->arena, struct authorize_call);
    struct form form;
    uint64_t hub_id = 0;
    c->state = a;
    c->form = FORM_PAGE;
    if (!c->env.settings->auto_approve) return oauth_refuse(c, REFUSAL_NOT_FOUND);
    if (c->req.path_arg.n && !str_to_u64(c->req.path_arg, ID_MAX, &hub_id)) return oauth_refuse(c, REFUSAL_NOT_FOUND);
    enum refusal refused = form_read(&c->req, c->arena, &form);
    if (refused) return oauth_refuse(c, refused);
    a->problem = params_fill(&form, &params_table, &a->params);
    if (!check_client(c, a) || !check_redirect_uri(c, a)) return;
    if (!check_request(c, a)) return;
    check_account(c);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    if (round > 0) return 0;
    out[0] = (struct ask){
        .kind = ASK_SUBJECT,
        .app_id = c->app->app_id,
        .hub_id = c->env.settings->auto_hub_id,
        .user_id = c->env.settings->auto_user_id,
    };
    return 1;
}

static void decide(struct oauth_call *c) {
    struct authorize_call *a = c->state;
    struct code *code = &a->code;
    /* a consent in the millisecond of an uninstall comes after it */
    code->issued_ms = c->env.now_ms > c->facts.uninstalled_ms ? c->env.now_ms : c->facts.uninstalled_ms + 1;
    if (subject_life(&c->facts, code->issued_ms) != LIFE_LIVE) return oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    code->grant_id = grant_id_make(code->issued_ms, c->env.random + OAUTH_RANDOM_GRANT_ID);
    code->app_id = c->app->app_id;
    code->hub_id = c->env.settings->auto_hub_id;
    code->user_id = c->env.settings->auto_user_id;
    code->expires_ms = code->issued_ms + c->app->code_ttl_s * 1000;
    code->auth_time_ms = c->env.now_ms;
    code->nonce = a->params.nonce;
    const struct render_pair pair = {S("code"), code_seal(&c->env, c->arena, code)};
    c->answer = render_empty(render_redirect_status(c));
    c->answer.location = render_location(c, &pair, 1);
}

const struct endpoint endpoint_authorize = {"authorize", start, ask, decide, NULL};
