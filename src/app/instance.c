#include "instance.h"

#include "claims.h"
#include "clock.h"
#include "datadir.h"
#include "digest.h"
#include "log.h"
#include "migrate.h"
#include "publish.h"
#include "registry_load.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static RC open_store(struct instance *i, bool inline_writes) {
    TRY(storage_open(&i->options, inline_writes, i->arena, &i->db));
    TRY((i->options.migrate ? storage_migrate(i->db, i->arena) : storage_require(i->db)));
    return storage_admin_open(i->db, &i->admin);
}

/* A new master key is made only for an empty store: a store that has keys needs the one they were sealed under. */
static RC find_master_key(struct instance *i, const char *dir, uint8_t master[MASTER_KEY_BYTES]) {
    bool found = false, keys = false;
    TRY(datadir_read_master_key(dir, master, &found));
    if (found) return RC_OK;
    TRY(keys_exist(i->admin, &keys));
    if (keys)
        return rc_fail(FAULT_KEY,
                       "%s/master.key is missing, but the store was made with one; put the backup of it back", dir);
    return datadir_make_master_key(dir, master);
}

static struct key_store key_store_of(const struct instance *i, const struct registry *registry) {
    return (struct key_store){i->admin, i->master_key, keys_rules(&i->options, openid_is_offered(registry))};
}

struct key_store instance_key_store(const struct instance *i) {
    return key_store_of(i, i->registry);
}

/* Copies may be kept for half of the time that a new key is published before its use. */
static RC make_documents(const struct instance *i, const struct registry *registry, const struct keyset *keys,
                         struct documents **out) {
    return documents_make(&i->settings, i->options.signing_key_ahead_s / 2, registry, &keys->signers.keys, out);
}

static RC load_snapshot(struct instance *i, int64_t now_ms, struct snapshot **out) {
    struct registry *registry = NULL;
    struct keyset *keys = NULL;
    struct documents *documents = NULL;
    bool ignored;
    TRY(registry_load(i->admin, &registry));
    struct key_store store = key_store_of(i, registry);
    struct rc rc = keys_rotate_due(&store, now_ms, &ignored);
    if (rc_ok(rc)) rc = keys_load(&store, now_ms, &keys);
    if (rc_ok(rc)) rc = make_documents(i, registry, keys, &documents);
    if (rc_ok(rc)) {
        *out = snapshot_new(registry, keys, documents);
        (*out)->config = config_hold(i->config);
        return RC_OK;
    }
    keys_free(keys);
    registry_free(registry);
    return rc;
}

static void use_snapshot(struct instance *i, struct snapshot *fresh) {
    struct snapshot *old = i->snapshot;
    i->snapshot = fresh;
    i->registry = fresh->registry;
    i->keyring = &fresh->keys->ring;
    if (i->publish) i->publish(i, i->publish_arg);
    snapshot_release(old);
    malloc_trim(0); /* reading it took more memory than it has, and malloc would keep that */
}

static RC reload(struct instance *i, int64_t now_ms) {
    struct snapshot *fresh;
    TRY(load_snapshot(i, now_ms, &fresh));
    use_snapshot(i, fresh);
    return RC_OK;
}

static void set_config(struct instance *i, struct config *config) {
    i->config = config;
    if (!config) return;
    i->options = config->options;
    i->settings = config->settings;
}

RC instance_take_config(struct instance *i, struct config *config, RC (*commit)(void *arg), void *arg) {
    struct snapshot *fresh = NULL;
    struct config *old = i->config;
    set_config(i, config);
    struct rc rc = load_snapshot(i, clock_now_ms(), &fresh);
    if (rc_ok(rc) && commit) rc = commit(arg);
    if (rc_ok(rc)) {
        use_snapshot(i, fresh);
        config_release(old);
        return rc;
    }
    snapshot_release(fresh);
    set_config(i, old);
    config_release(config);
    return rc;
}

RC instance_reload(struct instance *i) { return reload(i, clock_now_ms()); }

RC instance_keep_keys(struct instance *i, int64_t now_ms) {
    struct key_store store = instance_key_store(i);
    bool changed;
    TRY(keys_rotate_due(&store, now_ms, &changed));
    return changed || now_ms >= i->snapshot->keys->next_change_ms ? reload(i, now_ms) : RC_OK;
}

static RC open_all(struct instance *i, bool inline_writes) {
    const char *dir = arena_cstr(i->arena, i->options.data);
    TRY(datadir_open(dir));
    TRY(datadir_lock(dir, &i->lock_fd));
    TRY(open_store(i, inline_writes));
    TRY(find_master_key(i, dir, i->master_key));
    return instance_reload(i);
}

RC instance_open(const struct options *options, bool inline_writes, struct instance **out) {
    struct instance *i = calloc(1, sizeof *i);
    if (!i) abort();
    i->arena = arena_new(8192);
    i->lock_fd = -1;
    i->options = *options;
    i->settings = options_settings(options);
    struct rc rc = open_all(i, inline_writes);
    if (!rc_ok(rc)) {
        instance_close(i);
        return rc;
    }
    *out = i;
    return RC_OK;
}

void instance_close(struct instance *i) {
    if (!i) return;
    snapshot_release(i->snapshot);
    config_release(i->config);
    secret_wipe(i->master_key, sizeof i->master_key);
    if (i->admin) storage_admin_close(i->admin);
    db_close(i->db);
    if (i->lock_fd >= 0) close(i->lock_fd);
    arena_free(i->arena);
    free(i);
}
