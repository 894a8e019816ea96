/* The PostgreSQL driver: sessions, opening and closing. */
#include "db_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TAG_TIMER = LANES, TAG_FRESH }; /* of epoll events; below them the lanes */

struct db_op *list_take(struct op_list *l) {
    struct db_op *op = l->first;
    if (!op) return NULL;
    l->first = op->next;
    if (!l->first) l->tail = &l->first;
    l->n--;
    return op;
}

void list_add_front(struct op_list *l, struct db_op *op) {
    op->next = l->first;
    if (!l->first) l->tail = &op->next;
    l->first = op;
    l->n++;
}

int64_t pg_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- sessions ---- */

void session_finish(struct pg_session *s, struct db_op *op) { list_add(&s->finished, op); }

void session_fail(struct pg_session *s, struct db_op *op, struct rc rc) {
    memset(op->rows, 0, sizeof op->rows);
    op->outcome = DB_DONE;
    op_keep_fault(op, rc);
    session_finish(s, op);
}

/* The timer is not moved when its moment becomes too early: it fires for nothing then. */
static void session_arm(struct pg_session *s) {
    int64_t next_ms = s->finished.first ? 1 : 0; /* they are told from db_drain */
    for (int i = 0; i < LANES; i++) {
        int64_t lane_ms = lane_next_ms(&s->lanes[i]);
        if (lane_ms && (!next_ms || lane_ms < next_ms)) next_ms = lane_ms;
    }
    if (!next_ms || (s->armed_ms && s->armed_ms <= next_ms)) return;
    s->armed_ms = next_ms;
    struct itimerspec at = {.it_value = {.tv_sec = next_ms / 1000, .tv_nsec = next_ms % 1000 * 1000000}};
    timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void clear_counter(int fd) {
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

static void session_on_event(struct pg_session *s, uint32_t tag) {
    if (tag == TAG_TIMER) {
        clear_counter(s->timer_fd);
        s->armed_ms = 0;
    } else if (tag == TAG_FRESH) {
        clear_counter(s->fresh_fd);
        for (int i = 0; i < LANES; i++) lane_take_fresh(&s->lanes[i]);
    } else {
        lane_on_event(&s->lanes[tag]);
    }
}

static void tell_finished(struct pg_session *s) {
    struct op_list finished = s->finished;
    list_init(&s->finished);
    for (struct db_op *op = finished.first, *next; op; op = next) {
        next = op->next; /* done may free the op or submit it again */
        s->n_outstanding--;
        if (op->write) stats_waiting(&s->db->base, -1);
        op_finish(op);
    }
}

static void start_lanes(struct pg_session *s) {
    for (int i = 0; i < LANES; i++) lane_start(&s->lanes[i]);
}

/* First the server gets something to do, then the finished ops are told; what they submit goes out together: at the end of the turn, with
 * what else came in it. */
static void session_settle(struct pg_session *s) {
    start_lanes(s);
    while (s->finished.first) {
        tell_finished(s);
        if (!s->base.by_turns) start_lanes(s);
    }
    session_arm(s);
}

static void session_pump(struct pg_session *s, int wait_ms) {
    struct epoll_event events[LANES + 2];
    s->pumping = true;
    int n = epoll_wait(s->epoll_fd, events, LANES + 2, wait_ms);
    for (int i = 0; i < n; i++) session_on_event(s, events[i].data.u32);
    int64_t now_ms = pg_now_ms();
    for (int i = 0; i < LANES; i++) lane_expire(&s->lanes[i], now_ms);
    session_settle(s);
    bool tell = s->change_heard && s->changed;
    s->change_heard = false;
    s->pumping = false;
    if (tell) s->changed(s->changed_arg); /* may submit, and wait */
}

/* The oldest makes room: it is the likeliest to be too late. */
static void make_room(struct lane *lane) {
    size_t waiting = lane->queue.n;
    struct db_op *oldest = waiting < lane->session->db->options.queue_max ? NULL : list_take(&lane->queue);
    if (!oldest) return;
    session_fail(lane->session, oldest, rc_fail(FAULT_DB_BUSY, "%zu requests wait for the database", waiting));
}

/* False, with a fault: the op is not taken. */
static bool may_wait(struct lane *lane, struct db_op *op, int64_t now_ms) {
    if (lane_is_hopeless(lane, now_ms)) {
        op_keep_fault(op, rc_fail(FAULT_DB_BUSY, "%s", lane->fresh_detail));
        return false;
    }
    return true;
}

static void pg_submit(struct db_session *base, struct db_op *op) {
    struct pg_session *s = (struct pg_session *)base;
    struct lane *lane = &s->lanes[op->write ? LANE_WRITE : LANE_READ];
    int64_t now_ms = pg_now_ms();
    op_start(op, base);
    op->deadline_ms = now_ms + s->db->options.deadline_ms;
    op->alone = false;
    if (!may_wait(lane, op, now_ms)) {
        op_finish(op);
        return;
    }
    make_room(lane);
    s->n_outstanding++;
    if (op->write) stats_waiting(&s->db->base, 1);
    list_add(&lane->queue, op);
    if (base->by_turns) {
        if (lane->queue.n >= s->db->options.batch_max) lane_start(lane); /* it will not become larger */
        return;
    }
    if (s->pumping) return; /* the pump sends it, with what else came of the same answers */
    s->pumping = true;
    session_settle(s);
    s->pumping = false;
    while (base->db->inline_writes && s->n_outstanding) session_pump(s, -1);
}

static void pg_end_turn(struct db_session *base) {
    struct pg_session *s = (struct pg_session *)base;
    start_lanes(s);
    session_arm(s);
}

static void pg_drain(struct db_session *base) { session_pump((struct pg_session *)base, 0); }

static int pg_session_fd(struct db_session *base) { return ((struct pg_session *)base)->epoll_fd; }

static void pg_on_change(struct db_session *base, void (*changed)(void *arg), void *arg) {
    struct pg_session *s = (struct pg_session *)base;
    s->changed = changed;
    s->changed_arg = arg;
    s->listens = !s->db->options.pooled;
}

static bool watch(struct pg_session *s, int fd, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    return fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void session_free(struct pg_session *s) {
    for (int i = 0; i < LANES; i++) lane_close(&s->lanes[i]);
    if (s->timer_fd >= 0) close(s->timer_fd);
    if (s->fresh_fd >= 0) close(s->fresh_fd);
    if (s->epoll_fd >= 0) close(s->epoll_fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static RC pg_open_session(struct db *base, void (*wake)(void *arg), void *arg, struct db_session **out) {
    (void)wake, (void)arg;
    struct pg_session *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->base.db = base;
    s->db = (struct pg_db *)base;
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->fresh_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->finished);
    for (int i = 0; i < LANES; i++) lane_open(&s->lanes[i], s, (enum lane_kind)i);
    if (s->epoll_fd < 0 || !watch(s, s->timer_fd, TAG_TIMER) || !watch(s, s->fresh_fd, TAG_FRESH)) {
        session_free(s);
        return rc_fail(FAULT_IO, "no descriptors for a session: %m");
    }
    session_arm(s); /* the first pump connects */
    *out = &s->base;
    return RC_OK;
}

/* Changes that were submitted are carried out, within their deadlines; nobody is told any more. */
static void pg_close_session(struct db_session *base) {
    struct pg_session *s = (struct pg_session *)base;
    struct lane *lane = &s->lanes[LANE_WRITE];
    s->changed = NULL;
    while (lane_is_busy(lane) || lane->queue.first) {
        struct epoll_event events[LANES + 2];
        lane_start(lane);
        session_arm(s);
        int n = epoll_wait(s->epoll_fd, events, LANES + 2, -1);
        for (int i = 0; i < n; i++) session_on_event(s, events[i].data.u32);
        lane_expire(lane, pg_now_ms());
        list_init(&s->finished);
    }
    session_free(s);
}

static void pg_close(struct db *base) {
    struct pg_db *db = (struct pg_db *)base;
    pg_params_free(db);
    free(db->types);
    explicit_bzero(db->url, strlen(db->url));
    free(db->url);
    free(db);
}

/* Room in the pages of grants: a rotation then writes no index. */
static const struct db_word words[] = {
    {"INT", "INTEGER"}, {"BYTES", "BYTEA"}, {"KEY_ORDERED", "WITH (fillfactor = 85)"}, {"UNORDERED", ""}, {NULL, NULL},
};

static const struct db_driver driver = {
    .name = "postgres",
    .open_session = pg_open_session,
    .close_session = pg_close_session,
    .submit = pg_submit,
    .drain = pg_drain,
    .end_turn = pg_end_turn,
    .script = pg_script,
    .schema = pg_schema,
    .index = pg_index,
    .prepare = pg_prepare,
    .bulk = pg_bulk,
    .close = pg_close,
    .words = words,
    .session_fd = pg_session_fd,
    .on_change = pg_on_change,
};

static void fill_options(struct pg_db *db, const struct db_pg_options *given) {
    struct db_pg_options *o = &db->options;
    *o = *given;
    if (!o->queue_max) o->queue_max = 16384;
    if (!o->batch_max || o->batch_max > PG_ITEMS_MAX) o->batch_max = PG_ITEMS_MAX;
    if (!o->deadline_ms) o->deadline_ms = 3000;
}

static RC try_once(const struct pg_db *db) {
    PGconn *pg;
    TRY(pg_connect(db, &pg));
    int version = PQserverVersion(pg);
    PQfinish(pg);
    if (version >= 130000) return RC_OK; /* what speaks like PostgreSQL names older versions than its own */
    return rc_fail(FAULT_CONFIG, "PostgreSQL %d is too old; take 15 or later", version / 10000);
}

RC db_open_pg(const struct db_pg_options *options, struct db **out) {
    TRY(pg_library_load());
    struct pg_db *db = calloc(1, sizeof *db);
    size_t bytes = strlen(options->url) + 1;
    if (!db || !(db->url = malloc(bytes))) abort();
    memcpy(db->url, options->url, bytes);
    fill_options(db, options);
    db->options.url = db->url;
    db->base = (struct db){.driver = &driver, .inline_writes = options->inline_writes};
    struct rc rc = pg_params_make(db);
    if (rc_ok(rc)) rc = try_once(db);
    if (!rc_ok(rc)) {
        pg_close(&db->base);
        return rc;
    }
    *out = &db->base;
    return RC_OK;
}
