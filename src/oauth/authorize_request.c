#include "authorize_request.h"

#include "b64.h"
#include "percent.h"
#include "redirect_uri.h"
#include "render.h"
#include "resources.h"
#include "scopes.h"

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
    PARAM_MANY(struct authorize_params, resource),
    PARAM(struct authorize_params, lang, 0, 0), /* ours: the switch of languages */
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

static const struct {
    str name;
    enum prompt prompt;
} prompt_rows[] = {
    {S("none"), PROMPT_NONE},
    {S("login"), PROMPT_LOGIN},
    {S("consent"), PROMPT_CONSENT},
    {S("select_account"), PROMPT_SELECT_ACCOUNT},
};
#define PROMPT_ROWS (sizeof prompt_rows / sizeof prompt_rows[0])

static bool refuse(struct oauth_call *c, enum refusal refused) {
    oauth_refuse(c, refused);
    return false;
}

/* A parameter that was sent twice has no value that could be trusted. */
#define IS_REPEATED(a, member)                                                                                         \
    params_is_repeated(&(a)->problem, &params_table, PARAM_OFFSET(struct authorize_params, member))

static bool check_client(struct oauth_call *c, const struct authorize_request *r) {
    str id = r->params.client_id;
    if (IS_REPEATED(r, client_id)) return refuse(c, REFUSAL_PARAMETER_REPEATED);
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
static bool check_redirect_uri(struct oauth_call *c, struct authorize_request *r) {
    if (IS_REPEATED(r, redirect_uri)) return refuse(c, REFUSAL_PARAMETER_REPEATED);
    str uri = find_redirect_uri(c->app, r->params.redirect_uri);
    if (!redirect_uri_is_registrable(uri)) return refuse(c, REFUSAL_AUTHORIZE_REDIRECT_URI);
    r->code.redirect_uri_sent = r->params.redirect_uri.n > 0;
    redirect_hash(uri, r->code.redirect_hash);
    c->form = FORM_REDIRECT;
    c->redirect_base = uri;
    if (!IS_REPEATED(r, state) && r->params.state.n <= STATE_MAX) c->redirect_state = r->params.state;
    return true;
}

/* RFC 7636 s4.3, s4.4.1. A challenge without a method means "plain", which is refused like any method but S256. */
static bool check_challenge(struct oauth_call *c, struct authorize_request *r) {
    str challenge = r->params.code_challenge, method = r->params.code_challenge_method;
    size_t n = 0;
    if (challenge.n == 0) {
        if (method.n || app_has(c->app, APP_PUBLIC | APP_REQUIRE_PKCE)) return refuse(c, REFUSAL_CHALLENGE_MISSING);
        return true;
    }
    if (!str_eq(method, S("S256"))) return refuse(c, REFUSAL_CHALLENGE_METHOD);
    if (challenge.n != CODE_CHALLENGE_CHARS || !b64url_decode(challenge, r->code.challenge, &n))
        return refuse(c, REFUSAL_CHALLENGE_MALFORMED);
    r->code.has_challenge = true;
    return true;
}

/* OpenID Connect Core s3.1.2.1: `none` stands alone. Values that we do not know are left out. */
static bool check_prompt(struct oauth_call *c, struct authorize_request *r) {
    str rest = r->params.prompt;
    size_t values = 0;
    while (rest.n) {
        str value = str_take(&rest, ' ');
        if (value.n == 0) continue;
        values++;
        for (size_t i = 0; i < PROMPT_ROWS; i++)
            if (str_eq(value, prompt_rows[i].name)) r->prompts |= (unsigned)prompt_rows[i].prompt;
    }
    return !(r->prompts & PROMPT_NONE) || values == 1 || refuse(c, REFUSAL_REQUEST_MALFORMED);
}

static bool check_scopes(struct oauth_call *c, struct authorize_request *r) {
    struct scope_set all;
    if (!scopes_read(c, r->params.scope, &c->app->scopes, true, &r->required)) return false;
    all = r->required;
    scopes_read_optional(c, r->params.optional_scope, &all);
    for (size_t i = 0; i < all.n; i++)
        if (!scope_set_has(&r->required, all.id[i])) (void)scope_set_add(&r->optional, all.id[i]);
    return true;
}

/* Everything that could be ticked must find room in the code, beside the rest. */
static bool check_resources(struct oauth_call *c, struct authorize_request *r) {
    if (!resources_read(c, &r->params.resource, &r->resources)) return false;
    struct scope_set all = r->required;
    for (size_t i = 0; i < r->optional.n; i++) (void)scope_set_add(&all, r->optional.id[i]);
    r->code.resources = resources_encode(c->arena, &r->resources);
    str scopes = scopes_encode(c->arena, &all);
    return code_fits(r->params.nonce, scopes, r->code.resources) || refuse(c, REFUSAL_PARAMETER_TOO_LONG);
}

/* What goes back to the app. */
static bool check_request(struct oauth_call *c, struct authorize_request *r) {
    const struct authorize_params *p = &r->params;
    if (r->problem.refusal) return refuse(c, r->problem.refusal);
    if (p->response_type.n && !str_eq(p->response_type, S("code"))) return refuse(c, REFUSAL_RESPONSE_TYPE);
    if (!(c->app->grants & APP_GRANT_CODE)) return refuse(c, REFUSAL_AUTHORIZE_NOT_ALLOWED);
    if (!check_scopes(c, r) || !check_resources(c, r) || !check_challenge(c, r) || !check_prompt(c, r)) return false;
    r->code.nonce = p->nonce;
    if (c->env.settings->auto_approve) return true; /* no browser has to come back */
    return authorize_request_url(c, r, ~0U, ID_MAX).n <= AUTHORIZE_URL_MAX || refuse(c, REFUSAL_PARAMETER_TOO_LONG);
}

bool authorize_request_read(struct oauth_call *c, const struct form *form, struct authorize_request *out) {
    c->form = FORM_PAGE;
    out->problem = params_fill(form, &params_table, &out->params);
    c->ui_locales = out->params.ui_locales;
    return check_client(c, out) && check_redirect_uri(c, out) && check_request(c, out);
}

/* ---- the request as an address ---- */

/* RFC 3986 s3.4: what may stand in a query as it is, without "&", "=" and "+", which mean something in a form. */
static void add_encoded(struct buf *b, str s) {
    while (s.n) {
        size_t plain = 0;
        while (plain < s.n && (str_is_all(str_head(str_from(s, plain), 1), 'U') || strchr(":/?@!$()*,;", s.p[plain])))
            plain++;
        buf_add(b, str_head(s, plain));
        s = str_from(s, plain);
        if (s.n == 0) break;
        if (s.p[0] == ' ')
            buf_add_char(b, '+');
        else
            percent_encode(b, str_head(s, 1));
        s = str_from(s, 1);
    }
}

static str prompt_text(struct arena *arena, unsigned prompts) {
    struct buf b = buf_on(arena_alloc(arena, 64), 64);
    for (size_t i = 0; i < PROMPT_ROWS; i++) {
        if (!(prompts & (unsigned)prompt_rows[i].prompt)) continue;
        if (b.n) buf_add_char(&b, ' ');
        buf_add(&b, prompt_rows[i].name);
    }
    return buf_str(&b);
}

str authorize_request_query(const struct oauth_call *c, const struct authorize_request *r, unsigned prompts) {
    struct authorize_params params = r->params;
    size_t n = sizeof param_rows / sizeof param_rows[0], room = 64;
    params.prompt = prompt_text(c->arena, r->prompts & prompts);
    params.lang = (str){NULL, 0};
    for (size_t i = 0; i < n; i++) {
        size_t count;
        const str *values = param_values(&param_rows[i], &params, &count);
        for (size_t k = 0; k < count; k++) room += param_rows[i].name.n + 2 + 3 * values[k].n;
    }
    struct buf b = buf_on(arena_alloc(c->arena, room), room);
    for (size_t i = 0; i < n; i++) {
        size_t count;
        const str *values = param_values(&param_rows[i], &params, &count);
        if (i > 0 && param_rows[i].offset == param_rows[i - 1].offset) continue; /* an alias */
        for (size_t k = 0; k < count; k++) {
            if (b.n) buf_add_char(&b, '&');
            buf_add(&b, param_rows[i].name);
            buf_add_char(&b, '=');
            add_encoded(&b, values[k]);
        }
    }
    return buf_str(&b);
}

str own_url(const struct oauth_call *c, str path) {
    str rest = c->env.settings->issuer;
    size_t host = str_find(rest, ':') + 3;
    rest = str_from(rest, host);
    rest = str_from(rest, str_find(rest, '/'));
    return arena_printf(c->arena, "%.*s%.*s", STR_ARG(rest), STR_ARG(path));
}

str authorize_request_url(const struct oauth_call *c, const struct authorize_request *r, unsigned prompts,
                          int32_t hub_id) {
    str path = own_url(c, hub_id ? arena_printf(c->arena, "/oauth/%d/authorize", (int)hub_id) : S("/oauth/authorize"));
    str query = authorize_request_query(c, r, prompts);
    return arena_printf(c->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query));
}

void answer_code(struct oauth_call *c, const struct consent *consent) {
    struct code code = consent->request->code;
    int64_t now_ms = c->env.now_ms;
    /* a consent in the millisecond of an uninstall comes after it */
    code.issued_ms = now_ms > consent->uninstalled_ms ? now_ms : consent->uninstalled_ms + 1;
    code.grant_id =
        consent->grant_id ? *consent->grant_id : grant_id_make(code.issued_ms, c->env.random + OAUTH_RANDOM_GRANT_ID);
    code.app_id = c->app->app_id;
    code.hub_id = consent->hub_id;
    code.user_id = consent->user_id;
    code.expires_ms = code.issued_ms + c->app->code_ttl_s * 1000;
    code.auth_time_ms = consent->auth_time_ms;
    code.scopes = scopes_encode(c->arena, &consent->scopes);
    const struct render_pair pair = {S("code"), code_seal(&c->env, c->arena, &code)};
    c->answer = render_empty(render_redirect_status(c));
    c->answer.location = render_location(c, &pair, 1);
}
