/* "Your connected apps": what a person granted, by app and account, and the way to take it back. */
#include "browser.h"
#include "liveness.h"

struct apps_params {
    str csrf, flow, action, app, account, removed, older, lang;
};
static const struct param param_rows[] = {
    PARAM(struct apps_params, csrf, 0, 0),    PARAM(struct apps_params, flow, 0, 0),
    PARAM(struct apps_params, action, 0, 0),  PARAM(struct apps_params, app, 0, 0),
    PARAM(struct apps_params, account, 0, 0), PARAM(struct apps_params, removed, 0, 0),
    PARAM(struct apps_params, older, 0, 0),   PARAM(struct apps_params, lang, 0, 0),
};
static const struct params_table params_table = PARAMS_TABLE(param_rows);

struct apps_call {
    struct apps_params params;
    struct browser browser;
    struct ticket flow;
    int32_t app_id, hub_id;   /* of one connection; 0: all */
    struct grant_id older_id; /* the list goes on behind this grant; zeros: it begins */
};

/* 0 when it is no id. */
static int32_t read_id(str text) {
    uint64_t id = 0;
    return str_to_u64(text, ID_MAX, &id) ? (int32_t)id : 0;
}

static void start(struct oauth_call *c) {
    struct apps_call *s = ARENA_NEW(c->arena, struct apps_call);
    c->state = s;
    c->form = FORM_PAGE;
    if (!params_read(c, &params_table, &s->params)) return;
    browser_read(c, s->params.lang, &s->browser);
}

static size_t ask(struct oauth_call *c, int round, struct ask out[ASKS_MAX]) {
    const struct apps_call *s = c->state;
    if (round == 0) {
        out[0] = session_ask(&s->browser);
        return s->browser.has_session;
    }
    if (round > 1 || !session_is_live(c, &s->browser)) return 0;
    out[0] = (struct ask){.kind = ASK_CONNECTIONS,
                          .user_id = c->facts.session.user_id,
                          .app_id = s->app_id,
                          .hub_id = s->hub_id,
                          .grant_id = s->older_id,
                          .now_ms = c->env.now_ms};
    return 1;
}

static struct screen_connection *find(struct screen_connection *list, size_t n, const struct grant *g) {
    for (size_t i = 0; i < n; i++)
        if (list[i].app->app_id == g->app_id && list[i].hub_id == g->hub_id) return &list[i];
    return NULL;
}

/* Days of use are noted for apps with an idle limit, rotations for those that rotate. */
static int64_t last_used_ms(const struct app *app, const struct grant *g) {
    int64_t day_ms = app->refresh_idle_s ? g->last_used_day * DAY_MS : 0;
    return day_ms > g->rotated_ms ? day_ms : g->rotated_ms;
}

static void add_grant(struct screen_connection *to, const struct grant *g) {
    struct scope_set scopes;
    int64_t used_ms = last_used_ms(to->app, g);
    if (scope_set_decode(g->scopes, &scopes))
        for (size_t i = 0; i < scopes.n; i++) (void)scope_set_add(&to->scopes, scopes.id[i]);
    if (g->created_ms > to->granted_ms) to->granted_ms = g->created_ms;
    if (used_ms > to->last_used_ms) to->last_used_ms = used_ms;
}

/* Several grants of one app in one account are one connection for people. */
static size_t connections(struct oauth_call *c, struct screen_connection **out) {
    struct screen_connection *list = ARENA_ARRAY(c->arena, struct screen_connection, c->facts.n_connections + 1);
    size_t n = 0;
    for (size_t i = 0; i < c->facts.n_connections; i++) {
        const struct connection *from = &c->facts.connections[i];
        const struct app *app = live_app(c, from->grant.app_id);
        c->facts.grant = from->grant;
        c->facts.grant_found = true;
        if (!app || !grant_row_is_live(c, app)) continue;
        struct screen_connection *to = find(list, n, &from->grant);
        if (!to) {
            to = &list[n++];
            *to = (struct screen_connection){.app = app,
                                             .hub_id = from->grant.hub_id,
                                             .account_name = from->account_name,
                                             .account_domain = from->account_domain};
            str path = arena_printf(c->arena, "/oauth/connected-apps/remove?app=%d&account=%d", (int)app->app_id,
                                    (int)from->grant.hub_id);
            to->remove_url = path;
        }
        add_grant(to, &from->grant);
    }
    *out = list;
    return n;
}

/* ---- the list ---- */

/* Ids of grants never show, so what tells where the list goes on is sealed. Any other text begins the list. */
static void start_list(struct oauth_call *c) {
    uint8_t ignored[TOKEN_ID_BYTES];
    struct ticket ticket;
    start(c);
    struct apps_call *s = c->state;
    if (c->refusal != REFUSAL_NONE || s->params.older.n == 0) return;
    if (ticket_read(c, TICKET_PAGE, s->params.older, &ticket, ignored) && ticket_is_of_browser(c, &ticket, &s->browser))
        s->older_id = ticket.grant_id;
}

