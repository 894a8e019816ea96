#include "buf.h"

#include <stdio.h>

#include "rows_test.h"

static void add_text(struct buf *b) { buf_add(b, S("hello")); }
static void add_char(struct buf *b) { buf_add_char(b, 'c'); }
static void add_u64(struct buf *b) { buf_add_u64(b, UINT64_MAX); }
static void add_zero(struct buf *b) { buf_add_u64(b, 0); }
static void add_i64(struct buf *b) { buf_add_i64(b, INT64_MIN); }
static void add_minus_one(struct buf *b) { buf_add_i64(b, -1); }
static void print(struct buf *b) { buf_printf(b, "%s=%d", "answer", 42); }
static void print_long(struct buf *b) { buf_printf(b, "%300s", "x"); }

static const struct {
    void (*add)(struct buf *b);
    str text;
    size_t n;
} rows[] = {
    {add_text, S("hello"), 5},
    {add_char, S("c"), 1},
    {add_u64, S("18446744073709551615"), 20},
    {add_zero, S("0"), 1},
    {add_i64, S("-9223372036854775808"), 20},
    {add_minus_one, S("-1"), 2},
    {print, S("answer=42"), 9},
    {print_long, S(" "), 300},
};

/* Each append, with exactly enough room, with more, and with each smaller room. */
static void test_appends_at_the_edge(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t size = 0; size <= rows[i].n + 1; size++) {
            char memory[304];
            memset(memory, '#', sizeof memory);
            struct buf b = buf_on(memory, size);
            rows[i].add(&b);
            CHECK(i, buf_failed(&b) == (size < rows[i].n));
            CHECK(i, b.n == (size < rows[i].n ? 0 : rows[i].n));
            CHECK(i, buf_failed(&b) || str_starts_with(buf_str(&b), rows[i].text));
            CHECK(i, memory[size] == '#');
            if (!buf_failed(&b)) continue;
            buf_add(&b, S(""));
            buf_add_char(&b, 'x');
            CHECK(i, b.n == 0); /* sticky: there may be room for one, but it is not used */
        }
    }
}

static void test_growing(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b = buf_growing(rows[i].n * 10 + 3);
        assert_null(b.p);
        for (int k = 0; k < 10; k++) rows[i].add(&b);
        CHECK(i, !buf_failed(&b) && b.n == rows[i].n * 10 && b.cap <= b.max);
        CHECK(i, str_starts_with(str_from(buf_str(&b), rows[i].n * 9), rows[i].text));
        for (int k = 0; k < 4; k++) rows[i].add(&b);
        CHECK(i, buf_failed(&b) && b.n <= b.max);
        buf_clear(&b);
        CHECK(i, !buf_failed(&b) && b.n == 0 && b.p);
        buf_free(&b);
        CHECK(i, !b.p && b.n == 0 && b.cap == 0);
        rows[i].add(&b); /* usable again */
        CHECK(i, b.n == rows[i].n);
        buf_free(&b);
    }
}

static void test_reserve(void **state) {
    (void)state;
    struct buf b = buf_growing(1000);
    char *p = buf_reserve(&b, 600);
    assert_non_null(p);
    memset(p, 'a', 600);
    buf_advance(&b, 600);
    assert_non_null(buf_reserve(&b, 400));
    assert_false(buf_failed(&b));
    assert_null(buf_reserve(&b, 401));
    assert_true(buf_failed(&b));
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(b.n, 600);
    buf_free(&b);

    b = buf_growing(10);
    assert_non_null(buf_reserve(&b, 0));
    buf_free(&b);

    b = buf_growing(SIZE_MAX);
    assert_non_null(buf_reserve(&b, 1));
    buf_advance(&b, 1);
    assert_null(buf_reserve(&b, SIZE_MAX)); /* the sum would not fit */
    assert_true(buf_failed(&b));
    buf_free(&b);
}

static void test_drop_front(void **state) {
    (void)state;
    char memory[8];
    struct buf b = buf_on(memory, sizeof memory);
    buf_add(&b, S("abcdef"));
    buf_drop_front(&b, 0);
    buf_drop_front(&b, 2);
    assert_true(str_eq(buf_str(&b), S("cdef")));
    buf_add(&b, S("ghij"));
    assert_true(str_eq(buf_str(&b), S("cdefghij")));
    buf_drop_front(&b, 8);
    assert_int_equal(b.n, 0);
    buf_free(&b); /* the memory is the caller's: only forgotten */
    buf_add_char(&b, 'x');
    assert_true(buf_failed(&b));
    b = buf_growing(8);
    buf_drop_front(&b, 0);
    buf_free(&b);
}

static void test_i64(void **state) {
    (void)state;
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 99, 100, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT(values); i++) {
        char memory[32], wanted[32];
        struct buf b = buf_on(memory, sizeof memory);
        buf_add_i64(&b, values[i]);
        size_t n = (size_t)snprintf(wanted, sizeof wanted, "%lld", (long long)values[i]);
        CHECK(i, str_eq(buf_str(&b), (str){wanted, n}));
    }
}

/* Every length of number, at both of its ends. */
static void test_u64(void **state) {
    (void)state;
    for (uint64_t power = 1, length = 1; length <= 20; power *= 10, length++) {
        for (int offset = -1; offset <= 1; offset++) {
            uint64_t v = power + (uint64_t)(int64_t)offset;
            char memory[24], wanted[24];
            struct buf b = buf_on(memory, sizeof memory);
            buf_add_u64(&b, v);
            snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)v);
            CHECK(length, str_eq(buf_str(&b), str_of(wanted)));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_at_the_edge), cmocka_unit_test(test_growing), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_drop_front),          cmocka_unit_test(test_i64),     cmocka_unit_test(test_u64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
