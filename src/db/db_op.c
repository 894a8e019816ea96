#include "db_op.h"

#include <stdio.h>

const char *schema_needs(int64_t known, char out[SCHEMA_NEEDS_BYTES]) {
    snprintf(out, SCHEMA_NEEDS_BYTES,
             "SELECT max(coalesce(readable_from, version)) FROM schema_versions WHERE version > %lld",
             (long long)known);
    return out;
}

void op_start(struct db_op *op, struct db_session *session) {
    op->next = NULL;
    op->session = session;
    op->rc = RC_OK;
    op->outcome = DB_DONE;
    op->detail = (str){NULL, 0};
    memset(op->rows, 0, sizeof op->rows);
}

void op_keep_fault(struct db_op *op, struct rc rc) {
    op->rc = rc;
    op->detail = arena_copy(op->arena, str_of(rc_detail()));
}

void op_finish(struct db_op *op) {
    if (!rc_ok(op->rc)) op->rc = rc_fail((enum fault)op->rc.fault, "%.*s", STR_ARG(op->detail));
    op->done(op);
}

/* Bucket n holds commits of up to 2^n changes. */
void stats_commit(struct db *db, size_t n) {
    size_t bucket = n <= 1 ? 0 : (size_t)(64 - __builtin_clzll(n - 1));
    if (bucket >= DB_BATCH_BUCKETS) bucket = DB_BATCH_BUCKETS - 1;
    atomic_fetch_add_explicit(&db->stats.commits[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&db->stats.changes, n, memory_order_relaxed);
}
