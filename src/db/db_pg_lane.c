/* A lane: one connection, what waits for it and what is under way on it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "db_pg.h"

#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS  2000

/* ---- connecting ---- */

static bool listens(const struct lane *lane) { return lane->kind == LANE_READ && lane->session->listens; }

static RC listen_for_changes(PGconn *pg) {
    PGresult *result = PQexec(pg, "LISTEN grantd");
    struct rc rc = PQresultStatus(result) == PGRES_COMMAND_OK ? RC_OK : pg_fault(pg, result, "LISTEN");
    PQclear(result);
    return rc;
}

static RC make_ready(const struct lane *lane, PGconn *pg) {
    if (listens(lane)) TRY(listen_for_changes(pg));
    if (PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg)) return RC_OK;
    return pg_fault(pg, NULL, "pipeline mode");
}

static void *connect_main(void *arg) {
    struct lane *lane = arg;
    PGconn *pg = NULL;
    struct rc rc = pg_connect(lane->session->db, &pg);
    if (rc_ok(rc)) rc = make_ready(lane, pg);
    if (!rc_ok(rc) && pg) PQfinish(pg);
    pthread_mutex_lock(&lane->session->lock);
    lane->fresh = rc_ok(rc) ? pg : NULL;
    lane->fresh_rc = rc;
    if (!rc_ok(rc)) snprintf(lane->fresh_detail, sizeof lane->fresh_detail, "%s", rc_detail());
    lane->fresh_ready = true;
    pthread_mutex_unlock(&lane->session->lock);
    uint64_t one = 1;
    ssize_t written = write(lane->session->fresh_fd, &one, sizeof one);
    (void)written; /* it only fails when the counter is full, and then it wakes as well */
    return NULL;
}

static void lane_retry_later(struct lane *lane) {
    unsigned shift = lane->failures < 6 ? lane->failures : 6;
    int64_t wait_ms = (int64_t)RETRY_FIRST_MS << shift;
    if (!lane->failures) lane->down_since_ms = pg_now_ms();
    lane->failures++;
    lane->state = LANE_DOWN;
    lane->retry_at_ms = pg_now_ms() + (wait_ms < RETRY_MOST_MS ? wait_ms : RETRY_MOST_MS);
}

static void lane_connect(struct lane *lane) {
    if (pthread_create(&lane->thread, NULL, connect_main, lane) != 0) {
        lane_retry_later(lane);
        return;
    }
    lane->has_thread = true;
    lane->state = LANE_CONNECTING;
}

/* What the server says beside its answers. A warning in a change means that the commit is not what was asked for: that a wait for the standby was
 * broken off, for example. */
static void on_notice(void *arg, const PGresult *result) {
    struct lane *lane = arg;
    str severity = str_of(PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED));
    if (lane->kind == LANE_WRITE && str_eq(severity, S("WARNING"))) lane->batch.warned = true;
}

static void lane_adopt(struct lane *lane, PGconn *pg) {
    lane->pg = pg;
    lane->fd = PQsocket(pg);
    lane->events = EPOLLIN;
    struct epoll_event event = {.events = lane->events, .data.u32 = (uint32_t)lane->kind};
    if (epoll_ctl(lane->session->epoll_fd, EPOLL_CTL_ADD, lane->fd, &event) != 0) {
        PQfinish(pg);
        lane->pg = NULL;
        lane_retry_later(lane);
        return;
    }
    PQsetNoticeReceiver(pg, on_notice, lane);
    free(lane->prepared);
    lane->prepared = NULL;
    lane->state = LANE_READY;
    lane->failures = 0;
    lane->fresh_detail[0] = '\0';
    if (lane->kind == LANE_READ) lane->session->change_heard = true; /* what happened before was missed */
}

void lane_take_fresh(struct lane *lane) {
    pthread_mutex_lock(&lane->session->lock);
    bool ready = lane->fresh_ready;
    PGconn *pg = lane->fresh;
    lane->fresh_ready = false;
    lane->fresh = NULL;
    pthread_mutex_unlock(&lane->session->lock);
    if (!ready) return;
    pthread_join(lane->thread, NULL);
    lane->has_thread = false;
    if (pg)
        lane_adopt(lane, pg);
    else
        lane_retry_later(lane);
}

/* ---- breaking ---- */

bool lane_is_busy(const struct lane *lane) { return lane->batch.current < lane->batch.n_segments; }