static str list_url(const struct oauth_call *c, str older) {
    str path = older.n ? arena_printf(c->arena, "/oauth/connected-apps?older=%.*s", STR_ARG(older))
                       : S("/oauth/connected-apps");
    return path;
}

/* The rest of a list that is longer than a page. */
static str older_url(const struct oauth_call *c, const struct browser *b) {
    if (c->facts.n_connections < CONNECTIONS_MAX) return S("");
    struct ticket page = {.step = TICKET_PAGE, .user_id = c->facts.session.user_id};
    page.grant_id = c->facts.connections[c->facts.n_connections - 1].grant.id;
    return list_url(c, ticket_seal(c, b, &page));
}

static void decide_list(struct oauth_call *c) {
    const struct apps_call *s = c->state;
    struct screen_connection *list;
    c->change.kind = CHANGE_NONE;
    if (!session_is_live(c, &s->browser)) return answer_see_other(c, S("/oauth/sign-in"));
    struct screen screen = {
        .kind = SCREEN_CONNECTED_APPS,
        .path = list_url(c, s->params.older),
        .older_url = older_url(c, &s->browser),
        .email = c->facts.person.email,
        .sign_out_url = S("/oauth/sign-out"),
        .removed = live_app(c, read_id(s->params.removed)),
        .n_connections = connections(c, &list),
    };
    screen.connections = list;
    for (size_t i = 0; i < screen.n_connections; i++) /* whoever follows a made-up link must not read what is not so */
        if (list[i].app == screen.removed) screen.removed = NULL;
    answer_screen(c, &s->browser, &screen, 200);
    session_extend(c, &s->browser);
}

const struct endpoint endpoint_connected_apps = {"connected_apps", start_list, ask, decide_list, NULL};

/* ---- removing one ---- */

static void start_remove(struct oauth_call *c) {
    start(c);
    struct apps_call *s = c->state;
    if (c->refusal != REFUSAL_NONE) return;
    s->app_id = read_id(s->params.app);
    s->hub_id = read_id(s->params.account);
    if (c->req.method != METHOD_POST) {
        if (!s->app_id || !s->hub_id) oauth_refuse(c, REFUSAL_NOT_FOUND);
        return;
    }
    if (!ticket_open(c, &s->browser, TICKET_REMOVE, (struct sealed_form){s->params.csrf, s->params.flow}, &s->flow))
        return;
    s->app_id = s->flow.app_id;
    s->hub_id = s->flow.hub_id;
}

static void show_remove(struct oauth_call *c, const struct apps_call *s) {
    struct screen_connection *list;
    const struct ticket flow = {
        .step = TICKET_REMOVE, .user_id = c->facts.session.user_id, .app_id = s->app_id, .hub_id = s->hub_id};
    struct screen screen = {
        .kind = SCREEN_REMOVE_APP,
        .action = S("/oauth/connected-apps/remove"),
        .flow = ticket_seal(c, &s->browser, &flow),
        .email = c->facts.person.email,
        .n_connections = connections(c, &list),
    };
    if (screen.n_connections != 1) return answer_see_other(c, S("/oauth/connected-apps"));
    screen.connections = list;
    screen.path = list->remove_url;
    answer_screen(c, &s->browser, &screen, 200);
}

/* Every grant of this person to the app in the account dies, with its access tokens and the codes that are under way; those of other
 * people live. */
static void remove_app(struct oauth_call *c, const struct apps_call *s) {
    str path = S("/oauth/connected-apps");
    if (str_eq(s->params.action, S("revoke"))) {
        c->change = (struct change){
            .kind = CHANGE_GRANTS_REVOKE,
            .user_id = s->flow.user_id,
            .app_id = s->app_id,
            .hub_id = s->hub_id,
            .now_ms = c->env.now_ms,
            .expires_ms = c->env.now_ms + REVOKED_KEPT_MS,
            .takes = true,
        };
        removal_mark(s->flow.user_id, s->app_id, s->hub_id, c->change.token_id);
        path = arena_printf(c->arena, "/oauth/connected-apps?removed=%d", (int)s->app_id);
    }
    answer_see_other(c, path);
}

static void decide_remove(struct oauth_call *c) {
    const struct apps_call *s = c->state;
    c->change.kind = CHANGE_NONE;
    if (!session_is_live(c, &s->browser)) return answer_see_other(c, S("/oauth/sign-in"));
    if (c->req.method != METHOD_POST) return show_remove(c, s);
    if (!ticket_is_of_session(&s->flow, &s->browser) || s->flow.user_id != c->facts.session.user_id) {
        (void)browser_refuse_form(c);
        return;
    }
    remove_app(c, s);
}

const struct endpoint endpoint_remove_app = {"remove_app", start_remove, ask, decide_remove, NULL};
