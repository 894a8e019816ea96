#include "clock.h"

#include "rows_test.h"

/* One machine's life: what its two clocks say, and what we make of it. */
static void test_steps(void **state) {
    (void)state;
    static const struct {
        int64_t wall_ms, steady_ms, time_ms, step_ms;
    } rows[] = {
        {1000000, 500, 1000000, 0},
        {1000100, 600, 1000100, 0},
        {1000150, 700, 1000200, 0},       /* 50 ms behind: noted, nothing given back yet */
        {1000250, 800, 1000250, 0},       /* half of 100 ms given back: we agree */
        {1000351, 900, 1000351, 0},       /* ahead: at once */
        {1010000, 1000, 1010000, 9549},   /* a step ahead */
        {1000100, 1100, 1010100, -10000}, /* a step back: we go on */
        {1001100, 2100, 1010600, 0},      /* at half speed */
        {1001100, 2100, 1010600, 0},      /* no time, no step */
        {1003100, 4100, 1011600, 0},
        {1004101, 5101, 1012101, 0},  /* an odd millisecond waits for its other half ... */
        {1005100, 6100, 1012600, 0},  /* ... and is not lost */
        {1020100, 21100, 1020100, 0}, /* caught up */
        {1020200, 21200, 1020200, 0},
    };
    struct clock_state c = {rows[0].wall_ms - rows[0].steady_ms, false, 0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t step_ms = -1;
        CHECK(i, clock_advance(&c, rows[i].wall_ms, rows[i].steady_ms, &step_ms) == rows[i].time_ms);
        CHECK(i, step_ms == rows[i].step_ms);
    }
}

/* Whatever the machine's clock does, ours never goes back, and in the end it agrees. norm: N03 */
static void test_never_back(void **state) {
    (void)state;
    struct clock_state c = {1000000000, false, 0};
    uint32_t seed = 1;
    int64_t last_ms = 0, steady_ms = 0, offset_ms = 1000000000, step_ms;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525U + 1013904223U;
        steady_ms += seed >> 24;
        if (seed % 97 == 0) offset_ms += (int64_t)(seed >> 12) % 20001 - 10000;
        int64_t time_ms = clock_advance(&c, steady_ms + offset_ms, steady_ms, &step_ms);
        assert_true(time_ms >= last_ms);
        assert_true(time_ms >= steady_ms + offset_ms);
        last_ms = time_ms;
    }
    for (int i = 0; i < 100; i++) {
        steady_ms += 100000;
        last_ms = clock_advance(&c, steady_ms + offset_ms, steady_ms, &step_ms);
    }
    assert_int_equal(last_ms, steady_ms + offset_ms);
}

static void test_now(void **state) {
    (void)state;
    int64_t first_ms = clock_now_ms();
    assert_true(first_ms > 1600000000000);
    for (int i = 0; i < 100000; i++) {
        int64_t now_ms = clock_now_ms();
        assert_true(now_ms >= first_ms);
        first_ms = now_ms;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_never_back),
        cmocka_unit_test(test_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
