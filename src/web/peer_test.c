/* Addresses, blocks of them, and who may speak for whom. */
#include "peer.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_unix_is_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
