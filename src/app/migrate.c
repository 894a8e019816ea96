#include "migrate.h"

struct migrate_steps migrate_own_steps(void) {
    return (struct migrate_steps){store_migrations, store_migration_count};
}

int64_t migrate_newest(struct migrate_steps steps) { return steps.of[steps.n - 1].version; }

RC migrate_look(struct db *db, struct migrate_steps steps, struct db_schema *out) {
    int64_t known = migrate_newest(steps);
    TRY(db->driver->schema(db, known, out));
    if (out->needs <= known) return RC_OK;
    return rc_fail(FAULT_DB_SCHEMA,
                   "the store has schema %lld, for programs that know %lld; this one knows %lld: start a newer grantd",
                   (long long)out->version, (long long)out->needs, (long long)known);
}

static void tell_progress(void *arg, int64_t done, int64_t total) {
    const struct migrate_watch *watch = arg;
    watch->progress(watch->arg, done, total);
}

static RC make_step(struct db *db, const struct store_migration *m, const struct migrate_watch *watch,
                    struct arena *arena) {
    struct migrate_watch kept = watch ? *watch : (struct migrate_watch){.arg = NULL};
    const struct db_progress progress = {tell_progress, &kept};
    if (m->index.name) TRY(db->driver->index(db, &m->index, kept.progress ? &progress : NULL));
    return db->driver->script(db, db_dialect(db, arena, m->sql));
}

/* When another node was faster it fails, and is done all the same. */
static RC take_step(struct db *db, const struct store_migration *m, const struct migrate_watch *watch,
                    struct arena *arena) {
    struct rc rc = make_step(db, m, watch, arena);
    if (rc_ok(rc)) return rc;
    const char *detail = arena_cstr(arena, str_of(rc_detail()));
    struct db_schema schema;
    TRY(db->driver->schema(db, INT64_MAX, &schema)); /* the version alone */
    return schema.version >= m->version ? RC_OK : rc_fail((enum fault)rc.fault, "%s: %s", m->name, detail);
}

RC migrate_run(struct db *db, struct migrate_steps steps, const struct migrate_watch *watch, struct arena *arena) {
    struct db_schema schema;
    TRY(migrate_look(db, steps, &schema));
    for (size_t i = 0; i < steps.n; i++) {
        const struct store_migration *m = &steps.of[i];
        if (m->version <= schema.version) continue;
        if (watch && watch->begin) watch->begin(watch->arg, m);
        TRY(take_step(db, m, watch, arena));
        if (watch && watch->end) watch->end(watch->arg, m);
    }
    return RC_OK;
}

RC storage_migrate(struct db *db, struct arena *arena) {
    TRY(migrate_run(db, migrate_own_steps(), NULL, arena));
    return db->driver->prepare(db, store_sql, store_sql_count);
}

RC storage_require(struct db *db) {
    struct migrate_steps steps = migrate_own_steps();
    struct db_schema schema;
    TRY(migrate_look(db, steps, &schema));
    if (schema.version < migrate_newest(steps))
        return rc_fail(FAULT_DB_SCHEMA, "the store has schema %lld and this program needs %lld; run grantd migrate",
                       (long long)schema.version, (long long)migrate_newest(steps));
    return db->driver->prepare(db, store_sql, store_sql_count);
}
