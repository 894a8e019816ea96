#include "envelope.h"

#include <sodium.h>

#include "b64.h"
#include "random.h"
#include "rows_test.h"

static struct keyring ring, stranger; /* two generations here; the same numbers elsewhere */
static uint8_t nonce[ENVELOPE_NONCE_BYTES], grant_id[GRANT_ID_BYTES], salt[GRANT_SALT_BYTES];

static void count_from(uint8_t first, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(first + i);
}

static int start(void **state) {
    (void)state;
    uint8_t secret[RING_SECRET_BYTES];
    if (!crypto_start()) return -1;
    count_from(0, secret, sizeof secret);
    bool built = rc_ok(keyring_add(&ring, 7, 1000, secret));
    count_from(1, secret, sizeof secret);
    built = built && rc_ok(keyring_add(&ring, 6, 900, secret));
    count_from(2, secret, sizeof secret);
    built = built && rc_ok(keyring_add(&stranger, 7, 1000, secret)) && rc_ok(keyring_add(&stranger, 6, 900, secret));
    count_from(0x40, nonce, sizeof nonce);
    count_from(0x10, grant_id, sizeof grant_id);
    count_from(0xA0, salt, sizeof salt);
    return built ? 0 : -1;
}

static bool is_hex(const uint8_t *bytes, size_t n, const char *hex) {
    char text[512];
    hex_encode(bytes, n, text);
    return str_eq((str){text, 2 * n}, str_of(hex));
}

