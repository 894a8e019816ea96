#include "keys_plan.h"

#include "rows_test.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)
#define T0   INT64_C(1800000000000)

static const struct key_rule monthly = {.ttl_ms = 30 * DAY, .ahead_ms = 2 * HOUR, .keep_ms = DAY};
static const struct key_rule by_hand = {.ttl_ms = 0, .ahead_ms = 2 * HOUR, .keep_ms = 0};

/* One key, and the one behind it, at both edges of every change. */
static void test_states(void **state) {
    (void)state;
    static const int64_t used[] = {T0, T0 + 30 * DAY};
    static const struct {
        int64_t now_ms;
        enum key_state first, second;
    } rows[] = {
        {T0 - HOUR, KEY_USED, KEY_NEXT}, /* a clock that was set back: something must sign */
        {T0, KEY_USED, KEY_NEXT},
        {T0 + 30 * DAY - 1, KEY_USED, KEY_NEXT},
        {T0 + 30 * DAY, KEY_RETIRED, KEY_USED},
        {T0 + 31 * DAY - 1, KEY_RETIRED, KEY_USED},
        {T0 + 31 * DAY, KEY_GONE, KEY_USED},
        {T0 + 999 * DAY, KEY_GONE, KEY_USED}, /* without a successor a key goes on */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(i, key_state_at(&monthly, used, 2, 0, rows[i].now_ms) == rows[i].first);
        CHECK(i, key_state_at(&monthly, used, 2, 1, rows[i].now_ms) == rows[i].second);
    }
    assert_int_equal(key_state_at(&by_hand, used, 2, 0, T0 + 9999 * DAY), KEY_RETIRED); /* kept forever */
}

static void test_due(void **state) {
    (void)state;
    static const int64_t used[] = {T0, T0 + 30 * DAY};
    static const struct {
        const struct key_rule *rule;
        size_t n;
        int64_t now_ms, used_ms; /* 0: not due */
    } rows[] = {
        {&monthly, 0, T0, T0},
        {&by_hand, 0, T0, T0},
        {&monthly, 1, T0, 0},
        {&monthly, 1, T0 + 30 * DAY - 2 * HOUR - 1, 0},
        {&monthly, 1, T0 + 30 * DAY - 2 * HOUR, T0 + 30 * DAY},
        {&monthly, 1, T0 + 30 * DAY - HOUR, T0 + 30 * DAY + HOUR}, /* late: still the whole time ahead */
        {&monthly, 1, T0 + 99 * DAY, T0 + 99 * DAY + 2 * HOUR},    /* off for long */
        {&monthly, 2, T0 + 30 * DAY - HOUR, 0},                    /* one waits already */
        {&monthly, 2, T0 + 60 * DAY - 2 * HOUR, T0 + 60 * DAY},
        {&by_hand, 1, T0 + 9999 * DAY, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t used_ms = 0;
        CHECK(i, key_is_due(rows[i].rule, used, rows[i].n, rows[i].now_ms, &used_ms) == (rows[i].used_ms != 0));
        CHECK(i, used_ms == rows[i].used_ms);
    }
}

static void test_next_change(void **state) {
    (void)state;
    static const int64_t used[] = {T0, T0 + 30 * DAY};
    assert_int_equal(key_next_change_ms(&monthly, used, 2, T0), T0 + 30 * DAY);
    assert_int_equal(key_next_change_ms(&monthly, used, 2, T0 + 30 * DAY), T0 + 31 * DAY);
    assert_int_equal(key_next_change_ms(&monthly, used, 2, T0 + 31 * DAY), T0 + 60 * DAY - 2 * HOUR);
    assert_true(key_next_change_ms(&monthly, used, 2, T0 + 60 * DAY) == KEY_NEVER);
    assert_true(key_next_change_ms(&by_hand, used, 2, T0 + 30 * DAY) == KEY_NEVER);
}

/* Years of a server that looks every minute: there is always exactly one key in use, each was published before its use as long as the rule says and stays
 * as long as the rule says afterwards. */
static void test_years(void **state) {
    (void)state;
    int64_t used[64], made[64];
    size_t n = 0, first = 0;
    for (int64_t now_ms = T0; now_ms < T0 + 400 * DAY; now_ms += 7 * 60000) {
        int64_t used_ms;
        if (key_is_due(&monthly, used + first, n - first, now_ms, &used_ms)) {
            made[n] = now_ms;
            used[n++] = used_ms;
        }
        size_t in_use = 0;
        for (size_t i = first; i < n; i++)
            in_use += key_state_at(&monthly, used + first, n - first, i - first, now_ms) == KEY_USED;
        assert_int_equal(in_use, 1);
        if (key_state_at(&monthly, used + first, n - first, 0, now_ms) == KEY_GONE) {
            assert_true(now_ms >= used[first + 1] + monthly.keep_ms);
            first++;
        }
        assert_true(n - first >= 1 && n - first <= 3);
    }
    assert_int_equal(n, 14);
    for (size_t i = 1; i < n; i++)
        assert_true(used[i] - made[i] >= monthly.ahead_ms && used[i] - used[i - 1] >= 30 * DAY);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_states), cmocka_unit_test(test_due),
                                       cmocka_unit_test(test_next_change), cmocka_unit_test(test_years)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
