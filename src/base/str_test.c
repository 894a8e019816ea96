#include "str.h"

#include "rows_test.h"

#include <stdlib.h>

static void test_nocase(void **state) {
    (void)state;
    static const struct {
        str a, b;
        bool equal, begins;
    } rows[] = {
        {S("Content-Type"), S("content-TYPE"), true, true},
        {S("content-type: x"), S("Content-Type"), false, true},
        {S("Content"), S("content-type"), false, false},
        {S(""), S(""), true, true},
        {S("a"), S(""), false, true},
        {S("@[`{"), S("`{@["), false, false}, /* neighbours of the letters differ by the same bit and are not letters */
        {S("@"), S("`"), false, false},
        {S("\xC4"), S("\xE4"), false, false}, /* only ASCII */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(i, str_eq_nocase(rows[i].a, rows[i].b) == rows[i].equal);
        CHECK(i, str_starts_with_nocase(rows[i].a, rows[i].b) == rows[i].begins);
    }
}

static void test_slices(void **state) {
    (void)state;
    assert_true(str_is_empty(str_of(NULL)));
    assert_true(str_eq(str_of("abc"), S("abc")));
    assert_false(str_eq(S("abc"), S("abd")));
    assert_false(str_eq(S("abc"), S("ab")));
    assert_true(str_eq(str_from(S("abc"), 1), S("bc")));
    assert_true(str_is_empty(str_from(S("abc"), 3)));
    assert_true(str_is_empty(str_from(S("abc"), 9)));
    assert_true(str_is_empty(str_from(str_of(NULL), 1)));
    assert_true(str_eq(str_head(S("abc"), 2), S("ab")));
    assert_true(str_eq(str_head(S("abc"), 9), S("abc")));
    assert_int_equal(str_find(S("abcb"), 'b'), 1);
    assert_int_equal(str_find(S("abc"), 'x'), 3);
    assert_int_equal(str_find(str_of(NULL), 'x'), 0);
}

