#include "throttle.h"

#include "random.h"
#include "rows_test.h"

#define START_MS INT64_C(1900000000000)
#define LIMIT    10

static struct throttle *open_throttle(void) {
    static const uint8_t key[16] = {7};
    assert_true(crypto_start());
    return throttle_new(key);
}

/* Three tries at once, then each waits twice as long; the tenth ends the window. norm: X20 */
static void test_delays_grow(void **state) {
    (void)state;
    static const int64_t waits_s[LIMIT] = {0, 0, 0, 1, 2, 4, 8, 16, 32, 64};
    struct throttle *t = open_throttle();
    uint64_t key = throttle_key(t, S("account"), S("ada@example.com"));
    int64_t now_ms = START_MS;
    for (size_t i = 0; i < LIMIT; i++) {
        int64_t wait_ms = throttle_take(t, key, LIMIT, true, now_ms);
        CHECK(i, wait_ms == waits_s[i] * 1000);
        if (!wait_ms) continue;
        CHECK(i, throttle_take(t, key, LIMIT, true, now_ms + wait_ms - 1) == 1);
        now_ms += wait_ms;
        CHECK(i, throttle_take(t, key, LIMIT, true, now_ms) == 0);
    }
    int64_t rest_ms = throttle_take(t, key, LIMIT, true, now_ms);
    assert_int_equal(rest_ms, START_MS + THROTTLE_WINDOW_MS - now_ms);
    assert_int_equal(throttle_take(t, key, LIMIT, true, now_ms + rest_ms - 1), 1);
    assert_int_equal(throttle_take(t, key, LIMIT, true, now_ms + rest_ms), 0);
    throttle_free(t);
}

/* Each try has the time of its request, and requests overtake each other. */
static void test_an_older_try_begins_nothing_anew(void **state) {
    (void)state;
    struct throttle *t = open_throttle();
    uint64_t key = throttle_key(t, S("account"), S("a"));
    for (int64_t i = 0; i < 3; i++) assert_int_equal(throttle_take(t, key, LIMIT, true, START_MS - i), 0);
    for (int64_t i = 0; i < 9; i++) assert_int_equal(throttle_take(t, key, LIMIT, true, START_MS - i), 1000 + i);
    throttle_free(t);
}

static void test_a_right_password_is_no_failure(void **state) {
    (void)state;
    struct throttle *t = open_throttle();
    uint64_t key = throttle_key(t, S("account"), S("a"));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(throttle_take(t, key, LIMIT, true, START_MS + i), 0);
        throttle_give_back(t, key);
    }
    throttle_free(t);
}

static void test_keys_are_apart(void **state) {
    (void)state;
    struct throttle *t = open_throttle();
    uint64_t account = throttle_key(t, S("account"), S("a")), browser = throttle_key(t, S("browser"), S("a"));
    assert_true(account != browser && account != throttle_key(t, S("account"), S("b")));
    for (int i = 0; i < 2; i++) assert_int_equal(throttle_take(t, account, 2, false, START_MS), 0);
    assert_int_equal(throttle_take(t, account, 2, false, START_MS), THROTTLE_WINDOW_MS);
    assert_int_equal(throttle_take(t, browser, 2, false, START_MS), 0);
    assert_int_equal(throttle_take(t, account, 0, true, START_MS), 0); /* no limit */
    throttle_free(t);
}

/* Many keys make each other room, and none of them goes wrong. */
static void test_a_full_table(void **state) {
    (void)state;
    struct throttle *t = open_throttle();
    for (uint64_t i = 0; i < 40000; i++) {
        uint64_t key = throttle_key(t, S("address"), (str){(const char *)&i, sizeof i});
        assert_int_equal(throttle_take(t, key, LIMIT, true, START_MS + (int64_t)i), 0);
    }
    throttle_give_back(t, throttle_key(t, S("address"), S("never there")));
    throttle_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_grow),
        cmocka_unit_test(test_an_older_try_begins_nothing_anew),
        cmocka_unit_test(test_a_right_password_is_no_failure),
        cmocka_unit_test(test_keys_are_apart),
        cmocka_unit_test(test_a_full_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
