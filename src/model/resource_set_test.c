#include "resource_set.h"

#include "rows_test.h"

static void test_forms(void **state) {
    (void)state;
    static const struct {
        uint16_t ids[4];
        size_t n;
        str bytes;
    } rows[] = {
        {{0}, 0, S("")},
        {{1}, 1, S("\x00\x01")},
        {{65535, 2, 65535}, 3, S("\x00\x02\xFF\xFF")},
        {{3, 1, 256, 2}, 4, S("\x00\x01\x00\x02\x00\x03\x01\x00")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resource_set set = {0}, back;
        uint8_t bytes[RESOURCE_SET_BYTES];
        for (size_t k = 0; k < rows[i].n; k++) CHECK(i, resource_set_add(&set, rows[i].ids[k]));
        size_t n = resource_set_encode(&set, bytes);
        CHECK(i, str_eq((str){(char *)bytes, n}, rows[i].bytes));
        CHECK(i, resource_set_decode(rows[i].bytes, &back) && back.n == set.n);
        CHECK(i, resource_set_is_subset(&set, &back) && resource_set_is_subset(&back, &set));
    }
}

static void test_other_forms_are_refused(void **state) {
    (void)state;
    static const str rows[] = {
        S("\x01"),                                     /* half an id */
        S("\x00\x00"),                                 /* no resource has the id 0 */
        S("\x00\x01\x00\x01"),                         /* twice */
        S("\x00\x02\x00\x01"),                         /* not ascending */
        S("\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x08\0\x09"), /* one too many */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resource_set set;
        CHECK(i, !resource_set_decode(rows[i], &set));
    }
}

static void test_a_set_has_an_end(void **state) {
    (void)state;
    struct resource_set set = {0}, part = {0};
    for (uint16_t id = 1; id <= RESOURCE_SET_MAX; id++) CHECK(id, resource_set_add(&set, id));
    assert_false(resource_set_add(&set, 99));
    assert_true(resource_set_add(&set, 3));
    assert_false(resource_set_add(&set, 0));
    assert_true(resource_set_is_subset(&part, &set) && resource_set_add(&part, 8) && resource_set_add(&part, 99));
    assert_false(resource_set_is_subset(&part, &set));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_other_forms_are_refused),
        cmocka_unit_test(test_a_set_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
