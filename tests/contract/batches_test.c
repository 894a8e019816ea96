/* Ops and batches: one failing op does not touch its neighbours, LOST undoes the whole op, a full queue says so, and a fault changes nothing. */
#include "contract.h"

struct raw {
    struct db_op op;
    struct db_stmt stmts[DB_STMTS_MAX];
    bool done;
};

static void on_raw(struct db_op *op) { ((struct raw *)op->arg)->done = true; }

static void raw_submit(struct client *c, struct raw *raw, size_t n_stmts, struct arena *arena) {
    raw->op = (struct db_op){
        .stmts = raw->stmts, .n_stmts = n_stmts, .write = true, .arena = arena, .done = on_raw, .arg = raw};
    db_submit(c->session, &raw->op);
}

static void raw_wait(struct client *c, const struct raw *raw) {
    while (!raw->done) client_wait_once(c);
}

static bool token_is_revoked(struct world *w, uint8_t fill) {
    struct facts f;
    struct ask ask = {.kind = ASK_REVOKED_TOKEN, .token_id = {fill}};
    assert_rc(storage_question(w->admin, &ask, w->arena, &f));
    return f.token_revoked;
}

/* First a change that always works, then a taker. */
static size_t plan_pair(const struct change *first, const struct change *second, struct raw *raw) {
    size_t n = store_plan_change(first, raw->stmts);
    return n + store_plan_change(second, raw->stmts + n);
}

static void test_lost_undoes_the_whole_op(void **state) {
    struct world *w = *state;
    struct client c;
    client_open(&c, w->db);
    struct change insert = insert_of(0), rotate = change_of(CHANGE_GRANT_ROTATE, 0);
    apply(w, &insert);
    const struct {
        uint32_t generation;
        enum db_outcome outcome;
    } cases[] = {{5, DB_LOST}, {1, DB_DONE}, {1, DB_LOST}};
    for (uint8_t i = 0; i < 3; i++) {
        struct raw *raw = ARENA_NEW(w->arena, struct raw);
        struct change revoke = {.kind = CHANGE_TOKEN_REVOKE, .expires_ms = NOW_MS, .token_id = {(uint8_t)(i + 1)}};
        rotate.generation = cases[i].generation;
        raw_submit(&c, raw, plan_pair(&revoke, &rotate, raw), w->arena);
        raw_wait(&c, raw);
        assert_rc(raw->op.rc);
        assert_int_equal(raw->op.outcome, cases[i].outcome);
        assert_int_equal(token_is_revoked(w, (uint8_t)(i + 1)), cases[i].outcome == DB_DONE);
    }
    client_close(&c);
}

/* The rows of an op: an insert, the same again (LOST), a value that a constraint refuses, a pair whose second half is LOST, and
 * another insert. In one batch where the driver has batches. */
static void test_a_bad_op_does_not_touch_its_neighbours(void **state) {
    struct world *w = *state;
    struct scope a = {.name = S("a")}, b = {.name = S("b")}, taken = {.id = 2, .name = S("a")};
    edit(w, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &a}, NULL);
    edit(w, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &b}, NULL);
    int64_t before = version(w);
    struct lock *lock = contract_driver->threads ? lock_take(w) : NULL;
    struct client c;
    client_open(&c, w->db);

    struct raw *raw = ARENA_ARRAY(w->arena, struct raw, 5);
    struct change first = insert_of(1), last = insert_of(2), rotate = change_of(CHANGE_GRANT_ROTATE, 1);
    struct change revoke = {.kind = CHANGE_TOKEN_REVOKE, .expires_ms = NOW_MS, .token_id = {1}};
    rotate.generation = 9;
    raw_submit(&c, &raw[0], store_plan_change(&first, raw[0].stmts), w->arena);
    raw_submit(&c, &raw[1], store_plan_change(&first, raw[1].stmts), w->arena);
    struct edit rename = {.kind = EDIT_SCOPE_UPDATE, .scope = &taken};
    raw_submit(&c, &raw[2], store_plan_edit(&rename, w->arena, raw[2].stmts), w->arena);
    raw_submit(&c, &raw[3], plan_pair(&revoke, &rotate, &raw[3]), w->arena);
    raw_submit(&c, &raw[4], store_plan_change(&last, raw[4].stmts), w->arena);
    if (lock) lock_release(lock);
    for (size_t i = 0; i < 5; i++) raw_wait(&c, &raw[i]);

    const struct {
        enum fault fault;
        enum db_outcome outcome;
    } want[] = {{FAULT_NONE, DB_DONE},
                {FAULT_NONE, DB_LOST},
                {FAULT_DB_CONSTRAINT, DB_DONE},
                {FAULT_NONE, DB_LOST},
                {FAULT_NONE, DB_DONE}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(raw[i].op.rc.fault, want[i].fault);
        assert_int_equal(raw[i].op.outcome, want[i].outcome);
    }
    assert_true(ask_grant(w, 1).grant_found && ask_grant(w, 2).grant_found && !token_is_revoked(w, 1) &&
                version(w) == before);
    client_close(&c);
}

