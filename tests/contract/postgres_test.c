/* What only the PostgreSQL driver has: sets, lost connections, deadlines, poolers, nodes that start at once, word of changes. */
#include "postgres.h"

#include <poll.h>
#include <stdio.h>

enum { MANY = 200 };

static PGconn *beside(struct world *w) {
    char url[PATH_BYTES * 3];
    postgres_url(w->dir, url, sizeof url);
    return postgres_connect(url);
}

/* Another db on the world's database. */
static struct db *open_again(struct world *w, struct db_pg_options options) {
    char url[PATH_BYTES * 3];
    struct db *db;
    postgres_url(w->dir, url, sizeof url);
    options.url = url;
    assert_rc(db_open_pg(&options, &db));
    assert_rc(storage_migrate(db, w->arena));
    return db;
}

static int64_t transactions(PGconn *pg) {
    return postgres_number(pg, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
}

static int64_t connections(PGconn *pg) {
    return postgres_number(pg, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                               " AND application_name = 'grantd'");
}

static size_t count(const struct client_call *calls, size_t n, enum outcome outcome) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) found += rc_ok(calls[i].call.rc) && calls[i].call.outcome == outcome;
    return found;
}

static void free_calls(struct client_call *calls, size_t n) {
    for (size_t i = 0; i < n; i++) client_call_free(&calls[i]);
}

/* In a set as alone: who was first wins, each hears its own verdict, and the whole takes few transactions. */
static void test_a_set_tells_each_its_own(void **state) {
    struct world *w = *state;
    struct client c;
    struct client_call *calls = test_calloc(MANY, sizeof *calls);
    client_open(&c, w->db);
    struct change before = insert_of(7);
    apply(w, &before);
    struct lock *lock = lock_take(w); /* so that the first waits and the rest become one batch */
    for (uint32_t n = 0; n < MANY; n++) {
        struct change insert = insert_of(n % (MANY / 2));
        client_apply(&c, &calls[n], &insert);
    }
    lock_release(lock);
    client_wait(&c);
    assert_int_equal(count(calls, MANY, OUTCOME_DONE), MANY / 2 - 1);
    assert_int_equal(count(calls, MANY, OUTCOME_LOST), MANY / 2 + 1);
    assert_int_equal(calls[7].call.outcome, OUTCOME_LOST);
    free_calls(calls, MANY);
    for (uint32_t n = 0; n < MANY; n++) client_ask_grant(&c, &calls[n], n);
    client_wait(&c);
    for (uint32_t n = 0; n < MANY; n++) {
        assert_rc(calls[n].call.rc);
        assert_int_equal(calls[n].facts.grant_found, n < MANY / 2);
        if (n < MANY / 2) assert_memory_equal(calls[n].facts.grant.id.b, grant_number(n).id.b, GRANT_ID_BYTES);
    }
    free_calls(calls, MANY);
    test_free(calls);
    client_close(&c);
}

/* A set with one value in it that the database refuses: only that op fails. */
static void test_a_bad_value_in_a_set(void **state) {
    struct world *w = *state;
    struct client c;
    struct client_call *calls = test_calloc(MANY, sizeof *calls);
    PGconn *pg = beside(w);
    postgres_run(pg, "ALTER TABLE grants ADD CHECK (user_id <> 13)");
    client_open(&c, w->db);
    struct lock *lock = lock_take(w);
    for (uint32_t n = 0; n < MANY; n++) {
        struct change insert = insert_of(n);
        insert.grant.user_id = n == 50 ? 13 : 1;
        client_apply(&c, &calls[n], &insert);
    }
    lock_release(lock);
    client_wait(&c);
    for (uint32_t n = 0; n < MANY; n++) assert_int_equal(calls[n].call.rc.fault, n == 50 ? FAULT_DB_CONSTRAINT : 0);
    assert_int_equal(postgres_number(pg, "SELECT count(*) FROM grants"), MANY - 1);
    free_calls(calls, MANY);
    test_free(calls);
    client_close(&c);
    PQfinish(pg);
}

