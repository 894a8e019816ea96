/* Signing in with e-mail address and password. Whoever is not known costs as much and hears the same as a wrong password. */
#include "browser.h"

#define PASSWORD_BYTES_MAX 256 /* longer is never right */

struct sign_in_params {
    str csrf, flow, email, password, action, lang;
};
static const struct param param_rows[] = {
    PARAM(struct sign_in_params, csrf, 0, 0),   PARAM(struct sign_in_params, flow, 0, 0),
    PARAM(struct sign_in_params, email, 0, 0),  PARAM(struct sign_in_params, password, 0, 0),
    PARAM(struct sign_in_params, action, 0, 0), PARAM(struct sign_in_params, lang, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct sign_in_call {
    struct sign_in_params params;
    struct browser browser;
    struct ticket flow;
    bool has_request; /* on the way to an app, else to the list of connected apps */
    struct authorize_request request;
    str email;
};

static void show_again(struct oauth_call *c, struct sign_in_call *s, struct screen screen, int http) {
    screen.email = s->email;
    answer_sign_in(c, &s->browser, s->has_request ? &s->request : NULL, &screen, http);
}

static void cancel(struct oauth_call *c, const struct sign_in_call *s) {
    if (s->has_request)
        oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    else
        answer_see_other(c, S("/oauth/sign-in"));
}

static void start_form(struct oauth_call *c, struct sign_in_call *s) {
    const struct sign_in_params *p = &s->params;
    if (!ticket_open(c, &s->browser, TICKET_SIGN_IN, (struct sealed_form){p->csrf, p->flow}, &s->flow)) return;
    s->has_request = s->flow.query.n > 0;
    if (s->has_request && !ticket_request(c, &s->flow, &s->request)) return;
    s->email = str_head(str_trim(p->email), EMAIL_MAX);
}

static void start(struct oauth_call *c) {
    struct sign_in_call *s = ARENA_NEW(c->arena, struct sign_in_call);
    c->state = s;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &s->params)) return;
    browser_read(c, s->params.lang, &s->browser);
    if (c->req.method != METHOD_POST) return;
    if (c->env.settings->login_url.n)
        oauth_refuse(c, REFUSAL_NOT_FOUND); /* passwords are not looked at here */
    else
        start_form(c, s);
}

static bool is_complete(const struct sign_in_call *s) { return s->email.n && s->params.password.n; }

static bool is_cancelled(const struct sign_in_call *s) { return str_eq(s->params.action, S("cancel")); }

/* The hash to compare with; an empty one, for whoever has none, costs the same time. */
static str hash_of(const struct oauth_call *c, const struct sign_in_call *s) {
    const struct user *person = &c->facts.person;
    bool can = c->facts.person_found && !person->disabled_ms && s->params.password.n <= PASSWORD_BYTES_MAX;
    return can && str_trim(s->params.email).n <= EMAIL_MAX ? person->password_hash : (str){NULL, 0};
}

/* A browser that has signed in to the account before has tries of its own, so that nobody can lock its owner out. */
static void throttle_by(const struct oauth_call *c, const struct sign_in_call *s, struct ask *ask) {
    ask->by_known_browser = device_is_known(c, &s->browser, s->email, &ask->throttle_key);
    if (!ask->by_known_browser) ask->throttle_key = arena_lower(c->arena, s->email);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    struct sign_in_call *s = c->state;
    if (c->req.method != METHOD_POST) {
        out[0] = session_ask(&s->browser);
        return round == 0 && s->browser.has_session;
    }
    if (is_cancelled(s) || !is_complete(s) || round > 1) return 0;
    if (round == 0) {
        out[0] = (struct ask){.kind = ASK_PERSON, .email = s->email};
        return 1;
    }
    out[0] = (struct ask){
        .kind = ASK_PASSWORD,
        .password = str_head(s->params.password, PASSWORD_BYTES_MAX),
        .password_hash = hash_of(c, s),
    };
    throttle_by(c, s, &out[0]);
    return 1;
}

/* RFC 9110 s15.4.4: back to where the person was going, by GET. Who has just signed in is not asked to sign in again. */
static void go_on(struct oauth_call *c, const struct sign_in_call *s) {
    str location = S("/oauth/connected-apps");
    if (s->has_request) location = authorize_request_url(c, &s->request, ~(unsigned)PROMPT_LOGIN, s->request.hub_id);
    answer_see_other(c, location);
    session_start(c, &s->browser, c->facts.person.user_id);
    device_remember(c, s->email);
}

static void decide_form(struct oauth_call *c, struct sign_in_call *s) {
    struct screen missing = {
        .problem = SIGN_IN_MISSING, .email_missing = !s->email.n, .password_missing = !s->params.password.n};
    if (is_cancelled(s)) return cancel(c, s);
    if (!is_complete(s)) return show_again(c, s, missing, 400);
    switch (c->facts.password) {
    case PASSWORD_RIGHT: go_on(c, s); break;
    case PASSWORD_WRONG: show_again(c, s, (struct screen){.problem = SIGN_IN_WRONG}, 403); break;
    case PASSWORD_THROTTLED:
        show_again(c, s, (struct screen){.problem = SIGN_IN_THROTTLED, .wait_ms = c->facts.wait_ms}, 429);
        c->answer.retry_after_s = (int)((c->facts.wait_ms + 999) / 1000);
        break;
    }
}

static void decide(struct oauth_call *c) {
    struct sign_in_call *s = c->state;
    c->change.kind = CHANGE_NONE;
    if (c->req.method == METHOD_POST)
        decide_form(c, s);
    else if (session_is_live(c, &s->browser))
        answer_see_other(c, S("/oauth/connected-apps"));
    else
        answer_sign_in(c, &s->browser, NULL, NULL, 200);
}

const struct endpoint endpoint_sign_in = {"sign_in", start, ask, decide, NULL};
