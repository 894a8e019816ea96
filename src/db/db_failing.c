/* A driver for tests: it passes everything on, but the n-th submit fails. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "db.h"

struct failing_db {
    struct db base;
    struct db *inner;
    pthread_mutex_t lock;
    uint64_t count, fail_at;
    enum fault fault;
};

struct failing_session {
    struct db_session base;
    struct db_session *inner;
    void (*wake)(void *arg);
    void *wake_arg;
    struct db_op *failed, **failed_tail; /* used by the session's own thread alone */
};

static void *alloc_or_die(size_t n) {
    void *p = calloc(1, n);
    if (p) return p;
    fputs("grantd: out of memory\n", stderr);
    abort();
}

static RC failing_open_session(struct db *base, void (*wake)(void *arg), void *arg, struct db_session **out) {
    struct failing_session *s = alloc_or_die(sizeof *s);
    *s = (struct failing_session){.base.db = base, .wake = wake, .wake_arg = arg};
    s->failed_tail = &s->failed;
    struct rc rc = db_open_session(((struct failing_db *)base)->inner, wake, arg, &s->inner);
    if (!rc_ok(rc)) {
        free(s);
        return rc;
    }
    *out = &s->base;
    return RC_OK;
}

static void failing_close_session(struct db_session *base) {
    db_close_session(((struct failing_session *)base)->inner);
    free(base);
}

static bool is_the_one(struct failing_db *db) {
    pthread_mutex_lock(&db->lock);
    bool hit = ++db->count == db->fail_at;
    pthread_mutex_unlock(&db->lock);
    return hit;
}

static void op_fail(struct failing_db *db, struct db_op *op) {
    memset(op->rows, 0, sizeof op->rows);
    op->outcome = DB_DONE;
    op->rc = rc_fail(db->fault, "made to fail");
    op->done(op);
}

/* The fault comes back on the way on which the inner driver would have answered. */
static void failing_submit(struct db_session *base, struct db_op *op) {
    struct failing_session *s = (struct failing_session *)base;
    struct failing_db *db = (struct failing_db *)base->db;
    if (!is_the_one(db)) {
        db_submit(s->inner, op);
        return;
    }
    op->session = base;
    /* A session with a descriptor hears of answers by it alone, and nothing comes by it for an op that was not sent. */
    if (!op->write || base->db->inline_writes || db_session_fd(s->inner) >= 0) {
        op_fail(db, op);
        return;
    }
    op->next = NULL;
    *s->failed_tail = op;
    s->failed_tail = &op->next;
    s->wake(s->wake_arg);
}

static void failing_drain(struct db_session *base) {
    struct failing_session *s = (struct failing_session *)base;
    struct db_op *op = s->failed;
    s->failed = NULL;
    s->failed_tail = &s->failed;
    while (op) {
        struct db_op *next = op->next;
        op_fail((struct failing_db *)base->db, op);
        op = next;
    }
    db_drain(s->inner);
}

static void failing_end_turn(struct db_session *base) { db_end_turn(((struct failing_session *)base)->inner); }

static struct db *inner_of(struct db *base) { return ((struct failing_db *)base)->inner; }

static int failing_session_fd(struct db_session *base) {
    return db_session_fd(((struct failing_session *)base)->inner);
}

static void failing_on_change(struct db_session *base, void (*changed)(void *arg), void *arg) {
    db_session_on_change(((struct failing_session *)base)->inner, changed, arg);
}

static RC failing_script(struct db *base, const char *sql) {
    return inner_of(base)->driver->script(inner_of(base), sql);
}

static RC failing_schema(struct db *base, int64_t known, struct db_schema *out) {
    return inner_of(base)->driver->schema(inner_of(base), known, out);
}

static RC failing_index(struct db *base, const struct db_index *index, const struct db_progress *progress) {
    return inner_of(base)->driver->index(inner_of(base), index, progress);
}

static RC failing_prepare(struct db *base, const struct db_sql *table, size_t n) {
    return inner_of(base)->driver->prepare(inner_of(base), table, n);
}

static RC failing_backup(struct db *base, const char *path, void (*progress)(void *, int, int), void *arg) {
    return inner_of(base)->driver->backup(inner_of(base), path, progress, arg);
}

static RC failing_bulk(struct db *base, enum db_bulk_kind kind, struct db_bulk **out) {
    return inner_of(base)->driver->bulk(inner_of(base), kind, out);
}

static void failing_close(struct db *base) {
    struct failing_db *db = (struct failing_db *)base;
    db_close(db->inner);
    pthread_mutex_destroy(&db->lock);
    free((struct db_driver *)(uintptr_t)base->driver);
    free(db);
}

struct db *db_wrap_failing(struct db *inner, uint64_t fail_at, enum fault fault) {
    struct failing_db *db = alloc_or_die(sizeof *db);
    struct db_driver *driver =
        alloc_or_die(sizeof *driver); /* its own copy: name and words are those of the inner one */
    *driver = (struct db_driver){
        .name = inner->driver->name,
        .open_session = failing_open_session,
        .close_session = failing_close_session,
        .submit = failing_submit,
        .drain = failing_drain,
        .end_turn = failing_end_turn,
        .script = failing_script,
        .schema = failing_schema,
        .index = failing_index,
        .prepare = failing_prepare,
        .backup = inner->driver->backup ? failing_backup : NULL,
        .bulk = failing_bulk,
        .close = failing_close,
        .words = inner->driver->words,
        .session_fd = failing_session_fd,
        .on_change = failing_on_change,
    };
    db->base = (struct db){.driver = driver, .inline_writes = inner->inline_writes};
    db->inner = inner;
    db->fault = fault;
    db->fail_at = fail_at;
    pthread_mutex_init(&db->lock, NULL);
    return &db->base;
}

void db_failing_set(struct db *failing, uint64_t fail_at, enum fault fault) {
    struct failing_db *db = (struct failing_db *)failing;
    pthread_mutex_lock(&db->lock);
    db->count = 0;
    db->fail_at = fail_at;
    db->fault = fault;
    pthread_mutex_unlock(&db->lock);
}

uint64_t db_failing_count(const struct db *failing) {
    struct failing_db *db = (struct failing_db *)(uintptr_t)failing;
    pthread_mutex_lock(&db->lock);
    uint64_t count = db->count;
    pthread_mutex_unlock(&db->lock);
    return count;
}
