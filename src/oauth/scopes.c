#include "scopes.h"

#define JSON_ESCAPE_MAX 6 /* one byte at most becomes \u00XX */

static bool refuse_scope(struct oauth_call *c, str name) {
    oauth_refuse(c, REFUSAL_SCOPE);
    c->refused_parameter = S("scope");
    if (name.n && name.n <= SCOPE_NAME_MAX && str_is_all(name, 'N')) c->refused_scope = name;
    return false;
}

/* The scope of that name if it may be asked for. */
static const struct scope *find_scope(const struct registry *registry, str name, bool new_consent) {
    const struct scope *scope = name.n <= SCOPE_NAME_MAX ? registry_scope_by_name(registry, name) : NULL;
    return scope && !(new_consent && scope->hidden) ? scope : NULL;
}

bool scopes_read(struct oauth_call *c, str text, const struct scope_set *allowed, bool new_consent,
                 struct scope_set *out) {
    out->n = 0;
    while (text.n) {
        str name = str_take(&text, ' ');
        if (name.n == 0) continue;
        const struct scope *scope = find_scope(c->env.registry, name, new_consent);
        if (!scope || !scope_set_has(allowed, scope->id) || !scope_set_add(out, scope->id))
            return refuse_scope(c, name);
    }
    return out->n > 0 || refuse_scope(c, S(""));
}

void scopes_read_optional(const struct oauth_call *c, str text, struct scope_set *out) {
    while (text.n) {
        const struct scope *scope = find_scope(c->env.registry, str_take(&text, ' '), true);
        if (!scope) continue;
        bool available =
            scope_set_has(&c->app->optional_scopes, scope->id) || scope_set_has(&c->app->scopes, scope->id);
        if (available) (void)scope_set_add(out, scope->id); /* one too many is left out as well */
    }
}

static str scope_name(const struct registry *registry, uint16_t id) {
    const struct scope *scope = registry_scope_by_id(registry, id);
    return scope ? scope->name : S("");
}

bool scopes_leave_out(struct oauth_call *c, const struct scope_set *lacked, const struct scope_set *required,
                      struct scope_set *scopes) {
    struct scope_set left = {0};
    for (size_t i = 0; i < required->n; i++)
        if (scope_set_has(lacked, required->id[i]))
            return refuse_scope(c, scope_name(c->env.registry, required->id[i]));
    for (size_t i = 0; i < scopes->n; i++)
        if (!scope_set_has(lacked, scopes->id[i])) (void)scope_set_add(&left, scopes->id[i]);
    *scopes = left;
    return true;
}

str scopes_join(struct arena *arena, const struct registry *registry, const struct scope_set *set) {
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) n += scope_name(registry, set->id[i]).n + 1;
    struct buf b = buf_on(arena_alloc(arena, n), n);
    for (size_t i = 0; i < set->n; i++) {
        str name = scope_name(registry, set->id[i]);
        if (name.n == 0) continue;
        if (b.n) buf_add_char(&b, ' ');
        buf_add(&b, name);
    }
    return buf_str(&b);
}

void scopes_write(struct json *j, const struct oauth_call *c, const struct scope_set *set, bool joined) {
    json_key(j, S("scopes"));
    json_open_array(j);
    for (size_t i = 0; i < set->n; i++) {
        str name = scope_name(c->env.registry, set->id[i]);
        if (name.n) json_str(j, name);
    }
    json_close_array(j);
    if (joined) json_member_str(j, S("scope"), scopes_join(c->arena, c->env.registry, set));
}

size_t scopes_bound(const struct registry *registry, const struct scope_set *set) {
    size_t n = 64;
    for (size_t i = 0; i < set->n; i++) n += 2 * (JSON_ESCAPE_MAX * scope_name(registry, set->id[i]).n + 3);
    return n;
}

str scopes_encode(struct arena *arena, const struct scope_set *set) {
    uint8_t *bytes = arena_alloc(arena, SCOPE_SET_BYTES);
    return (str){(const char *)bytes, scope_set_encode(set, bytes)};
}
