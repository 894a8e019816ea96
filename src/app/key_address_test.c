#include "key_address.h"

#include "rows_test.h"

/* norm: E56 X10 */
static void test_addresses(void **state) {
    (void)state;
    static const struct {
        str uri;
        bool dev, good; /* with loopback allowed; without */
    } rows[] = {
        {S("https://app.example/keys"), true, true},
        {S("https://app.example:8443?x=y"), true, true},
        {S("https://8.8.8.8/"), true, true},
        {S("https://[2606:4700::1111]:444/k"), true, true},
        {S("https://localhost/k"), true, false},
        {S("http://127.0.0.1:8080/k"), true, false},
        {S("http://[::1]/k"), true, false},
        {S("http://app.example/keys"), false, false},
        {S("https://user@app.example/keys"), false, false},
        {S("https://app.example/keys#x"), false, false},
        {S("https://app.example/../keys"), false, false},
        {S("https:app.example"), false, false},
        {S("ftp://app.example/keys"), false, false},
        {S("com.example.app:/keys"), false, false},
        {S("file:///etc/passwd"), false, false},
        {S(""), false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(i, key_address_is_good(rows[i].uri, false) == rows[i].good);
        CHECK(i, key_address_is_good(rows[i].uri, true) == rows[i].dev);
    }
}

/* norm: E56 */
static void test_the_internet(void **state) {
    (void)state;
    static const struct {
        size_t n;
        uint8_t ip[16];
        bool is_public;
    } rows[] = {
        {4, {8, 8, 8, 8}, true},
        {4, {9, 255, 255, 255}, true},
        {4, {10, 0, 0, 1}, false},
        {4, {11, 0, 0, 0}, true},
        {4, {0, 0, 0, 0}, false},
        {4, {100, 63, 255, 255}, true},
        {4, {100, 64, 0, 1}, false},
        {4, {100, 127, 255, 255}, false},
        {4, {100, 128, 0, 0}, true},
        {4, {127, 0, 0, 1}, false},
        {4, {127, 9, 9, 9}, false},
        {4, {169, 254, 169, 254}, false}, /* metadata of clouds */
        {4, {172, 15, 0, 1}, true},
        {4, {172, 16, 0, 1}, false},
        {4, {172, 31, 255, 255}, false},
        {4, {172, 32, 0, 1}, true},
        {4, {192, 0, 0, 8}, false},
        {4, {192, 0, 2, 1}, false},
        {4, {192, 88, 99, 1}, false},
        {4, {192, 168, 0, 1}, false},
        {4, {192, 169, 0, 1}, true},
        {4, {198, 17, 0, 1}, true},
        {4, {198, 18, 0, 1}, false},
        {4, {198, 19, 255, 255}, false},
        {4, {198, 51, 100, 7}, false},
        {4, {203, 0, 113, 7}, false},
        {4, {223, 255, 255, 255}, true},
        {4, {224, 0, 0, 1}, false},
        {4, {255, 255, 255, 255}, false},
        {16, {0x26, 0x06, 0x47, 0}, true},
        {16, {0x2a, 0x00}, true},
        {16, {0}, false},
        {16, {[15] = 1}, false},
        {16, {[10] = 0xff, 0xff, 8, 8, 8, 8}, false},          /* mapped */
        {16, {[10] = 0xff, 0xff, 127, 0, 0, 1}, false},        /* mapped loopback */
        {16, {[12] = 127, 0, 0, 1}, false},                    /* compatible */
        {16, {0x00, 0x64, 0xff, 0x9b, [12] = 10}, false},      /* NAT64 */
        {16, {0xfe, 0x80, [15] = 1}, false},                   /* link */
        {16, {0xfc, 0x00, [15] = 1}, false},                   /* site */
        {16, {0xfd, 0x00, 0x0e, 0xc2, [14] = 2, 0x54}, false}, /* metadata of a cloud */
        {16, {0xff, 0x02, [15] = 1}, false},                   /* multicast */
        {16, {0x20, 0x01, 0x00, 0x00, 1}, false},              /* Teredo */
        {16, {0x20, 0x01, 0x02, 0x00}, true},
        {16, {0x20, 0x01, 0x0d, 0xb8}, false},  /* documentation */
        {16, {0x20, 0x02, 10, 0, 0, 1}, false}, /* 6to4 */
        {16, {0x3f, 0xff, 0x01}, false},
        {16, {0x3f, 0xff, 0x10}, true},
        {16, {0x40}, false},
        {5, {8, 8, 8, 8, 8}, false},
        {0, {0}, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, ip_is_public(rows[i].ip, rows[i].n) == rows[i].is_public);
    assert_true(ip_is_loopback((const uint8_t[]){127, 1, 2, 3}, 4) &&
                ip_is_loopback((const uint8_t[16]){[15] = 1}, 16));
    assert_false(ip_is_loopback((const uint8_t[]){10, 0, 0, 1}, 4) ||
                 ip_is_loopback((const uint8_t[16]){[15] = 2}, 16));
}

static void test_freshness(void **state) {
    (void)state;
    static const struct {
        str header;
        int64_t fresh_s;
    } rows[] = {
        {S(""), KEYS_FRESH_DEFAULT_S},
        {S("public"), KEYS_FRESH_DEFAULT_S},
        {S("max-age=600"), 600},
        {S("public, MAX-AGE=600, must-revalidate"), 600},
        {S("max-age=0"), KEYS_FRESH_MIN_S},
        {S("max-age=1"), KEYS_FRESH_MIN_S},
        {S("max-age=86401"), KEYS_FRESH_MAX_S},
        {S("max-age=99999999999999999999999999"), KEYS_FRESH_MAX_S},
        {S("max-age=-1"), KEYS_FRESH_DEFAULT_S},
        {S("max-age=x"), KEYS_FRESH_DEFAULT_S},
        {S("max-age="), KEYS_FRESH_DEFAULT_S},
        {S("no-store"), KEYS_FRESH_MIN_S},
        {S("max-age=600, no-cache"), KEYS_FRESH_MIN_S},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, key_freshness_s(rows[i].header) == rows[i].fresh_s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_the_internet),
        cmocka_unit_test(test_freshness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
