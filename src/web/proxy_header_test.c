#include "proxy_header.h"

#include "rows_test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define INET      "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02"
#define INET6     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\0\x01\0\x02"

static void test_parse(void **state) {
    (void)state;
    static const struct {
        str data;
        int want;         /* -2: all of the data */
        const char *peer; /* NULL: none */
        bool secure;
    } rows[] = {
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n"), -2, "203.0.113.7", false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\nGET /"), 43, "203.0.113.7", false},
        {S("PROXY TCP6 2001:db8::7 2001:db8::1 5000 443\r\n"), -2, "2001:db8::7", false},
        {S("PROXY UNKNOWN\r\n"), -2, NULL, false},
        {S("PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n"), -2, NULL, false},
        {S("PROXY UNKNOWNX\r\n"), -1, NULL, false},
        {S("PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n"), -1, NULL, false},
        {S("PROXY TCP6 203.0.113.7 2001:db8::1 1 2\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 1 2 3\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 65536 2\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 01 2\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7  192.0.2.1 1 2\r\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n"), -1, NULL, false},
        {S("PROXY TCP4 203.0.113.256 192.0.2.1 1 2\r\n"), -1, NULL, false},
        {S("PROXY SCTP 203.0.113.7 192.0.2.1 1 2\r\n"), -1, NULL, false},
        {S("PROXY UNKNOWN "
           "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
           "4567"),
         -1, NULL, false},
        {S("GET / HTTP/1.1\r\n"), -1, NULL, false},
        {S("proxy TCP4"), -1, NULL, false},
        {S("\r\nGET /"), -1, NULL, false},
        {S(SIGNATURE "\x21\x11\x00\x0c" INET), -2, "1.2.3.4", false},
        {S(SIGNATURE "\x21\x11\x00\x0c" INET "GET"), 28, "1.2.3.4", false},
        {S(SIGNATURE "\x21\x21\x00\x24" INET6), -2, "2001:db8::1", false},
        {S(SIGNATURE "\x20\x00\x00\x00"), -2, NULL, false},
        {S(SIGNATURE "\x20\x11\x00\x0c" INET), -2, NULL, false},
        {S(SIGNATURE "\x21\x00\x00\x02zz"), -2, NULL, false},
        {S(SIGNATURE "\x21\x31\x00\x02zz"), -2, NULL, false},
        {S(SIGNATURE "\x21\x11\x00\x14" INET "\x20\x00\x05\x01\0\0\0\0"), -2, "1.2.3.4", true},
        {S(SIGNATURE "\x21\x11\x00\x14" INET "\x20\x00\x05\x02\0\0\0\0"), -2, "1.2.3.4", false},
        {S(SIGNATURE "\x21\x11\x00\x10" INET "\x04\x00\x01z"), -2, "1.2.3.4", false},
        {S(SIGNATURE "\x21\x11\x00\x0b" INET), -1, NULL, false},
        {S(SIGNATURE "\x21\x11\x00\x0e" INET "\x20\x00"), -1, NULL, false},
        {S(SIGNATURE "\x21\x11\x00\x10" INET "\x20\x00\x02z"), -1, NULL, false},
        {S(SIGNATURE "\x11\x11\x00\x0c" INET), -1, NULL, false},
        {S(SIGNATURE "\x22\x11\x00\x0c" INET), -1, NULL, false},
        {S(SIGNATURE "\x21\x11\x04\x0c" INET), -1, NULL, false},
        {S("\r\n\r\n\0\r\nQUIX\n"), -1, NULL, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct proxy_header got;
        char peer[PEER_TEXT_BYTES];
        int want = rows[i].want == -2 ? (int)rows[i].data.n : rows[i].want;
        CHECK(i, proxy_header_parse(rows[i].data, &got) == want);
        if (want < 0) continue;
        CHECK(i, got.has_peer == (rows[i].peer != NULL) && got.is_secure == rows[i].secure);
        peer_print(&got.peer, peer);
        if (rows[i].peer) CHECK(i, strcmp(peer, rows[i].peer) == 0);
        for (size_t n = 0; n < (size_t)want; n++) CHECK(i, proxy_header_parse(str_head(rows[i].data, n), &got) == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
