/* The authorization endpoint: RFC 6749 s4.1.1, RFC 7636 s4.3, RFC 9207. Until the redirect URI is verified everything that is wrong is
 * said on a page; from then on it goes back to the app. With the option auto_approve the answer comes at once, as the person whom it names; else
 * the browser is asked to sign in, then for an account, then for consent, and each of these pages leads back here. */
#include "browser.h"
#include "liveness.h"
#include "render.h"
#include "resources.h"
#include "scopes.h"

struct authorize_call {
    struct authorize_request request;
    struct browser browser;
    bool is_signed_in; /* and need not sign in again */
    const struct membership *membership;
};

/* ---- automatic approval ---- */

static size_t ask_auto(const struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    if (round > 0) return 0;
    out[0] = (struct ask){
        .kind = ASK_SUBJECT,
        .app_id = c->app->app_id,
        .hub_id = c->env.settings->auto_hub_id,
        .user_id = c->env.settings->auto_user_id,
    };
    out[1] = out[0];
    out[1].kind = ASK_MEMBERSHIPS; /* for what the account lacks */
    return 2;
}

static struct scope_set all_scopes(const struct authorize_request *r) {
    struct scope_set all = r->required;
    for (size_t i = 0; i < r->optional.n; i++) (void)scope_set_add(&all, r->optional.id[i]);
    return all;
}

static void decide_auto(struct oauth_call *c, const struct authorize_call *a) {
    struct consent consent = {
        .request = &a->request,
        .user_id = c->env.settings->auto_user_id,
        .hub_id = c->env.settings->auto_hub_id,
        .auth_time_ms = c->env.now_ms,
        .uninstalled_ms = c->facts.uninstalled_ms,
        .scopes = all_scopes(&a->request),
    };
    int64_t consent_ms = c->env.now_ms > consent.uninstalled_ms ? c->env.now_ms : consent.uninstalled_ms + 1;
    if (subject_life(&c->facts, consent_ms) != LIFE_LIVE) return oauth_refuse(c, REFUSAL_ACCESS_DENIED);
    const struct scope_set *required = &a->request.required;
    if (c->facts.n_memberships &&
        !scopes_leave_out(c, &c->facts.memberships->account.without_scopes, required, &consent.scopes))
        return;
    answer_code(c, &consent);
}

/* ---- people ---- */

/* The person's accounts that the sign-in is for. */
static struct ask memberships_ask(const struct oauth_call *c) {
    const struct session *s = &c->facts.session;
    return (struct ask){
        .kind = ASK_MEMBERSHIPS,
        .user_id = s->user_id,
        .app_id = c->app->app_id,
        .hub_list = session_hub_list(c, s),
    };
}

/* The session; then the account of the path, or a page of all, and what the app has already; then a page of all, if that one was none. */
static size_t ask_people(struct oauth_call *c, struct authorize_call *a, int round, struct ask out[ASKS_MAX]) {
    const struct session *s = &c->facts.session;
    if (round == 0) {
        out[0] = session_ask(&a->browser);
        return a->browser.has_session;
    }
    if (round == 1)
        a->is_signed_in = session_is_live(c, &a->browser) && authorize_request_takes(&a->request, s, c->env.now_ms);
    if (!a->is_signed_in) return 0;
    out[0] = memberships_ask(c);
    if (round == 2 || !a->request.hub_id) {
        out[0].find = a->request.account_find;
        out[0].page = a->request.account_page;
    }
    if (round == 2) return a->request.hub_id && c->facts.n_memberships == 0;
    out[0].hub_id = a->request.hub_id;
    out[1] =
        (struct ask){.kind = ASK_CONNECTIONS, .user_id = s->user_id, .app_id = c->app->app_id, .now_ms = c->env.now_ms};
    return 2;
}

/* The account of the path; else the only one of the person. What was looked for is not chosen before the person says so. */
static const struct membership *find_membership(const struct oauth_call *c, const struct authorize_request *r) {
    const struct membership *m = c->facts.memberships;
    size_t n = c->facts.n_memberships;
    bool asks = r->prompts & PROMPT_SELECT_ACCOUNT || r->account_find.n || r->account_page;
    if (!r->hub_id && (n != 1 || asks)) return NULL;
    for (size_t i = 0; i < n; i++)
        if ((!r->hub_id || m[i].account.hub_id == r->hub_id) && m[i].role == MEMBER_INSTALLER) return &m[i];
    return NULL;
}

