/* Commands on keys. */
#include "admin_handlers.h"

static void write_end(struct json *j, str name, int64_t time_ms) {
    admin_write_time(j, name, time_ms == KEY_NEVER ? 0 : time_ms);
}

RC admin_do_key_list(struct admin_call *c) {
    struct key_store store = instance_key_store(c->instance);
    struct key_view *keys = NULL;
    size_t n = 0;
    TRY(keys_list(&store, c->now_ms, c->arena, &keys, &n));
    struct json *j = &c->json;
    json_key(j, S("keys"));
    json_open_array(j);
    for (size_t i = 0; i < n; i++) {
        json_open(j);
        json_member_str(j, S("kind"), str_of(key_kind_name(keys[i].kind)));
        json_member_str(j, S("key"), keys[i].name);
        json_member_str(j, S("status"), str_of(key_state_name(keys[i].state)));
        admin_write_time(j, S("created_at"), keys[i].created_ms);
        admin_write_time(j, S("used_at"), keys[i].used_ms);
        write_end(j, S("retired_at"), keys[i].retired_ms);
        write_end(j, S("gone_at"), keys[i].gone_ms);
        json_close(j);
    }
    json_close_array(j);
    return RC_OK;
}

/* A new key waits until everybody can have seen it, unless it replaces one that is no longer trusted. */
RC admin_do_key_rotate(struct admin_call *c) {
    struct key_store store = instance_key_store(c->instance);
    enum key_kind kind = KEY_RING;
    bool made = false;
    if (!key_kind_named(c->in.key_kind.v, &kind) || !store.rules.wanted[kind]) {
        admin_refuse(c, 409, "conflict",
                     "nothing uses keys of this kind: rs256 is for ID tokens, which need the scope openid");
        return RC_OK;
    }
    int64_t used_ms = c->in.at_once.v ? c->now_ms : c->now_ms + store.rules.of[kind].ahead_ms;
    TRY(keys_rotate(&store, kind, c->now_ms, used_ms, &made));
    if (!made) {
        admin_refuse(c, 409, "conflict",
                     "a new key of this kind waits already; `grantd key list` shows from when on it is used");
        return RC_OK;
    }
    TRY(instance_reload(c->instance));
    c->target = str_of(key_kind_name(kind));
    json_member_str(&c->json, S("kind"), c->target);
    admin_write_time(&c->json, S("used_at"), used_ms);
    return RC_OK;
}

/* Client secrets that were hashed with a generation of the ring. */
static size_t count_secrets(const struct registry *r, str number) {
    uint64_t key_number = 0;
    size_t n = 0;
    if (!str_to_u64(number, UINT8_MAX, &key_number)) return 0;
    for (size_t i = 0; i < r->n_apps; i++)
        for (size_t k = 0; k < r->apps[i].n_secrets; k++)
            if (r->apps[i].secrets[k].key_number == key_number && !app_has(&r->apps[i], APP_DELETED)) n++;
    return n;
}

static void check_removal(struct admin_call *c, const struct key_view *key, size_t secrets) {
    const char *kind = key_kind_name(key->kind);
    if (key->state == KEY_USED)
        admin_refuse(c, 409, "conflict",
                     "this key is in use; `grantd key rotate %s --now` puts another one in its place", kind);
    else if (!c->in.yes.v && key->kind == KEY_RING)
        admin_refuse(c, 400, "confirm",
                     "every refresh token of that generation would be dead, and %zu live client secrets refused "
                     "(`grantd app secret add` makes new ones); give --yes to do it",
                     secrets);
    else if (!c->in.yes.v)
        admin_refuse(c, 400, "confirm", "every token that it signed would be refused at once; give --yes to do it");
}

RC admin_do_key_remove(struct admin_call *c) {
    struct key_store store = instance_key_store(c->instance);
    const struct key_view *key = NULL;
    bool removed = false;
    TRY(keys_find(&store, c->in.key.v, c->now_ms, c->arena, &key));
    if (!key) {
        admin_refuse(c, 404, "not_found", "there is no such key; `grantd key list` shows them");
        return RC_OK;
    }
    size_t secrets = key->kind == KEY_RING ? count_secrets(c->instance->registry, key->name) : 0;
    check_removal(c, key, secrets);
    if (admin_refused(c)) return RC_OK;
    TRY(keys_remove(&store, key, c->now_ms, &removed));
    TRY(instance_reload(c->instance));
    c->target = arena_printf(c->arena, "%s %.*s", key_kind_name(key->kind), STR_ARG(key->name));
    json_member_str(&c->json, S("kind"), str_of(key_kind_name(key->kind)));
    json_member_str(&c->json, S("key"), key->name);
    json_member_str(&c->json, S("status"), S("removed"));
    if (key->kind == KEY_RING) json_member_int(&c->json, S("secrets_lost"), (int64_t)secrets);
    return RC_OK;
}
