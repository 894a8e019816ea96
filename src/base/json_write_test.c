#include "json_write.h"

#include <stdio.h>

#include "rows_test.h"

static void test_strings(void **state) {
    (void)state;
    static const struct {
        str in, out;
    } rows[] = {
        {S(""), S("\"\"")},
        {S("plain"), S("\"plain\"")},
        {S("a\"b\\c/d"), S("\"a\\\"b\\\\c/d\"")},
        {S("\n\r\t\b\f"), S("\"\\n\\r\\t\\u0008\\u000c\"")},
        {S("a\0b"), S("\"a\\u0000b\"")},
        {S("\x1F \x7F"), S("\"\\u001f \\u007f\"")},
        {S("</script>&"), S("\"\\u003c/script\\u003e\\u0026\"")},
        {S("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), S("\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"")},
        {S("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA"), S("\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAA\"")},
        {S("a\x80"), S("\"a\xEF\xBF\xBD\"")},
        {S("\xFF\xFE"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("\xC3"), S("\"\xEF\xBF\xBD\"")},
        {S("\xC3\"x"), S("\"\xEF\xBF\xBD\\\"x\"")}, /* a broken sequence does not swallow the quote behind it */
        {S("\xE2\x80<"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\\u003c\"")},
        {S("\xC0\xAF"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("\xED\xA0\x80"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("\xF4\x90\x80\x80z"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\"")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[64];
        struct buf b = buf_on(memory, sizeof memory);
        struct json j = json_on(&b);
        json_str(&j, rows[i].in);
        CHECK(i, str_eq(buf_str(&b), rows[i].out));
    }
}

/* Whatever bytes go in, UTF-8 without a control character, '<', '>' or '&' comes out, and no quote but the two. */
static void test_every_pair_of_bytes(void **state) {
    (void)state;
    for (unsigned v = 0; v < 0x10000; v++) {
        char in[2] = {(char)(v >> 8), (char)v}, memory[32];
        struct buf b = buf_on(memory, sizeof memory);
        struct json j = json_on(&b);
        json_str(&j, (str){in, 2});
        CHECK(v, str_is_utf8(buf_str(&b)) && b.n >= 4);
        for (size_t i = 1; i + 1 < b.n; i++) {
            uint8_t c = (uint8_t)memory[i];
            CHECK(v, c >= 0x20 && c != 0x7F && c != '<' && c != '>' && c != '&');
            CHECK(v, c != '"' || memory[i - 1] == '\\');
        }
        CHECK(v, memory[0] == '"' && memory[b.n - 1] == '"');
    }
}

static void write_all(struct json *j) {
    json_open(j);
    json_member_str(j, S("a"), S("x"));
    json_member_int(j, S("b"), INT64_MIN);
    json_member_bool(j, S("c"), true);
    json_key(j, S("d"));
    json_open_array(j);
    json_close_array(j);
    json_key(j, S("e"));
    json_open_array(j);
    json_int(j, 1);
    json_nil(j);
    json_open(j);
    json_close(j);
    json_open(j);
    json_member_bool(j, S("f"), false);
    json_close(j);
    json_str(j, S("g"));
    json_close_array(j);
    json_key(j, S("h"));
    json_nil(j);
    json_close(j);
}

static const str all = S("{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":true,\"d\":[],"
                         "\"e\":[1,null,{},{\"f\":false},\"g\"],\"h\":null}");

/* Eight bytes at a time say the same as one: every byte at every place of a long text, with neighbours that differ from it by one. */
static void test_every_byte_at_every_place(void **state) {
    (void)state;
    static const char neighbours[] = {'a', ' ', '~', '!', '=', '%', '['};
    for (size_t row = 0; row < 256 * 19 * COUNT(neighbours); row++) {
        char text[19], memory[200], one_by_one[200];
        memset(text, neighbours[row / (256 * 19)], sizeof text);
        text[row / 256 % 19] = (char)(row % 256);
        struct buf long_way = buf_on(one_by_one, sizeof one_by_one), b = buf_on(memory, sizeof memory);
        struct json j = json_on(&b);
        json_str(&j, (str){text, sizeof text});
        buf_add_char(&long_way, '"');
        for (size_t i = 0; i < sizeof text; i++) {
            char piece[16];
            struct buf single = buf_on(piece, sizeof piece);
            struct json letter = json_on(&single);
            json_str(&letter, (str){text + i, 1});
            buf_add(&long_way, (str){piece + 1, single.n - 2});
        }
        buf_add_char(&long_way, '"');
        CHECK(row, str_eq(buf_str(&b), buf_str(&long_way)));
    }
}

static void test_commas(void **state) {
    (void)state;
    struct buf b = buf_growing(1000);
    struct json j = json_on(&b);
    write_all(&j);
    assert_true(str_eq(buf_str(&b), all));
    buf_free(&b);
}

static void test_sticky_at_every_size(void **state) {
    (void)state;
    for (size_t size = 0; size <= all.n; size++) {
        char memory[160];
        memset(memory, '#', sizeof memory);
        struct buf b = buf_on(memory, size);
        struct json j = json_on(&b);
        write_all(&j);
        CHECK(size, buf_failed(&b) == (size < all.n));
        CHECK(size, memory[size] == '#');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_every_pair_of_bytes),
        cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_commas),
        cmocka_unit_test(test_sticky_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