/* Reads are tried again while there is time. Of a change that had been sent nobody knows whether it was made: its op has a fault. */
static void give_back(struct lane *lane, struct db_op *op, struct rc rc) {
    if (op->write) {
        session_fail(lane->session, op, rc);
        return;
    }
    op_start(op, &lane->session->base);
    list_add_front(&lane->queue, op);
}

/* Gives the connection up. rc_detail() tells why. */
static void lane_break(struct lane *lane, struct rc rc) {
    struct batch *batch = &lane->batch;
    if (!lane->pg) return;
    epoll_ctl(lane->session->epoll_fd, EPOLL_CTL_DEL, lane->fd, NULL);
    PQfinish(lane->pg);
    lane->pg = NULL;
    lane->state = LANE_DOWN;
    lane->retry_at_ms = 0;
    snprintf(lane->fresh_detail, sizeof lane->fresh_detail, "%s", rc_detail());
    if (!lane_is_busy(lane)) return;
    size_t from = batch->solo ? 0 : batch->segments[batch->current].first;
    batch->current = batch->n_segments = 0;
    for (size_t i = batch->n_items; i-- > from;)
        if (batch->items[i].last) give_back(lane, batch->items[i].op, rc);
    batch->n_items = 0;
}

static void lane_broke(struct lane *lane, const char *what) {
    struct rc rc = pg_fault(lane->pg, NULL, what);
    lane_break(lane, rc.fault == FAULT_DB_READONLY ? rc : (struct rc){FAULT_DB_IO});
}

/* ---- sending ---- */

/* Sends what the socket takes; asks to be told when it takes more. */
static void lane_flush(struct lane *lane) {
    int left = PQflush(lane->pg);
    if (left < 0) {
        lane_broke(lane, "send");
        return;
    }
    uint32_t events = EPOLLIN | (left ? (uint32_t)EPOLLOUT : 0);
    if (events == lane->events) return;
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)lane->kind};
    epoll_ctl(lane->session->epoll_fd, EPOLL_CTL_MOD, lane->fd, &event);
    lane->events = events;
}

static void send_segments(struct lane *lane) {
    for (size_t i = lane->batch.current; i < lane->batch.n_segments; i++) {
        if (segment_send(lane, &lane->batch.segments[i])) continue;
        lane_broke(lane, "send");
        return;
    }
    lane_flush(lane);
}

void lane_start(struct lane *lane) {
    if (lane->state == LANE_DOWN && pg_now_ms() >= lane->retry_at_ms) lane_connect(lane);
    if (lane->state != LANE_READY || lane_is_busy(lane) || !lane->queue.first) return;
    size_t before = lane->queue.n;
    batch_build(lane);
    if (lane->kind == LANE_WRITE) stats_commit(&lane->session->db->base, before - lane->queue.n);
    send_segments(lane);
}

/* ---- receiving ---- */

static void solo_send(struct lane *lane, enum solo_step step, size_t first) {
    struct batch *batch = &lane->batch;
    batch->solo = step;
    batch->current = 0;
    batch->n_segments = 1;
    batch->segments[0] = (struct segment){.first = first, .n = 1, .n_queries = 1};
    send_segments(lane);
}

/* The next step of an op of several changes, after one has ended well or not. */
static void solo_go_on(struct lane *lane, struct segment segment) {
    struct batch *batch = &lane->batch;
    struct db_op *op = batch->items[0].op;
    if (segment.failed && rc_ok(op->rc)) {
        struct rc rc = rc_fail((enum fault)segment.rc.fault, "%.*s", STR_ARG(segment.detail));
        op_keep_fault(op, rc);
    }
    if (batch->solo != SOLO_STATEMENTS) {
        session_finish(lane->session, op);
    } else if (segment.failed || op->outcome == DB_LOST) {
        solo_send(lane, SOLO_ROLLBACK, segment.first);
    } else if (segment.first + 1 < op->n_stmts) {
        solo_send(lane, SOLO_STATEMENTS, segment.first + 1);
    } else {
        solo_send(lane, SOLO_COMMIT, segment.first);
    }
}

static void end_item(struct lane *lane, const struct item *item, const struct segment *segment) {
    if (!segment->failed) {
        if (item->last) session_finish(lane->session, item->op);
        return;
    }
    if (segment->many && item->op->write) { /* nothing of it happened: now each for itself, for its own verdict */
        op_start(item->op, &lane->session->base);
        item->op->alone = true;
        list_add_front(&lane->queue, item->op);
        return;
    }
    struct rc rc = rc_fail((enum fault)segment->rc.fault, "%.*s", STR_ARG(segment->detail));
    op_keep_fault(item->op, rc);
    if (item->last) session_finish(lane->session, item->op);
}

