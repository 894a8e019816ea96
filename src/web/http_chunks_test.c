/* The chunk decoder: one table, each row whole, byte by byte and cut in two at every place. */
#include "http_parse.h"

#include <stdlib.h>

#include "rows_test.h"

static const struct http_limits limits = {.head_max = 300, .target_max = 100, .headers_max = 10, .body_max = 40};

static const struct {
    const char *name;
    str in;
    int want; /* 1: complete, 0: needs more, else -status */
    str body;
    size_t rest_n; /* bytes behind the body */
} rows[] = {
    {"one", S("5\r\nhello\r\n0\r\n\r\n"), 1, S("hello"), 0},
    {"two and a request", S("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET /"), 1, S("hello"), 5},
    {"empty", S("0\r\n\r\n"), 1, S(""), 0},
    {"hex", S("A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n"), 1, S("01234567890123456789"), 0},
    {"at the limit", S("28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n"), 1,
     S("0123456789012345678901234567890123456789"), 0},
    {"beyond the limit", S("29\r\n"), -413, S(""), 0},
    {"beyond it in sum", S("a\r\n0123456789\r\n1F\r\n"), -413, S("0123456789"), 0},
    {"16 digits", S("0000000000000001\r\nx\r\n0\r\n\r\n"), 1, S("x"), 0},
    {"16 large digits", S("ffffffffffffffff\r\n"), -413, S(""), 0},
    {"17 digits", S("00000000000000001\r\nx\r\n0\r\n\r\n"), -400, S(""), 0},
    {"17 large digits", S("10000000000000005\r\nhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"no digit", S("\r\n"), -400, S(""), 0},
    {"0x", S("0x2\r\n"), -400, S(""), 0},
    {"minus", S("-1\r\n"), -400, S(""), 0},
    {"plus", S("+1\r\n"), -400, S(""), 0},
    {"leading space", S(" 1\r\n"), -400, S(""), 0},
    {"trailing space", S("1 \r\n"), -400, S(""), 0},
    {"bare LF behind the size", S("5\nhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"bare CR behind the size", S("5\rhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"bare LF behind the data", S("5\r\nhello\n0\r\n\r\n"), -400, S("hello"), 0},
    {"data too long", S("5\r\nhello!\r\n0\r\n\r\n"), -400, S("hello"), 0},
    {"data too short", S("5\r\nhell\r\n0\r\n\r\n"), -400, S("hell\r"), 0},
    {"bare LF at the end", S("0\r\n\n"), -400, S(""), 0},
    {"bare CR at the end", S("0\r\n\rx"), -400, S(""), 0},
    {"extension", S("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n"), 1, S("hello"), 0},
    {"extension with bare LF", S("5;a\nb\r\nhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"extension with bare CR", S("5;a\rb\r\nhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"extension with NUL", S("5;a\0\r\nhello\r\n0\r\n\r\n"), -400, S(""), 0},
    {"trailer", S("1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\nhello"), 1, S("x"), 5},
    {"trailer without colon", S("0\r\nabc\r\n\r\n"), -400, S(""), 0},
    {"trailer without name", S("0\r\n: a\r\n\r\n"), -400, S(""), 0},
    {"trailer, folded", S("0\r\nA: b\r\n c\r\n\r\n"), -400, S(""), 0},
    {"trailer with bare LF", S("0\r\nA: b\n\r\n"), -400, S(""), 0},
    {"cut size", S("5"), 0, S(""), 0},
    {"cut data", S("5\r\nhel"), 0, S("hel"), 0},
    {"cut end", S("5\r\nhello\r\n0\r\n"), 0, S("hello"), 0},
    {"cut trailer", S("0\r\nA: b\r\n"), 0, S(""), 0},
};

/* Feeds in[0..cut), then steps of `step`; each piece in memory of its own size. */
static int decode(str in, size_t cut, size_t step, char *body, size_t *body_n, size_t *used) {
    struct http_chunks chunks = {0};
    int verdict = 0;
    *body_n = *used = 0;
    for (size_t at = 0, n = cut; at < in.n && verdict == 0; at += n, n = step) {
        if (n > in.n - at) n = in.n - at;
        if (n == 0) continue;
        char *piece = malloc(n);
        struct http_decoded out;
        memcpy(piece, in.p + at, n);
        verdict = http_chunks_decode(&chunks, &limits, piece, n, &out);
        assert_true(out.n <= out.used && out.used <= n && (verdict || out.used == n));
        memcpy(body + *body_n, piece, out.n);
        *body_n += out.n;
        *used += out.used;
        free(piece);
    }
    return verdict;
}

static void check_row(size_t i, size_t cut, size_t step) {
    char body[256];
    size_t body_n, used;
    int verdict = decode(rows[i].in, cut, step, body, &body_n, &used);
    if (verdict != rows[i].want || !str_eq((str){body, body_n}, rows[i].body))
        fail_msg("%s, cut at %zu: %d with %zu bytes", rows[i].name, cut, verdict, body_n);
    if (verdict == 1) CHECK(i, used == rows[i].in.n - rows[i].rest_n);
}

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_row(i, 1, 1);
        for (size_t cut = 0; cut <= rows[i].in.n; cut++) check_row(i, cut, rows[i].in.n);
    }
}

/* Framing is bounded: chunks of one byte pass, endless zeros, extensions and trailers do not. */
static void test_framing_is_bounded(void **state) {
    (void)state;
    static const struct {
        const char *begin, *unit, *end;
        int times, want;
    } floods[] = {
        {"", "1\r\nx\r\n", "0\r\n\r\n", 40, 1},
        {"1;", "x", "\r\n", 1000, -413},
        {"0\r\nA: ", "x", "\r\n\r\n", 1000, -413},
        {"0\r\n", "A: b\r\n", "\r\n", 200, -413},
    };
    for (size_t i = 0; i < COUNT(floods); i++) {
        static char text[4096], body[4096];
        size_t n = strlen(floods[i].begin), body_n, used;
        memcpy(text, floods[i].begin, n);
        for (int k = 0; k < floods[i].times; k++, n += strlen(floods[i].unit))
            memcpy(text + n, floods[i].unit, strlen(floods[i].unit));
        memcpy(text + n, floods[i].end, strlen(floods[i].end));
        n += strlen(floods[i].end);
        CHECK(i, decode((str){text, n}, n, n, body, &body_n, &used) == floods[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_framing_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
