/* The one thread that writes: it takes what waits, commits it as one transaction, and only then answers. */
#include "db_sqlite.h"

#include <time.h>

/* 16 MiB. Counted with 300,000 new grants: a sixth less is written and a quarter fewer syncs are made than with 1,000 pages. */
#define WAL_PAGES_LIMIT 4000

/* Runs the statements one after the other; stops at a fault or when a taker does not find its one row. *touched: the rows of the last one. */
static RC op_run_statements(struct conn *c, struct db_op *op, size_t *touched) {
    for (size_t i = 0; i < op->n_stmts; i++) {
        TRY(conn_run(c, op, i, touched));
        if ((c->table[op->stmts[i].sql].flags & DB_TAKER) && *touched != 1) {
            op->outcome = DB_LOST;
            return RC_OK;
        }
    }
    return RC_OK;
}

void op_read(struct conn *c, struct db_op *op) {
    struct rc rc = RC_OK;
    bool snapshot = op->n_stmts > 1 && sqlite3_get_autocommit(c->sqlite); /* one statement is a snapshot of its own */
    if (snapshot) rc = conn_control(c, CONTROL_BEGIN_READ);
    size_t touched = 0;
    if (rc_ok(rc)) rc = op_run_statements(c, op, &touched);
    if (!rc_ok(rc)) op_keep_fault(op, rc);
    if (snapshot) conn_rollback(c);
}

/* Runs one op so that it leaves nothing behind when it fails or is LOST. What comes back is a fault of the whole transaction. One statement needs no
 * savepoint for that: when it fails SQLite takes back what it did (sqlite.org/lang_conflict.html, ABORT) or the whole transaction, and what is LOST has
 * touched nothing. */
static RC op_write(struct conn *c, struct db_op *op) {
    bool saved = op->n_stmts > 1;
    if (saved) TRY(conn_control(c, CONTROL_SAVEPOINT));
    size_t touched = 0;
    struct rc rc = op_run_statements(c, op, &touched);
    if (!rc_ok(rc)) op_keep_fault(op, rc);
    if (sqlite3_get_autocommit(c->sqlite)) return op->rc; /* SQLite gave up the whole transaction */
    if (!saved)
        return op->outcome == DB_LOST && touched ? rc_fail(FAULT_INTERNAL, "a change took %zu rows", touched) : RC_OK;
    if (!rc_ok(rc) || op->outcome == DB_LOST) TRY(conn_control(c, CONTROL_UNDO));
    return conn_control(c, CONTROL_RELEASE);
}

void writer_run_batch(struct sqlite_db *db, struct db_op *ops) {
    struct conn *c = &db->writer;
    struct rc rc = conn_control(c, CONTROL_BEGIN_WRITE);
    size_t n = 0;
    for (struct db_op *op = ops; op && rc_ok(rc); op = op->next, n++) rc = op_write(c, op);
    if (rc_ok(rc)) rc = conn_control(c, CONTROL_COMMIT);
    if (rc_ok(rc)) {
        stats_commit(&db->base, n);
        return;
    }
    /* Nothing of the batch is there, so a LOST in it is not true either. */
    for (struct db_op *op = ops; op; op = op->next) op_keep_fault(op, rc);
    conn_rollback(c);
}

void writer_checkpoint(struct sqlite_db *db) {
    if (db->in_memory || db->wal_pages < db->wal_pages_limit) return;
    int log = 0, moved = 0;
    sqlite3_wal_checkpoint_v2(db->writer.sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &moved);
    /* A reader (a backup) can keep the log from starting anew: then try again only when it has grown some more. */
    db->wal_pages_limit = db->wal_pages + WAL_PAGES_LIMIT / 4;
}