/* Group commit across the wire: far fewer transactions than changes. */
static void test_batches_are_few(void **state) {
    struct world *w = *state;
    struct client c;
    struct client_call *calls = test_calloc(MANY, sizeof *calls);
    PGconn *pg = beside(w);
    int64_t others = connections(pg);
    client_open(&c, w->db);
    struct change first = insert_of(9999);
    client_apply(&c, &calls[0], &first); /* now it is connected */
    client_wait(&c);
    client_call_free(&calls[0]);
    postgres_run(pg, "SELECT pg_stat_force_next_flush()");
    int64_t before = transactions(pg);
    for (uint32_t n = 0; n < MANY; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    client_wait(&c);
    free_calls(calls, MANY);
    test_free(calls);
    client_close(&c);
    for (int i = 0; i < 600 && connections(pg) > others; i++)
        poll(NULL, 0, 50); /* who is gone has reported what it did */
    assert_in_range(transactions(pg) - before, 1, 20);
    PQfinish(pg);
}

static uint64_t commits(const struct db *db) {
    uint64_t n = 0;
    for (size_t i = 0; i < DB_BATCH_BUCKETS; i++) n += db->stats.commits[i];
    return n;
}

/* A client that works by turns, on a connection that is there. */
static void open_by_turns(struct client *c, struct db *db) {
    struct client_call call;
    struct change none = change_of(CHANGE_GRANT_TOUCH, 1);
    client_open(c, db);
    client_apply(c, &call, &none);
    client_wait(c);
    client_call_free(&call);
    db_by_turns(c->session);
}

/* What came in a turn goes out at its end, as one batch. */
static void test_a_turn_is_a_batch(void **state) {
    struct world *w = *state;
    struct client c;
    struct client_call *calls = test_calloc(MANY, sizeof *calls);
    open_by_turns(&c, w->db);
    uint64_t before = commits(w->db);
    for (uint32_t n = 0; n < MANY; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    assert_int_equal(commits(w->db), before);
    db_end_turn(c.session);
    client_wait(&c);
    assert_int_equal(commits(w->db), before + 1);
    assert_int_equal(count(calls, MANY, OUTCOME_DONE), MANY);
    free_calls(calls, MANY);
    for (uint32_t n = 0; n < MANY; n++) client_ask_grant(&c, &calls[n], n);
    db_end_turn(c.session);
    client_wait(&c);
    for (uint32_t n = 0; n < MANY; n++) assert_true(rc_ok(calls[n].call.rc) && calls[n].facts.grant_found);
    free_calls(calls, MANY);
    test_free(calls);
    client_close(&c);
}

/* A batch that is full does not wait for the end; what has no room any more is refused, and that is heard by the descriptor as ever. */
static void test_a_turn_that_is_too_long(void **state) {
    struct world *w = *state;
    enum { BATCH = 4, WAITING = 8 }; /* DB_STMTS_MAX is the least batch that has any op */
    struct db *db =
        open_again(w, (struct db_pg_options){.batch_max = BATCH, .queue_max = WAITING, .deadline_ms = 20000});
    struct client c;
    struct client_call *calls = test_calloc(MANY, sizeof *calls);
    open_by_turns(&c, db);
    uint64_t before = commits(db);
    for (uint32_t n = 0; n < MANY; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    assert_int_equal(commits(db), before + 1);
    db_end_turn(c.session);
    client_wait(&c);
    for (uint32_t n = 0; n < MANY; n++) {
        bool taken = n < BATCH || n >= MANY - WAITING;
        assert_int_equal(calls[n].call.rc.fault, taken ? FAULT_NONE : FAULT_DB_BUSY);
        assert_int_equal(ask_grant(w, n).grant_found, taken);
    }
    free_calls(calls, MANY);
    test_free(calls);
    client_close(&c);
    db_close(db);
}

static void terminate_others(PGconn *pg) {
    postgres_run(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

/* Connections die between requests and under them: what was acknowledged is there, what failed is a fault, and it goes on by itself. */
static void test_lost_connections(void **state) {
    struct world *w = *state;
    enum { ROUNDS = 8, EACH = 40 };
    struct client c;
    struct client_call *calls = test_calloc(EACH, sizeof *calls);
    PGconn *pg = beside(w);
    size_t acknowledged = 0, faults = 0;
    client_open(&c, w->db);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t n = 0; n < EACH; n++) {
            struct change insert = insert_of(round * EACH + n);
            if (n == EACH / 2) terminate_others(pg);
            if (n % 2)
                client_apply(&c, &calls[n], &insert);
            else
                client_ask_grant(&c, &calls[n], round * EACH + n);
            if (n == EACH / 4) client_wait(&c);
        }
        client_wait(&c);
        for (uint32_t n = 0; n < EACH; n++) {
            bool ok = rc_ok(calls[n].call.rc);
            if (!(n % 2)) assert_rc(calls[n].call.rc); /* reads are tried again */
            if (n % 2 && !ok) assert_int_equal(calls[n].call.rc.fault, FAULT_DB_IO);
            faults += !ok;
            acknowledged += n % 2 && ok;
            client_call_free(&calls[n]);
            if (n % 2 && ok) assert_true(ask_grant(w, round * EACH + n).grant_found);
        }
    }
    int64_t there = postgres_number(pg, "SELECT count(*) FROM grants");
    assert_true(there >= (int64_t)acknowledged && there <= (int64_t)(acknowledged + faults));
    assert_true(acknowledged > ROUNDS * EACH / 8);
    test_free(calls);
    client_close(&c);
    PQfinish(pg);
}

/* What the database does not answer in time is a fault, and the connection is another one afterwards. */
static void test_the_deadline(void **state) {
    struct world *w = *state;
    struct db *db = open_again(w, (struct db_pg_options){.deadline_ms = 300});
    struct client c;
    struct client_call call, read;
    client_open(&c, db);
    for (int connected = 0; connected < 2;) { /* a statement that changes is not even prepared beside the lock */
        struct change none = change_of(CHANGE_GRANT_TOUCH, 1);
        client_apply(&c, &call, &none);
        client_ask_grant(&c, &read, 1);
        client_wait(&c);
        connected = rc_ok(call.call.rc) + rc_ok(read.call.rc);
        client_call_free(&call);
        client_call_free(&read);
    }
    struct lock *lock = lock_take(w);
    struct change insert = insert_of(1);
    client_apply(&c, &call, &insert);
    client_ask_grant(&c, &read, 1); /* is not held up by it */
    client_wait(&c);
    assert_true(call.call.rc.fault == FAULT_DB_IO || call.call.rc.fault == FAULT_DB_BUSY);
    assert_rc(read.call.rc);
    assert_false(read.facts.grant_found);
    client_call_free(&call);
    client_call_free(&read);
    lock_release(lock);
    struct change other = insert_of(2);
    client_apply(&c, &call, &other);
    client_wait(&c);
    assert_rc(call.call.rc);
    assert_int_equal(call.call.outcome, OUTCOME_DONE);
    client_call_free(&call);
    client_close(&c);
    db_close(db);
}

/* Without anything that a pooler in transaction mode cannot keep, and with each change a transaction of its own: the same verdicts. */
static void test_pooled_and_one_by_one(void **state) {
    struct world *w = *state;
    const struct db_pg_options options[] = {{.pooled = true}, {.batch_max = 1}, {.pooled = true, .batch_max = 1}};
    PGconn *pg = beside(w);
    for (uint32_t k = 0; k < 3; k++) {
        struct db *db = open_again(w, options[k]);
        struct client c;
        struct client_call *calls = test_calloc(MANY, sizeof *calls);
        client_open(&c, db);
        for (uint32_t n = 0; n < MANY; n++) {
            struct change insert = insert_of(k * 1000 + n / 2);
            client_apply(&c, &calls[n], &insert);
        }
        client_wait(&c);
        assert_int_equal(count(calls, MANY, OUTCOME_DONE), MANY / 2);
        assert_int_equal(count(calls, MANY, OUTCOME_LOST), MANY / 2);
        free_calls(calls, MANY);
        if (options[k].pooled)
            assert_int_equal(postgres_number(pg, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"),
                             0);
        test_free(calls);
        client_close(&c);
        db_close(db);
    }
    PQfinish(pg);
}

static enum fault fault_of(struct client *c, const struct change *change) {
    struct client_call call;
    client_apply(c, &call, change);
    client_wait(c);
    enum fault fault = (enum fault)call.call.rc.fault;
    client_call_free(&call);
    return fault;
}

/* A statement is prepared in front of its first use. When that use fails, the connection knows whether it has the statement: the next use
 * works, on the same connection. */
static void test_a_first_use_that_fails(void **state) {
    struct world *w = *state;
    struct client c;
    PGconn *pg = beside(w);
    const char *who = "SELECT coalesce(sum(pid), 0) FROM pg_stat_activity WHERE datname = current_database()";
    struct change touch = change_of(CHANGE_GRANT_TOUCH, 1), good = insert_of(1), bad = insert_of(2);
    struct change token = {.kind = CHANGE_TOKEN_REVOKE, .expires_ms = NOW_MS, .token_id = {1}};
    client_open(&c, w->db);
    assert_int_equal(fault_of(&c, &touch), FAULT_NONE);
    int64_t before = postgres_number(pg, who);

    postgres_run(pg, "ALTER TABLE grants ADD CHECK (user_id <> 13)"); /* it is prepared, and fails */
    bad.grant.user_id = 13;
    assert_int_equal(fault_of(&c, &bad), FAULT_DB_CONSTRAINT);
    assert_int_equal(fault_of(&c, &good), FAULT_NONE);

    postgres_run(pg, "ALTER TABLE revoked_tokens RENAME TO away"); /* it cannot be prepared */
    assert_int_equal(fault_of(&c, &token), FAULT_DB_SCHEMA);
    postgres_run(pg, "ALTER TABLE away RENAME TO revoked_tokens");
    assert_int_equal(fault_of(&c, &token), FAULT_NONE);
    assert_int_equal(postgres_number(pg, who), before);
    client_close(&c);
    PQfinish(pg);
}

struct starter {
    pthread_t thread;
    pthread_barrier_t *barrier;
    const char *url;
    struct rc rc;
    char detail[240];
    enum outcome key;
};

static RC start_node(struct starter *s, struct arena *arena) {
    struct db *db;
    struct storage_admin *admin;
    int32_t id;
    struct edit key = {.kind = EDIT_KEY_INSERT, .key = {1, 1, {"x", 1}, 0}};
    TRY(db_open_pg(&(struct db_pg_options){.url = s->url, .deadline_ms = 20000}, &db));
    struct rc rc = storage_migrate(db, arena);
    if (rc_ok(rc)) rc = storage_admin_open(db, &admin);
    if (rc_ok(rc)) {
        rc = storage_edit(admin, &key, arena, &s->key, &id);
        storage_admin_close(admin);
    }
    db_close(db);
    return rc;
}

static void *start_main(void *arg) {
    struct starter *s = arg;
    struct arena *arena = arena_new(65536);
    pthread_barrier_wait(s->barrier);
    s->rc = start_node(s, arena);
    if (!rc_ok(s->rc)) snprintf(s->detail, sizeof s->detail, "%s", rc_detail());
    arena_free(arena);
    return NULL;
}

/* Eight nodes at once on an empty database: one schema, one first key, and nobody fails. */
static void test_nodes_that_start_at_once(void **state) {
    struct world *w = *state;
    enum { NODES = 8 };
    char url[PATH_BYTES * 3];
    pthread_barrier_t barrier;
    struct starter nodes[NODES] = {{.key = OUTCOME_LOST}};
    PGconn *pg = beside(w);
    world_shut(w);
    postgres_url(w->dir, url, sizeof url);
    postgres_run(pg, "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    pthread_barrier_init(&barrier, NULL, NODES);
    for (int i = 0; i < NODES; i++) {
        nodes[i] = (struct starter){.barrier = &barrier, .url = url, .key = OUTCOME_LOST};
        assert_int_equal(pthread_create(&nodes[i].thread, NULL, start_main, &nodes[i]), 0);
    }
    int winners = 0;
    for (int i = 0; i < NODES; i++) {
        pthread_join(nodes[i].thread, NULL);
        if (!rc_ok(nodes[i].rc)) fail_msg("a node did not start: %s", nodes[i].detail);
        winners += nodes[i].key == OUTCOME_DONE;
    }
    assert_int_equal(winners, 1);
    assert_int_equal(postgres_number(pg, "SELECT count(*) FROM keys"), 1);
    assert_int_equal(postgres_number(pg, "SELECT count(*) FROM schema_versions"), (int64_t)store_migration_count);
    pthread_barrier_destroy(&barrier);
    PQfinish(pg);
}

struct stepper {
    struct db *db;
    const char *sql;
    struct db_index index;
    struct rc rc;
    char detail[240];
    int done; /* atomic */
    pthread_t thread;
};

static void *step_main(void *arg) {
    struct stepper *s = arg;
    s->rc = s->sql ? s->db->driver->script(s->db, s->sql) : s->db->driver->index(s->db, &s->index, NULL);
    if (!rc_ok(s->rc)) snprintf(s->detail, sizeof s->detail, "%s", rc_detail());
    __atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void step_start(struct stepper *s, struct db *db) {
    s->db = db;
    assert_int_equal(pthread_create(&s->thread, NULL, step_main, s), 0);
}

static void step_end(struct stepper *s) {
    pthread_join(s->thread, NULL);
    if (!rc_ok(s->rc)) fail_msg("%s", s->detail);
}

/* A long reader (a dump) keeps a step from its lock; requests must not queue up behind the step that waits. */
static void test_a_step_that_waits_holds_nobody_up(void **state) {
    struct world *w = *state;
    char url[PATH_BYTES * 3];
    struct db *db;
    struct client c;
    PGconn *dump = beside(w);
    struct stepper step = {.sql = "ALTER TABLE grants ADD COLUMN next_a BIGINT NOT NULL DEFAULT 0"};
    postgres_url(w->dir, url, sizeof url);
    assert_rc(db_open_pg(&(struct db_pg_options){.url = url, .deadline_ms = 15000}, &db));
    assert_rc(storage_migrate(db, w->arena));
    postgres_run(dump, "BEGIN; SELECT count(*) FROM grants");
    step_start(&step, w->db);
    client_open(&c, db);
    for (uint32_t n = 0; n < 40; n++) { /* for longer than one try of the step */
        struct client_call call;
        struct change insert = insert_of(n);
        client_apply(&c, &call, &insert);
        client_wait(&c);
        assert_rc(call.call.rc); /* before the deadline */
        client_call_free(&call);
        poll(NULL, 0, 50);
    }
    assert_false(__atomic_load_n(&step.done, __ATOMIC_ACQUIRE));
    PQfinish(dump);
    step_end(&step);
    client_close(&c);
    db_close(db);
}

/* What a builder left behind who was killed is built anew; and two who build at once do not harm each other. */
static void test_an_index_that_is_not_valid(void **state) {
    struct world *w = *state;
    PGconn *pg = beside(w);
    struct stepper two[2] = {{.index = {"next_index", "grants (app_id)"}},
                             {.index = {"next_index", "grants (app_id)"}}};
    for (uint32_t n = 0; n < 3; n++) {
        struct change insert = insert_of(n);
        apply(w, &insert);
    }
    PQclear(PQexec(pg, "CREATE UNIQUE INDEX CONCURRENTLY next_index ON grants ((1))")); /* fails */
    const char *invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid", *all = "SELECT count(*) FROM pg_index"
                                                                                       " WHERE indexrelid ="
                                                                                       " to_regclass('next_index')";
    assert_int_equal(postgres_number(pg, invalid), 1);
    for (int i = 0; i < 2; i++) step_start(&two[i], w->db);
    for (int i = 0; i < 2; i++) step_end(&two[i]);
    assert_int_equal(postgres_number(pg, invalid), 0);
    assert_int_equal(postgres_number(pg, all), 1);
    PQfinish(pg);
}

static void test_no_index_through_a_pooler(void **state) {
    struct world *w = *state;
    char url[PATH_BYTES * 3];
    struct db *db;
    postgres_url(w->dir, url, sizeof url);
    assert_rc(db_open_pg(&(struct db_pg_options){.url = url, .pooled = true}, &db));
    assert_fault(db->driver->index(db, &(struct db_index){"next_index", "grants (app_id)"}, NULL), CONFIG);
    db_close(db);
}

static void on_change(void *arg) { ++*(int *)arg; }

static void wait_for_change(struct db_session *s, const int *heard, int more_than) {
    for (int i = 0; i < 200 && *heard <= more_than; i++) {
        struct pollfd readable = {.fd = db_session_fd(s), .events = POLLIN};
        poll(&readable, 1, 50);
        db_drain(s);
    }
    assert_true(*heard > more_than);
}

/* An edit at one node is heard at another; after a lost connection too, since something may have been missed. */
static void test_word_of_changes(void **state) {
    struct world *w = *state;
    struct client c;
    int heard = 0;
    PGconn *pg = beside(w);
    client_open(&c, w->db);
    db_session_on_change(c.session, on_change, &heard);
    wait_for_change(c.session, &heard, 0); /* the first connection */
    for (int32_t i = 1; i <= 3; i++) {
        int before = heard;
        struct account account = {.domain = S("x"), .name = S("x")};
        edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account}, NULL);
        wait_for_change(c.session, &heard, before);
    }
    int before = heard;
    terminate_others(pg);
    wait_for_change(c.session, &heard, before);
    client_close(&c);
    PQfinish(pg);
}

/* ---- a removal in the instant of a redemption ---- */

#define MARK      "decode(repeat('cd', 16), 'hex')"
#define MARK_LOCK "(x'cdcdcdcdcdcdcdcd'::bigint)"

static struct change marked_insert(uint32_t n, int mark) {
    struct change insert = insert_of(n);
    insert.grant.created_ms = NOW_MS;
    memset(insert.token_id, mark, sizeof insert.token_id);
    return insert;
}

/* True when it waits for a lock; false when it is done without. */
static bool is_held_up(struct client *c, const struct client_call *call, PGconn *pg) {
    static const char waiting[] = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                                  " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted";
    while (!call->done) {
        if (postgres_number(pg, waiting) == 1) return true;
        db_drain(c->session);
    }
    return false;
}

/* The connection, and a change that makes sure it is there. */
static void open_ready(struct client *c, struct world *w) {
    struct client_call call;
    struct change none = change_of(CHANGE_GRANT_TOUCH, 1);
    client_open(c, w->db);
    client_apply(c, &call, &none);
    client_wait(c);
    assert_rc(call.call.rc);
    client_call_free(&call);
}

/* A removal is under way, and nobody else can see it yet: a redemption, alone or in a set, waits for its end, and then sees it. */
static void test_a_redemption_waits_for_a_removal(void **state) {
    struct world *w = *state;
    struct client c;
    static struct client_call calls[4]; /* too large for a frame */
    PGconn *pg = beside(w), *watch = beside(w);
    open_ready(&c, w);
    postgres_run(pg, "BEGIN");
    postgres_run(pg, "SELECT pg_advisory_xact_lock" MARK_LOCK);
    postgres_run(pg, "INSERT INTO revoked_tokens VALUES (" MARK ", 1800000000000 + 86400000)");
    const int marks[] = {0xcd, 0xcd, 0xcd, 0xce};
    for (uint32_t n = 0; n < 4; n++) {
        struct change insert = marked_insert(n, marks[n]);
        client_apply(&c, &calls[n], &insert);
    }
    assert_true(is_held_up(&c, &calls[0], watch));
    postgres_run(pg, "COMMIT");
    client_wait(&c);
    for (uint32_t n = 0; n < 4; n++) {
        assert_rc(calls[n].call.rc);
        assert_int_equal(calls[n].call.outcome, marks[n] == 0xcd ? OUTCOME_LOST : OUTCOME_DONE);
    }
    free_calls(calls, 4);
    client_close(&c);
    PQfinish(watch);
    PQfinish(pg);
}

/* A redemption is under way: the removal waits for its end, and ends what it made. */
static void test_a_removal_waits_for_a_redemption(void **state) {
    struct world *w = *state;
    struct client c;
    struct client_call call;
    PGconn *pg = beside(w), *watch = beside(w);
    struct change first = marked_insert(0, 0xcd), revoke = change_of(CHANGE_GRANTS_REVOKE, 0);
    assert_int_equal(apply(w, &first), OUTCOME_DONE);
    open_ready(&c, w);
    postgres_run(pg, "CREATE TEMP TABLE another AS SELECT * FROM grants");
    postgres_run(pg, "UPDATE another SET id = decode(repeat('ab', 16), 'hex')");
    postgres_run(pg, "BEGIN");
    postgres_run(pg, "SELECT pg_advisory_xact_lock_shared" MARK_LOCK);
    postgres_run(pg, "INSERT INTO grants SELECT * FROM another");
    revoke.user_id = first.grant.user_id;
    revoke.takes = true;
    revoke.expires_ms = NOW_MS + REVOKED_KEPT_MS;
    memset(revoke.token_id, 0xcd, sizeof revoke.token_id);
    client_apply(&c, &call, &revoke);
    assert_true(is_held_up(&c, &call, watch));
    postgres_run(pg, "COMMIT");
    client_wait(&c);
    assert_rc(call.call.rc);
    assert_int_equal(postgres_number(pg, "SELECT count(*) FROM grants WHERE revoked_ms IS NOT NULL"), 2);
    client_call_free(&call);
    client_close(&c);
    PQfinish(watch);
    PQfinish(pg);
}

int run_postgres(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_a_set_tells_each_its_own),
        ROW(test_a_bad_value_in_a_set),
        ROW(test_batches_are_few),
        ROW(test_a_turn_is_a_batch),
        ROW(test_a_turn_that_is_too_long),
        ROW(test_lost_connections),
        ROW(test_the_deadline),
        ROW(test_a_redemption_waits_for_a_removal),
        ROW(test_a_removal_waits_for_a_redemption),
        ROW(test_pooled_and_one_by_one),
        ROW(test_a_first_use_that_fails),
        ROW(test_nodes_that_start_at_once),
        ROW(test_word_of_changes),
        ROW(test_a_step_that_waits_holds_nobody_up),
        ROW(test_an_index_that_is_not_valid),
        ROW(test_no_index_through_a_pooler),
    };
    return cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
}