static bool detail_seen;

static void on_detail(struct db_op *op) {
    detail_seen = op->rc.fault == FAULT_DB_CONSTRAINT && rc_detail()[0] != 0;
    ((struct raw *)op->arg)->done = true;
}

/* The thread that hears of a fault is told why, also when another thread met it. */
static void test_a_fault_brings_its_detail(void **state) {
    struct world *w = *state;
    struct client c;
    client_open(&c, w->db);
    struct account wrong = {.hub_id = 1, .domain = S("x")};
    struct raw *raw = ARENA_NEW(w->arena, struct raw);
    raw->op = (struct db_op){.stmts = raw->stmts, .write = true, .arena = w->arena, .done = on_detail, .arg = raw};
    raw->op.n_stmts =
        store_plan_edit(&(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &wrong}, w->arena, raw->stmts);
    raw->stmts[0].args[1] = (struct db_value){.type = DB_NULL}; /* domain */
    detail_seen = false;
    db_submit(c.session, &raw->op);
    raw_wait(&c, raw);
    assert_true(detail_seen);
    client_close(&c);
}

static void test_answers_wake_once_per_batch(void **state) {
    struct world *w = *state;
    if (!contract_driver->threads || !contract_driver->wakes) skip_because("it wakes nobody");
    enum { EACH = 64 };
    struct client two[2];
    struct client_call *calls = test_calloc(2 * EACH, sizeof *calls);
    struct lock *lock = lock_take(w);
    for (size_t k = 0; k < 2; k++) client_open(&two[k], w->db);
    for (uint32_t n = 0; n < 2 * EACH; n++) {
        struct change insert = insert_of(n);
        client_apply(&two[n % 2], &calls[n], &insert);
    }
    lock_release(lock);
    for (size_t k = 0; k < 2; k++) client_wait(&two[k]);
    /* the writer may have taken the first few before the rest came: two batches at most */
    for (size_t k = 0; k < 2; k++) {
        pthread_mutex_lock(&two[k].lock); /* a second wake-up may be on its way */
        unsigned wakes = two[k].wakes;
        pthread_mutex_unlock(&two[k].lock);
        assert_in_range(wakes, 1, 2);
    }
    for (size_t n = 0; n < 2 * EACH; n++) {
        assert_rc(calls[n].call.rc);
        client_call_free(&calls[n]);
    }
    for (size_t k = 0; k < 2; k++) client_close(&two[k]);
    test_free(calls);
}

