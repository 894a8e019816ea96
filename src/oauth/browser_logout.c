/* RP-initiated logout: an app sends the browser here to sign the person out, and gets it back where it registered (OpenID Connect RP-Initiated Logout
 * s2, s3). An ID token of the very person who is signed in shows that the app has something to do with the session; without one anybody could have made
 * the link, so the person is asked. */
#include "browser.h"
#include "id_token.h"
#include "redirect_uri.h"
#include "render.h"

struct logout_params {
    str id_token_hint, logout_hint, client_id, post_logout_redirect_uri, state, ui_locales, csrf, flow, action, lang;
};
static const struct param param_rows[] = {
    PARAM(struct logout_params, id_token_hint, JOSE_TOKEN_MAX, 0),
    PARAM(struct logout_params, logout_hint, 0, 0), /* the session knows better */
    PARAM(struct logout_params, client_id, 0, 0),
    PARAM(struct logout_params, post_logout_redirect_uri, 0, 0),
    PARAM(struct logout_params, state, STATE_MAX, 0),
    PARAM(struct logout_params, ui_locales, 0, 0),
    PARAM(struct logout_params, csrf, 0, 0),
    PARAM(struct logout_params, flow, 0, 0),
    PARAM(struct logout_params, action, 0, 0),
    PARAM(struct logout_params, lang, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct logout_call {
    struct logout_params params; /* of the request of the app, also when it comes back in a form */
    str action;                  /* of the form */
    bool is_form;
    struct browser browser;
    struct ticket flow;
    int32_t hinted_user_id; /* 0: no ID token that could be verified */
};

/* ---- the request ---- */

static const struct app *live_app_of(const struct app *app) {
    return app && !app_has(app, APP_DISABLED | APP_DELETED) ? app : NULL;
}

/* Who asks, and whom it means. An ID token that cannot be verified is as if there was none; its key may be gone. */
static bool find_app(struct oauth_call *c, struct logout_call *s) {
    struct id_token_hint hint = {.user_id = 0};
    str id = s->params.client_id;
    if (s->params.id_token_hint.n && id_token_hint_read(c, s->params.id_token_hint, &hint))
        c->app = live_app_of(hint.app);
    s->hinted_user_id = c->app ? hint.user_id : 0;
    if (id.n == 0) return true;
    const struct app *named =
        id.n <= CLIENT_ID_MAX ? live_app_of(registry_app_by_client_id(c->env.registry, id)) : NULL;
    if (!named || (hint.app && hint.app != named)) {
        c->app = NULL;
        oauth_refuse(c, REFUSAL_LOGOUT_CLIENT);
        return false;
    }
    c->app = named;
    return true;
}

/* Exactly one of those that the app registered; everything else would make this an open redirector. */
static bool is_registered(const struct app *app, str uri) {
    for (size_t i = 0; app && i < app->n_post_logout_redirect_uris; i++)
        if (str_eq(app->post_logout_redirect_uris[i], uri)) return redirect_uri_is_registrable(uri);
    return false;
}

static void check_request(struct oauth_call *c, struct logout_call *s) {
    str uri = s->params.post_logout_redirect_uri;
    c->ui_locales = s->params.ui_locales;
    if (!find_app(c, s)) return;
    if (uri.n && !is_registered(c->app, uri)) oauth_refuse(c, REFUSAL_LOGOUT_REDIRECT_URI);
}

/* The request once more, as the query of an address. */
static str request_query(const struct oauth_call *c, const struct logout_call *s) {
    struct logout_params params = s->params;
    params.csrf = params.flow = params.action = params.lang = (str){NULL, 0};
    return params_write(&params_table, &params, c->arena);
}

static str request_url(const struct oauth_call *c, const struct logout_call *s) {
    str query = request_query(c, s);
    str path = S("/oauth/logout");
    return query.n ? arena_printf(c->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query)) : path;
}

/* Our own page comes back: the request is sealed into its form. */
static void open_form(struct oauth_call *c, struct logout_call *s) {
    struct sealed_form sealed = {s->params.csrf, s->params.flow};
    struct form *form = ARENA_NEW(c->arena, struct form);
    s->is_form = true;
    s->action = s->params.action;
    if (!ticket_open(c, &s->browser, TICKET_LOGOUT, sealed, &s->flow)) return;
    s->params = (struct logout_params){.flow = {NULL, 0}};
    enum refusal refused = form_parse(s->flow.query, c->arena, form);
    if (!refused) refused = params_fill(form, &params_table, &s->params).refusal;
    if (refused) return oauth_refuse(c, refused);
    check_request(c, s);
}

static void start(struct oauth_call *c) {
    struct logout_call *s = ARENA_NEW(c->arena, struct logout_call);
    c->state = s;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &s->params)) return;
    browser_read(c, s->params.lang, &s->browser);
    if (c->req.method == METHOD_POST && s->params.flow.n) return open_form(c, s);
    check_request(c, s);
    if (c->refusal == REFUSAL_NONE && request_url(c, s).n > AUTHORIZE_URL_MAX)
        oauth_refuse(c, REFUSAL_PARAMETER_TOO_LONG);
}

/* ---- the answer ---- */

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct logout_call *s = c->state;
    out[0] = session_ask(&s->browser);
    return round == 0 && s->browser.has_session && c->req.method != METHOD_POST;
}

/* Back to the app, or to the page that says that one is signed out. */
static void go_on(struct oauth_call *c, const struct logout_call *s) {
    str uri = s->params.post_logout_redirect_uri;
    const struct render_pair state = {S("state"), s->params.state};
    if (uri.n == 0) return answer_see_other(c, S("/oauth/sign-out"));
    c->answer = render_empty(render_redirect_status(c));
    c->answer.location = render_address(c->arena, uri, &state, 1);
}

static void decide_form(struct oauth_call *c, const struct logout_call *s) {
    if (!str_eq(s->action, S("sign_out"))) return answer_see_other(c, S("/oauth/connected-apps"));
    go_on(c, s);
    if (ticket_is_of_session(&s->flow, &s->browser)) session_end(c, &s->browser);
}

static void show_question(struct oauth_call *c, const struct logout_call *s) {
    const struct ticket flow = {.step = TICKET_LOGOUT, .query = request_query(c, s)};
    const struct screen screen = {
        .kind = SCREEN_SIGN_OUT,
        .action = S("/oauth/logout"),
        .path = request_url(c, s),
        .redirect_uri = s->params.post_logout_redirect_uri,
        .email = c->facts.person.email,
        .flow = ticket_seal(c, &s->browser, &flow),
    };
    answer_screen(c, &s->browser, &screen, 200);
}

/* A POST of an app comes without our cookies (SameSite=Lax), so it begins again as a GET. */
static void decide(struct oauth_call *c) {
    const struct logout_call *s = c->state;
    c->change.kind = CHANGE_NONE;
    if (s->is_form) return decide_form(c, s);
    if (c->req.method == METHOD_POST) return answer_see_other(c, request_url(c, s));
    if (!session_is_live(c, &s->browser)) return go_on(c, s);
    if (s->hinted_user_id != c->facts.session.user_id) return show_question(c, s);
    go_on(c, s);
    session_end(c, &s->browser);
}

const struct endpoint endpoint_logout = {"logout", start, ask, decide, NULL};