/* The cipher that this machine's library brings: draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
static void test_cipher_of_the_draft(void **state) {
    (void)state;
    static const str plain =
        S("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
          "sunscreen would be it.");
    uint8_t key[32], data[12], out[130];
    count_from(0x80, key, sizeof key);
    assert_true(hex_decode(S("50515253c0c1c2c3c4c5c6c7"), data, sizeof data));
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, (const uint8_t *)plain.p, plain.n, data, sizeof data, NULL,
                                               nonce, key);
    assert_true(
        is_hex(out, sizeof out,
               "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
               "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
               "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"));
}

/* Known answers of a separate implementation in Python: tokens that are out there must open after every change. */
static void test_known_envelopes(void **state) {
    (void)state;
    static const struct {
        enum envelope_purpose purpose;
        str plain;
        const char *hex;
    } rows[] = {
        {ENVELOPE_CODE, S("grant"),
         "07404142434445464748494a4b4c4d4e4f505152535455565753a91d60460db88eb2b2426bf31a193f76235cd01e"},
        {ENVELOPE_ACCESS, S(""), "07404142434445464748494a4b4c4d4e4f505152535455565720e86ccf9d512be6a28cb43d6c6b53b7"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t sealed[64], plain[64];
        size_t n = 4711, sealed_n = ENVELOPE_OVERHEAD + rows[i].plain.n;
        envelope_seal(ring.current, rows[i].purpose, nonce, rows[i].plain, sealed);
        CHECK(i, is_hex(sealed, sealed_n, rows[i].hex));
        CHECK(i, envelope_open(&ring, rows[i].purpose, (str){(char *)sealed, sealed_n}, plain, &n));
        CHECK(i, str_eq((str){(char *)plain, n}, rows[i].plain));
    }
}

static void test_envelope_round_trips(void **state) {
    (void)state;
    uint8_t plain[400], sealed[400 + ENVELOPE_OVERHEAD + 1], back[400 + ENVELOPE_OVERHEAD];
    random_fill(plain, sizeof plain);
    for (size_t n = 0; n <= sizeof plain; n++)
        for (size_t k = 0; k < ring.n; k++) {
            size_t got = 4711;
            sealed[ENVELOPE_OVERHEAD + n] = '#';
            envelope_seal(&ring.keys[k], ENVELOPE_ACCESS, nonce, (str){(char *)plain, n}, sealed);
            CHECK(n, sealed[ENVELOPE_OVERHEAD + n] == '#');
            CHECK(n, envelope_open(&ring, ENVELOPE_ACCESS, (str){(char *)sealed, ENVELOPE_OVERHEAD + n}, back, &got));
            CHECK(n, got == n && memcmp(back, plain, n) == 0);
        }
}

static void test_changed_envelopes_stay_closed(void **state) {
    (void)state;
    uint8_t sealed[ENVELOPE_OVERHEAD + 40 + 1] = {0}, back[128];
    size_t n;
    str whole = {(char *)sealed, ENVELOPE_OVERHEAD + 40};
    envelope_seal(ring.current, ENVELOPE_CODE, nonce, S("a plain text that is forty bytes long..."), sealed);
    for (size_t at = 0; at < whole.n; at++)
        for (unsigned change = 1; change < 256; change++) { /* the first byte takes every other key number, 6 as well */
            sealed[at] ^= (uint8_t)change;
            CHECK(at, !envelope_open(&ring, ENVELOPE_CODE, whole, back, &n));
            sealed[at] ^= (uint8_t)change;
        }
    for (size_t length = 0; length < whole.n; length++)
        CHECK(length, !envelope_open(&ring, ENVELOPE_CODE, str_head(whole, length), back, &n));
    assert_false(envelope_open(&ring, ENVELOPE_CODE, (str){whole.p, whole.n + 1}, back, &n));
    assert_false(envelope_open(&ring, ENVELOPE_ACCESS, whole, back, &n)); /* purposes do not mix */
    assert_false(envelope_open(&stranger, ENVELOPE_CODE, whole, back, &n));
    assert_true(envelope_open(&ring, ENVELOPE_CODE, whole, back, &n));
}

static void test_purposes_do_not_mix(void **state) {
    (void)state;
    for (int made = 0; made < ENVELOPE_PURPOSES; made++)
        for (int asked = 0; asked < ENVELOPE_PURPOSES; asked++) {
            uint8_t sealed[ENVELOPE_OVERHEAD + 3], back[8];
            size_t n;
            envelope_seal(ring.current, (enum envelope_purpose)made, nonce, S("abc"), sealed);
            str text = {(char *)sealed, sizeof sealed};
            CHECK(made, envelope_open(&ring, (enum envelope_purpose)asked, text, back, &n) == (made == asked));
        }
}

static void test_known_refresh_token(void **state) {
    (void)state;
    uint8_t token[REFRESH_BYTES];
    struct refresh_claim claim;
    refresh_derive(ring.current, grant_id, 0x01020304, salt, token);
    assert_true(is_hex(token, sizeof token,
                       "07913704f848a9436ba9cbb0b32612238384da6796467c02b3b61107b7ec05336e5af7a74c3dc49a4813ebb933"));
    assert_true(refresh_open(&ring, (str){(char *)token, sizeof token}, &claim));
    assert_ptr_equal(claim.key, ring.current);
    assert_int_equal(claim.n, 0x01020304);
    assert_memory_equal(claim.grant_id, grant_id, sizeof grant_id);
    assert_true(refresh_is_genuine(&claim, salt));
}

static bool is_accepted(const struct keyring *by, str token) {
    struct refresh_claim claim;
    return refresh_open(by, token, &claim) && refresh_is_genuine(&claim, salt);
}

static void test_changed_refresh_tokens_are_refused(void **state) {
    (void)state;
    uint8_t token[REFRESH_BYTES + 1] = {0};
    str whole = {(char *)token, REFRESH_BYTES};
    refresh_derive(ring.current, grant_id, 5, salt, token);
    for (size_t at = 0; at < whole.n; at++)
        for (unsigned change = 1; change < 256; change++) {
            token[at] ^= (uint8_t)change;
            CHECK(at, !is_accepted(&ring, whole));
            token[at] ^= (uint8_t)change;
        }
    for (size_t length = 0; length < whole.n; length++) CHECK(length, !is_accepted(&ring, str_head(whole, length)));
    assert_false(is_accepted(&ring, (str){whole.p, whole.n + 1}));
    assert_false(is_accepted(&stranger, whole));
    for (size_t at = 0; at < sizeof salt; at++) { /* the row's half of the secret: each byte counts */
        salt[at] ^= 1;
        CHECK(at, !is_accepted(&ring, whole));
        salt[at] ^= 1;
    }
    assert_true(is_accepted(&ring, whole));
}

static void test_each_number_is_another_token(void **state) {
    (void)state;
    static const uint32_t numbers[] = {0, 1, 2, 255, 256, 65536, INT32_MAX, UINT32_MAX};
    uint8_t tokens[COUNT(numbers)][REFRESH_BYTES];
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct refresh_claim claim;
        refresh_derive(&ring.keys[i % 2], grant_id, numbers[i], salt, tokens[i]);
        CHECK(i, refresh_open(&ring, (str){(char *)tokens[i], REFRESH_BYTES}, &claim) && claim.n == numbers[i]);
        CHECK(i, claim.key == &ring.keys[i % 2] && refresh_is_genuine(&claim, salt));
        for (size_t k = 0; k < i; k++) CHECK(i, memcmp(tokens[i] + 1, tokens[k] + 1, REFRESH_TAG_BYTES) != 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cipher_of_the_draft),
        cmocka_unit_test(test_known_envelopes),
        cmocka_unit_test(test_envelope_round_trips),
        cmocka_unit_test(test_changed_envelopes_stay_closed),
        cmocka_unit_test(test_purposes_do_not_mix),
        cmocka_unit_test(test_known_refresh_token),
        cmocka_unit_test(test_changed_refresh_tokens_are_refused),
        cmocka_unit_test(test_each_number_is_another_token),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
