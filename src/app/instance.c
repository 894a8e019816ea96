#include "instance.h"

#include "clock.h"
#include "datadir.h"
#include "digest.h"
#include "keys_load.h"
#include "log.h"
#include "publish.h"
#include "registry_load.h"

#include <stdlib.h>
#include <unistd.h>

static RC open_postgres(struct instance *i, bool inline_writes) {
    struct db_pg_options options = {
        .url = arena_cstr(i->arena, i->options.store),
        .inline_writes = inline_writes,
        .pooled = i->options.store_pooled,
        .queue_max = (unsigned)i->options.write_queue_max,
        .batch_max = (unsigned)i->options.store_batch_max,
        .deadline_ms = i->options.store_deadline_s * 1000,
    };
    return db_open_pg(&options, &i->db);
}

static RC open_sqlite(struct instance *i, bool inline_writes) {
    struct db_sqlite_options options = {
        .path = options_store_path(&i->options, i->arena),
        .inline_writes = inline_writes,
        .queue_max = (unsigned)i->options.write_queue_max,
    };
    return db_open_sqlite(&options, &i->db);
}

static RC open_store(struct instance *i, bool inline_writes) {
    TRY((options_store_is_postgres(&i->options) ? open_postgres : open_sqlite)(i, inline_writes));
    TRY(storage_migrate(i->db, i->arena));
    TRY(i->db->driver->prepare(i->db, store_sql, store_sql_count));
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

static RC open_keys(struct instance *i, const char *dir) {
    uint8_t master[MASTER_KEY_BYTES];
    struct rc rc = find_master_key(i, dir, master);
    if (rc_ok(rc)) rc = keys_load(i->admin, master, clock_now_ms(), &i->keyring);
    secret_wipe(master, sizeof master);
    return rc;
}

static RC open_all(struct instance *i, bool inline_writes) {
    const char *dir = arena_cstr(i->arena, i->options.data);
    TRY(datadir_open(dir));
    TRY(datadir_lock(dir, &i->lock_fd));
    TRY(open_store(i, inline_writes));
    TRY(open_keys(i, dir));
    return registry_load(i->admin, &i->registry);
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
    registry_release(i->registry);
    keys_free(i->keyring);
    if (i->admin) storage_admin_close(i->admin);
    db_close(i->db);
    if (i->lock_fd >= 0) close(i->lock_fd);
    arena_free(i->arena);
    free(i);
}

RC instance_reload(struct instance *i) {
    struct registry *fresh;
    TRY(registry_load(i->admin, &fresh));
    struct registry *old = i->registry;
    i->registry = fresh;
    if (i->publish) i->publish(i, i->publish_arg);
    registry_release(old);
    return RC_OK;
}
