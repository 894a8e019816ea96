/* db_bulk: whole tables in and out, in one transaction on a connection of its own. For the command line: every call waits as long as it takes. */
#ifndef GRANTD_DB_BULK_H
#define GRANTD_DB_BULK_H

#include "db.h"

struct db_table {
    const char *name;
    const char *key;     /* columns by which its rows are read */
    const char *columns; /* all of them, with ", " in between */
};

struct db_bulk {
    const struct db_bulk_calls *calls;
};

struct db_bulk_calls {
    /* Nobody else changes the table until the end. */
    RC (*hold)(struct db_bulk *b, const struct db_table *table);
    /* Runs a statement. *out (may be NULL) is the number that it returns. */
    RC (*run)(struct db_bulk *b, const char *sql, int64_t *out);
    /* Hands over every row of a table, until `take` fails. The values last as long as the call. */
    RC(*each)
    (struct db_bulk *b, const struct db_table *table, RC (*take)(void *arg, const struct db_value *values, size_t n),
     void *arg);
    /* Adds a row to a table. put_end before anything else is done, also before the rows of another table. */
    RC (*put)(struct db_bulk *b, const struct db_table *table, const struct db_value *values, size_t n);
    RC (*put_end)(struct db_bulk *b);
    /* How many other programs of ours are connected to the same database. */
    RC (*others)(struct db_bulk *b, int64_t *out);
    /* Ends it, with its changes or without, and frees it. */
    RC (*end)(struct db_bulk *b, bool keep);
};

/* Opens one; `db` is prepared or not. FAULT_CONFIG when the database cannot (one in memory). */
static inline RC db_bulk_open(struct db *db, enum db_bulk_kind kind, struct db_bulk **out) {
    return db->driver->bulk(db, kind, out);
}

/* How many columns a table has. */
static inline size_t db_table_columns(const struct db_table *table) {
    size_t n = 1;
    for (const char *c = table->columns; *c; c++) n += *c == ',';
    return n;
}

#define DB_COLUMNS_MAX  64
#define DB_BULK_SQL_MAX 2048

#endif
