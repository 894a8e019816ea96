/* The parser by one table. Each row is parsed whole and byte by byte, which must give the same verdict. */
#include "http_parse.h"

#include <stdlib.h>

#include "http_rules.h"

#include "rows_test.h"

static const struct http_limits limits = {.head_max = 16384, .target_max = 8192, .headers_max = 100, .body_max = 65536};

#define POST "POST /oauth/v3/token HTTP/1.1\r\n"
#define HOST "Host: a.example\r\n"
#define LEN  "Content-Length: 5\r\n"
#define END  "\r\n"

static const struct {
    const char *name;
    int want; /* 0: good */
    str begin;
    const char *unit; /* repeated `times` */
    int times;
    str end;
} rows[] = {
    {"valid", 0, S(POST HOST LEN END), "", 0, S("")},
    {"chunked", 0, S(POST HOST "Transfer-Encoding: Chunked\r\n" END), "", 0, S("")},
    {"GET", 0, S("GET /a?b=c HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"2x CL same", 400, S(POST HOST LEN LEN END), "", 0, S("")},
    {"2x CL differ", 400, S(POST HOST LEN "Content-Length: 6\r\n" END), "", 0, S("")},
    {"CL list", 400, S(POST HOST "Content-Length: 5, 5\r\n" END), "", 0, S("")},
    {"CL and TE", 400, S(POST HOST LEN "Transfer-Encoding: chunked\r\n" END), "", 0, S("")},
    {"TE and CL", 400, S(POST HOST "Transfer-Encoding: chunked\r\n" LEN END), "", 0, S("")},
    {"TE xchunked", 501, S(POST HOST "Transfer-Encoding: xchunked\r\n" END), "", 0, S("")},
    {"TE list", 501, S(POST HOST "Transfer-Encoding: chunked, identity\r\n" END), "", 0, S("")},
    {"TE gzip, chunked", 501, S(POST HOST "Transfer-Encoding: gzip, chunked\r\n" END), "", 0, S("")},
    {"TE twice", 501, S(POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END), "", 0, S("")},
    {"TE twice, gzip first", 501, S(POST HOST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" END), "", 0,
     S("")},
    {"TE empty", 501, S(POST HOST "Transfer-Encoding:\r\n" END), "", 0, S("")},
    {"TE with VT", 400, S(POST HOST "Transfer-Encoding: \vchunked\r\n" END), "", 0, S("")},
    {"TE in HTTP/1.0", 400, S("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END), "", 0, S("")},
    {"CL +n", 400, S(POST HOST "Content-Length: +5\r\n" END), "", 0, S("")},
    {"CL -1", 400, S(POST HOST "Content-Length: -1\r\n" END), "", 0, S("")},
    {"CL 42abc", 400, S(POST HOST "Content-Length: 42abc\r\n" END), "", 0, S("")},
    {"CL hex", 400, S(POST HOST "Content-Length: 0x5\r\n" END), "", 0, S("")},
    {"CL inner space", 400, S(POST HOST "Content-Length: 4 2\r\n" END), "", 0, S("")},
    {"CL 2^64+5", 400, S(POST HOST "Content-Length: 18446744073709551621\r\n" END), "", 0, S("")},
    {"CL 2^64-1", 413, S(POST HOST "Content-Length: 18446744073709551615\r\n" END), "", 0, S("")},
    {"CL many zeros", 400, S(POST HOST "Content-Length: "), "0", 30, S("5\r\n" END)},
    {"CL empty", 400, S(POST HOST "Content-Length:\r\n" END), "", 0, S("")},
    {"CL at the limit", 0, S(POST HOST "Content-Length: 65536\r\n" END), "", 0, S("")},
    {"CL beyond it", 413, S(POST HOST "Content-Length: 65537\r\n" END), "", 0, S("")},
    {"POST without length", 411, S(POST HOST END), "", 0, S("")},
    {"DELETE without length", 0, S("DELETE /a HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"bare LF everywhere", 400, S("GET / HTTP/1.1\nHost: a\n\n"), "", 0, S("")},
    {"bare LF after a header", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\n" END), "", 0, S("")},
    {"bare LF as the empty line", 400, S("GET / HTTP/1.1\r\n" HOST "\n"), "", 0, S("")},
    {"bare CR in value", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n" END), "", 0, S("")},
    {"CR CR LF", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\r\r\n" END), "", 0, S("")},
    {"obs-fold space", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n" END), "", 0, S("")},
    {"obs-fold tab", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc: d\r\n" END), "", 0, S("")},
    {"space before the first header", 400, S("GET / HTTP/1.1\r\n " HOST END), "", 0, S("")},
    {"NUL in value", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n" END), "", 0, S("")},
    {"DEL in value", 400, S("GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n" END), "", 0, S("")},
    {"obs-text in value", 0, S("GET / HTTP/1.1\r\n" HOST "A: b\xe4\r\n" END), "", 0, S("")},
    {"space before colon", 400, S("GET / HTTP/1.1\r\n" HOST "A : b\r\n" END), "", 0, S("")},
    {"bad name character", 400, S("GET / HTTP/1.1\r\n" HOST "A(b: c\r\n" END), "", 0, S("")},
    {"name beyond ASCII", 400, S("GET / HTTP/1.1\r\n" HOST "\xc4: c\r\n" END), "", 0, S("")},
    {"empty name", 400, S("GET / HTTP/1.1\r\n" HOST ": c\r\n" END), "", 0, S("")},
    {"no colon", 400, S("GET / HTTP/1.1\r\n" HOST "abc\r\n" END), "", 0, S("")},
    {"empty value", 0, S("GET / HTTP/1.1\r\n" HOST "A:\r\nB: \t \r\n" END), "", 0, S("")},
    {"header 7 KB", 0, S("GET / HTTP/1.1\r\n" HOST "A: "), "x", 7000, S("\r\n" END)},
    {"header 20 KB", 431, S("GET / HTTP/1.1\r\n" HOST "A: "), "x", 20000, S("\r\n" END)},
    {"header 200 KB", 431, S("GET / HTTP/1.1\r\n" HOST "A: "), "x", 200000, S("\r\n" END)},
    {"100 headers", 0, S("GET / HTTP/1.1\r\n" HOST), "A: b\r\n", 99, S(END)},
    {"101 headers", 431, S("GET / HTTP/1.1\r\n" HOST), "A: b\r\n", 100, S(END)},
    {"2000 headers", 431, S("GET / HTTP/1.1\r\n" HOST), "A: b\r\n", 2000, S(END)},
    {"URI at the limit", 0, S("GET /"), "x", 8191, S(" HTTP/1.1\r\n" HOST END)},
    {"URI beyond it", 414, S("GET /"), "x", 8192, S(" HTTP/1.1\r\n" HOST END)},
    {"URI 20 KB", 414, S("GET /"), "x", 20000, S(" HTTP/1.1\r\n" HOST END)},
    {"endless request line", 414, S(""), "x", 9000, S("")},
    {"head at the limit", 0, S("GET / HTTP/1.1\r\n" HOST "A: "), "x", 16384 - 16 - 17 - 3 - 4, S("\r\n" END)},
    {"head beyond it", 431, S("GET / HTTP/1.1\r\n" HOST "A: "), "x", 16384 - 16 - 17 - 3 - 3, S("\r\n" END)},
    {"URI with NUL", 400, S("GET /a\0b HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"URI with space", 400, S("GET /a b HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"URI with tab", 400, S("GET /a\tb HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"URI beyond ASCII", 400, S("GET /\xc3\xa4 HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"URI with fragment", 400, S("GET /a#b HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"path with backslash", 400, S("GET /a\\b HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"escapes are the router's", 0, S("GET /%2e%2e/%00 HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"two spaces before the target", 400, S("GET  / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"two spaces behind the target", 400, S("GET /  HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"space behind the version", 400, S("GET / HTTP/1.1 \r\n" HOST END), "", 0, S("")},
    {"Expect", 0, S(POST HOST LEN "Expect: 100-Continue\r\n" END), "", 0, S("")},
    {"Expect foo", 417, S(POST HOST LEN "Expect: foo\r\n" END), "", 0, S("")},
    {"Expect foo in HTTP/1.0", 0, S("POST / HTTP/1.0\r\n" LEN "Expect: foo\r\n" END), "", 0, S("")},
    {"absolute-form", 0, S("GET http://a.example:80/b?c HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"absolute-form without path", 0, S("GET https://a.example HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"absolute-form with user", 400, S("GET http://u@a.example/ HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"absolute-form without host", 400, S("GET http:///a HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"absolute-form, other scheme", 400, S("GET ftp://a/ HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"authority-form", 400, S("CONNECT a.example:443 HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"asterisk-form", 0, S("OPTIONS * HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"asterisk for GET", 400, S("GET * HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"HTTP/1.0", 0, S("GET / HTTP/1.0\r\n" END), "", 0, S("")},
    {"HTTP/1.2", 505, S("GET / HTTP/1.2\r\n" HOST END), "", 0, S("")},
    {"HTTP/2.0", 505, S("GET / HTTP/2.0\r\n" HOST END), "", 0, S("")},
    {"h2 preface", 505, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "", 0, S("")},
    {"HTTP/0.9", 400, S("GET /\r\n"), "", 0, S("")},
    {"version 0.9", 400, S("GET / HTTP/0.9\r\n" HOST END), "", 0, S("")},
    {"http/1.1", 400, S("GET / http/1.1\r\n" HOST END), "", 0, S("")},
    {"HTTP/1.10", 400, S("GET / HTTP/1.10\r\n" HOST END), "", 0, S("")},
    {"HTTP/1,1", 400, S("GET / HTTP/1,1\r\n" HOST END), "", 0, S("")},
    {"the request line comes first", 505, S("GET / HTTP/3.0\r\nA: b\n"), "", 0, S("")},
    {"and before the limits", 505, S("GET / HTTP/3.0\r\n"), "A: b\r\n", 200, S("")},
    {"lower-case method", 0, S("get / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"unknown method", 0, S("FOO / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"bad method", 400, S("G(T / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"no method", 400, S(" / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"missing Host", 400, S("GET / HTTP/1.1\r\n" END), "", 0, S("")},
    {"two Hosts", 400, S("GET / HTTP/1.1\r\n" HOST HOST END), "", 0, S("")},
    {"empty Host", 400, S("GET / HTTP/1.1\r\nHost:\r\n" END), "", 0, S("")},
    {"Host with path", 400, S("GET / HTTP/1.1\r\nHost: a/b\r\n" END), "", 0, S("")},
    {"Host with user", 400, S("GET / HTTP/1.1\r\nHost: a@b\r\n" END), "", 0, S("")},
    {"Host list", 400, S("GET / HTTP/1.1\r\nHost: a, b\r\n" END), "", 0, S("")},
    {"Host with port", 0, S("GET / HTTP/1.1\r\nHost: a-b.example:8080\r\n" END), "", 0, S("")},
    {"Host with bad port", 400, S("GET / HTTP/1.1\r\nHost: a:99999\r\n" END), "", 0, S("")},
    {"Host, IPv6", 0, S("GET / HTTP/1.1\r\nHost: [::1]:80\r\n" END), "", 0, S("")},
    {"Host, IPv6 open", 400, S("GET / HTTP/1.1\r\nHost: [::1\r\n" END), "", 0, S("")},
    {"Host, IPv6 and more", 400, S("GET / HTTP/1.1\r\nHost: [::1]x\r\n" END), "", 0, S("")},
    {"bad Host beside an absolute-form", 400, S("GET http://a/ HTTP/1.1\r\nHost: a b\r\n" END), "", 0, S("")},
    {"leading CRLF", 0, S("\r\nGET / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"two leading CRLF", 400, S("\r\n\r\nGET / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"leading LF", 400, S("\nGET / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"leading CR", 400, S("\rGET / HTTP/1.1\r\n" HOST END), "", 0, S("")},
    {"TLS hello", 400, S("\x16\x03\x01\x02"), "", 0, S("")},
    {"h2c upgrade", 0, S("GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" END), "",
     0, S("")},
};

/* Memory of exactly the row's size, so that ASan sees a read past its end. */
static char *row_bytes(size_t i, size_t *out_n) {
    size_t unit_n = strlen(rows[i].unit), n = rows[i].begin.n + unit_n * (size_t)rows[i].times + rows[i].end.n;
    char *bytes = malloc(n ? n : 1), *p = bytes;
    memcpy(p, rows[i].begin.p, rows[i].begin.n);
    p += rows[i].begin.n;
    for (int k = 0; k < rows[i].times; k++, p += unit_n) memcpy(p, rows[i].unit, unit_n);
    memcpy(p, rows[i].end.p, rows[i].end.n);
    *out_n = n;
    return bytes;
}

/* Status of bytes that arrive in steps of `step`; -1 when they are not enough for a verdict. */
static int verdict_of(const char *bytes, size_t n, size_t step, struct http_head *out) {
    struct http_scan scan = {0};
    for (size_t have = step < n ? step : n;; have = have + step < n ? have + step : n) {
        char *copy = malloc(have ? have : 1);
        memcpy(copy, bytes, have);
        int head_n = http_head_scan(&scan, &limits, (str){copy, have});
        free(copy);
        if (head_n < 0) return -head_n;
        if (head_n > 0) return http_head_parse(&limits, (str){bytes, (size_t)head_n}, out);
        if (have == n) return -1;
    }
}

static void test_verdicts(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct http_head head;
        size_t n;
        char *bytes = row_bytes(i, &n);
        int whole = verdict_of(bytes, n, n, &head);
        int in_pieces = verdict_of(bytes, n, n > 20000 ? 97 : 1, &head);
        if (whole != rows[i].want || in_pieces != whole)
            fail_msg("%s: wanted %d, got %d whole and %d in pieces", rows[i].name, rows[i].want, whole, in_pieces);
        free(bytes);
    }
}

/* What may still become a request is no verdict yet: every good row, cut anywhere. */
static void test_cut_heads_wait(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct http_head head;
        size_t n;
        char *bytes = row_bytes(i, &n);
        if (rows[i].want == 0 && n < 2000)
            for (size_t cut = 0; cut < n; cut++)
                if (verdict_of(bytes, cut, cut ? cut : 1, &head) != -1) fail_msg("%s cut at %zu", rows[i].name, cut);
        free(bytes);
    }
}

static void parse(str text, struct http_head *out) { assert_int_equal(verdict_of(text.p, text.n, text.n, out), 0); }

static void test_slices(void **state) {
    (void)state;
    static const struct {
        str bytes, path, query, authority;
        enum http_method method;
        bool keep_alive;
    } heads[] = {
        {S("GET /a/b?c=d&e HTTP/1.1\r\n" HOST END), S("/a/b"), S("c=d&e"), S("a.example"), HTTP_GET, true},
        {S("HEAD /a? HTTP/1.1\r\n" HOST END), S("/a"), S(""), S("a.example"), HTTP_HEAD, true},
        {S("GET /?a?b HTTP/1.1\r\n" HOST END), S("/"), S("a?b"), S("a.example"), HTTP_GET, true},
        {S("GET HTTP://B:1/c?d HTTP/1.1\r\n" HOST END), S("/c"), S("d"), S("B:1"), HTTP_GET, true},
        {S("GET https://b?d HTTP/1.1\r\n" HOST END), S("/"), S("d"), S("b"), HTTP_GET, true},
        {S("PUT / HTTP/1.1\r\n" HOST LEN "Connection: close\r\n" END), S("/"), S(""), S("a.example"), HTTP_PUT, false},
        {S("GET / HTTP/1.1\r\n" HOST "Connection: x, CLOSE ,y\r\n" END), S("/"), S(""), S("a.example"), HTTP_GET,
         false},
        {S("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n" END), S("/"), S(""), S("a.example"), HTTP_GET, true},
        {S("PATCH / HTTP/1.0\r\n" LEN END), S("/"), S(""), S(""), HTTP_PATCH, false},
        {S("DELETE / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END), S("/"), S(""), S(""), HTTP_DELETE, true},
        {S("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n" END), S("/"), S(""), S(""), HTTP_GET, false},
        {S("post / HTTP/1.1\r\n" HOST END), S("/"), S(""), S("a.example"), HTTP_UNKNOWN, true},
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        static struct http_head h;
        parse(heads[i].bytes, &h);
        CHECK(i, str_eq(h.path, heads[i].path));
        CHECK(i, str_eq(h.query, heads[i].query));
        CHECK(i, str_eq(h.authority, heads[i].authority));
        CHECK(i, h.method == heads[i].method);
        CHECK(i, h.keep_alive == heads[i].keep_alive);
    }
}

static void test_headers(void **state) {
    (void)state;
    static struct http_head h;
    parse(S("POST / HTTP/1.1\r\nHOST: A\r\nX-One:  a b\t \r\nx-one: second\r\nContent-Length: 007\r\nExpect: "
            "100-continue\r\n\r\n"),
          &h);
    assert_int_equal(h.n_headers, 5);
    assert_true(str_eq(http_find_header(&h, S("x-one"))->value, S("a b")));
    assert_null(http_find_header(&h, S("x-two")));
    assert_true(h.has_length && h.content_length == 7 && h.expect_continue && !h.chunked);
}

/* The scan stops at the end of the head, whatever comes behind it. */
static void test_scan_counts(void **state) {
    (void)state;
    str head = S("GET / HTTP/1.1\r\n" HOST END), both = S("GET / HTTP/1.1\r\n" HOST END "GET /b\n");
    struct http_scan scan = {0};
    assert_int_equal(http_head_scan(&scan, &limits, both), head.n);
}

/* Words of eight bytes must say what their bytes say: every byte at every place. */
static void test_classes(void **state) {
    (void)state;
    for (size_t n = 1; n <= 20; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[20], low[20];
                memset(text, 'Q', sizeof text);
                text[at] = (char)byte;
                str s = {text, n};
                for (int class = HTTP_TCHAR; class <= HTTP_IP6; class *= 2) {
                    bool others = n == 1 || http_is('Q', (enum http_class) class);
                    assert_int_equal(http_is_all(s, (enum http_class) class),
                                     others && http_is(text[at], (enum http_class) class));
                }
                if (byte >= 128) continue;
                http_lower(s, low);
                for (size_t i = 0; i < n; i++) assert_int_equal(low[i], char_lower(text[i]));
            }
        }
    }
    assert_true(http_is_all(S(""), HTTP_VALUE));
    assert_true(http_is_all(S("a\tb\xff and so on"), HTTP_VALUE) && !http_is_all(S("a\tb\x7f and so on"), HTTP_VALUE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_cut_heads_wait), cmocka_unit_test(test_slices),
        cmocka_unit_test(test_headers),  cmocka_unit_test(test_scan_counts),    cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