/* The scopes of the live grants that this app has of the person in the account, for what is asked for now. */
static bool granted_scopes(struct oauth_call *c, const struct authorize_request *r, int32_t hub_id,
                           struct scope_set *out) {
    bool found = false;
    *out = (struct scope_set){0};
    for (size_t i = 0; i < c->facts.n_connections; i++) {
        struct scope_set scopes;
        c->facts.grant = c->facts.connections[i].grant;
        c->facts.grant_found = true;
        if (c->facts.grant.hub_id != hub_id || !grant_row_is_live(c, c->app)) continue;
        if (!scope_set_decode(c->facts.grant.scopes, &scopes)) continue;
        found = true;
        struct resource_set resources = {0};
        if (!resource_set_decode(c->facts.grant.resources, &resources)) continue;
        if (!resources_cover(c->env.registry, &resources, &r->resources)) continue;
        for (size_t s = 0; s < scopes.n; s++) (void)scope_set_add(out, scopes.id[s]);
    }
    return found;
}

/* RFC 6749 s10.2, RFC 8252 s8.6: whoever has the client id of a public app can pose as it, so the person is asked each time. */
static bool consent_is_known(const struct oauth_call *c, const struct authorize_request *r,
                             const struct scope_set *granted) {
    bool may = c->env.settings->remember_consent && !app_has(c->app, APP_PUBLIC) && !(r->prompts & PROMPT_CONSENT);
    struct scope_set all = all_scopes(r);
    return may && scope_set_is_subset(&all, granted);
}

static void show_accounts(struct oauth_call *c, const struct authorize_call *a) {
    const struct authorize_request *r = &a->request;
    const struct ticket flow = {
        .step = TICKET_ACCOUNT,
        .user_id = c->facts.session.user_id,
        .hub_id = r->hub_id,
        .query = authorize_request_query(c, r, ~0U),
    };
    struct screen screen = {
        .kind = SCREEN_CHOOSE_ACCOUNT,
        .action = S("/oauth/choose-account"),
        .flow = ticket_seal(c, &a->browser, &flow),
        .path = authorize_request_accounts_url(c, r, r->account_find, r->account_page),
        .redirect_uri = c->redirect_base,
        .email = c->facts.person.email,
        .memberships = c->facts.memberships,
        .n_memberships = c->facts.n_memberships,
        .find = r->account_find,
    };
    if (r->account_page)
        screen.earlier_url = authorize_request_accounts_url(c, r, r->account_find, r->account_page - 1);
    if (c->facts.more_memberships)
        screen.later_url = authorize_request_accounts_url(c, r, r->account_find, r->account_page + 1);
    if (r->account_find.n) screen.all_url = authorize_request_accounts_url(c, r, S(""), 0);
    answer_screen(c, &a->browser, &screen, 200);
}

static void show_consent(struct oauth_call *c, const struct authorize_call *a, bool is_update) {
    const struct authorize_request *r = &a->request;
    const struct account *account = &a->membership->account;
    const struct ticket flow = {
        .step = TICKET_CONSENT,
        .user_id = c->facts.session.user_id,
        .hub_id = account->hub_id,
        /* one consent, one grant: of two codes that a double click makes only one can be redeemed */
        .grant_id = grant_id_make(c->env.now_ms, c->env.random + OAUTH_RANDOM_GRANT_ID),
        .query = authorize_request_query(c, r, ~0U),
    };
    const struct screen screen = {
        .kind = SCREEN_CONSENT,
        .action = S("/oauth/consent"),
        .flow = ticket_seal(c, &a->browser, &flow),
        .path = authorize_request_url(c, r, ~0U, r->hub_id),
        .redirect_uri = c->redirect_base,
        .email = c->facts.person.email,
        .account = *account,
        .required = r->required,
        .optional = r->optional,
        .resources = r->resources,
        .is_update = is_update,
    };
    answer_screen(c, &a->browser, &screen, 200);
}

