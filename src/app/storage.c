#include "storage.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static RC open_postgres(const struct options *o, bool inline_writes, struct arena *arena, struct db **out) {
    struct db_pg_options options = {
        .url = arena_cstr(arena, o->store),
        .inline_writes = inline_writes,
        .pooled = o->store_pooled,
        .queue_max = (unsigned)o->write_queue_max,
        .batch_max = (unsigned)o->store_batch_max,
        .deadline_ms = o->store_deadline_s * 1000,
    };
    return db_open_pg(&options, out);
}

static RC open_sqlite(const struct options *o, bool inline_writes, struct arena *arena, struct db **out) {
    struct db_sqlite_options options = {
        .path = options_store_path(o, arena),
        .inline_writes = inline_writes,
        .queue_max = (unsigned)o->write_queue_max,
        .wait_max_ms = o->store_deadline_s * 1000,
        .cache_kib = (unsigned)o->store_cache_mib * 1024,
    };
    return db_open_sqlite(&options, out);
}

RC storage_open(const struct options *o, bool inline_writes, struct arena *arena, struct db **out) {
    return (options_store_is_postgres(o) ? open_postgres : open_sqlite)(o, inline_writes, arena, out);
}

/* requests */

static void call_finish(struct storage_call *call, struct rc rc) {
    call->rc = rc;
    call->done(call);
}

static void call_submit(struct db_session *s, struct storage_call *call, struct arena *arena,
                        void (*done)(struct db_op *op)) {
    call->op.stmts = call->stmts;
    call->op.arena = arena;
    call->op.rows_arena = NULL;
    call->op.done = done;
    call->op.arg = call;
    if (call->op.n_stmts)
        db_submit(s, &call->op);
    else
        call_finish(call, RC_OK);
}

static void ask(struct storage_call *call, const struct known_subjects *known, struct arena *arena);

static void on_asked(struct db_op *op) {
    struct storage_call *call = op->arg;
    struct rc rc = op->rc;
    bool again = false;
    for (size_t i = 0; i < call->n_asks && rc_ok(rc) && !again; i++) {
        const struct store_answer answer = {&call->stmts[i], &op->rows[i], call->known, op->arena};
        rc = store_read_ask(&call->asks[i], &answer, call->facts, &again);
    }
    if (rc_ok(rc) && again)
        ask(call, NULL, op->arena);
    else
        call_finish(call, rc);
}

static void ask(struct storage_call *call, const struct known_subjects *known, struct arena *arena) {
    for (size_t i = 0; i < call->n_asks; i++) store_plan_ask(&call->asks[i], known, &call->stmts[i]);
    call->op.n_stmts = call->n_asks;
    call->op.write = false;
    call_submit(call->session, call, arena, on_asked);
}

void storage_ask(struct db_session *s, struct storage_call *call, struct arena *arena) {
    call->session = s;
    ask(call, call->known, arena);
}

static void on_applied(struct db_op *op) {
    struct storage_call *call = op->arg;
    call->outcome = op->outcome == DB_LOST ? OUTCOME_LOST : OUTCOME_DONE;
    call_finish(call, op->rc);
}

void storage_apply(struct db_session *s, struct storage_call *call, const struct change *change, struct arena *arena) {
    struct change *kept = ARENA_NEW(arena, struct change); /* the statements point into it until done */
    *kept = *change;
    call->outcome = OUTCOME_DONE;
    call->op.n_stmts = store_plan_change(kept, call->stmts);
    call->op.write = true;
    call_submit(s, call, arena, on_applied);
}

/* administration */

struct storage_admin {
    struct db_session *session;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    void (*on_change)(void *arg); /* NULL: nobody wants to know */
    void *on_change_arg;
};

struct waiting {
    struct db_op op;
    struct db_stmt stmts[DB_STMTS_MAX];
    bool done;
};

