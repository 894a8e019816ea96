/* cmocka needs these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "metrics.h"
#include "routes.h"

static void test_buckets_double(void **state) {
    (void)state;
    const struct {
        int64_t took_us;
        size_t bucket;
    } cases[] = {{0, 0},
                 {1, 0},
                 {64, 0},
                 {65, 1},
                 {128, 1},
                 {129, 2},
                 {1024, 4},
                 {1025, 5},
                 {8388608, 17},
                 {8388609, METRICS_BUCKETS},
                 {INT64_MAX, METRICS_BUCKETS},
                 {-5, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(metrics_bucket(cases[i].took_us), cases[i].bucket);
}

static uint64_t of(const metrics_counter *c) { return atomic_load_explicit(c, memory_order_relaxed); }

static void test_a_request_is_counted_once(void **state) {
    (void)state;
    struct metrics *m = metrics_new();
    struct metrics_request q = {.route = 2, .status = 400, .refusal = REFUSAL_SCOPE, .begun_us = metrics_begin(m)};
    assert_true(q.begun_us > 0);
    assert_int_equal(of(&m->begun) - of(&m->ended), 1);
    metrics_end(m, &q);
    assert_int_equal(of(&m->begun) - of(&m->ended), 0);
    assert_int_equal(of(&m->routes[2].by_class[3]), 1);
    assert_int_equal(of(&m->routes[2].count), 1);
    assert_int_equal(of(&m->refusals[REFUSAL_SCOPE]), 1);

    q = (struct metrics_request){.route = METRICS_NO_ROUTE, .status = 204, .begun_us = metrics_begin(m)};
    metrics_end(m, &q);
    assert_int_equal(of(&m->routes[METRICS_ROUTES_MAX].by_class[1]), 1);
    assert_int_equal(of(&m->refusals[REFUSAL_NONE]), 0);
    free(m);
}

/* What falls out of a table falls nowhere else. */
static void test_what_is_out_of_bounds_counts_nothing(void **state) {
    (void)state;
    struct metrics *m = metrics_new(), *zeros = metrics_new();
    const int statuses[] = {-1, 0, 200, 399, METRICS_STATUS_MIN + METRICS_STATUSES, 999};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) metrics_unread(m, statuses[i]);
    assert_memory_equal(m, zeros, sizeof *m);
    metrics_unread(m, 431);
    assert_int_equal(of(&m->unread[31]), 1);
    free(m);
    free(zeros);
}

static void test_none_are_kept_without_metrics(void **state) {
    (void)state;
    const struct metrics_request q = {.status = 200};
    assert_int_equal(metrics_begin(NULL), 0);
    metrics_end(NULL, &q);
    metrics_unread(NULL, 400);
    metrics_password(NULL, PASSWORD_RIGHT);
    metrics_store_fault(NULL, METRICS_STORE_BUSY);
}

static void test_every_route_has_a_place(void **state) {
    (void)state;
    assert_true(route_count <= METRICS_ROUTES_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets_double),
        cmocka_unit_test(test_a_request_is_counted_once),
        cmocka_unit_test(test_what_is_out_of_bounds_counts_nothing),
        cmocka_unit_test(test_none_are_kept_without_metrics),
        cmocka_unit_test(test_every_route_has_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
