#include "sealed.h"

#include "random.h"
#include "rows_test.h"

static const uint8_t master[MASTER_KEY_BYTES] = {1}, other[MASTER_KEY_BYTES] = {2}, nonce[SEALED_NONCE_BYTES] = {3};
#define PLAIN S("a private key of some length")

static void test_round_trip(void **state) {
    (void)state;
    uint8_t sealed[SEALED_OVERHEAD + 64], plain[SEALED_OVERHEAD + 64];
    static const str plains[] = {S(""), S("x"), PLAIN};
    for (size_t i = 0; i < COUNT(plains); i++) {
        sealed_make(master, S("label"), nonce, plains[i], sealed);
        str row = {(const char *)sealed, SEALED_OVERHEAD + plains[i].n};
        CHECK(i, rc_ok(sealed_open(master, S("label"), row, plain)));
        CHECK(i, str_eq((str){(const char *)plain, plains[i].n}, plains[i]));
    }
}

static void test_refused(void **state) {
    (void)state;
    uint8_t sealed[SEALED_OVERHEAD + 64], plain[SEALED_OVERHEAD + 64];
    sealed_make(master, S("signing key es256 a"), nonce, PLAIN, sealed);
    str row = {(const char *)sealed, SEALED_OVERHEAD + PLAIN.n};
    assert_false(rc_ok(sealed_open(other, S("signing key es256 a"), row, plain)));
    assert_false(rc_ok(sealed_open(master, S("signing key es256 b"), row, plain)));
    for (size_t n = 0; n < row.n; n++)
        CHECK(n, !rc_ok(sealed_open(master, S("signing key es256 a"), str_head(row, n), plain)));
    for (size_t i = 0; i < row.n; i++) {
        sealed[i] ^= 1;
        CHECK(i, !rc_ok(sealed_open(master, S("signing key es256 a"), row, plain)));
        sealed[i] ^= 1;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused)};
    return crypto_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
