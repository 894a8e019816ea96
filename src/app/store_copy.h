/* store_copy: a whole store into an empty one, of the same kind or another, whole or not at all. */
#ifndef GRANTD_STORE_COPY_H
#define GRANTD_STORE_COPY_H

#include "buf.h"
#include "store.h"

/* What the rows of a table come to, whatever their order and whatever the database: their number, and a sum of a hash of each. */
struct table_sum {
    int64_t rows;
    uint64_t sums[2];
};

enum copy_phase { COPY_ROWS, COPY_CHECK, COPY_PHASES };

struct copy_watch {
    void (*tell)(void *arg, enum copy_phase phase, int64_t done, int64_t total); /* for every row */
    void *arg;
};

/* Copies every table of `from`, as it is at one moment, into `to`; sums[i] is what store_tables[i] comes to. An empty `to` gets its schema here. Before anything
 * is kept it is read back and compared. FAULT_DB_SCHEMA when `from` has not this program's schema, FAULT_CONFIG when `to` is not empty,
 * FAULT_DB_CORRUPT when the two differ. After a fault, or when the process is killed, `to` is empty. `live`: programs that use
 * `from` meanwhile are no reason to refuse. */
RC store_copy(struct db *from, struct db *to, bool live, const struct copy_watch *watch, struct table_sum *sums);

/* Adds a row; `name` is its table's. */
void table_sum_add(struct table_sum *sum, const char *name, const struct db_value *values, size_t n,
                   struct buf *scratch);

#endif