/* OpenID Connect Core s3.1.2.6: with prompt=none the app hears what a page would have asked. */
static bool may_show(struct oauth_call *c, const struct authorize_call *a, enum refusal refused) {
    if (!(a->request.prompts & PROMPT_NONE)) return true;
    oauth_refuse(c, refused);
    return false;
}

static void decide_account(struct oauth_call *c, struct authorize_call *a) {
    struct scope_set granted;
    a->membership = find_membership(c, &a->request);
    if (!a->membership) {
        if (may_show(c, a, REFUSAL_ACCOUNT_REQUIRED)) show_accounts(c, a);
        return;
    }
    const struct scope_set *lacked = &a->membership->account.without_scopes;
    if (!scopes_leave_out(c, lacked, &a->request.required, &a->request.optional)) return;
    bool is_update = granted_scopes(c, &a->request, a->membership->account.hub_id, &granted);
    struct consent consent = {
        .request = &a->request,
        .user_id = c->facts.session.user_id,
        .hub_id = a->membership->account.hub_id,
        .auth_time_ms = c->facts.session.auth_time_ms,
        .uninstalled_ms = a->membership->uninstalled_ms,
        .scopes = all_scopes(&a->request),
    };
    if (consent_is_known(c, &a->request, &granted))
        answer_code(c, &consent);
    else if (may_show(c, a, REFUSAL_CONSENT_REQUIRED))
        show_consent(c, a, is_update);
}

/* A request by POST comes without our cookies when another site sent it (SameSite=Lax), so it begins again as a GET. */
static void decide_people(struct oauth_call *c, struct authorize_call *a) {
    const struct authorize_request *r = &a->request;
    if (c->req.method == METHOD_POST) return answer_see_other(c, authorize_request_url(c, r, ~0U, r->hub_id));
    if (a->is_signed_in) {
        decide_account(c, a);
        session_extend(c, &a->browser);
    } else if (may_show(c, a, REFUSAL_LOGIN_REQUIRED)) {
        answer_sign_in(c, &a->browser, r, NULL, 200);
    }
}

/* ---- the endpoint ---- */

/* /oauth/{hub_id}/authorize asks for one account. */
static bool read_hub_id(struct oauth_call *c, struct authorize_request *r) {
    uint64_t hub_id = 0;
    if (c->req.path_arg.n && !str_to_u64(c->req.path_arg, ID_MAX, &hub_id)) oauth_refuse(c, REFUSAL_NOT_FOUND);
    r->hub_id = (int32_t)hub_id;
    return c->refusal == REFUSAL_NONE;
}

static void start(struct oauth_call *c) {
    struct authorize_call *a = ARENA_NEW(c->arena, struct authorize_call);
    struct form form;
    c->state = a;
    c->form = FORM_PAGE;
    if (!read_hub_id(c, &a->request)) return;
    enum refusal refused = form_read(&c->req, c->arena, &form);
    if (refused) return oauth_refuse(c, refused);
    bool good = authorize_request_read(c, &form, &a->request);
    bool is_auto = c->env.settings->auto_approve;
    if (!is_auto) browser_read(c, a->request.params.lang, &a->browser);
    if (good && is_auto && a->request.hinted_user_id && a->request.hinted_user_id != c->env.settings->auto_user_id)
        oauth_refuse(c, REFUSAL_PERSON_UNKNOWN);
    if (good && is_auto && a->request.hub_id && a->request.hub_id != c->env.settings->auto_hub_id)
        oauth_refuse(c, REFUSAL_ACCESS_DENIED);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    if (c->env.settings->auto_approve) return ask_auto(c, round, out);
    return c->req.method == METHOD_POST ? 0 : ask_people(c, c->state, round, out);
}

static void decide(struct oauth_call *c) {
    if (c->env.settings->auto_approve)
        decide_auto(c, c->state);
    else
        decide_people(c, c->state);
}

const struct endpoint endpoint_authorize = {"authorize", start, ask, decide, NULL};
