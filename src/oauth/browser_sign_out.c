/* Signing out. A link from elsewhere only asks; the form does it. */
#include "browser.h"

struct sign_out_params {
    str csrf, flow, action, lang;
};
static const struct param param_rows[] = {
    PARAM(struct sign_out_params, csrf, 0, 0),
    PARAM(struct sign_out_params, flow, 0, 0),
    PARAM(struct sign_out_params, action, 0, 0),
    PARAM(struct sign_out_params, lang, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct sign_out_call {
    struct sign_out_params params;
    struct browser browser;
    struct ticket flow;
};

static void start(struct oauth_call *c) {
    struct sign_out_call *s = ARENA_NEW(c->arena, struct sign_out_call);
    c->state = s;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &s->params)) return;
    browser_read(c, s->params.lang, &s->browser);
    if (c->req.method == METHOD_POST)
        (void)ticket_open(c, &s->browser, TICKET_SIGN_OUT, (struct sealed_form){s->params.csrf, s->params.flow},
                          &s->flow);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct sign_out_call *s = c->state;
    out[0] = session_ask(&s->browser);
    return round == 0 && s->browser.has_session && c->req.method != METHOD_POST;
}

static void decide_form(struct oauth_call *c, const struct sign_out_call *s) {
    bool signs_out = str_eq(s->params.action, S("sign_out"));
    answer_see_other(c, signs_out ? S("/oauth/sign-out") : S("/oauth/connected-apps"));
    if (signs_out && ticket_is_of_session(&s->flow, &s->browser)) session_end(c, &s->browser);
}

static void decide(struct oauth_call *c) {
    const struct sign_out_call *s = c->state;
    const struct ticket flow = {.step = TICKET_SIGN_OUT};
    struct screen screen = {
        .kind = SCREEN_SIGNED_OUT,
        .action = S("/oauth/sign-out"),
        .path = S("/oauth/sign-out"),
        .sign_in_url = S("/oauth/sign-in"),
    };
    if (c->req.method == METHOD_POST) return decide_form(c, s);
    if (session_is_live(c, &s->browser)) {
        screen.kind = SCREEN_SIGN_OUT;
        screen.email = c->facts.person.email;
        screen.flow = ticket_seal(c, &s->browser, &flow);
    }
    answer_screen(c, &s->browser, &screen, 200);
}

const struct endpoint endpoint_sign_out = {"sign_out", start, ask, decide, NULL};
