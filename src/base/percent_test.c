#include "percent.h"

#include "rows_test.h"

static void test_decode(void **state) {
    (void)state;
    static const struct {
        str in;
        enum percent_kind kind;
        bool ok;
        str out;
    } rows[] = {
        {S(""), PERCENT_FORM, true, S("")},
        {S("abc-._~"), PERCENT_URI, true, S("abc-._~")},
        {S("a+b%2Bc%20d"), PERCENT_FORM, true, S("a b+c d")},
        {S("a+b%2Bc%20d"), PERCENT_URI, true, S("a+b+c d")},
        {S("%41%6a%6A"), PERCENT_URI, true, S("Ajj")},
        {S("%C3%A4%f0%9f%98%80"), PERCENT_FORM, true, S("\xC3\xA4\xF0\x9F\x98\x80")},
        {S("\xC3%A4"), PERCENT_FORM, true, S("\xC3\xA4")},
        {S("%25%32%35"), PERCENT_FORM, true, S("%25")}, /* once, never twice */
        {S("%"), PERCENT_FORM, false, S("")},
        {S("%4"), PERCENT_FORM, false, S("")},
        {S("a%4"), PERCENT_FORM, false, S("")},
        {S("%4g"), PERCENT_FORM, false, S("")},
        {S("%g4"), PERCENT_FORM, false, S("")},
        {S("%+1"), PERCENT_FORM, false, S("")},
        {S("% 1"), PERCENT_FORM, false, S("")},
        {S("%%41"), PERCENT_FORM, false, S("")},
        {S("%u0041"), PERCENT_FORM, false, S("")},
        {S("a%00b"), PERCENT_FORM, false, S("")},
        {S("a\0b"), PERCENT_FORM, false, S("")},
        {S("%FF"), PERCENT_FORM, false, S("")},
        {S("%C0%AF"), PERCENT_FORM, false, S("")},
        {S("%ED%A0%80"), PERCENT_FORM, false, S("")},
        {S("%C3"), PERCENT_FORM, false, S("")},
        {S("\x80"), PERCENT_URI, false, S("")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[32], in_place[32];
        size_t n = 4711;
        CHECK(i, percent_decode(rows[i].in, rows[i].kind, out, &n) == rows[i].ok);
        CHECK(i, rows[i].ok ? str_eq((str){out, n}, rows[i].out) : n == 4711);
        memcpy(in_place, rows[i].in.p, rows[i].in.n);
        CHECK(i, percent_decode((str){in_place, rows[i].in.n}, rows[i].kind, in_place, &n) == rows[i].ok);
        CHECK(i, !rows[i].ok || str_eq((str){in_place, n}, rows[i].out));
    }
}

static void test_encode(void **state) {
    (void)state;
    static const struct {
        str in, out;
    } rows[] = {
        {S(""), S("")},
        {S("AZaz09-._~"), S("AZaz09-._~")},
        {S("a b&c=d+e/?#[]@!$'()*,;:%"), S("a%20b%26c%3Dd%2Be%2F%3F%23%5B%5D%40%21%24%27%28%29%2A%2C%3B%3A%25")},
        {S("\xC3\xA4\n\x7F\""), S("%C3%A4%0A%7F%22")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[128];
        struct buf b = buf_on(memory, sizeof memory);
        percent_encode(&b, rows[i].in);
        CHECK(i, str_eq(buf_str(&b), rows[i].out));
    }
}

static void test_round_trip_of_every_character(void **state) {
    (void)state;
    for (unsigned c = 1; c < 0x800; c++) {
        char in[2] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))}, out[8], memory[8];
        str one = {in, 2};
        if (c < 0x80) in[0] = (char)c, one.n = 1;
        for (int kind = PERCENT_URI; kind <= PERCENT_FORM; kind++) {
            struct buf b = buf_on(memory, sizeof memory);
            size_t n;
            percent_encode(&b, one);
            CHECK(c, percent_decode(buf_str(&b), (enum percent_kind)kind, out, &n) && str_eq((str){out, n}, one));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_round_trip_of_every_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
