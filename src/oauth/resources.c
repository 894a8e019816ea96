#include "resources.h"

#define JSON_ESCAPE_MAX 6 /* one byte at most becomes \u00XX */

static bool refuse(struct oauth_call *c) {
    oauth_refuse(c, REFUSAL_RESOURCE);
    c->refused_parameter = S("resource");
    return false;
}

bool resources_read(struct oauth_call *c, const struct param_list *asked, struct resource_set *out) {
    out->n = 0;
    for (size_t i = 0; i < asked->n; i++) {
        const struct resource *resource = registry_resource_by_uri(c->env.registry, asked->v[i]);
        if (!resource || !resource_set_add(out, resource->id)) return refuse(c);
    }
    return !asked->more || refuse(c);
}

static struct resource_set registered(const struct registry *registry, const struct resource_set *set) {
    struct resource_set left = {0};
    for (size_t i = 0; i < set->n; i++)
        if (registry_resource_by_id(registry, set->id[i])) (void)resource_set_add(&left, set->id[i]);
    return left;
}

static bool any_is_strict(const struct registry *registry, const struct resource_set *set) {
    for (size_t i = 0; i < set->n; i++)
        if (registry_resource_by_id(registry, set->id[i])->flags & RESOURCE_STRICT) return true;
    return false;
}

bool resources_cover(const struct registry *registry, const struct resource_set *granted,
                     const struct resource_set *part) {
    if (granted->n == 0) return !any_is_strict(registry, part);
    return part->n > 0 && resource_set_is_subset(part, granted);
}

bool resources_narrow(struct oauth_call *c, const struct param_list *asked, str granted, struct resource_set *out) {
    const struct registry *registry = c->env.registry;
    struct resource_set all;
    if (!resource_set_decode(granted, &all)) {
        oauth_refuse(c, REFUSAL_INTERNAL);
        return false;
    }
    if (!resources_read(c, asked, out)) return false;
    if (out->n || all.n == 0) return resources_cover(registry, &all, out) || refuse(c);
    *out = registered(registry, &all);
    return out->n > 0 || refuse(c); /* never for every API instead */
}

bool resources_are_there(const struct registry *registry, const struct resource_set *set) {
    return set->n == 0 || registered(registry, set).n > 0;
}

bool resources_are_of(const struct registry *registry, const struct resource_set *set, const struct app *server) {
    bool is_bound = false, is_of = false;
    for (size_t i = 0; i < registry->n_resources; i++) {
        const struct resource *resource = &registry->resources[i];
        if (resource->app_id != server->app_id || (resource->flags & RESOURCE_DELETED)) continue;
        is_bound = true;
        is_of = is_of || (set->n ? resource_set_has(set, resource->id) : !(resource->flags & RESOURCE_STRICT));
    }
    return is_of || !is_bound;
}

enum token_format resources_format(const struct registry *registry, const struct resource_set *set) {
    int32_t format = TOKEN_FORMAT_OF_APP;
    for (size_t i = 0; i < set->n; i++) {
        const struct resource *resource = registry_resource_by_id(registry, set->id[i]);
        if (resource && resource->token_format > format) format = resource->token_format;
    }
    return (enum token_format)format;
}

static str uri_of(const struct registry *registry, uint16_t id) {
    const struct resource *resource = registry_resource_by_id(registry, id);
    return resource ? resource->uris[0] : S("");
}

void resources_write_aud(struct json *j, const struct registry *registry, str issuer, const struct resource_set *set) {
    struct resource_set named = registered(registry, set);
    if (named.n < 2) {
        json_member_str(j, S("aud"), named.n ? uri_of(registry, named.id[0]) : issuer);
        return;
    }
    json_key(j, S("aud"));
    json_open_array(j);
    for (size_t i = 0; i < named.n; i++) json_str(j, uri_of(registry, named.id[i]));
    json_close_array(j);
}

str resources_join(struct arena *arena, const struct registry *registry, str issuer, const struct resource_set *set) {
    struct resource_set named = registered(registry, set);
    size_t room = resources_bound(registry, issuer, set);
    struct buf b = buf_on(arena_alloc(arena, room), room);
    if (named.n == 0) return issuer;
    for (size_t i = 0; i < named.n; i++) {
        if (i) buf_add_char(&b, ' ');
        buf_add(&b, uri_of(registry, named.id[i]));
    }
    return buf_str(&b);
}

size_t resources_bound(const struct registry *registry, str issuer, const struct resource_set *set) {
    size_t n = 16 + JSON_ESCAPE_MAX * issuer.n;
    for (size_t i = 0; i < set->n; i++) n += JSON_ESCAPE_MAX * uri_of(registry, set->id[i]).n + 3;
    return n;
}

str resources_encode(struct arena *arena, const struct resource_set *set) {
    uint8_t *bytes = arena_alloc(arena, RESOURCE_SET_BYTES);
    return (str){(const char *)bytes, resource_set_encode(set, bytes)};
}
