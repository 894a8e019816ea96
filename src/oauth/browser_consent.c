/* Consent: the answer of a person who was asked. Nothing that the form says is believed but which boxes are ticked: app, account, scopes and grant are
 * those that were shown, sealed into the form, and are judged once more. */
#include "browser.h"
#include "liveness.h"
#include "scopes.h"

struct consent_params {
    str csrf, flow, action;
};
static const struct param param_rows[] = {
    PARAM(struct consent_params, csrf, 0, 0),
    PARAM(struct consent_params, flow, 0, 0),
    PARAM(struct consent_params, action, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct consent_call {
    struct consent_params params;
    struct browser browser;
    struct ticket flow;
    struct authorize_request request;
    struct scope_set scopes;
};

/* A box that was not shown counts for nothing. */
static void tick(const struct oauth_call *c, const struct form *form, struct consent_call *s) {
    s->scopes = s->request.required;
    for (size_t i = 0; i < form->n; i++) {
        const struct form_pair *pair = &form->pairs[i];
        if (!str_eq(pair->name, S("scope"))) continue;
        const struct scope *scope = registry_scope_by_name(c->env.registry, pair->value);
        if (scope && scope_set_has(&s->request.optional, scope->id)) (void)scope_set_add(&s->scopes, scope->id);
    }
}

static void start(struct oauth_call *c) {
    struct consent_call *s = ARENA_NEW(c->arena, struct consent_call);
    struct form form;
    c->state = s;
    c->form = FORM_PAGE;
    enum refusal refused = form_read(&c->req, c->arena, &form);
    if (refused) return oauth_refuse(c, refused);
    if (params_fill(&form, &params_table, &s->params).refusal) return oauth_refuse(c, REFUSAL_REQUEST_MALFORMED);
    browser_read(c, (str){NULL, 0}, &s->browser);
    if (!ticket_open(c, &s->browser, TICKET_CONSENT, (struct sealed_form){s->params.csrf, s->params.flow}, &s->flow))
        return;
    if (!ticket_request(c, &s->flow, &s->request)) return;
    tick(c, &form, s);
    if (str_eq(s->params.action, S("cancel"))) oauth_refuse(c, REFUSAL_ACCESS_DENIED);
}

static bool allows(const struct consent_call *s) { return str_eq(s->params.action, S("allow")); }

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct consent_call *s = c->state;
    if (!allows(s) || !s->browser.has_session || round > 1) return 0;
    if (round == 0) {
        out[0] = session_ask(&s->browser);
        out[1] = (struct ask){.kind = ASK_GRANT, .grant_id = s->flow.grant_id};
        return 2;
    }
    out[0] = (struct ask){
        .kind = ASK_MEMBERSHIPS, .user_id = s->flow.user_id, .hub_id = s->flow.hub_id, .app_id = c->app->app_id};
    return 1;
}

/* The same request from its beginning: when the session has ended or is another one, or when this page has done its work already (somebody went
 * back to it): a second code for the same grant would look like theft and end it (RFC 6749 s4.1.2). */
static void begin_again(struct oauth_call *c, const struct consent_call *s, unsigned prompts, int32_t hub_id) {
    answer_see_other(c, authorize_request_url(c, &s->request, prompts, hub_id));
}

static bool may_consent(const struct oauth_call *c, const struct consent_call *s) {
    if (!session_is_live(c, &s->browser) || !ticket_is_of_session(&s->flow, &s->browser)) return false;
    if (!session_is_for(&c->facts.session, s->flow.hub_id)) return false;
    return c->facts.session.user_id == s->flow.user_id && !c->facts.grant_found;
}

static void decide(struct oauth_call *c) {
    struct consent_call *s = c->state;
    c->change.kind = CHANGE_NONE;
    if (str_eq(s->params.action, S("change_account"))) {
        s->request.prompts |= PROMPT_SELECT_ACCOUNT;
        return begin_again(c, s, ~(unsigned)PROMPT_LOGIN, 0);
    }
    if (!allows(s)) {
        (void)browser_refuse_form(c);
        return;
    }
    if (!may_consent(c, s)) return begin_again(c, s, ~0U, s->flow.hub_id);
    const struct membership *m = c->facts.memberships;
    if (c->facts.n_memberships != 1 || m->role != MEMBER_INSTALLER) return oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    if (!scopes_leave_out(c, &m->account.without_scopes, &s->request.required, &s->scopes)) return;
    const struct consent consent = {
        .request = &s->request,
        .user_id = s->flow.user_id,
        .hub_id = s->flow.hub_id,
        .auth_time_ms = c->facts.session.auth_time_ms,
        .uninstalled_ms = m->uninstalled_ms,
        .scopes = s->scopes,
        .grant_id = &s->flow.grant_id,
    };
    answer_code(c, &consent);
}

const struct endpoint endpoint_consent = {"consent", start, ask, decide, NULL};
