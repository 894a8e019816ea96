#include "limiter.h"

#include "rows_test.h"

#include <pthread.h>
#include <stdio.h>

static const uint8_t key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
#define BOTH ((1U << COUNTS_AUTH) | (1U << COUNTS_GRANT))
#define T0   1700000000000

static void test_window(void **state) {
    (void)state;
    struct limiter *l = limiter_new((struct limiter_limits){3, 2}, key);
    uint64_t pair = limiter_pair(l, S("app"), S("192.0.2.1"));
    assert_false(limiter_check(l, pair, BOTH, T0).blocked);
    for (int i = 0; i < 3; i++) {
        assert_false(limiter_check(l, pair, BOTH, T0 + i).blocked);
        limiter_count(l, pair, COUNTS_AUTH, T0 + i);
    }
    struct limiter_verdict v = limiter_check(l, pair, BOTH, T0 + 10);
    assert_true(v.blocked);
    assert_int_equal(v.limit, 3);
    assert_int_equal(v.retry_after_ms, LIMITER_WINDOW_MS - 10);
    /* counters are separate, and so are pairs */
    assert_false(limiter_check(l, pair, 1U << COUNTS_GRANT, T0 + 10).blocked);
    assert_false(limiter_check(l, pair, 0, T0 + 10).blocked);
    assert_false(limiter_check(l, limiter_pair(l, S("app"), S("192.0.2.2")), BOTH, T0 + 10).blocked);
    assert_false(limiter_check(l, limiter_pair(l, S("other"), S("192.0.2.1")), BOTH, T0 + 10).blocked);
    /* the window ends a minute after its first failure, and then everything is forgotten */
    assert_true(limiter_check(l, pair, BOTH, T0 + LIMITER_WINDOW_MS - 1).blocked);
    assert_false(limiter_check(l, pair, BOTH, T0 + LIMITER_WINDOW_MS).blocked);
    limiter_count(l, pair, COUNTS_AUTH, T0 + LIMITER_WINDOW_MS);
    assert_false(limiter_check(l, pair, BOTH, T0 + LIMITER_WINDOW_MS + 1).blocked);
    limiter_free(l);
}

/* Each failure has the time of its request, and requests overtake each other. */
static void test_an_older_failure_begins_nothing_anew(void **state) {
    (void)state;
    struct limiter *l = limiter_new((struct limiter_limits){3, 2}, key);
    uint64_t pair = limiter_pair(l, S("app"), S("192.0.2.1"));
    for (int i = 0; i < 3; i++) limiter_count(l, pair, COUNTS_AUTH, T0 - i);
    for (int i = -5; i < 5; i++) assert_true(limiter_check(l, pair, BOTH, T0 + i).blocked);
    limiter_free(l);
}

static void test_kinds(void **state) {
    (void)state;
    struct limiter *l = limiter_new((struct limiter_limits){0, 1}, key);
    uint64_t pair = limiter_pair(l, S("app"), S("::1"));
    for (int i = 0; i < 1000; i++) limiter_count(l, pair, COUNTS_AUTH, T0); /* 0: no limit */
    limiter_count(l, pair, COUNTS_NOT, T0);
    assert_false(limiter_check(l, pair, BOTH, T0).blocked);
    limiter_count(l, pair, COUNTS_GRANT, T0);
    assert_true(limiter_check(l, pair, BOTH, T0).blocked);
    assert_false(limiter_check(l, pair, 1U << COUNTS_AUTH, T0).blocked);
    limiter_free(l);
    limiter_free(NULL);
}

static void test_addresses(void **state) {
    (void)state;
    static const struct {
        str a, b;
        bool same;
    } rows[] = {
        {S("192.0.2.1"), S("192.0.2.1"), true},
        {S("192.0.2.1"), S("192.0.2.2"), false},
        {S("192.0.2.1"), S("::ffff:192.0.2.1"), true},
        {S("::ffff:192.0.2.1"), S("::ffff:192.0.2.2"), false},
        {S("2001:db8:1:2::1"), S("2001:db8:1:2:ffff::9"), true},
        {S("2001:db8:1:2::1"), S("2001:db8:1:3::1"), false},
        {S("2001:DB8:1:2::1"), S("2001:0db8:0001:0002:0:0:0:1"), true},
        {S("unix"), S("unix"), true},
        {S("unix"), S(""), false},
        {S("a text that is much longer than any address could ever be, so it is none"), S("192.0.2.1"), false},
    };
    struct limiter *l = limiter_new((struct limiter_limits){1, 1}, key);
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(i, (limiter_pair(l, S("app"), rows[i].a) == limiter_pair(l, S("app"), rows[i].b)) == rows[i].same);
    limiter_free(l);
}

/* Memory is fixed: a flood of strangers pushes out the oldest pairs, never the newest, and never breaks anything. */
static void test_flood(void **state) {
    (void)state;
    struct limiter *l = limiter_new((struct limiter_limits){1, 1}, key);
    char name[24];
    for (int i = 0; i < 100000; i++) {
        int n = snprintf(name, sizeof name, "app%d", i);
        uint64_t pair = limiter_pair(l, (str){name, (size_t)n}, S("192.0.2.1"));
        limiter_count(l, pair, COUNTS_AUTH, T0 + i / 10);
        assert_true(limiter_check(l, pair, BOTH, T0 + i / 10).blocked);
    }
    assert_false(limiter_check(l, limiter_pair(l, S("app0"), S("192.0.2.1")), BOTH, T0 + 10000).blocked);
    limiter_free(l);
}

struct crowd {
    struct limiter *l;
    uint64_t pair;
};

static void *fail_often(void *arg) {
    struct crowd *c = arg;
    for (int i = 0; i < 10000; i++) {
        limiter_count(c->l, c->pair, COUNTS_AUTH, T0 + i % 7);
        limiter_check(c->l, c->pair, BOTH, T0 + i % 7);
    }
    return NULL;
}

/* No failure is lost between loops. */
static void test_threads(void **state) {
    (void)state;
    struct crowd c = {.l = limiter_new((struct limiter_limits){40000, 0}, key)};
    pthread_t threads[4];
    c.pair = limiter_pair(c.l, S("app"), S("::1"));
    limiter_count(c.l, limiter_pair(c.l, S("x"), S("::1")), COUNTS_AUTH, T0);
    for (size_t i = 0; i < COUNT(threads); i++) assert_int_equal(pthread_create(&threads[i], NULL, fail_often, &c), 0);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    assert_true(limiter_check(c.l, c.pair, BOTH, T0 + 7).blocked);
    limiter_free(c.l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window), cmocka_unit_test(test_an_older_failure_begins_nothing_anew),
        cmocka_unit_test(test_kinds),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_flood),  cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