static void test_answers_come_in_order(void **state) {
    struct world *w = *state;
    struct client c;
    client_open(&c, w->db);
    struct client_call *calls = test_calloc(300, sizeof *calls);
    for (uint32_t n = 0; n < 300; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    client_wait(&c);
    for (size_t n = 1; n < 300; n++) assert_true(calls[n - 1].order < calls[n].order);
    for (size_t n = 0; n < 300; n++) client_call_free(&calls[n]);
    client_close(&c);
    test_free(calls);
}

/* The first ones that the writer has not begun are refused: the last ones are answered. */
static void test_a_full_queue_refuses_the_oldest(void **state) {
    struct world *w = *state;
    if (!contract_driver->threads) skip_because("it has no queue");
    enum { MAX = 4, SENT = 40 };
    world_shut(w);
    world_open(w, &(struct world_options){.queue_max = MAX, .batch_max = 2});
    struct lock *lock = lock_take(w);
    struct client c;
    struct client_call *calls = test_calloc(SENT, sizeof *calls);
    client_open(&c, w->db);
    for (uint32_t n = 0; n < SENT; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    lock_release(lock);
    client_wait(&c);
    size_t busy = 0;
    for (uint32_t n = 0; n < SENT; n++) {
        bool refused = calls[n].call.rc.fault == FAULT_DB_BUSY;
        if (!refused) assert_rc(calls[n].call.rc);
        busy += refused;
        assert_int_equal(ask_grant(w, n).grant_found, !refused); /* a refused change never happens */
        client_call_free(&calls[n]);
    }
    assert_in_range(busy, SENT - MAX - 2, SENT - MAX); /* the writer holds a batch of up to two */
    for (uint32_t n = SENT - MAX; n < SENT; n++) assert_rc(calls[n].call.rc);
    client_close(&c);
    test_free(calls);
}

enum { STEPS = 9 };

/* One step of a scenario in which every step leaves a mark. */
static struct rc scenario_step(struct world *w, size_t step) {
    static const struct account account = {.domain = {"a.example", 9}};
    const struct change changes[] = {
        insert_of(0),
        insert_of(1),
        {.kind = CHANGE_GRANT_ROTATE, .grant_id = grant_number(0).id, .generation = 1, .now_ms = NOW_MS, .day = 1},
        {.kind = CHANGE_GRANT_REVOKE, .grant_id = grant_number(1).id, .now_ms = NOW_MS, .expires_ms = NOW_MS + 1},
        {.kind = CHANGE_UNINSTALL, .app_id = 1001, .hub_id = 1001, .now_ms = NOW_MS},
        {.kind = CHANGE_GRANT_NOT_BEFORE, .grant_id = grant_number(0).id, .now_ms = NOW_MS},
    };
    const struct edit edits[] = {
        {.kind = EDIT_ACCOUNT_CREATE, .account = &account},
        {.kind = EDIT_MEMBER_PUT, .member = {1, 1001, 0}},
        {.kind = EDIT_KEY_INSERT, .key = {1, NOW_MS, {"x", 1}, 0}},
    };
    const size_t n_changes = sizeof changes / sizeof changes[0];
    enum outcome outcome = OUTCOME_LOST;
    int32_t id;
    struct rc rc = step < n_changes ? storage_change(w->admin, &changes[step], w->arena, &outcome)
                                    : storage_edit(w->admin, &edits[step - n_changes], w->arena, &outcome, &id);
    if (rc_ok(rc)) assert_int_equal(outcome, OUTCOME_DONE);
    return rc;
}

/* Whichever submit fails: the caller hears of it, the store is as if it had never been tried, and doing it again works. */
static void test_a_fault_changes_nothing(void **state) {
    struct world *good = *state;
    for (size_t failing = 0; failing < STEPS; failing++) {
        struct world *w = world_new(&(struct world_options){.inline_writes = false});
        storage_admin_close(w->admin);
        w->db = db_wrap_failing(w->db, failing + 1, FAULT_DB_FULL);
        assert_rc(storage_admin_open(w->db, &w->admin));
        for (size_t step = 0; step < failing; step++) assert_rc(scenario_step(w, step));
        assert_fault(scenario_step(w, failing), DB_FULL);
        assert_true(db_failing_count(w->db) == failing + 1);

        uint64_t before = fingerprint(good);
        assert_true(fingerprint(w) == before);
        assert_rc(scenario_step(w, failing));
        assert_rc(scenario_step(good, failing));
        assert_true(fingerprint(good) != before && fingerprint(w) == fingerprint(good));
        world_free(w);
    }
}

int run_batches(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_lost_undoes_the_whole_op),  ROW(test_a_bad_op_does_not_touch_its_neighbours),
        ROW(test_a_fault_brings_its_detail), ROW(test_answers_wake_once_per_batch),
        ROW(test_answers_come_in_order),     ROW(test_a_full_queue_refuses_the_oldest),
        ROW(test_a_fault_changes_nothing),
    };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
