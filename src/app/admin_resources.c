/* Commands on resources: the APIs that tokens can be made for alone (RFC 8707). */
#include "admin_handlers.h"

static const struct {
    str name;
    enum token_format format;
} formats[] = {
    {S("app"), TOKEN_FORMAT_OF_APP},
    {S("opaque"), TOKEN_FORMAT_OPAQUE},
    {S("jwt"), TOKEN_FORMAT_JWT},
};
#define FORMATS (sizeof formats / sizeof formats[0])

/* ---- answers ---- */

static void write_resource(struct json *j, const struct resource *r) {
    json_member_int(j, S("resource_id"), r->id);
    json_member_str(j, S("uri"), r->uris[0]);
    json_key(j, S("uris"));
    json_open_array(j);
    for (size_t i = 0; i < r->n_uris; i++) json_str(j, r->uris[i]);
    json_close_array(j);
    json_member_str(j, S("name"), r->name);
    json_member_str(j, S("token_format"), formats[r->token_format].name);
    json_key(j, S("resource_server"));
    if (r->app_id)
        json_int(j, r->app_id);
    else
        json_nil(j);
    json_member_bool(j, S("strict"), r->flags & RESOURCE_STRICT);
    admin_write_time(j, S("created_at"), r->created_ms);
    admin_write_time(j, S("updated_at"), r->updated_ms);
}

static RC write_current(struct admin_call *c, uint16_t id) {
    const struct resource *resource = registry_resource_by_id(c->instance->registry, id);
    if (!resource) return rc_fail(FAULT_INTERNAL, "a resource is not in the registry after its change");
    write_resource(&c->json, resource);
    return RC_OK;
}

/* ---- arguments ---- */

/* Each address names one API. */
static void check_uris(struct admin_call *c, const struct resource *r) {
    if (r->n_uris == 0) admin_refuse(c, 400, "invalid_argument", "a resource needs at least one --uri");
    for (size_t i = 0; i < r->n_uris; i++) {
        const struct resource *other = registry_resource_by_uri(c->instance->registry, r->uris[i]);
        if (other && other->id != r->id)
            admin_refuse(c, 409, "conflict", "the URI %.*s names the resource %d already",
                         STR_ARG(str_head(r->uris[i], 200)), other->id);
        for (size_t k = 0; k < i; k++)
            if (str_eq(r->uris[i], r->uris[k])) admin_refuse(c, 400, "invalid_argument", "a URI was given twice");
    }
}

static void set_server(struct admin_call *c, struct resource *r) {
    if (!c->in.server.given) return;
    r->app_id = 0;
    if (c->in.server.v.n == 0) return;
    const struct app *app = admin_find_app(c, c->in.server.v);
    if (app && !app_has(app, APP_RESOURCE_SERVER))
        admin_refuse(c, 400, "invalid_argument",
                     "the app is no resource server; `grantd app update --resource-server` makes it one");
    if (app) r->app_id = app->app_id;
}

static void set_fields(struct admin_call *c, struct resource *r) {
    const struct admin_input *in = &c->in;
    if (in->resource_name.given) r->name = in->resource_name.v;
    if (in->uris.given) {
        r->uris = in->uris.v;
        r->n_uris = in->uris.n;
    }
    for (size_t i = 0; in->resource_format.given && i < FORMATS; i++)
        if (str_eq(in->resource_format.v, formats[i].name)) r->token_format = (int32_t)formats[i].format;
    if (in->strict.given) r->flags = in->strict.v ? RESOURCE_STRICT : 0;
    set_server(c, r);
    r->updated_ms = c->now_ms;
    if (!admin_refused(c)) check_uris(c, r);
}

/* A copy that does not point into the registry, which a change may replace. */
static struct resource copy_resource(struct admin_call *c, const struct resource *found) {
    struct resource copy = *found;
    str *uris = ARENA_ARRAY(c->arena, str, found->n_uris);
    for (size_t i = 0; i < found->n_uris; i++) uris[i] = arena_copy(c->arena, found->uris[i]);
    copy.uris = uris;
    copy.name = arena_copy(c->arena, found->name);
    return copy;
}

/* ---- commands ---- */

RC admin_do_resource_create(struct admin_call *c) {
    struct resource resource = {.created_ms = c->now_ms};
    struct edit edit = {.kind = EDIT_RESOURCE_CREATE, .resource = &resource, .now_ms = c->now_ms};
    int32_t id = 0;
    set_fields(c, &resource);
    if (admin_refused(c)) return RC_OK;
    TRY(admin_edit(c, &edit, "a resource of that URI exists", &id));
    return admin_refused(c) ? RC_OK : write_current(c, (uint16_t)id);
}

RC admin_do_resource_list(struct admin_call *c) {
    const struct registry *r = c->instance->registry;
    int32_t after = admin_page_after(c), last = 0;
    size_t limit = admin_page_limit(c), n = 0;
    bool more = false;
    json_key(&c->json, S("resources"));
    json_open_array(&c->json);
    for (size_t i = 0; i < r->n_resources && !more; i++) {
        if (r->resources[i].id <= after || (r->resources[i].flags & RESOURCE_DELETED)) continue;
        more = n++ == limit;
        if (more) break;
        json_open(&c->json);
        write_resource(&c->json, &r->resources[i]);
        json_close(&c->json);
        last = r->resources[i].id;
    }
    json_close_array(&c->json);
    admin_write_next(&c->json, more, last);
    return RC_OK;
}

RC admin_do_resource_show(struct admin_call *c) {
    const struct resource *resource = admin_find_resource(c, c->in.resource.v);
    if (resource) write_resource(&c->json, resource);
    return RC_OK;
}

static RC update(struct admin_call *c, const struct resource *resource) {
    struct edit edit = {.kind = EDIT_RESOURCE_UPDATE, .resource = resource, .now_ms = c->now_ms};
    return admin_edit(c, &edit, "the resource is gone", NULL);
}

RC admin_do_resource_update(struct admin_call *c) {
    const struct resource *found = admin_find_resource(c, c->in.resource.v);
    if (!found) return RC_OK;
    struct resource resource = copy_resource(c, found);
    set_fields(c, &resource);
    if (!admin_refused(c)) TRY(update(c, &resource));
    return admin_refused(c) ? RC_OK : write_current(c, resource.id);
}

RC admin_do_resource_delete(struct admin_call *c) {
    const struct resource *found = admin_find_resource(c, c->in.resource.v);
    if (!found) return RC_OK;
    struct resource resource = copy_resource(c, found);
    resource.flags |= RESOURCE_DELETED;
    resource.updated_ms = c->now_ms;
    TRY(update(c, &resource));
    if (admin_refused(c)) return RC_OK;
    json_member_int(&c->json, S("resource_id"), resource.id);
    json_member_str(&c->json, S("status"), S("deleted"));
    return RC_OK;
}
