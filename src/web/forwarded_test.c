/* One client address, whatever stands in between. */
#include "forwarded.h"

#include <stdio.h>

#include "rows_test.h"

static void parse(const char *headers, struct http_head *out) {
    static const struct http_limits limits = {.head_max = 4096, .target_max = 100, .headers_max = 20, .body_max = 0};
    static char text[1024];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    assert_int_equal(http_head_parse(&limits, (str){text, (size_t)n}, out), 0);
}

static struct peer_block trusted[3];

static int set_up(void **state) {
    (void)state;
    bool good = peer_block_parse(S("127.0.0.1"), &trusted[0]) && peer_block_parse(S("10.0.0.0/8"), &trusted[1]) &&
                peer_block_parse(S("fd00::/8"), &trusted[2]);
    return good ? 0 : -1;
}

struct row {
    const char *headers, *peer;
    bool https;
};

/* From 127.0.0.1, with 127.0.0.1, 10/8 and fd00::/8 trusted. */
static void check(const struct row *rows, size_t n, bool rfc7239) {
    struct forwarded_rules rules = {trusted, COUNT(trusted), rfc7239};
    for (size_t i = 0; i < n; i++) {
        static struct http_head head;
        struct peer peer;
        char text[PEER_TEXT_BYTES];
        parse(rows[i].headers, &head);
        assert_true(peer_parse(S("127.0.0.1"), &peer));
        forwarded_walk(&head, &rules, &peer);
        peer_print(&peer, text);
        if (strcmp(text, rows[i].peer) != 0) fail_msg("row %zu: %s", i, text);
        CHECK(i, (forwarded_scheme_of(&head, &rules) == FORWARDED_SCHEME_HTTPS) == rows[i].https);
    }
}

static void test_x_forwarded(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "127.0.0.1", false},
        {"X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7", false},
        {"x-forwarded-for: 9.9.9.9, 203.0.113.7\r\n", "203.0.113.7", false}, /* the first was said by a stranger */
        {"X-Forwarded-For: 203.0.113.7,10.0.0.1 , 10.0.0.2\r\n", "203.0.113.7", false},
        {"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 10.0.0.1\r\n", "203.0.113.7", false},
        {"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7", false},
        {"X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n", "10.0.0.1", false}, /* nobody but proxies: the furthest */
        {"X-Forwarded-For: 203.0.113.7:4711\r\n", "203.0.113.7", false},
        {"X-Forwarded-For: [2001:db8::1]:4711, fd00::1\r\n", "2001:db8::1", false},
        {"X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1", false},
        {"X-Forwarded-For: unknown\r\n", "127.0.0.1", false},
        {"X-Forwarded-For: 203.0.113.7, unknown, 10.0.0.1\r\n", "10.0.0.1", false}, /* a gap ends the chain */
        {"X-Forwarded-For:\r\n", "127.0.0.1", false},
        {"X-Forwarded-For: ,\r\n", "127.0.0.1", false},
        {"X-Forwarded-For: [\r\n", "127.0.0.1", false},
        {"X-Forwarded-Proto: https\r\n", "127.0.0.1", true},
        {"X-Forwarded-Proto: HTTPS\r\n", "127.0.0.1", true},
        {"X-Forwarded-Proto: https, http\r\n", "127.0.0.1", false},
        {"X-Forwarded-Proto: httpsx\r\n", "127.0.0.1", false},
        {"Forwarded: for=203.0.113.7;proto=https\r\n", "127.0.0.1", false}, /* a client could have sent it */
    };
    check(rows, COUNT(rows), false);
}

static void test_rfc_7239(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "127.0.0.1", false},
        {"Forwarded: for=203.0.113.7\r\n", "203.0.113.7", false},
        {"forwarded: For=203.0.113.7;Proto=HTTPS\r\n", "203.0.113.7", true},
        {"Forwarded: for=\"203.0.113.7:4711\";proto=https\r\n", "203.0.113.7", true},
        {"Forwarded: for=\"[2001:db8::17]:4711\"\r\n", "2001:db8::17", false},
        {"Forwarded: for=\"[2001:db8::17]\";by=10.0.0.1;host=\"a,b;c\"\r\n", "2001:db8::17", false},
        {"Forwarded: for=9.9.9.9, for=203.0.113.7, for=10.0.0.1\r\n", "203.0.113.7",
         false}, /* the first: a stranger said it */
        {"Forwarded: for=9.9.9.9\r\nForwarded: for=203.0.113.7\r\nForwarded: for=10.0.0.1\r\n", "203.0.113.7", false},
        {"Forwarded: for=203.0.113.7;proto=https, for=10.0.0.1;proto=http\r\n", "203.0.113.7", false},
        {"Forwarded: for=203.0.113.7;proto=http, for=10.0.0.1;proto=https\r\n", "203.0.113.7", true},
        {"Forwarded: for=10.0.0.1, for=10.0.0.2\r\n", "10.0.0.1", false}, /* nobody but proxies: the furthest */
        {"Forwarded: for=203.0.113.7, for=unknown, for=10.0.0.2\r\n", "10.0.0.2", false},
        {"Forwarded: for=203.0.113.7, for=_hidden\r\n", "127.0.0.1", false},
        {"Forwarded: proto=https\r\n", "127.0.0.1", true},
        {"Forwarded: for=203.0.113.7, proto=https\r\n", "127.0.0.1", true}, /* an element without an address is a gap */
        {"Forwarded: for = 203.0.113.7\r\n", "127.0.0.1", false},
        {"Forwarded: for=203.0.113.7;for=9.9.9.9\r\n", "127.0.0.1", false},
        {"Forwarded: for=\"203.0.113.7\r\n", "127.0.0.1", false},
        {"Forwarded: for=\"203.0.113.7\"x;proto=https\r\n", "127.0.0.1", false},
        {"Forwarded: for=\"203.0.113\\.7\"\r\n", "127.0.0.1", false}, /* no address needs an escape */
        {"Forwarded: for=203.0.113.7:4711\r\n", "127.0.0.1", false},  /* a colon needs quotes */
        {"Forwarded: 203.0.113.7\r\n", "127.0.0.1", false},
        {"Forwarded: for=\r\n", "127.0.0.1", false},
        {"Forwarded:\r\n", "127.0.0.1", false},
        {"Forwarded: , for=203.0.113.7;;proto=https ;\r\n", "203.0.113.7", true},
        {"Forwarded: for=203.0.113.7,\r\n", "127.0.0.1", false},
        {"Forwarded: for=203.0.113.7\r\nForwarded: =;\r\n", "127.0.0.1", false}, /* broken: the chain ends there */
        {"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1",
         false}, /* not what this proxy writes */
    };
    check(rows, COUNT(rows), true);
}

/* The last ones count, as they are nearest to us. */
static void test_long_chain(void **state) {
    (void)state;
    char text[4096];
    size_t n = 0;
    for (int i = 0; i < 100; i++) n += (size_t)snprintf(text + n, sizeof text - n, "for=192.0.2.%d, ", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "for=203.0.113.7;proto=https");
    struct forwarded_element elements[FORWARDED_MAX];
    assert_true(forwarded_parse((str){text, n}, elements, &n));
    assert_int_equal(n, FORWARDED_MAX);
    assert_true(str_eq(elements[FORWARDED_MAX - 1].client, S("203.0.113.7")));
    assert_true(str_eq(elements[0].client, S("192.0.2.69")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_x_forwarded), cmocka_unit_test(test_rfc_7239),
                                       cmocka_unit_test(test_long_chain)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
