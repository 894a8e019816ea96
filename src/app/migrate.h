/* migrate: brings the schema of a store up to date, and tells whether a program may use a schema that is not its own. */
#ifndef GRANTD_MIGRATE_H
#define GRANTD_MIGRATE_H

#include "store.h"

/* The steps that a program knows. */
struct migrate_steps {
    const struct store_migration *of;
    size_t n;
};

/* This program's own. */
struct migrate_steps migrate_own_steps(void);

/* The schema of a program that knows these steps. */
int64_t migrate_newest(struct migrate_steps steps);

/* Who wants to know how a migration goes; members may be NULL. */
struct migrate_watch {
    void (*begin)(void *arg, const struct store_migration *step);
    void (*progress)(void *arg, int64_t done, int64_t total);
    void (*end)(void *arg, const struct store_migration *step);
    void *arg;
};

/* Looks at a store. A newer release's schema is fine when that release says so (readable_from), else FAULT_DB_SCHEMA. */
RC migrate_look(struct db *db, struct migrate_steps steps, struct db_schema *out);

/* Makes the steps that are missing, each once, whoever else does the same at the time; nodes of the release before go on meanwhile. */
RC migrate_run(struct db *db, struct migrate_steps steps, const struct migrate_watch *watch, struct arena *arena);

/* What a node does before its first session is used: brings an empty or older store to the newest schema, or refuses one that is behind; and has
 * the table of statements checked. */
RC storage_migrate(struct db *db, struct arena *arena);
RC storage_require(struct db *db);

#endif
