/* bench_fill DIR ROWS: fills a store with grants through store and db as the server would, then measures it: changes a second, and
 * the processor time of each, with 1, 8 and 64 under way, point reads, and what a grant takes on disk. DIR must not hold a store yet. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "random.h"
#include "store.h"

#define SLOTS_MAX      512
#define ROWS_PER_HUB   20
#define MEASURE_MS     2000
#define PROGRESS_EVERY 100000

struct bench {
    struct db *db;
    struct db_session *session;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    struct grant_id *ids;
    int64_t n, room;                 /* grants that are there, and for how many there is room */
    int64_t started, finished, last; /* ops of the run under way; `last` ends it */
    int64_t until_ms;                /* 0: none */
    bool one_account;                /* new grants are all of one person: they meet at the end of both indexes */
    void (*plan)(struct bench *b, struct change *out);
};

struct speed {
    double per_s, cpu_us;
};

struct slot {
    struct bench *bench;
    struct db_op op;
    struct db_stmt stmts[DB_STMTS_MAX];
    struct change change;
};

static int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void stop(const char *what) {
    fprintf(stderr, "bench_fill: %s: %s\n", what, rc_detail());
    exit(1);
}

static void check(struct rc rc, const char *what) {
    if (!rc_ok(rc)) stop(what);
}

static void on_wake(void *arg) {
    struct bench *b = arg;
    pthread_mutex_lock(&b->lock);
    b->woken = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void plan_insert(struct bench *b, struct change *out) {
    static const uint8_t scopes[] = {1, 1, 3, 2, 9};
    uint8_t random[10 + GRANT_SALT_BYTES];
    random_fill(random, sizeof random);
    int64_t now_ms = clock_us(CLOCK_REALTIME) / 1000;
    int64_t n = b->n++;
    int64_t place = b->one_account ? 0 : (n * 7919) % (b->room / ROWS_PER_HUB + 1); /* not in the order of the hubs */
    int32_t hub = (int32_t)(1001 + place);
    *out = (struct change){.kind = CHANGE_GRANT_INSERT};
    out->grant = (struct grant){
        .id = grant_id_make(now_ms, random),
        .app_id = 1001 + (int32_t)(n % 40),
        .hub_id = hub,
        .user_id = 1001 + hub * 3 + (b->one_account ? 0 : (int32_t)(n % 3)),
        .scopes = {(const char *)scopes, sizeof scopes},
        .created_ms = now_ms,
        .auth_time_ms = now_ms - 60000,
    };
    memcpy(out->grant.salt, random + 10, GRANT_SALT_BYTES);
    b->ids[n] = out->grant.id;
}

static void plan_any(struct bench *b, struct change *out) {
    uint64_t at;
    random_fill(&at, sizeof at);
    *out = (struct change){.kind = CHANGE_GRANT_NOT_BEFORE, .now_ms = clock_us(CLOCK_REALTIME) / 1000};
    out->grant_id = b->ids[at % (uint64_t)b->n];
}

static void slot_next(struct slot *s) {
    struct bench *b = s->bench;
    if (b->started >= b->last || (b->until_ms && clock_us(CLOCK_MONOTONIC) / 1000 >= b->until_ms)) return;
    b->started++;
    arena_reset(s->op.arena);
    b->plan(b, &s->change);
    s->op.n_stmts = store_plan_change(&s->change, s->stmts);
    db_submit(b->session, &s->op);
}

static void on_done(struct db_op *op) {
    struct slot *s = op->arg;
    s->bench->finished++;
    if (!rc_ok(op->rc) || op->outcome == DB_LOST) stop("a change");
    slot_next(s);
}

static void wait_and_drain(struct bench *b) {
    pthread_mutex_lock(&b->lock);
    while (!b->woken) pthread_cond_wait(&b->changed, &b->lock);
    b->woken = false;
    pthread_mutex_unlock(&b->lock);
    db_drain(b->session);
}

/* Keeps `outstanding` changes under way until `last` were made or the time is over. */
static struct speed run(struct bench *b, size_t outstanding, int64_t last, int64_t ms) {
    struct slot *slots = calloc(outstanding, sizeof *slots);
    int64_t begin = clock_us(CLOCK_MONOTONIC), cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    int64_t shown = 0;
    if (!slots) exit(1);
    b->started = b->finished = 0;
    b->last = last;
    b->until_ms = ms ? begin / 1000 + ms : 0;
    for (size_t i = 0; i < outstanding; i++) {
        slots[i].bench = b;
        slots[i].op = (struct db_op){.stmts = slots[i].stmts, .write = true, .done = on_done, .arg = &slots[i]};
        slots[i].op.arena = arena_new(4096);
        slot_next(&slots[i]);
    }
    while (b->finished < b->started) {
        wait_and_drain(b);
        if (ms || b->finished / PROGRESS_EVERY == shown) continue;
        shown = b->finished / PROGRESS_EVERY;
        fprintf(stderr, "%lld grants\n", (long long)b->finished);
    }
    for (size_t i = 0; i < outstanding; i++) arena_free(slots[i].op.arena);
    free(slots);
    return (struct speed){
        .per_s = (double)b->finished * 1e6 / (double)(clock_us(CLOCK_MONOTONIC) - begin),
        .cpu_us = (double)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)b->finished,
    };
}

