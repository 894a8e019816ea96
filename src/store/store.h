/* store: asks, changes, listings and edits become statements; rows become facts. Pure: it runs nothing. */
#ifndef GRANTD_STORE_H
#define GRANTD_STORE_H

#include "admin.h"
#include "asks.h"
#include "changes.h"
#include "db.h"
#include "db_bulk.h"
#include "known_subjects.h"

/* The table of statements (statements.def), for db's prepare. */
extern const struct db_sql store_sql[];
extern const size_t store_sql_count;

/* Statements of one ask (always one). `known`: what need not be asked for; NULL: everything is. */
void store_plan_ask(const struct ask *ask, const struct known_subjects *known, struct db_stmt *out);

/* What came back for a statement. */
struct store_answer {
    const struct db_stmt *stmt;
    const struct db_rows *rows;
    struct known_subjects *known; /* learns from it; NULL: nobody does */
    struct arena *arena;
};

/* The facts of an answer. *out_again: what was not asked for is not known after all, so the ask has to be planned anew, for everything. */
RC store_read_ask(const struct ask *ask, const struct store_answer *answer, struct facts *facts, bool *out_again);

/* Statements of a change; returns their number (at most DB_STMTS_MAX). */
size_t store_plan_change(const struct change *change, struct db_stmt out[DB_STMTS_MAX]);

/* The same for administration. `arena` holds encodings that the statements point to. */
void store_plan_listing(const struct listing *listing, struct db_stmt *out);
RC store_read_listing(const struct listing *listing, const struct db_rows *rows, struct arena *arena,
                      struct listed *out);
size_t store_plan_edit(const struct edit *edit, struct arena *arena, struct db_stmt out[DB_STMTS_MAX]);

/* The id that an EDIT_*_CREATE or EDIT_SECRET_ADD was given; rows are those of the op's first statement. */
int32_t store_edit_id(const struct db_rows *rows);

/* Purge: one bounded batch, in ops of at most DB_STMTS_MAX statements that delete at most PURGE_ROWS rows each of what has expired before now_ms; their
 * row counts come back as returned rows. Plans the statements from number `first` on; 0: that was all. */
#define PURGE_ROWS 500 /* about as long as one ordinary commit */
size_t store_plan_purge(int64_t now_ms, size_t first, struct db_stmt out[DB_STMTS_MAX]);

/* Migrations, numbered from 1, forward only; text in the portable subset (see db_dialect).
 *
 * Nodes of the release before go on while a step is made and behind it, so a step only adds: tables, columns that are NULL or have a
 * constant default, indexes (by `index`, when the table may be large). What takes away or changes meaning waits until no release that is
 * in use needs it; such a step says by readable_from from which schema on a program may go on. */
struct store_migration {
    int64_t version;
    const char *name;
    const char *sql;       /* ends by recording its own version and, from STORE_READABLE_SINCE on, readable_from */
    int64_t readable_from; /* the first schema whose programs work behind this step */
    struct db_index index; /* is built before `sql` runs, while others work; name NULL: none */
};
#define STORE_READABLE_SINCE 7 /* the step that made the column */
extern const struct store_migration store_migrations[];
extern const size_t store_migration_count;

/* All tables but schema_versions, for who moves whole stores (tables.def). */
extern const struct db_table store_tables[];
extern const size_t store_table_count;

#endif
