/* Back from the company's own sign-in. What administration accepted is sealed for this browser and used once: taking it and the new session are one
 * change. */
#include "browser.h"

struct login_params {
    str login_verifier;
};
static const struct param param_rows[] = {PARAM(struct login_params, login_verifier, 0, 0)};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct login_call {
    struct browser browser;
    struct ticket ticket;
    uint8_t ticket_id[TOKEN_ID_BYTES];
    bool has_request;
    struct authorize_request request;
};

static void start(struct oauth_call *c) {
    struct login_call *s = ARENA_NEW(c->arena, struct login_call);
    struct login_params params = {{NULL, 0}};
    c->state = s;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &params)) return;
    browser_read(c, (str){NULL, 0}, &s->browser);
    bool ours = ticket_read(c, TICKET_VERIFIER, params.login_verifier, &s->ticket, s->ticket_id) &&
                ticket_is_of_browser(c, &s->ticket, &s->browser);
    if (!ours) {
        (void)browser_refuse_form(c);
        return;
    }
    s->has_request = s->ticket.query.n > 0;
    if (s->has_request && !ticket_request(c, &s->ticket, &s->request)) return;
    if (s->ticket.user_id == 0) oauth_refuse(c, REFUSAL_ACCESS_DENIED); /* administration rejected the sign-in */
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct login_call *s = c->state;
    out[0] = (struct ask){.kind = ASK_PERSON, .user_id = s->ticket.user_id};
    return round == 0;
}

static void decide(struct oauth_call *c) {
    const struct login_call *s = c->state;
    str location = S("/oauth/connected-apps");
    c->change.kind = CHANGE_NONE;
    if (!c->facts.person_found || c->facts.person.disabled_ms) return oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    if (s->has_request) location = authorize_request_url(c, &s->request, ~(unsigned)PROMPT_LOGIN, s->ticket.hub_id);
    answer_see_other(c, location);
    session_start(c, &s->browser, s->ticket.user_id);
    c->change.session.hub_ids = s->ticket.hub_ids;
    c->change.takes = true;
    c->change.expires_ms = s->ticket.expires_ms;
    memcpy(c->change.token_id, s->ticket_id, TOKEN_ID_BYTES);
}

static void lost(struct oauth_call *c) { (void)browser_refuse_form(c); }

const struct endpoint endpoint_login = {"login", start, ask, decide, lost};
