#include "waitline.h"

#include "rows_test.h"

struct job {
    struct wait_link link; /* first */
    int name;
};

static int name_of(struct wait_link *link) { return link ? ((struct job *)link)->name : 0; }

static void join(struct waitline *line, struct job *jobs, int name, int64_t now_ms) {
    jobs[name].name = name;
    waitline_join(line, &jobs[name].link, now_ms);
}

static void test_first_come_first_served(void **state) {
    (void)state;
    struct waitline line = {0};
    struct job jobs[8];
    assert_null(waitline_take(&line));
    for (int round = 0; round < 3; round++) {
        for (int n = 1; n <= 5; n++) join(&line, jobs, n, n);
        assert_int_equal(line.n, 5);
        for (int n = 1; n <= 3; n++) assert_int_equal(name_of(waitline_take(&line)), n);
        join(&line, jobs, 6, 6);
        for (int n = 4; n <= 6; n++) assert_int_equal(name_of(waitline_take(&line)), n);
        assert_null(waitline_take(&line));
        assert_int_equal(line.n, 0);
    }
}

/* Ten times as many as may wait: the last ones stay, the others go in the order in which they came. */
static void test_the_oldest_goes_when_too_many_wait(void **state) {
    (void)state;
    static const struct waitline_limits limits = {.n_max = 4};
    struct waitline line = {0};
    struct job jobs[41];
    int shed = 0;
    for (int n = 1; n <= 40; n++) {
        join(&line, jobs, n, 1000000); /* no time passes, and without a limit it would not matter */
        for (struct wait_link *link; (link = waitline_shed(&line, &limits, 9000000));)
            assert_int_equal(name_of(link), ++shed);
        assert_true(line.n <= 4);
    }
    assert_int_equal(shed, 36);
    for (int n = 37; n <= 40; n++) assert_int_equal(name_of(waitline_take(&line)), n);
}

static void test_the_oldest_goes_when_it_waits_too_long(void **state) {
    (void)state;
    static const struct waitline_limits limits = {.n_max = 100, .wait_max_ms = 50};
    static const struct {
        int64_t now_ms;
        int shed_up_to; /* of the jobs 1, 2, ... that came at 10, 20, ... */
    } rows[] = {{10, 0}, {60, 0}, {61, 1}, {70, 1}, {85, 3}, {1000, 9}};
    struct waitline line = {0};
    struct job jobs[10];
    int shed = 0;
    for (int n = 1; n <= 9; n++) join(&line, jobs, n, n * 10);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (struct wait_link *link; (link = waitline_shed(&line, &limits, rows[i].now_ms));)
            CHECK(i, name_of(link) == ++shed);
        CHECK(i, shed == rows[i].shed_up_to);
    }
    assert_null(waitline_take(&line));
}

static void test_a_line_for_nobody(void **state) {
    (void)state;
    static const struct waitline_limits limits = {.n_max = 0};
    struct waitline line = {0};
    struct job job = {.name = 1};
    waitline_join(&line, &job.link, 1);
    assert_ptr_equal(waitline_shed(&line, &limits, 1), &job.link);
    assert_null(waitline_shed(&line, &limits, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come_first_served),
        cmocka_unit_test(test_the_oldest_goes_when_too_many_wait),
        cmocka_unit_test(test_the_oldest_goes_when_it_waits_too_long),
        cmocka_unit_test(test_a_line_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
