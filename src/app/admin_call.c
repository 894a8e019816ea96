#include "admin_call.h"

#include <stdarg.h>
#include <stdio.h>

#include "timetext.h"

void admin_refuse(struct admin_call *c, int http, const char *code, const char *format, ...) {
    if (admin_refused(c)) return;
    char text[480];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->refusal.http = http;
    c->refusal.code = code;
    c->refusal.message = arena_copy(c->arena, str_head(str_of(text), n < 0 ? 0 : sizeof text));
}

void admin_note(struct admin_call *c, const char *noun, int64_t id) {
    c->target =
        arena_printf(c->arena, "%.*s%s%s %lld", STR_ARG(c->target), c->target.n ? " " : "", noun, (long long)id);
}

const struct app *admin_find_app(struct admin_call *c, str name) {
    const struct registry *r = c->instance->registry;
    uint64_t id = 0;
    const struct app *app = registry_app_by_client_id(r, name);
    if (!app && str_to_u64(name, ID_MAX, &id)) app = registry_app_by_id(r, (int32_t)id);
    if (app && !app_has(app, APP_DELETED)) {
        admin_note(c, "app", app->app_id);
        return app;
    }
    admin_refuse(c, 404, "not_found", "there is no app %.*s; `grantd app list` shows them", STR_ARG(name));
    return NULL;
}

const struct resource *admin_find_resource(struct admin_call *c, str name) {
    const struct registry *r = c->instance->registry;
    uint64_t id = 0;
    const struct resource *resource = registry_resource_by_uri(r, name);
    if (!resource && str_to_u64(name, UINT16_MAX, &id)) resource = registry_resource_by_id(r, (uint16_t)id);
    if (resource)
        admin_note(c, "resource", resource->id);
    else
        admin_refuse(c, 404, "not_found", "there is no resource %.*s; `grantd resource list` shows them",
                     STR_ARG(name));
    return resource;
}

RC admin_find_account(struct admin_call *c, int64_t hub_id, struct account *out) {
    struct listing listing = {.kind = LISTING_ACCOUNTS, .hub_id = (int32_t)hub_id};
    struct listed listed = {0};
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    if (listed.n) {
        *out = *(const struct account *)listed.rows;
        admin_note(c, "account", out->hub_id);
    } else {
        admin_refuse(c, 404, "not_found", "there is no account %lld; `grantd account list` shows them",
                     (long long)hub_id);
    }
    return RC_OK;
}

RC admin_find_user(struct admin_call *c, str name, struct user *out) {
    struct listing listing = {.kind = LISTING_USERS};
    struct listed listed = {0};
    uint64_t id = 0;
    if (str_to_u64(name, ID_MAX, &id))
        listing.user_id = (int32_t)id;
    else
        listing.email = name;
    bool askable = listing.user_id > 0 || str_find(name, '@') < name.n;
    if (askable) TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    if (listed.n) {
        *out = *(const struct user *)listed.rows;
        admin_note(c, "user", out->user_id);
    } else {
        admin_refuse(c, 404, "not_found", "there is no user %.*s; `grantd user list` shows them", STR_ARG(name));
    }
    return RC_OK;
}

static const char *const edit_nouns[EDIT_KINDS] = {
    [EDIT_APP_CREATE] = "app",           [EDIT_SECRET_ADD] = "secret",      [EDIT_SCOPE_CREATE] = "scope",
    [EDIT_RESOURCE_CREATE] = "resource", [EDIT_ACCOUNT_CREATE] = "account", [EDIT_USER_CREATE] = "user",
};

RC admin_edit(struct admin_call *c, const struct edit *edit, const char *lost, int32_t *out_id) {
    enum outcome outcome = OUTCOME_DONE;
    int32_t id = 0;
    TRY(storage_edit(c->instance->admin, edit, c->arena, &outcome, &id));
    if (outcome == OUTCOME_LOST) {
        admin_refuse(c, 409, "conflict", "%s", lost);
        return RC_OK;
    }
    if (out_id) *out_id = id;
    if (id && edit_nouns[edit->kind]) admin_note(c, edit_nouns[edit->kind], id);
    return instance_reload(c->instance);
}

static RC create_missing(struct admin_call *c, const struct admin_list *names) {
    for (size_t i = 0; i < names->n && !admin_refused(c); i++) {
        if (registry_scope_by_name(c->instance->registry, names->v[i])) continue;
        struct scope scope = {.name = names->v[i]};
        struct edit edit = {.kind = EDIT_SCOPE_CREATE, .scope = &scope, .now_ms = c->now_ms};
        TRY(admin_edit(c, &edit, "a scope of that name was made at this moment; try again", NULL));
    }
    return RC_OK;
}

RC admin_scope_set(struct admin_call *c, const struct admin_list *names, bool create, struct scope_set *out) {
    *out = (struct scope_set){0};
    if (create) TRY(create_missing(c, names));
    for (size_t i = 0; i < names->n && !admin_refused(c); i++) {
        str name = names->v[i];
        const struct scope *scope = registry_scope_by_name(c->instance->registry, name);
        if (!scope)
            admin_refuse(c, 400, "unknown_scope",
                         "there is no scope %.*s; add it with `grantd scope create %.*s`, or give --create-scopes",
                         STR_ARG(name), STR_ARG(name));
        else if (scope->hidden)
            admin_refuse(c, 400, "hidden_scope", "the scope %.*s is hidden; `grantd scope unhide %.*s` brings it back",
                         STR_ARG(name), STR_ARG(name));
        else if (!scope_set_has(out, scope->id) && !scope_set_add(out, scope->id))
            admin_refuse(c, 400, "invalid_argument", "at most %d scopes can be given", SCOPE_SET_MAX);
    }
    return RC_OK;
}

size_t admin_page_limit(const struct admin_call *c) {
    if (!c->in.limit.given) return 100;
    return c->in.limit.v > 1000 ? 1000 : (size_t)c->in.limit.v;
}

int32_t admin_page_after(struct admin_call *c) {
    uint64_t id = 0;
    if (c->in.after.given && !str_to_u64(c->in.after.v, ID_MAX, &id))
        admin_refuse(c, 400, "invalid_argument", "after must be the `next` of a page of this listing");
    return (int32_t)id;
}

void admin_write_time(struct json *j, str name, int64_t time_ms) {
    char text[TIMETEXT_ISO_BYTES];
    json_key(j, name);
    if (time_ms == 0) {
        json_nil(j);
        return;
    }
    timetext_iso(time_ms, text);
    json_str(j, str_of(text));
}

void admin_write_scopes(struct admin_call *c, str name, const struct scope_set *set) {
    json_key(&c->json, name);
    json_open_array(&c->json);
    for (size_t i = 0; i < set->n; i++) {
        const struct scope *scope = registry_scope_by_id(c->instance->registry, set->id[i]);
        if (scope) json_str(&c->json, scope->name);
    }
    json_close_array(&c->json);
}

void admin_write_next(struct json *j, bool more, int64_t last_id) {
    char text[24];
    struct buf b = buf_on(text, sizeof text);
    buf_add_i64(&b, last_id);
    json_key(j, S("next"));
    if (more)
        json_str(j, buf_str(&b));
    else
        json_nil(j);
}