static void measure_changes(struct bench *b, const char *what, int64_t last) {
    const size_t outstanding[] = {1, 8, 64};
    for (size_t i = 0; i < 3; i++) {
        struct speed s = run(b, outstanding[i], last, MEASURE_MS);
        printf("%s, %2zu under way: %.0f/s, %.1f us of processor each\n", what, outstanding[i], s.per_s, s.cpu_us);
        fflush(stdout);
    }
}

static void on_read(struct db_op *op) {
    struct bench *b = op->arg;
    if (!rc_ok(op->rc) || op->rows[0].n_rows != 1) stop("a read");
    b->finished++;
}

static void measure_reads(struct bench *b, int64_t reads) {
    struct slot *s = calloc(1, sizeof *s);
    if (!s) exit(1);
    s->op = (struct db_op){.stmts = s->stmts, .n_stmts = 1, .done = on_read, .arg = b, .arena = arena_new(4096)};
    int64_t begin = clock_us(CLOCK_MONOTONIC);
    for (int64_t i = 0; i < reads; i++) {
        struct ask ask = {.kind = ASK_GRANT};
        struct facts facts;
        uint64_t at;
        random_fill(&at, sizeof at);
        ask.grant_id = b->ids[at % (uint64_t)b->n];
        arena_reset(s->op.arena);
        store_plan_ask(&ask, NULL, s->stmts);
        db_submit(b->session, &s->op);
        bool again;
        const struct store_answer answer = {&s->stmts[0], &s->op.rows[0], NULL, s->op.arena};
        check(store_read_ask(&ask, &answer, &facts, &again), "a read");
    }
    printf("point read: %.2f us\n", (double)(clock_us(CLOCK_MONOTONIC) - begin) / (double)reads);
    arena_free(s->op.arena);
    free(s);
}

static void migrate(struct db *db) {
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < store_migration_count; i++)
        check(db->driver->script(db, db_dialect(db, arena, store_migrations[i].sql)), "schema");
    check(db->driver->prepare(db, store_sql, store_sql_count), "statements");
    arena_free(arena);
}

static void measure(struct bench *b) {
    measure_changes(b, "new grants of anybody", (b->room - b->n) / 6);
    b->one_account = true;
    measure_changes(b, "new grants of one account", (b->room - b->n) / 3);
    b->plan = plan_any;
    measure_changes(b, "changes of any grant", INT64_MAX);
    measure_reads(b, 200000);
    measure_reads(b, 200000);
}

int main(int argc, char **argv) {
    uint64_t rows = 0;
    if (argc != 3 || !str_to_u64(str_of(argv[2]), 100000000, &rows) || rows == 0) {
        fprintf(stderr, "usage: bench_fill DIR ROWS\n");
        return 2;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/fill.db", argv[1]);
    if (access(path, F_OK) == 0) {
        fprintf(stderr, "bench_fill: %s is there already\n", path);
        return 1;
    }
    struct bench b = {.plan = plan_insert, .room = (int64_t)rows + 2000000};
    b.ids = malloc((size_t)b.room * sizeof *b.ids);
    if (!b.ids) return 1;
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.changed, NULL);
    check(db_open_sqlite(&(struct db_sqlite_options){.path = path}, &b.db), path);
    migrate(b.db);
    check(db_open_session(b.db, on_wake, &b, &b.session), "session");

    printf("filled at %.0f grants/s, %d under way\n", run(&b, SLOTS_MAX, (int64_t)rows, 0).per_s, SLOTS_MAX);
    fflush(stdout);
    measure(&b);
    db_close_session(b.session);
    db_close(b.db);
    struct stat st;
    if (stat(path, &st) != 0) return 1;
    printf("%lld grants in %lld bytes: %.1f each\n", (long long)b.n, (long long)st.st_size,
           (double)st.st_size / (double)b.n);
    free(b.ids);
    return 0;
}
