#include "store_place.h"

#include "datadir.h"
#include "digest.h"

#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_NAME S("grantd.db")

/* DIR and the name of the file in it. */
static void split_path(str path, str *dir, str *file) {
    *dir = path;
    *file = DATABASE_NAME;
    if (path.n < 3 || !str_eq(str_from(path, path.n - 3), S(".db"))) return;
    size_t slash = path.n;
    while (slash && path.p[slash - 1] != '/') slash--;
    *dir = slash > 1 ? str_head(path, slash - 1) : slash ? S("/") : S(".");
    *file = str_from(path, slash);
}

static RC lock_source(struct store_place *p, bool live, struct arena *arena) {
    const char *lock = arena_cstr(arena, arena_printf(arena, "%s/grantd.lock", p->dir));
    if (live || access(lock, F_OK) != 0) return RC_OK; /* a backup lies where no server was */
    struct rc rc = datadir_lock(p->dir, &p->lock_fd);
    if (rc.fault != FAULT_LOCKED) return rc;
    return rc_fail(FAULT_LOCKED,
                   "a server uses %s; stop it, or copy this moment with --live and lose what is changed after it",
                   p->dir);
}

static RC open_sqlite(struct store_place *p, str path, enum store_role role, bool live, struct arena *arena) {
    str dir, file;
    struct stat info;
    split_path(path, &dir, &file);
    p->dir = arena_cstr(arena, dir);
    p->options.data = dir;
    p->options.store = arena_printf(arena, "sqlite:%.*s", STR_ARG(file));
    const char *whole = options_store_path(&p->options, arena);
    if (role == STORE_TARGET) {
        TRY(datadir_open(p->dir));
        return datadir_lock(p->dir, &p->lock_fd);
    }
    if (stat(whole, &info) || !S_ISREG(info.st_mode)) return rc_fail(FAULT_CONFIG, "there is no store at %s", whole);
    return lock_source(p, live, arena);
}

/* Every user of the machine can read a command line. */
static RC check_url(str name, struct arena *arena) {
    bool has_password = false;
    if (!db_pg_url_is_valid(arena_cstr(arena, name), &has_password))
        return rc_fail(FAULT_CONFIG, "the URL of a store cannot be read; write postgres://USER@HOST/DATABASE");
    if (!has_password) return RC_OK;
    return rc_fail(FAULT_UNSAFE,
                   "others can read a password in the command line; put it into ~/.pgpass or passfile=FILE");
}

static RC find(struct store_place *p, str name, enum store_role role, bool live, struct arena *arena) {
    str path = str_from(name, 7);
    p->options.store = name;
    if (options_store_is_postgres(&p->options)) return check_url(name, arena);
    if (!str_starts_with(name, S("sqlite:")) || path.n == 0 || path.p[0] == ':')
        return rc_fail(FAULT_CONFIG, "\"%.*s\" names no store; write sqlite:DIR or postgres://USER@HOST/DATABASE",
                       STR_ARG(str_head(name, str_find(name, ':'))));
    return open_sqlite(p, path, role, live, arena);
}

RC store_place_open(str name, enum store_role role, bool live, struct arena *arena, struct store_place *out) {
    *out = (struct store_place){.lock_fd = -1};
    options_init(&out->options);
    TRY(find(out, name, role, live, arena));
    return storage_open(&out->options, true, arena, &out->db);
}

void store_place_close(struct store_place *p) {
    db_close(p->db);
    if (p->lock_fd >= 0) close(p->lock_fd);
    *p = (struct store_place){.lock_fd = -1};
}

RC store_place_keys_differ(const struct store_place *a, const struct store_place *b, bool *out) {
    uint8_t one[MASTER_KEY_BYTES], two[MASTER_KEY_BYTES];
    bool has_one = false, has_two = false;
    *out = false;
    if (!a->dir || !b->dir) return RC_OK;
    TRY(datadir_read_master_key(a->dir, one, &has_one));
    TRY(datadir_read_master_key(b->dir, two, &has_two));
    *out = has_one && has_two && !secret_equal(one, two, sizeof one);
    secret_wipe(one, sizeof one);
    secret_wipe(two, sizeof two);
    return RC_OK;
}
