#include "digest.h"

#include <pthread.h>

#include "b64.h"
#include "random.h"
#include "rows_test.h"

static int start(void **state) {
    (void)state;
    return crypto_start() ? 0 : -1;
}

static bool is_hex(const uint8_t *bytes, size_t n, const char *hex) {
    char text[128];
    hex_encode(bytes, n, text);
    return str_eq((str){text, 2 * n}, str_of(hex));
}

static void test_sha256(void **state) {
    (void)state;
    static const struct { /* FIPS 180-4, the examples of NIST */
        str in;
        const char *hex;
    } rows[] = {
        {S(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {S("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {S("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (int round = 0; round < 2; round++) /* the context is used again */
        for (size_t i = 0; i < COUNT(rows); i++) {
            uint8_t out[SHA256_BYTES];
            digest_sha256(rows[i].in, out);
            CHECK(i, is_hex(out, sizeof out, rows[i].hex));
        }
}

/* RFC 7636 appendix B: the verifier and its S256 challenge. */
static void test_s256(void **state) {
    (void)state;
    uint8_t out[SHA256_BYTES];
    char challenge[43];
    digest_sha256(S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), out);
    b64url_encode(out, sizeof out, challenge);
    assert_memory_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", 43);
}

static void *hash_often(void *arg) {
    uint8_t first[SHA256_BYTES], out[SHA256_BYTES];
    digest_sha256(S("abc"), first);
    bool same = is_hex(first, sizeof first, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (int i = 0; i < 200; i++) {
        digest_sha256(S("abc"), out);
        same = same && memcmp(first, out, sizeof out) == 0;
    }
    *(bool *)arg = same;
    return NULL;
}

/* Each thread has a context of its own and frees it: the leak checker looks on. */
static void test_threads(void **state) {
    (void)state;
    pthread_t threads[8];
    bool same[8] = {false};
    for (size_t i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &same[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CHECK(i, same[i]);
    }
}

/* Key 00..1f; the input counts up from 00. Computed with Python's hashlib. */
static void test_mac(void **state) {
    (void)state;
    static const struct {
        size_t in_n, out_n;
        const char *hex;
    } rows[] = {
        {0, 16, "3daf97bce7888fd59773c66bf647459c"},
        {31, 32, "a9f51bb7f6a3e9cdb96ce652c07d177962a348a9cced1b92f948187e59b44463"},
        {256, 64,
         "0f320509ad9f25f7f20071c99f0858d167c3a62c0de57c1535185a68c1ca1c6e"
         "0fc4f60c43e1b43d28e4c7a1cf6b174ef15bb553d4a7d05bae158115d088a03c"},
    };
    uint8_t key[32], in[256], out[64];
    for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)i;
    memcpy(key, in, sizeof key);
    for (size_t i = 0; i < COUNT(rows); i++) {
        digest_mac(key, (str){(char *)in, rows[i].in_n}, out, rows[i].out_n);
        CHECK(i, is_hex(out, rows[i].out_n, rows[i].hex));
    }
    for (size_t bit = 0; bit < 256; bit++) { /* every bit of the key counts */
        uint8_t other[32];
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        digest_mac(key, (str){(char *)in, 256}, other, 32);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(bit, memcmp(other, out, 32) != 0);
    }
}

/* The test vectors of SipHash's authors: key 00..0f, input 00, 01, 02 ... */
static void test_short(void **state) {
    (void)state;
    static const struct {
        size_t n;
        uint64_t out;
    } rows[] = {{0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu}, {15, 0xa129ca6149be45e5u}};
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(i, digest_short(bytes, (str){(char *)bytes, rows[i].n}) == rows[i].out);
}

static void test_secret_equal(void **state) {
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(secret_equal(a, b, sizeof a));
    for (size_t bit = 0; bit < 256; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(bit, !secret_equal(a, b, sizeof a));
        CHECK(bit, !secret_str_equal((str){(char *)a, 32}, (str){(char *)b, 32}));
        b[bit / 8] = 0;
    }
    assert_true(secret_equal(a, b, 0));
    assert_true(secret_str_equal(S("abc"), S("abc")));
    assert_false(secret_str_equal(S("abc"), S("ab")));
    assert_false(secret_str_equal(S(""), S("a")));
    assert_true(secret_str_equal(str_of(NULL), S("")));
    memset(a, 1, sizeof a);
    secret_wipe(a, sizeof a);
    assert_memory_equal(a, b, sizeof a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256), cmocka_unit_test(test_s256),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_mac),    cmocka_unit_test(test_short), cmocka_unit_test(test_secret_equal),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
