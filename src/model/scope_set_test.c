#include "scope_set.h"

#include "rows_test.h"

static void add_all(struct scope_set *set, const uint16_t *ids, size_t n) {
    *set = (struct scope_set){0};
    for (size_t i = 0; i < n; i++) CHECK(i, scope_set_add(set, ids[i]));
}

static void test_known_forms(void **state) {
    (void)state;
    static const struct {
        uint16_t ids[5];
        size_t n;
        str bytes;
    } rows[] = {
        {{0}, 0, S("")},
        {{1}, 1, S("\x01")},
        {{127}, 1, S("\x7F")},
        {{128}, 1, S("\x80\x01")},
        {{16383}, 1, S("\xFF\x7F")},
        {{16384}, 1, S("\x80\x80\x01")},
        {{65535}, 1, S("\xFF\xFF\x03")},
        {{3, 1, 2}, 3, S("\x01\x01\x01")},
        {{300, 2, 300, 2}, 4, S("\x02\xAA\x02")},
        {{1, 128, 256, 65535}, 4, S("\x01\x7F\x80\x01\xFF\xFD\x03")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scope_set set, back;
        uint8_t bytes[SCOPE_SET_BYTES];
        add_all(&set, rows[i].ids, rows[i].n);
        size_t n = scope_set_encode(&set, bytes);
        CHECK(i, str_eq((str){(char *)bytes, n}, rows[i].bytes));
        CHECK(i, scope_set_decode(rows[i].bytes, &back) && scope_set_equal(&set, &back));
        for (size_t k = 0; k < rows[i].n; k++) CHECK(i, scope_set_has(&set, rows[i].ids[k]));
    }
}

static void test_other_forms_are_refused(void **state) {
    (void)state;
    static const str rows[] = {
        S("\x00"),     /* no scope has the id 0 */
        S("\x01\x00"), /* an id twice */
        S("\x80"),     /* cut off */
        S("\x80\x80"),
        S("\x01\x80"),
        S("\x80\x00"), /* needless bytes */
        S("\x81\x00"),
        S("\xFF\x80\x00"),
        S("\x81\x80\x00"),
        S("\x80\x80\x04"), /* 65536 */
        S("\xFF\xFF\x7F"),
        S("\xFF\xFF\x03\x01"), /* passes 65535 with the second */
        S("\x80\x80\x80\x01"), /* four bytes */
        S("\x81\x80\x80\x00"),
        S("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scope_set set;
        CHECK(i, !scope_set_decode(rows[i], &set));
    }
}

/* Of all strings of up to three bytes, those are good that the encoder writes, and no others. */
static void test_every_short_string(void **state) {
    (void)state;
    for (uint32_t v = 0; v < 0x1000000; v += v < 0x20000 ? 1 : 127) {
        char bytes[3] = {(char)v, (char)(v >> 8), (char)(v >> 16)};
        uint8_t again[SCOPE_SET_BYTES];
        struct scope_set set;
        for (size_t n = 1; n <= 3; n++) {
            if (!scope_set_decode((str){bytes, n}, &set)) continue;
            CHECK(v, set.n >= 1 && set.n <= n);
            CHECK(v, scope_set_encode(&set, again) == n && memcmp(again, bytes, n) == 0);
        }
    }
}

static void test_full_set(void **state) {
    (void)state;
    static const uint16_t steps[] = {1, 2, 127};
    for (size_t s = 0; s < COUNT(steps); s++) {
        struct scope_set set = {0}, back;
        uint8_t bytes[SCOPE_SET_BYTES];
        for (size_t i = SCOPE_SET_MAX; i > 0; i--) CHECK(i, scope_set_add(&set, (uint16_t)(i * steps[s])));
        assert_int_equal(set.n, SCOPE_SET_MAX);
        struct scope_set before = set;
        assert_false(scope_set_add(&set, (uint16_t)(SCOPE_SET_MAX * steps[s] + 1)));
        assert_true(scope_set_add(&set, steps[s])); /* is in it already */
        assert_true(scope_set_equal(&set, &before));
        size_t n = scope_set_encode(&set, bytes);
        assert_int_equal(n, SCOPE_SET_BYTES);
        assert_true(scope_set_decode((str){(char *)bytes, n}, &back));
        assert_true(scope_set_equal(&set, &back));
    }
    uint8_t longer[SCOPE_SET_BYTES + 1];
    struct scope_set back;
    memset(longer, 1, sizeof longer);
    assert_true(scope_set_decode((str){(char *)longer, SCOPE_SET_BYTES}, &back));
    assert_false(scope_set_decode((str){(char *)longer, SCOPE_SET_BYTES + 1}, &back));
}

/* Ids far apart take two or three bytes each: then the bytes are the limit, and a refused id leaves the set as it was. */
static void test_bytes_are_the_limit(void **state) {
    (void)state;
    static const struct {
        uint16_t step;
        size_t fit;
    } rows[] = {{128, 56}, {1000, 56}, {500, 56}};
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct scope_set set = {0};
        for (size_t i = 1; i <= rows[r].fit; i++) CHECK(i, scope_set_add(&set, (uint16_t)(i * rows[r].step)));
        struct scope_set before = set;
        CHECK(r, !scope_set_add(&set, 65535));
        CHECK(r, !scope_set_add(&set, (uint16_t)(rows[r].fit * rows[r].step + 1)));
        CHECK(r, scope_set_equal(&set, &before));
    }
    struct scope_set set = {0};
    for (uint16_t i = 1; i <= 56; i++) assert_true(scope_set_add(&set, (uint16_t)(i * 200)));
    assert_true(scope_set_add(&set, 100)); /* 200 = 100 + 100: two bytes become one and one */
    assert_false(scope_set_add(&set, 50)); /* one byte more than there is */
    assert_int_equal(set.n, 57);
}

static void test_in_any_order(void **state) {
    (void)state;
    struct scope_set up = {0}, down = {0}, mixed = {0};
    for (uint16_t i = 1; i <= 100; i++) {
        assert_true(scope_set_add(&up, (uint16_t)(i * 3)));
        assert_true(scope_set_add(&down, (uint16_t)((101 - i) * 3)));
        assert_true(scope_set_add(&mixed, (uint16_t)((i * 37 % 101) * 3)));
    }
    assert_true(scope_set_equal(&up, &down));
    assert_true(scope_set_equal(&up, &mixed));
    for (uint16_t id = 0; id < 400; id++) CHECK(id, scope_set_has(&up, id) == (id && id % 3 == 0 && id <= 300));
    assert_false(scope_set_add(&up, 0));
    assert_int_equal(up.n, 100);
}

static void test_subsets(void **state) {
    (void)state;
    static const struct {
        uint16_t part[4];
        size_t n_part;
        uint16_t whole[4];
        size_t n_whole;
        bool subset;
    } rows[] = {
        {{0}, 0, {0}, 0, true},           {{0}, 0, {1}, 1, true},           {{1}, 1, {0}, 0, false},
        {{1, 3}, 2, {1, 2, 3}, 3, true},  {{1, 4}, 2, {1, 2, 3}, 3, false}, {{1, 2, 3}, 3, {1, 2, 3}, 3, true},
        {{1, 2, 3}, 3, {1, 3}, 2, false}, {{2}, 1, {1, 3}, 2, false},       {{9}, 1, {1, 3}, 2, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scope_set part, whole;
        add_all(&part, rows[i].part, rows[i].n_part);
        add_all(&whole, rows[i].whole, rows[i].n_whole);
        CHECK(i, scope_set_is_subset(&part, &whole) == rows[i].subset);
        CHECK(i, scope_set_equal(&part, &whole) == (rows[i].subset && scope_set_is_subset(&whole, &part)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_forms),
        cmocka_unit_test(test_other_forms_are_refused),
        cmocka_unit_test(test_every_short_string),
        cmocka_unit_test(test_full_set),
        cmocka_unit_test(test_bytes_are_the_limit),
        cmocka_unit_test(test_in_any_order),
        cmocka_unit_test(test_subsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
