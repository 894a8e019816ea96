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
