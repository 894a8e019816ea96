/* Addresses, blocks of them, and who may speak for whom. */
#include "peer.h"

#include <stdio.h>

#include "rows_test.h"

static void test_blocks(void **state) {
    (void)state;
    static const struct {
        str block, address;
        bool parses, has;
    } rows[] = {
        {S("127.0.0.1"), S("127.0.0.1"), true, true},
        {S("127.0.0.1"), S("127.0.0.2"), true, false},
        {S("10.0.0.0/8"), S("10.255.1.2"), true, true},
        {S("10.0.0.0/8"), S("11.0.0.0"), true, false},
        {S("192.168.4.0/22"), S("192.168.7.255"), true, true},
        {S("192.168.4.0/22"), S("192.168.8.0"), true, false},
        {S("0.0.0.0/0"), S("8.8.8.8"), true, true},
        {S("0.0.0.0/0"), S("2001:db8::1"), true, false}, /* all of IPv4 is not all */
        {S("::/0"), S("2001:db8::1"), true, true},
        {S("2001:db8::/33"), S("2001:db8:7fff::1"), true, true},
        {S("2001:db8::/33"), S("2001:db8:8000::1"), true, false},
        {S("10.0.0.0/8"), S("::ffff:10.1.1.1"), true, true}, /* the same address in the other notation */
        {S("::1/128"), S("::1"), true, true},
        {S("10.0.0.0/33"), S(""), false, false},
        {S("::/129"), S(""), false, false},
        {S("10.0.0.0/"), S(""), false, false},
        {S("10.0.0.0/-1"), S(""), false, false},
        {S("10.0.0"), S(""), false, false},
        {S("localhost"), S(""), false, false},
        {S(""), S(""), false, false},
        {S("127.0.0.1\0"), S(""), false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer_block block;
        struct peer peer;
        CHECK(i, peer_block_parse(rows[i].block, &block) == rows[i].parses);
        if (!rows[i].parses) continue;
        CHECK(i, peer_parse(rows[i].address, &peer));
        CHECK(i, peer_is_in(&peer, &block, 1) == rows[i].has);
    }
}

static void test_unix_is_its_own(void **state) {
    (void)state;
    struct peer_block all, unix_only;
    struct peer unix_peer = {.is_unix = true}, ip;
    assert_true(peer_block_parse(S("::/0"), &all) && peer_block_parse(S("unix"), &unix_only) &&
                peer_parse(S("::1"), &ip));
    assert_false(peer_is_in(&unix_peer, &all, 1));
    assert_true(peer_is_in(&unix_peer, &unix_only, 1));
    assert_false(peer_is_in(&ip, &unix_only, 1));
}

static void parse(const char *headers, struct http_head *out) {
    static const struct http_limits limits = {.head_max = 4096, .target_max = 100, .headers_max = 20, .body_max = 0};
    static char text[1024];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    assert_int_equal(http_head_parse(&limits, (str){text, (size_t)n}, out), 0);
}

/* From 127.0.0.1, with 127.0.0.1, 10/8 and fd00::/8 trusted. */
static void test_forwarded(void **state) {
    (void)state;
    static const struct {
        const char *headers, *peer;
        bool https;
    } rows[] = {
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
    };
    struct peer_block trusted[3];
    assert_true(peer_block_parse(S("127.0.0.1"), &trusted[0]));
    assert_true(peer_block_parse(S("10.0.0.0/8"), &trusted[1]));
    assert_true(peer_block_parse(S("fd00::/8"), &trusted[2]));
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct http_head head;
        struct peer peer;
        char text[PEER_TEXT_BYTES];
        parse(rows[i].headers, &head);
        assert_true(peer_parse(S("127.0.0.1"), &peer));
        peer_walk_forwarded(&head, trusted, COUNT(trusted), &peer);
        peer_print(&peer, text);
        if (strcmp(text, rows[i].peer) != 0) fail_msg("row %zu: %s", i, text);
        CHECK(i, (peer_forwarded_scheme(&head) == PEER_SCHEME_HTTPS) == rows[i].https);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_unix_is_its_own),
                                       cmocka_unit_test(test_forwarded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
