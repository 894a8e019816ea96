#include "show.h"

#include "buf.h"
#include "page_lang.h"
#include "page_url.h"

#define PAGE_BYTES_MAX (8u << 20)

/* ---- the brand ---- */

static str issuer_host(str issuer) {
    str rest = str_from(issuer, str_find(issuer, ':') + 3);
    return str_head(rest, str_find(rest, '/'));
}

RC brand_make(const struct options *o, str issuer, struct arena *arena, struct brand *out) {
    *out = (struct brand){
        .page = {.name = o->brand_name.n ? o->brand_name : issuer_host(issuer),
                 .logo = o->brand_logo,
                 .help_url = o->help_url,
                 .privacy_url = o->privacy_url,
                 .terms_url = o->terms_url},
        .recovery_url = o->recovery_url,
        .style_path = page_style.path,
    };
    if (o->login_url.n) {
        str host = page_url_host(o->login_url);
        out->login_origin = (str){o->login_url.p, (size_t)(host.p - o->login_url.p) + host.n};
    }
    if (o->brand_colour.n == 0) return RC_OK;
    out->has_accent = page_accent_make(o->brand_colour, arena, &out->accent);
    if (!out->has_accent) return rc_fail(FAULT_CONFIG, "brand_colour is no colour; write it as #1a5fb4");
    out->accent_path = out->accent.path;
    return RC_OK;
}

static bool has_name(const struct page_asset *asset, str name) {
    str file = str_from(asset->path, asset->path.n > name.n ? asset->path.n - name.n - 1 : 0);
    return file.n == name.n + 1 && file.p[0] == '/' && str_eq(str_from(file, 1), name);
}

const struct page_asset *brand_asset(const struct brand *brand, str name) {
    if (name.n && has_name(&page_style, name)) return &page_style;
    return name.n && brand->has_accent && has_name(&brand->accent, name) ? &brand->accent : NULL;
}

/* ---- records ---- */

static struct page_app app_of(const struct app *app) {
    if (!app) return (struct page_app){.name = {NULL, 0}};
    return (struct page_app){
        .name = app->name, .developer = app->developer, .site_url = app->site_url, .logo_url = app->logo_url};
}

static const struct page_scope *scopes_of(const struct show_request *q, const struct scope_set *set,
                                          struct arena *arena) {
    struct page_scope *list = ARENA_ARRAY(arena, struct page_scope, (size_t)set->n + 1);
    for (size_t i = 0; i < set->n; i++) {
        const struct scope *scope = registry_scope_by_id(q->registry, set->id[i]);
        if (scope) list[i] = (struct page_scope){.name = scope->name, .title = scope->title, .checked = true};
    }
    return list;
}

static const struct page_connection *connections_of(const struct show_request *q, struct arena *arena) {
    const struct screen *s = q->screen;
    struct page_connection *list = ARENA_ARRAY(arena, struct page_connection, s->n_connections + 1);
    for (size_t i = 0; i < s->n_connections; i++) {
        const struct screen_connection *from = &s->connections[i];
        list[i] = (struct page_connection){
            .app = app_of(from->app),
            .account = {.name = from->account_name, .domain = from->account_domain},
            .scopes = scopes_of(q, &from->scopes, arena),
            .n_scopes = from->scopes.n,
            .granted_ms = from->granted_ms,
            .last_used_ms = from->last_used_ms,
            .revoke_url = from->remove_url,
        };
    }
    return list;
}

/* ---- pages ---- */

struct showing {
    const struct show_request *request;
    const struct screen *screen;
    struct page_context context;
    struct arena *arena;
    struct buf out;
};

static enum page_error_kind error_kind(enum refusal refusal) {
    if (refusal == REFUSAL_FORM_EXPIRED) return PAGE_ERROR_KIND_EXPIRED;
    if (refusal == REFUSAL_NOT_FOUND) return PAGE_ERROR_KIND_NOT_FOUND;
    if (refusal == REFUSAL_UNAVAILABLE || refusal == REFUSAL_RATE_LIMIT) return PAGE_ERROR_KIND_BUSY;
    return refusal == REFUSAL_INTERNAL ? PAGE_ERROR_KIND_FAULT : PAGE_ERROR_KIND_REQUEST;
}

/* What went wrong with a page of ours tells a developer nothing. */
static void show_error(struct showing *w) {
    const struct screen *s = w->screen;
    const struct refusal_row *row = refusal_row(s->refusal);
    bool of_app = error_kind(s->refusal) == PAGE_ERROR_KIND_REQUEST;
    const struct page_error page = {
        .kind = error_kind(s->refusal),
        .app_name = s->app ? s->app->name : (str){NULL, 0},
        .http = s->http,
        .error = of_app ? row->error : (str){NULL, 0},
        .status = row->status,
        .description = row->text,
    };
    page_error(&w->out, &page, &w->context);
}

static void show_sign_in(struct showing *w) {
    static const enum page_sign_in_problem problems[] = {
        [SIGN_IN_FIRST] = PAGE_SIGN_IN_PROBLEM_NONE,
        [SIGN_IN_MISSING] = PAGE_SIGN_IN_PROBLEM_MISSING,
        [SIGN_IN_WRONG] = PAGE_SIGN_IN_PROBLEM_WRONG,
        [SIGN_IN_THROTTLED] = PAGE_SIGN_IN_PROBLEM_TOO_MANY,
    };
    const struct screen *s = w->screen;
    const struct page_sign_in page = {
        .action = s->action,
        .app = app_of(s->app),
        .email = s->email,
        .problem = problems[s->problem],
        .email_missing = s->email_missing,
        .password_missing = s->password_missing,
        .wait_minutes = s->wait_ms > 60000 ? (s->wait_ms + 59999) / 60000 : 0,
        .recovery_url = w->request->brand->recovery_url,
        .can_cancel = s->can_cancel,
    };
    page_sign_in(&w->out, &page, &w->context);
}

