#include "rc.h"

#include <pthread.h>
#include <string.h>

#include "rows_test.h"

static RC always(enum fault fault) { return fault ? rc_fail(fault, "why %d", 7) : RC_OK; }

static RC first_of(enum fault one, enum fault two) {
    TRY(always(one));
    TRY(always(two));
    return RC_OK;
}

static void test_try(void **state) {
    (void)state;
    assert_true(rc_ok(first_of(FAULT_NONE, FAULT_NONE)));
    assert_int_equal(first_of(FAULT_IO, FAULT_KEY).fault, FAULT_IO);
    assert_int_equal(first_of(FAULT_NONE, FAULT_KEY).fault, FAULT_KEY);
    assert_string_equal(rc_detail(), "why 7");
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(rc_name((struct rc){FAULT_DB_BUSY}), "DB_BUSY");
    assert_string_equal(rc_name((struct rc){FAULT_INTERNAL}), "INTERNAL");
    assert_string_equal(rc_text((struct rc){FAULT_LOCKED}), "the data directory is in use");
    assert_string_equal(rc_name((struct rc){FAULT_COUNT}), "UNKNOWN");
    for (unsigned i = 0; i <= FAULT_COUNT; i++) {
        CHECK(i, rc_name((struct rc){(uint16_t)i})[0]);
        CHECK(i, rc_text((struct rc){(uint16_t)i})[0]);
    }
}

static void test_long_detail_is_cut(void **state) {
    (void)state;
    (void)rc_fail(FAULT_IO, "%500s", "x");
    assert_int_equal(strlen(rc_detail()), 239);
}

static void *fail_elsewhere(void *arg) {
    (void)rc_fail(FAULT_KEY, "elsewhere");
    *(bool *)arg = strcmp(rc_detail(), "elsewhere") == 0;
    return NULL;
}

static void test_detail_is_of_the_thread(void **state) {
    (void)state;
    bool seen = false;
    pthread_t thread;
    (void)rc_fail(FAULT_IO, "here");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &seen), 0);
    pthread_join(thread, NULL);
    assert_true(seen);
    assert_string_equal(rc_detail(), "here");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_try),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_detail_is_cut),
        cmocka_unit_test(test_detail_is_of_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
