/* Commands on the scope catalogue. */
#include "admin_handlers.h"
#include "claims.h"

static void write_scope(struct json *j, const struct scope *s) {
    json_member_str(j, S("name"), s->name);
    json_member_str(j, S("title"), s->title);
    json_member_str(j, S("status"), s->hidden ? S("hidden") : S("shown"));
}

static RC write_current(struct admin_call *c, str name) {
    const struct scope *scope = registry_scope_by_name(c->instance->registry, name);
    if (!scope) return rc_fail(FAULT_INTERNAL, "a scope is not in the registry after its change");
    write_scope(&c->json, scope);
    return RC_OK;
}

static const struct scope *find_scope(struct admin_call *c) {
    const struct scope *scope = registry_scope_by_name(c->instance->registry, c->in.scope.v);
    if (!scope)
        admin_refuse(c, 404, "not_found", "there is no scope %.*s; `grantd scope list` shows them",
                     STR_ARG(c->in.scope.v));
    return scope;
}

RC admin_do_scope_create(struct admin_call *c) {
    struct scope scope = {.name = c->in.scope_name.v, .title = c->in.title.v};
    for (unsigned i = 0; i < OPENID_SCOPES && !c->in.title.given; i++)
        if (str_eq(scope.name, openid_scopes[i].name)) scope.title = openid_scopes[i].title;
    struct edit edit = {.kind = EDIT_SCOPE_CREATE, .scope = &scope, .now_ms = c->now_ms};
    TRY(admin_edit(c, &edit, "a scope of that name exists", NULL));
    return admin_refused(c) ? RC_OK : write_current(c, scope.name);
}

RC admin_do_scope_list(struct admin_call *c) {
    const struct registry *r = c->instance->registry;
    int32_t after = admin_page_after(c), last = 0;
    size_t limit = admin_page_limit(c), n = 0;
    bool more = false;
    json_key(&c->json, S("scopes"));
    json_open_array(&c->json);
    for (size_t i = 0; i < r->n_scopes && !more; i++) {
        if (r->scopes[i].id <= after) continue;
        more = n++ == limit;
        if (more) break;
        json_open(&c->json);
        write_scope(&c->json, &r->scopes[i]);
        json_close(&c->json);
        last = r->scopes[i].id;
    }
    json_close_array(&c->json);
    admin_write_next(&c->json, more, last);
    return RC_OK;
}

RC admin_do_scope_show(struct admin_call *c) {
    const struct scope *scope = find_scope(c);
    if (scope) write_scope(&c->json, scope);
    return RC_OK;
}

/* `name` of the row stays: grants refer to the id behind it. */
static RC update(struct admin_call *c, struct scope scope) {
    scope.name = c->in.scope.v;
    scope.title = arena_copy(c->arena, scope.title);
    struct edit edit = {.kind = EDIT_SCOPE_UPDATE, .scope = &scope, .now_ms = c->now_ms};
    TRY(admin_edit(c, &edit, "the scope is gone", NULL));
    return admin_refused(c) ? RC_OK : write_current(c, scope.name);
}

RC admin_do_scope_update(struct admin_call *c) {
    const struct scope *found = find_scope(c);
    if (!found) return RC_OK;
    struct scope scope = *found;
    scope.title = c->in.title.v;
    return update(c, scope);
}

static RC set_hidden(struct admin_call *c, bool hidden) {
    const struct scope *found = find_scope(c);
    if (!found) return RC_OK;
    struct scope scope = *found;
    scope.hidden = hidden;
    return update(c, scope);
}

RC admin_do_scope_hide(struct admin_call *c) { return set_hidden(c, true); }
RC admin_do_scope_unhide(struct admin_call *c) { return set_hidden(c, false); }