/* SQLite calls this after each commit with the length of the log. */
static int on_commit(void *arg, sqlite3 *sqlite, const char *name, int pages) {
    (void)sqlite, (void)name;
    struct sqlite_db *db = arg;
    if (pages < db->wal_pages) db->wal_pages_limit = WAL_PAGES_LIMIT; /* it started anew */
    db->wal_pages = pages;
    return SQLITE_OK;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes off the queue what cannot be answered in time any more, the oldest first. They have not begun: nothing is in doubt. Call with the
 * lock held; what comes back is released without it. */
static struct db_op *queue_shed(struct sqlite_db *db) {
    struct waitline_limits limits = {db->options.queue_max, db->options.wait_max_ms};
    struct db_op *first = NULL, **end = &first;
    size_t waiting = db->queue.n;
    for (struct wait_link *link; (link = waitline_shed(&db->queue, &limits, now_ms())); end = &(*end)->next) {
        *end = (struct db_op *)link;
        (*end)->next = NULL;
        op_keep_fault(*end, rc_fail(FAULT_DB_BUSY, "%zu changes wait for the disk", waiting));
    }
    return first;
}

/* Takes a batch off the lines, or NULL. */
static struct db_op *take_batch(struct sqlite_db *db) {
    struct db_op *first = NULL, **end = &first;
    for (unsigned n = 0; n < db->options.batch_max; n++) {
        *end = (struct db_op *)waitline_take(db->reserve.first ? &db->reserve : &db->queue);
        if (!*end) break;
        end = &(*end)->next;
        *end = NULL;
    }
    return first;
}

/* Waits for work. Nothing at all: stopping, and nothing is left. */
static void queue_take(struct sqlite_db *db, struct db_op **out_batch, struct db_op **out_shed) {
    pthread_mutex_lock(&db->lock);
    db->sleeping = true;
    while (!db->queue.n && !db->reserve.n && !db->stopping) pthread_cond_wait(&db->work, &db->lock);
    db->sleeping = false;
    *out_shed = queue_shed(db);
    *out_batch = take_batch(db);
    pthread_mutex_unlock(&db->lock);
}

static void session_append(struct sqlite_session *s, struct db_op *op) {
    op->next = NULL;
    *s->finished_tail = op;
    s->finished_tail = &op->next;
}

/* Puts every op on its session's list of finished ones and wakes each session once. Several threads may do so at once. */
static void batch_release(struct sqlite_db *db, struct db_op *ops) {
    if (!ops) return;
    pthread_mutex_lock(&db->releasing);
    struct sqlite_session *woken = NULL;
    pthread_mutex_lock(&db->lock);
    for (struct db_op *op = ops, *next; op; op = next) {
        next = op->next;
        struct sqlite_session *s = (struct sqlite_session *)op->session;
        if (s->n_released++ == 0) {
            s->next_woken = woken;
            woken = s;
        }
        session_append(s, op);
        stats_waiting(&db->base, -1);
    }
    pthread_mutex_unlock(&db->lock);

    for (struct sqlite_session *s = woken; s; s = s->next_woken) s->wake(s->wake_arg);

    /* Only now may a session be closed: until here its `wake` and its links were in use. */
    pthread_mutex_lock(&db->lock);
    for (struct sqlite_session *s = woken; s; s = s->next_woken) {
        s->outstanding -= s->n_released;
        s->n_released = 0;
    }
    pthread_cond_broadcast(&db->let_go);
    pthread_mutex_unlock(&db->lock);
    pthread_mutex_unlock(&db->releasing);
}

static void write_batch(struct sqlite_db *db, struct db_op *ops) {
    pthread_mutex_lock(&db->writing);
    writer_run_batch(db, ops);
    pthread_mutex_unlock(&db->writing);
    batch_release(db, ops);
    pthread_mutex_lock(&db->writing);
    writer_checkpoint(db);
    pthread_mutex_unlock(&db->writing);
}

static void *writer_main(void *arg) {
    struct sqlite_db *db = arg;
    struct db_op *batch, *shed;
    for (;;) {
        queue_take(db, &batch, &shed);
        if (!batch && !shed) return NULL;
        batch_release(db, shed);
        if (batch) write_batch(db, batch);
    }
}

RC writer_start(struct sqlite_db *db) {
    db->wal_pages_limit = WAL_PAGES_LIMIT;
    sqlite3_wal_hook(db->writer.sqlite, on_commit, db);
    if (db->base.inline_writes) return RC_OK;
    if (pthread_create(&db->thread, NULL, writer_main, db) != 0)
        return rc_fail(FAULT_INTERNAL, "no thread for the writer");
    db->has_thread = true;
    return RC_OK;
}

void writer_stop(struct sqlite_db *db) {
    if (!db->has_thread) return;
    pthread_mutex_lock(&db->lock);
    db->stopping = true;
    pthread_cond_signal(&db->work);
    pthread_mutex_unlock(&db->lock);
    pthread_join(db->thread, NULL);
    db->has_thread = false;
}

void writer_queue(struct sqlite_db *db, struct db_op *ops) {
    struct sqlite_session *s = (struct sqlite_session *)ops->session;
    struct waitline *line = s->base.reserved ? &db->reserve : &db->queue;
    int64_t at_ms = now_ms();
    pthread_mutex_lock(&db->lock);
    for (struct db_op *op = ops; op; op = op->next) {
        waitline_join(line, &op->wait, at_ms);
        s->outstanding++;
        stats_waiting(&db->base, 1);
    }
    struct db_op *shed = queue_shed(db);
    bool sleeping = db->sleeping;
    pthread_mutex_unlock(&db->lock);
    if (sleeping) pthread_cond_signal(&db->work);
    batch_release(db, shed);
}
