#include "grant.h"

#include "rows_test.h"

static void test_ids(void **state) {
    (void)state;
    static const uint8_t random[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0xFF};
    static const int64_t times_ms[] = {0, 1, 255, 256, 784111777123, 1786000000000, (INT64_C(1) << 48) - 1};
    struct grant_id before = {{0}};
    for (size_t i = 0; i < COUNT(times_ms); i++) {
        struct grant_id id = grant_id_make(times_ms[i], random);
        CHECK(i, grant_id_time_ms(&id) == times_ms[i]);
        CHECK(i, memcmp(id.b + 6, random, 10) == 0);
        CHECK(i, memcmp(id.b, before.b, sizeof id.b) > 0); /* later ids sort behind earlier ones */
        before = id;
    }
    struct grant_id id = grant_id_make(0x010203040506, random);
    assert_memory_equal(id.b, "\x01\x02\x03\x04\x05\x06\x01\x02\x03\x04\x05\x06\x07\x08\x09\xFF", 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
