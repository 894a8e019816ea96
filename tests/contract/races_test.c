/* Who wins when several sessions want the same thing. */
#include "contract.h"

#define TAKERS 64

struct racer {
    struct client client;
    struct client_call calls[TAKERS];
    struct change (*make)(unsigned racer, unsigned n);
    struct db *db;
    pthread_barrier_t *start;
    unsigned number;
    pthread_t thread;
};

static void *race_main(void *arg) {
    struct racer *r = arg;
    pthread_barrier_wait(r->start);
    for (unsigned n = 0; n < TAKERS; n++) {
        struct change change = r->make(r->number, n);
        client_apply(&r->client, &r->calls[n], &change);
    }
    client_wait(&r->client);
    return NULL;
}

/* Two threads with 64 changes each; returns how many were DONE. All of them must end without a fault. */
static unsigned race(struct db *db, struct change (*make)(unsigned racer, unsigned n)) {
    pthread_barrier_t start;
    struct racer *racers = test_calloc(2, sizeof *racers);
    pthread_barrier_init(&start, NULL, 2);
    for (unsigned k = 0; k < 2; k++) {
        racers[k].make = make;
        racers[k].db = db;
        racers[k].start = &start;
        racers[k].number = k;
        client_open(&racers[k].client, db);
        assert_int_equal(pthread_create(&racers[k].thread, NULL, race_main, &racers[k]), 0);
    }
    unsigned done = 0;
    for (unsigned k = 0; k < 2; k++) {
        pthread_join(racers[k].thread, NULL);
        for (unsigned n = 0; n < TAKERS; n++) {
            assert_rc(racers[k].calls[n].call.rc);
            done += racers[k].calls[n].call.outcome == OUTCOME_DONE;
            client_call_free(&racers[k].calls[n]);
        }
        client_close(&racers[k].client);
    }
    pthread_barrier_destroy(&start);
    test_free(racers);
    return done;
}

static struct change make_same_id(unsigned racer, unsigned n) {
    struct change change = insert_of(0);
    change.grant.user_id = (int32_t)(1 + racer * TAKERS + n);
    return change;
}

static void test_one_of_many_redeems(void **state) {
    struct world *w = *state;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(race(w->db, make_same_id), round == 0 ? 1 : 0);
        assert_in_range(ask_grant(w, 0).grant.user_id, 1, 2 * TAKERS);
    }
}

static struct change make_same_rotation(unsigned racer, unsigned n) {
    (void)racer, (void)n;
    struct change change = change_of(CHANGE_GRANT_ROTATE, 0);
    change.generation = 1;
    return change;
}

static struct change make_ladder(unsigned racer, unsigned n) {
    (void)racer;
    struct change change = change_of(CHANGE_GRANT_ROTATE, 0);
    change.generation = 2 + n;
    return change;
}

static void test_one_of_many_rotates(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0);
    apply(w, &insert);
    assert_int_equal(race(w->db, make_same_rotation), 1);
    assert_int_equal(ask_grant(w, 0).grant.generation, 1);
    /* both climb the same steps: each step is taken once, whoever is first */
    unsigned done = race(w->db, make_ladder);
    assert_int_equal(ask_grant(w, 0).grant.generation, 1 + done);
    assert_int_equal(done, TAKERS);
}

static struct change make_own(unsigned racer, unsigned n) { return insert_of(racer * 1000 + n); }

static void test_different_ids_all_win(void **state) {
    struct world *w = *state;
    assert_int_equal(race(w->db, make_own), 2 * TAKERS);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_GRANTS}).n, 2 * TAKERS);
}

/* What one session was told is done, another one sees at once. */
static void test_a_reader_sees_what_was_answered(void **state) {
    struct world *w = *state;
    struct client writer, reader;
    client_open(&writer, w->db);
    client_open(&reader, w->db);
    for (uint32_t n = 0; n < 200; n++) {
        static struct client_call change, before, after; /* too large for a frame */
        struct change insert = insert_of(n);
        client_ask_grant(&reader, &before, n);
        client_wait(&reader);
        client_apply(&writer, &change, &insert);
        client_wait(&writer);
        client_ask_grant(&reader, &after, n);
        client_wait(&reader);
        assert_rc(change.call.rc);
        assert_rc(after.call.rc);
        assert_false(before.facts.grant_found);
        assert_true(after.facts.grant_found);
        client_call_free(&change);
        client_call_free(&before);
        client_call_free(&after);
    }
    client_close(&writer);
    client_close(&reader);
}

struct asker {
    struct db *db;
    int stop; /* atomic */
    unsigned reads, wrong;
    pthread_t thread;
};

/* Reads a grant and the uninstall of its app, until it is told to stop. */
static void *ask_main(void *arg) {
    struct asker *a = arg;
    struct client c;
    client_open(&c, a->db);
    while (!__atomic_load_n(&a->stop, __ATOMIC_ACQUIRE)) {
        struct client_call call;
        client_ask_grant(&c, &call, 0);
        client_wait(&c);
        a->reads++;
        a->wrong += !rc_ok(call.call.rc) || call.facts.grant.access_not_before_ms != call.facts.uninstalled_ms;
        client_call_free(&call);
    }
    client_close(&c);
    return NULL;
}

/* Two marks that are always changed together are never seen apart, and readers never fail beside a writer. */
static void test_readers_see_whole_ops(void **state) {
    struct world *w = *state;
    if (!contract_driver->threads) skip_because("one thread has it for itself");
    struct change insert = insert_of(0);
    apply(w, &insert);
    struct asker a = {.db = w->db};
    assert_int_equal(pthread_create(&a.thread, NULL, ask_main, &a), 0);
    struct client c;
    client_open(&c, w->db);
    for (int64_t n = 1; n <= 300; n++) {
        struct client_call call;
        struct change not_before = change_of(CHANGE_GRANT_NOT_BEFORE, 0), uninstall = change_of(CHANGE_UNINSTALL, 0);
        not_before.now_ms = uninstall.now_ms = n;
        struct change pair[] = {not_before, uninstall};
        client_apply_all(&c, &call, pair, 2);
        client_wait(&c);
        assert_rc(call.call.rc);
        client_call_free(&call);
    }
    __atomic_store_n(&a.stop, 1, __ATOMIC_RELEASE);
    pthread_join(a.thread, NULL);
    client_close(&c);
    assert_true(a.reads > 0);
    assert_int_equal(a.wrong, 0);
}

int run_races(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_one_of_many_redeems),
        ROW(test_one_of_many_rotates),
        ROW(test_different_ids_all_win),
        ROW(test_readers_see_whole_ops),
        ROW(test_a_reader_sees_what_was_answered),
    };
    return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
