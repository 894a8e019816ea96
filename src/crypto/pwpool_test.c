#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "pwhash.h"
#include "random.h"
#include "rows_test.h"

static const struct pwhash_cost cheap = {1, 8};

static int start(void **state) {
    (void)state;
    return crypto_start() ? 0 : -1;
}

struct gate {
    sem_t reached, opened;
    pthread_mutex_t lock;
    unsigned done;
};

static void gate_init(struct gate *gate) {
    *gate = (struct gate){.done = 0};
    sem_init(&gate->reached, 0, 0);
    sem_init(&gate->opened, 0, 0);
    pthread_mutex_init(&gate->lock, NULL);
}

static void count_done(struct pwjob *job) {
    struct gate *gate = job->arg;
    pthread_mutex_lock(&gate->lock);
    gate->done++;
    pthread_mutex_unlock(&gate->lock);
}

static void stop_at_gate(struct pwjob *job) {
    struct gate *gate = job->arg;
    sem_post(&gate->reached);
    sem_wait(&gate->opened);
    count_done(job);
}

static void test_makes_and_checks(void **state) {
    (void)state;
    struct pwpool *pool;
    struct gate gate;
    gate_init(&gate);
    assert_true(rc_ok(pwpool_open(cheap, 1, 4, &pool)));
    struct pwjob make = {.password = S("secret"), .make = true, .done = count_done, .arg = &gate};
    struct pwjob too_long = {.password = {"", PASSWORD_MAX + 1}, .make = true, .done = count_done, .arg = &gate};
    assert_true(pwpool_submit(pool, &make));
    assert_true(pwpool_submit(pool, &too_long));
    pwpool_close(pool);
    assert_int_equal(gate.done, 2);
    assert_true(make.ok);
    assert_false(too_long.ok);
    assert_true(pwhash_check(S("secret"), make.hash, cheap));

    struct pwjob good = {.password = S("secret"), .done = count_done, .arg = &gate}, bad = good, unknown = good;
    memcpy(good.hash, make.hash, sizeof good.hash);
    memcpy(bad.hash, make.hash, sizeof bad.hash);
    bad.password = S("Secret");
    assert_true(rc_ok(pwpool_open(cheap, 2, 4, &pool)));
    assert_true(pwpool_submit(pool, &good) && pwpool_submit(pool, &bad) && pwpool_submit(pool, &unknown));
    pwpool_close(pool);
    assert_int_equal(gate.done, 5);
    assert_true(good.ok && !bad.ok && !unknown.ok);
}

static void test_full_queue_drops_the_oldest(void **state) {
    (void)state;
    enum { QUEUE = 3 };
    struct pwpool *pool;
    struct gate gate;
    struct pwjob jobs[QUEUE + 2];
    gate_init(&gate);
    assert_true(rc_ok(pwpool_open(cheap, 1, QUEUE, &pool)));
    for (size_t i = 0; i < COUNT(jobs); i++)
        jobs[i] = (struct pwjob){.password = S("x"), .make = true, .done = i ? count_done : stop_at_gate, .arg = &gate};
    assert_true(pwpool_submit(pool, &jobs[0]));
    sem_wait(&gate.reached); /* the one thread is held; whatever comes now waits */
    for (size_t i = 1; i <= QUEUE; i++) CHECK(i, pwpool_submit(pool, &jobs[i]));
    assert_int_equal(gate.done, 0);
    assert_true(pwpool_submit(pool, &jobs[QUEUE + 1]));
    assert_int_equal(gate.done, 1); /* told at once */
    sem_post(&gate.opened);
    pwpool_close(pool); /* finishes what is queued */
    assert_int_equal(gate.done, QUEUE + 2);
    for (size_t i = 0; i < COUNT(jobs); i++) CHECK(i, jobs[i].dropped == (i == 1) && jobs[i].ok == (i != 1));
}

struct crowd {
    struct pwpool *pool;
    struct gate *gate;
    struct pwjob jobs[100];
};

static void *submit_all(void *arg) {
    struct crowd *crowd = arg;
    for (size_t i = 0; i < COUNT(crowd->jobs); i++) {
        crowd->jobs[i] = (struct pwjob){.password = S("x"), .make = true, .done = count_done, .arg = crowd->gate};
        if (!pwpool_submit(crowd->pool, &crowd->jobs[i])) return crowd;
    }
    return NULL;
}

static void test_many_submitters(void **state) {
    (void)state;
    struct crowd *crowds = calloc(4, sizeof *crowds);
    pthread_t threads[4];
    struct gate gate;
    struct pwpool *pool;
    unsigned dropped = 0, ok = 0;
    gate_init(&gate);
    assert_true(rc_ok(pwpool_open(cheap, 3, 50, &pool)));
    for (size_t i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){.pool = pool, .gate = &gate};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_all, &crowds[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *refused;
        pthread_join(threads[i], &refused);
        CHECK(i, !refused);
    }
    pwpool_close(pool);
    for (size_t i = 0; i < 4 * COUNT(crowds[0].jobs); i++) {
        const struct pwjob *job = &crowds[i / 100].jobs[i % 100];
        CHECK(i, job->ok != job->dropped);
        ok += job->ok;
        dropped += job->dropped;
    }
    assert_int_equal(gate.done, 400); /* each is done once */
    assert_int_equal(ok + dropped, 400);
    assert_true(ok >= 50);
    free(crowds);
}

static void test_edges(void **state) {
    (void)state;
    struct pwpool *pool = NULL;
    assert_int_equal(pwpool_open(cheap, 0, 1, &pool).fault, FAULT_CONFIG);
    assert_int_equal(pwpool_open(cheap, 1, 0, &pool).fault, FAULT_CONFIG);
    assert_null(pool);
    pwpool_close(NULL);
    assert_true(rc_ok(pwpool_open(cheap, 4, 1, &pool)));
    pwpool_close(pool); /* without any work */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_makes_and_checks),
        cmocka_unit_test(test_full_queue_drops_the_oldest),
        cmocka_unit_test(test_many_submitters),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