static void doubt(struct segment *segment) {
    segment->failed = true;
    segment->many = false; /* it may have happened, so it is not tried again */
    segment->rc = (struct rc){FAULT_DB_IO};
    segment->detail = S("the server warned while it committed");
}

static void segment_end(struct lane *lane) {
    struct batch *batch = &lane->batch;
    struct segment *segment = &batch->segments[batch->current++];
    if (batch->warned) doubt(segment);
    if (batch->solo) {
        solo_go_on(lane, *segment);
        return;
    }
    for (size_t i = 0; i < segment->n; i++) end_item(lane, &batch->items[segment->first + i], segment);
}

/* False when the connection was given up. */
static bool lane_take(struct lane *lane, PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        segment_end(lane);
        return lane->pg != NULL;
    }
    if (status == PGRES_PIPELINE_ABORTED) return true; /* behind an error of the same segment */
    if (status == PGRES_FATAL_ERROR && (PQstatus(lane->pg) == CONNECTION_BAD || pg_ends_connection(result))) {
        struct rc rc = pg_fault(lane->pg, result, "the database");
        lane_break(lane, rc);
        return false;
    }
    segment_result(lane, &lane->batch.segments[lane->batch.current], result);
    return true;
}

static void lane_receive(struct lane *lane) {
    unsigned nothing =
        0; /* a NULL stands behind each query's result; more of them in a row mean that libpq and we disagree */
    while (lane_is_busy(lane) && !PQisBusy(lane->pg)) {
        PGresult *result = PQgetResult(lane->pg);
        if (!result && ++nothing > 3) {
            lane_broke(lane, "receive");
            return;
        }
        if (!result) continue;
        nothing = 0;
        bool on = lane_take(lane, result);
        PQclear(result);
        if (!on) return;
    }
}

static void lane_hear(struct lane *lane) {
    for (PGnotify *n; (n = PQnotifies(lane->pg)); PQfreemem(n)) lane->session->change_heard = true;
}

void lane_on_event(struct lane *lane) {
    if (!lane->pg) return;
    if (!PQconsumeInput(lane->pg)) {
        lane_receive(lane); /* what had come before it broke counts */
        if (lane->pg) lane_broke(lane, "receive");
        return;
    }
    lane_receive(lane);
    if (lane->pg) lane_hear(lane);
    if (lane->pg && PQstatus(lane->pg) == CONNECTION_BAD) lane_broke(lane, "receive");
    if (lane->pg) lane_flush(lane);
}

/* ---- deadlines ---- */

bool lane_is_hopeless(const struct lane *lane, int64_t now_ms) {
    return lane->failures && now_ms - lane->down_since_ms > lane->session->db->options.deadline_ms;
}

/* A wait that was too long: for the connection, or in the queue. */
static void expire_queue(struct lane *lane, int64_t now_ms) {
    while (lane->queue.first && lane->queue.first->deadline_ms <= now_ms) {
        struct db_op *op = list_take(&lane->queue);
        session_fail(lane->session, op,
                     rc_fail(FAULT_DB_BUSY, "%s",
                             lane->fresh_detail[0] ? lane->fresh_detail : "the database did not answer in time"));
    }
}

void lane_expire(struct lane *lane, int64_t now_ms) {
    if (lane_is_busy(lane) && lane->batch.deadline_ms <= now_ms)
        lane_break(lane, rc_fail(FAULT_DB_IO, "the database did not answer in time"));
    expire_queue(lane, now_ms);
}

static int64_t earlier(int64_t a_ms, int64_t b_ms) { return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms; }

int64_t lane_next_ms(const struct lane *lane) {
    int64_t next_ms = lane_is_busy(lane) ? lane->batch.deadline_ms : 0;
    if (lane->queue.first) next_ms = earlier(next_ms, lane->queue.first->deadline_ms);
    if (lane->state == LANE_DOWN) next_ms = earlier(next_ms, lane->retry_at_ms ? lane->retry_at_ms : 1);
    return next_ms;
}

/* ---- life ---- */

void lane_open(struct lane *lane, struct pg_session *session, enum lane_kind kind) {
    *lane = (struct lane){.session = session, .kind = kind, .fd = -1};
    list_init(&lane->queue);
    lane->batch.arena = arena_new(16384);
}

void lane_close(struct lane *lane) {
    if (lane->has_thread) pthread_join(lane->thread, NULL);
    if (lane->fresh) PQfinish(lane->fresh);
    if (lane->pg) PQfinish(lane->pg);
    free(lane->prepared);
    arena_free(lane->batch.arena);
}
