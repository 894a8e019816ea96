#include "authorize_request.h"

#include "b64.h"
#include "claims.h"
#include "id_token.h"
#include "jose_claims.h"
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
    PARAM(struct authorize_params, max_age, 0, 0),
    PARAM(struct authorize_params, id_token_hint, JOSE_TOKEN_MAX, 0),
    PARAM(struct authorize_params, claims, 0, 0),
    PARAM(struct authorize_params, response_mode, 0, 0),
    PARAM(struct authorize_params, request, 0, 0),
    PARAM(struct authorize_params, request_uri, 0, 0),
    PARAM(struct authorize_params, registration, 0, 0),
    PARAM(struct authorize_params, login_hint, 0, 0),
    PARAM(struct authorize_params, ui_locales, 0, 0),
    PARAM_MANY(struct authorize_params, resource),
    PARAM(struct authorize_params, lang, 0, 0), /* ours: the switch of languages, and the list of accounts */
    PARAM(struct authorize_params, account_find, 0, 0),
    PARAM(struct authorize_params, account_page, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

#define NOBODY (-1) /* a hinted_user_id that nobody has */

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

/* What stands for a whole other request, or for an app that nobody registered (OpenID Connect Core s6, s7.2.1). */
static bool check_unsupported(struct oauth_call *c, const struct authorize_params *p) {
    if (p->request.n) return refuse(c, REFUSAL_REQUEST_OBJECT);
    if (p->request_uri.n) return refuse(c, REFUSAL_REQUEST_URI);
    if (p->registration.n) return refuse(c, REFUSAL_REGISTRATION);
    return p->response_mode.n == 0 || str_eq(p->response_mode, S("query")) || refuse(c, REFUSAL_RESPONSE_MODE);
}

/* s3.1.2.1: max_age=0 asks for what prompt=login asks for. */
static bool check_max_age(struct oauth_call *c, struct authorize_request *r) {
    uint64_t seconds = 0;
    r->max_age_s = MAX_AGE_ANY;
    if (r->params.max_age.n == 0) return true;
    if (!str_to_u64(r->params.max_age, INT32_MAX, &seconds)) return refuse(c, REFUSAL_REQUEST_MALFORMED);
    r->max_age_s = (int64_t)seconds;
    return true;
}

/* s3.1.2.2, s5.5.1: an app can mean a person by an ID token of theirs, or by the subject, and no other will do. Two that differ mean nobody. */
static void mean_person(struct authorize_request *r, int32_t user_id) {
    bool differs = r->hinted_user_id && r->hinted_user_id != user_id;
    r->hinted_user_id = differs ? NOBODY : user_id;
}

/* An ID token that cannot be verified, perhaps because its key is long gone, is as if there was none; but without a page nobody could tell that
 * it is the right person. */
static bool check_hint(struct oauth_call *c, struct authorize_request *r) {
    struct id_token_hint hint = {.user_id = 0};
    if (r->params.id_token_hint.n && id_token_hint_read(c, r->params.id_token_hint, &hint) && hint.app == c->app)
        mean_person(r, hint.user_id);
    else if (r->params.id_token_hint.n && r->prompts & PROMPT_NONE)
        return refuse(c, REFUSAL_LOGIN_REQUIRED);
    return r->hinted_user_id != NOBODY || refuse(c, REFUSAL_PERSON_UNKNOWN);
}

/* A claim is asked for as the scope that gives it, which the person sees on the page of consent and can say no to. Claims that we do not know are
 * left out (s5.5). */
static void ask_claim(const struct oauth_call *c, struct authorize_request *r, const struct jose_claim *asked,
                      struct scope_set *all) {
    uint64_t user_id = 0;
    enum claim claim;
    if (str_eq(asked->name, S("sub")) && asked->value.n) {
        bool is_id = str_to_u64(asked->value, ID_MAX, &user_id) && user_id;
        mean_person(r, is_id ? (int32_t)user_id : NOBODY);
    }
    if (!claim_named(asked->name, &claim)) return;
    scopes_read_optional(c, openid_scopes[claim_rows[claim].scope].name, all);
    if (asked->of_id_token) r->code.id_token_claims |= CLAIM_BIT(claim);
}

/* Claims mean something in a request for OpenID Connect only. */
static bool read_claims(struct oauth_call *c, struct authorize_request *r, struct scope_set *all) {
    struct jose_claim *asked = NULL;
    size_t n = 0;
    if (r->params.claims.n == 0 || !scopes_have(c->env.registry, &r->required, OPENID_SCOPE_OPENID)) return true;
    if (!jose_claims_read(r->params.claims, c->arena, &asked, &n)) return refuse(c, REFUSAL_CLAIMS_MALFORMED);
    for (size_t i = 0; i < n; i++) ask_claim(c, r, &asked[i], all);
    return true;
}

/* HubSpot's clients never send a response type; those of OpenID Connect must (s3.1.2.1). */
static bool check_response_type(struct oauth_call *c, const struct authorize_request *r) {
    bool may_miss = !scopes_have(c->env.registry, &r->required, OPENID_SCOPE_OPENID);
    return r->params.response_type.n || may_miss || refuse(c, REFUSAL_RESPONSE_TYPE);
}

static bool check_scopes(struct oauth_call *c, struct authorize_request *r) {
    struct scope_set all;
    if (!scopes_read(c, r->params.scope, &c->app->scopes, true, &r->required)) return false;
    all = r->required;
    scopes_read_optional(c, r->params.optional_scope, &all);
    if (!read_claims(c, r, &all)) return false;
    for (size_t i = 0; i < all.n; i++)
        if (!scope_set_has(&r->required, all.id[i])) (void)scope_set_add(&r->optional, all.id[i]);
    return true;
}

static str find_text(str text) {
    str find = str_head(str_trim(text), ACCOUNT_FIND_MAX);
    while (!str_is_utf8(find)) find.n--; /* a form is UTF-8, so only the last character can be cut */
    return find;
}

/* What is no page is the first one. */
static void read_accounts_page(struct authorize_request *r) {
    uint64_t page = 0;
    r->account_find = find_text(r->params.account_find);
    if (str_to_u64(r->params.account_page, MEMBERSHIP_PAGES_MAX, &page) && page) r->account_page = (int32_t)page - 1;
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
    if (!check_unsupported(c, p)) return false;
    if (p->response_type.n && !str_eq(p->response_type, S("code"))) return refuse(c, REFUSAL_RESPONSE_TYPE);
    if (!(c->app->grants & APP_GRANT_CODE)) return refuse(c, REFUSAL_AUTHORIZE_NOT_ALLOWED);
    if (!check_scopes(c, r) || !check_response_type(c, r) || !check_resources(c, r) || !check_challenge(c, r) ||
        !check_prompt(c, r))
        return false;
    if (!check_max_age(c, r) || !check_hint(c, r)) return false;
    r->code.nonce = p->nonce;
    if (c->env.settings->auto_approve) return true; /* no browser has to come back */
    return authorize_request_url(c, r, ~0U, ID_MAX).n <= AUTHORIZE_URL_MAX || refuse(c, REFUSAL_PARAMETER_TOO_LONG);
}

bool authorize_request_read(struct oauth_call *c, const struct form *form, struct authorize_request *out) {
    c->form = FORM_PAGE;
    out->problem = params_fill(form, &params_table, &out->params);
    c->ui_locales = out->params.ui_locales;
    read_accounts_page(out);
    return check_client(c, out) && check_redirect_uri(c, out) && check_request(c, out);
}

bool authorize_request_takes(const struct authorize_request *r, const struct session *session, int64_t now_ms) {
    if (r->prompts & PROMPT_LOGIN || r->max_age_s == 0) return false;
    if (r->max_age_s != MAX_AGE_ANY && now_ms - session->auth_time_ms > r->max_age_s * 1000) return false;
    return !r->hinted_user_id || session->user_id == r->hinted_user_id;
}

/* ---- the request as an address ---- */

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
    params.prompt = prompt_text(c->arena, r->prompts & prompts);
    params.lang = params.account_find = params.account_page = (str){NULL, 0};
    if (!(prompts & PROMPT_LOGIN)) params.max_age = (str){NULL, 0};
    return params_write(&params_table, &params, c->arena);
}

str authorize_request_url(const struct oauth_call *c, const struct authorize_request *r, unsigned prompts,
                          int32_t hub_id) {
    str path = hub_id ? arena_printf(c->arena, "/oauth/%d/authorize", (int)hub_id) : S("/oauth/authorize");
    str query = authorize_request_query(c, r, prompts);
    return arena_printf(c->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query));
}

str authorize_request_accounts_url(const struct oauth_call *c, const struct authorize_request *r, str find,
                                   int32_t page) {
    struct authorize_params more = {.account_find = find_text(find)};
    str url = authorize_request_url(c, r, ~(unsigned)PROMPT_LOGIN, r->hub_id);
    if (page) more.account_page = arena_printf(c->arena, "%d", (int)page + 1);
    str tail = params_write(&params_table, &more, c->arena);
    return tail.n ? arena_printf(c->arena, "%.*s&%.*s", STR_ARG(url), STR_ARG(tail)) : url;
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
