/* What the drivers share about ops. */
#ifndef GRANTD_DB_OP_H
#define GRANTD_DB_OP_H

#include "db.h"

#define INDEX_BYTES 512 /* of a statement that makes one */

/* What the drivers ask of schema_versions. Steps from the one on that made the column say which programs may go on; one that does not, none but
 * those that know it. */
#define SCHEMA_VERSION     "SELECT max(version) FROM schema_versions"
#define SCHEMA_NEEDS_BYTES 128
const char *schema_needs(int64_t known, char out[SCHEMA_NEEDS_BYTES]);

/* Empties the results of an op before it runs. */
void op_start(struct db_op *op, struct db_session *session);

/* Keeps a fault, and this thread's detail of it for the thread that will hear of it. */
void op_keep_fault(struct db_op *op, struct rc rc);

/* Where the values of the rows go. */
static inline struct arena *op_rows_arena(const struct db_op *op) {
    return op->rows_arena ? op->rows_arena : op->arena;
}

/* Calls done; inside it, rc_detail() is the op's. */
void op_finish(struct db_op *op);

/* For db_stats: one commit of n changes; changes that begin (or, below zero, end) to wait. */
void stats_commit(struct db *db, size_t n);
static inline void stats_waiting(struct db *db, int64_t n) {
    atomic_fetch_add_explicit(&db->stats.waiting, n, memory_order_relaxed);
}

#endif