static void show_choose_account(struct showing *w) {
    const struct screen *s = w->screen;
    struct page_account_choice *list = ARENA_ARRAY(w->arena, struct page_account_choice, s->n_memberships + 1);
    for (size_t i = 0; i < s->n_memberships; i++) {
        const struct membership *m = &s->memberships[i];
        list[i] = (struct page_account_choice){
            .hub_id = m->account.hub_id,
            .name = m->account.name.n ? m->account.name : m->account.domain,
            .domain = m->account.domain,
            .allowed = m->role == MEMBER_INSTALLER,
        };
    }
    bool can_turn = s->earlier_url.n || s->later_url.n, can_find = can_turn || s->find.n;
    const struct page_choose_account page = {
        .action = s->action,
        .app = app_of(s->app),
        .email = s->email,
        .accounts = list,
        .n_accounts = s->n_memberships,
        .has_accounts = s->n_memberships || can_find,
        .can_find = can_find,
        .find = s->find,
        .can_turn = can_turn,
        .earlier_url = s->earlier_url,
        .later_url = s->later_url,
        .all_url = s->all_url,
    };
    page_choose_account(&w->out, &page, &w->context);
}

static const struct page_api *apis_of(const struct showing *w, const struct resource_set *set) {
    struct page_api *list = ARENA_ARRAY(w->arena, struct page_api, (size_t)set->n + 1);
    for (size_t i = 0; i < set->n; i++) {
        const struct resource *resource = registry_resource_by_id(w->request->registry, set->id[i]);
        if (resource) list[i] = (struct page_api){.name = resource->name, .uri = resource->uris[0]};
    }
    return list;
}

static void show_consent(struct showing *w) {
    const struct screen *s = w->screen;
    const struct page_consent page = {
        .action = s->action,
        .app = app_of(s->app),
        .account = {.name = s->account.name.n ? s->account.name : s->account.domain, .domain = s->account.domain},
        .email = s->email,
        .can_change_account = true,
        .required = scopes_of(w->request, &s->required, w->arena),
        .n_required = s->required.n,
        .optional = scopes_of(w->request, &s->optional, w->arena),
        .n_optional = s->optional.n,
        .apis = apis_of(w, &s->resources),
        .n_apis = s->resources.n,
        .is_update = s->is_update,
        .redirect_uri = s->redirect_uri,
        .target = page_url_target(s->redirect_uri),
    };
    page_consent(&w->out, &page, &w->context);
}

static void show_connected_apps(struct showing *w) {
    const struct screen *s = w->screen;
    const struct page_connected_apps page = {
        .email = s->email,
        .connections = connections_of(w->request, w->arena),
        .n_connections = s->n_connections,
        .removed_app = s->removed ? s->removed->name : (str){NULL, 0},
        .older_url = s->older_url,
        .sign_out_url = s->sign_out_url,
    };
    page_connected_apps(&w->out, &page, &w->context);
}

static void show_remove_app(struct showing *w) {
    const struct page_revoke page = {
        .action = w->screen->action,
        .connection = connections_of(w->request, w->arena)[0],
    };
    page_revoke(&w->out, &page, &w->context);
}

static void show_sign_out(struct showing *w) {
    const struct screen *s = w->screen;
    const struct page_sign_out page = {
        .action = s->action,
        .email = s->email,
        .app_name = s->app ? s->app->name : (str){NULL, 0},
    };
    page_sign_out(&w->out, &page, &w->context);
}

static void show_signed_out(struct showing *w) {
    const struct page_signed_out page = {.sign_in_url = w->screen->sign_in_url};
    page_signed_out(&w->out, &page, &w->context);
}

static void (*const show_rows[])(struct showing *w) = {
    [SCREEN_ERROR] = show_error,
    [SCREEN_SIGN_IN] = show_sign_in,
    [SCREEN_CHOOSE_ACCOUNT] = show_choose_account,
    [SCREEN_CONSENT] = show_consent,
    [SCREEN_CONNECTED_APPS] = show_connected_apps,
    [SCREEN_REMOVE_APP] = show_remove_app,
    [SCREEN_SIGN_OUT] = show_sign_out,
    [SCREEN_SIGNED_OUT] = show_signed_out,
};

str show_screen(const struct show_request *q, struct arena *arena) {
    struct showing w = {
        .request = q,
        .screen = q->screen,
        .context =
            {
                .lang = page_lang_choose(q->screen->ui_locales, q->screen->lang, q->accept_language),
                .brand = q->brand->page,
                .style_path = q->brand->style_path,
                .accent_path = q->brand->accent_path,
                .csrf = q->screen->token,
                .flow = q->screen->flow,
                .correlation_id = q->correlation_id,
                .path = q->screen->path,
            },
        .arena = arena,
        .out = buf_growing(PAGE_BYTES_MAX),
    };
    show_rows[q->screen->kind](&w);
    str page = arena_copy(arena, buf_failed(&w.out) ? (str){NULL, 0} : buf_str(&w.out));
    buf_free(&w.out);
    return page;
}

str show_policy(const struct show_request *q, struct arena *arena) {
    struct buf out = buf_growing(4096);
    page_policy_write(&out, q->screen->redirect_uri);
    if (q->brand->login_origin.n) {
        buf_add_char(&out, ' ');
        buf_add(&out, q->brand->login_origin);
    }
    str policy = arena_copy(arena, buf_str(&out));
    buf_free(&out);
    return policy;
}