static void test_take(void **state) {
    (void)state;
    static const struct {
        str whole, parts[4];
        size_t n;
    } rows[] = {
        {S("a b c"), {S("a"), S("b"), S("c")}, 3},
        {S("a  b"), {S("a"), S(""), S("b")}, 3},
        {S(" a"), {S(""), S("a")}, 2},
        {S("a "), {S("a")}, 1},
        {S("abc"), {S("abc")}, 1},
        {S(""), {S("")}, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str rest = rows[i].whole;
        size_t n = 0;
        while (rest.n) {
            str part = str_take(&rest, ' ');
            CHECK(i, n < rows[i].n && str_eq(part, rows[i].parts[n]));
            n++;
        }
        CHECK(i, n == rows[i].n);
    }
}

static void test_trim(void **state) {
    (void)state;
    static const struct {
        str in, out;
    } rows[] = {
        {S(" \t a b\t "), S("a b")}, {S("a"), S("a")}, {S(" \t"), S("")}, {S(""), S("")}, {S("\na\r"), S("\na\r")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, str_eq(str_trim(rows[i].in), rows[i].out));
}

static void test_to_u64(void **state) {
    (void)state;
    static const struct {
        str in;
        uint64_t max;
        bool ok;
        uint64_t out;
    } rows[] = {
        {S("0"), 0, true, 0},
        {S("007"), 9, true, 7},
        {S("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {S("18446744073709551616"), UINT64_MAX, false, 0},
        {S("18446744073709551620"), UINT64_MAX, false, 0},
        {S("99999999999999999999999"), UINT64_MAX, false, 0},
        {S("10"), 9, false, 0},
        {S("9"), 9, true, 9},
        {S(""), 9, false, 0},
        {S("-1"), 9, false, 0},
        {S("+1"), 9, false, 0},
        {S(" 1"), 9, false, 0},
        {S("1 "), 9, false, 0},
        {S("0x1"), 9, false, 0},
        {S("1:"), 99, false, 0},
        {S("1/"), 99, false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t out = 4711;
        CHECK(i, str_to_u64(rows[i].in, rows[i].max, &out) == rows[i].ok);
        CHECK(i, out == (rows[i].ok ? rows[i].out : 4711));
    }
}

static void test_utf8_rows(void **state) {
    (void)state;
    static const struct {
        str in;
        bool ok;
    } rows[] = {
        {S(""), true},
        {S("plain \x7F"), true},
        {S("a\0b"), false},
        {S("\xC3\xA4"), true},
        {S("\xC2\x80"), true},
        {S("\xDF\xBF"), true},
        {S("\xE0\xA0\x80"), true},
        {S("\xED\x9F\xBF"), true},
        {S("\xEE\x80\x80"), true},
        {S("\xEF\xBF\xBF"), true},
        {S("\xF0\x90\x80\x80"), true},
        {S("\xF4\x8F\xBF\xBF"), true},
        {S("\xC0\x80"), false}, /* overlong NUL */
        {S("\xC0\xAF"), false}, /* overlong slash, in two, three and four bytes */
        {S("\xE0\x80\xAF"), false},
        {S("\xF0\x80\x80\xAF"), false},
        {S("\xC1\xBF"), false},
        {S("\xE0\x9F\xBF"), false},
        {S("\xF0\x8F\xBF\xBF"), false},
        {S("\xED\xA0\x80"), false}, /* surrogates, first and last */
        {S("\xED\xBF\xBF"), false},
        {S("\xED\xA0\xBD\xED\xB8\x80"), false}, /* a pair, as CESU-8 writes it */
        {S("\xF4\x90\x80\x80"), false},         /* U+110000 */
        {S("\xF5\x80\x80\x80"), false},
        {S("\xF8\x88\x80\x80\x80"), false}, /* five bytes */
        {S("\xFE"), false},
        {S("\xFF"), false},
        {S("\x80"), false},
        {S("\xBF"), false},
        {S("\xC3"), false}, /* cut off */
        {S("\xE2\x82"), false},
        {S("\xE2"), false},
        {S("\xF0\x9F\x98"), false},
        {S("\xC3("), false},
        {S("\xE2\x82("), false},
        {S("\xE2(\xAC"), false},
        {S("\xF0\x9F\x98("), false},
        {S("ok\xC3\xA4ok\x80"), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, str_is_utf8(rows[i].in) == rows[i].ok);
}

static size_t utf8_write(uint32_t code, char out[4]) {
    if (code < 0x80) return (void)(out[0] = (char)code), 1;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00u >> n & 0xFF) | code);
    return n;
}

static void test_utf8_every_code_point(void **state) {
    (void)state;
    for (uint32_t code = 0; code < 0x120000; code++) {
        char text[4];
        size_t n = utf8_write(code, text);
        bool good = code < 0x110000 && !(code >= 0xD800 && code < 0xE000);
        CHECK(code, str_utf8_length((str){text, n}) == (good ? n : 0));
        CHECK(code, n == 1 || str_utf8_length((str){text, n - 1}) == 0);
    }
}

/* Every string of three bytes that begins as one of three: the number it means must be one that needs three bytes. */
static void test_utf8_every_three_bytes(void **state) {
    (void)state;
    for (uint32_t v = 0xE00000; v < 0xF00000; v++) {
        char text[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
        bool tails = (v & 0xC0C0) == 0x8080;
        uint32_t code = (v >> 4 & 0xF000) | (v >> 2 & 0xFC0) | (v & 0x3F);
        bool good = tails && code >= 0x800 && !(code >= 0xD800 && code < 0xE000);
        CHECK(v, str_is_utf8((str){text, 3}) == good);
    }
}

static void test_classes(void **state) {
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char text[1] = {(char)c};
        str one = {text, 1};
        bool visible = c >= 0x20 && c <= 0x7E;
        CHECK(c, str_is_all(one, 'V') == visible);
        CHECK(c, str_is_all(one, 'N') == (visible && c != ' ' && c != '"' && c != '\\'));
        const char *unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        CHECK(c, str_is_all(one, 'U') == (c != 0 && memchr(unreserved, (int)c, strlen(unreserved)) != NULL));
        CHECK(c, !str_is_all(one, '?'));
    }
    assert_true(str_is_all(S(""), 'V'));
    assert_false(str_is_all(S("abc\n"), 'V'));
    assert_false(str_is_all(S("\nabc"), 'V'));
}

static void test_characters(void **state) {
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool digit = i >= '0' && i <= '9', lower = i >= 'a' && i <= 'z', upper = i >= 'A' && i <= 'Z';
        assert_int_equal(char_is_digit(c), digit);
        assert_int_equal(char_is_lower(c), lower);
        assert_int_equal(char_is_alpha(c), lower || upper);
        assert_int_equal(char_is_alnum(c), lower || upper || digit);
        char text[2] = {c, 0};
        bool hex = i && strchr("0123456789abcdefABCDEF", i) != NULL;
        assert_int_equal(char_is_hex(c), hex);
        assert_int_equal(char_hex_value(c), hex ? (int)strtol(text, NULL, 16) : -1);
        assert_int_equal(char_lower(c), (char)(upper ? i + 32 : i));
        assert_int_equal(char_upper(c), (char)(lower ? i - 32 : i));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_nocase),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_to_u64),
        cmocka_unit_test(test_utf8_rows),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_utf8_every_three_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