static void admin_wake(void *arg) {
    struct storage_admin *s = arg;
    pthread_mutex_lock(&s->lock);
    s->woken = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void admin_changed(void *arg) {
    struct storage_admin *s = arg;
    if (s->on_change) s->on_change(s->on_change_arg);
}

void storage_admin_on_change(struct storage_admin *s, void (*changed)(void *arg), void *arg) {
    s->on_change = changed;
    s->on_change_arg = arg;
}

RC storage_admin_open(struct db *db, struct storage_admin **out) {
    struct storage_admin *s = calloc(1, sizeof *s);
    if (!s) {
        fputs("grantd: out of memory\n", stderr);
        abort();
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    struct rc rc = db_open_session(db, admin_wake, s, &s->session);
    if (!rc_ok(rc)) {
        storage_admin_close(s);
        return rc;
    }
    s->session->reserved = true;
    db_session_on_change(s->session, admin_changed, s);
    *out = s;
    return RC_OK;
}

struct db_session *storage_admin_session(struct storage_admin *s) {
    return s->session;
}

void storage_admin_close(struct storage_admin *s) {
    if (!s) return;
    db_close_session(s->session);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

static void on_waited(struct db_op *op) { ((struct waiting *)op->arg)->done = true; }

/* Until the session has something for us: by its descriptor, or by its wake. */
static void admin_wait(struct storage_admin *s) {
    struct pollfd readable = {.fd = db_session_fd(s->session), .events = POLLIN};
    if (readable.fd >= 0) {
        poll(&readable, 1, -1);
        return;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->woken) pthread_cond_wait(&s->changed, &s->lock);
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
}

/* Runs the first n_stmts statements of w and waits for the end. */
static RC admin_run(struct storage_admin *s, struct waiting *w, size_t n_stmts, bool write, struct arena *arena) {
    w->op.stmts = w->stmts;
    w->op.n_stmts = n_stmts;
    w->op.write = write;
    w->op.arena = arena;
    w->op.done = on_waited;
    w->op.arg = w;
    if (!n_stmts) return RC_OK;
    db_submit(s->session, &w->op);
    while (!w->done) {
        admin_wait(s);
        db_drain(s->session);
    }
    return w->op.rc;
}

RC storage_list(struct storage_admin *s, const struct listing *listing, struct arena *arena, struct listed *out) {
    struct waiting *w = ARENA_NEW(arena, struct waiting);
    store_plan_listing(listing, w->stmts);
    w->op.rows_arena = arena_new(4096); /* a listing can be long, and is kept in another form */
    struct rc rc = admin_run(s, w, 1, false, arena);
    if (rc_ok(rc)) rc = store_read_listing(listing, &w->op.rows[0], arena, out);
    arena_free(w->op.rows_arena);
    return rc;
}

RC storage_edit(struct storage_admin *s, const struct edit *edit, struct arena *arena, enum outcome *out,
                int32_t *out_id) {
    struct waiting *w = ARENA_NEW(arena, struct waiting);
    TRY(admin_run(s, w, store_plan_edit(edit, arena, w->stmts), true, arena));
    *out = w->op.outcome == DB_LOST ? OUTCOME_LOST : OUTCOME_DONE;
    *out_id = *out == OUTCOME_DONE ? store_edit_id(&w->op.rows[0]) : 0;
    return RC_OK;
}

RC storage_change(struct storage_admin *s, const struct change *change, struct arena *arena, enum outcome *out) {
    struct waiting *w = ARENA_NEW(arena, struct waiting);
    TRY(admin_run(s, w, store_plan_change(change, w->stmts), true, arena));
    *out = w->op.outcome == DB_LOST ? OUTCOME_LOST : OUTCOME_DONE;
    return RC_OK;
}

RC storage_question(struct storage_admin *s, const struct ask *ask, struct arena *arena, struct facts *out) {
    struct waiting *w = ARENA_NEW(arena, struct waiting);
    const struct store_answer answer = {&w->stmts[0], &w->op.rows[0], NULL, arena};
    bool again;
    *out = (struct facts){.grant_found = false};
    store_plan_ask(ask, NULL, w->stmts);
    TRY(admin_run(s, w, 1, false, arena));
    return store_read_ask(ask, &answer, out, &again);
}

RC storage_purge(struct storage_admin *s, int64_t now_ms, struct arena *arena, bool *out_more) {
    *out_more = false;
    for (size_t first = 0;;) { /* one op holds too few statements */
        struct waiting *w = ARENA_NEW(arena, struct waiting);
        size_t n = store_plan_purge(now_ms, first, w->stmts);
        if (n == 0) return RC_OK;
        TRY(admin_run(s, w, n, true, arena));
        for (size_t i = 0; i < n; i++)
            if (w->op.rows[i].n_rows >= PURGE_ROWS) *out_more = true;
        first += n;
    }
}
