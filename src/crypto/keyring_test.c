#include "keyring.h"

#include "b64.h"
#include "random.h"
#include "rows_test.h"

/* The known answers here were computed by a separate implementation in Python (hashlib's BLAKE2b, and an
 * XChaCha20-Poly1305 written from its draft): what is sealed today must open after every change of this code. */

static uint8_t counting[32];
static struct keyring ring, empty; /* large: not on the stack */

static int start(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof counting; i++) counting[i] = (uint8_t)i;
    return crypto_start() ? 0 : -1;
}

static bool is_hex(const uint8_t *bytes, size_t n, const char *hex) {
    char text[256];
    hex_encode(bytes, n, text);
    return str_eq((str){text, 2 * n}, str_of(hex));
}

static const size_t parts[] = {
    offsetof(struct ring_key, envelope[ENVELOPE_CODE]),
    offsetof(struct ring_key, envelope[ENVELOPE_ACCESS]),
    offsetof(struct ring_key, refresh_tag),
    offsetof(struct ring_key, refresh_cipher),
    offsetof(struct ring_key, secret_hash),
    offsetof(struct ring_key, signature),
};

static void test_subkeys(void **state) {
    (void)state;
    static const char *const hex[COUNT(parts)] = {
        "65b2fd94f8cd7a9ab9d25ef2b1ddcb27542d842e7809eb43a581c23b3926ccbc",
        "f0dca849b5e9d58fcd4e7e9c4880c1a9fb956489540a2fd3b3b862f15638a7cd",
        "8615d233590c2341ae7bf3eeab3221a17068d0ffadb3c87685f8ac1e3232f3e5",
        "7ec58b93edf1ed279c1d971393edf4c14ef6964f80498a3f86c220628a9da986",
        "2b4cadd133d1fa1978ed807b1ac2fff98ed1f238445a376e47639d1a9adfb5ad",
        "4757041aeacd772ee1bddd08ee0a26d877d87e032890ecc65aefd1ee46eb9182",
    };
    keyring_wipe(&ring);
    assert_true(rc_ok(keyring_add(&ring, 7, 1000, counting)));
    const uint8_t *key = (const uint8_t *)ring.current;
    for (size_t i = 0; i < COUNT(parts); i++) CHECK(i, is_hex(key + parts[i], 32, hex[i]));
    keyring_wipe(&ring);
    assert_memory_equal(&ring, &empty, sizeof ring);
}

static void test_current_and_numbers(void **state) {
    (void)state;
    static const struct {
        uint8_t number;
        int64_t created_ms;
        uint8_t current; /* afterwards */
    } rows[] = {{3, 500, 3}, {4, 400, 3}, {0, 600, 0}, {255, 600, 255}, {9, 600, 255}, {8, 601, 8}, {7, 1, 8}};
    keyring_wipe(&ring);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t secret[RING_SECRET_BYTES] = {rows[i].number, 1};
        CHECK(i, ring.by_number[rows[i].number] == NULL);
        CHECK(i, rc_ok(keyring_add(&ring, rows[i].number, rows[i].created_ms, secret)));
        CHECK(i, ring.current->number == rows[i].current && ring.n == i + 1);
        struct rc again = keyring_add(&ring, rows[i].number, 9999, secret);
        CHECK(i, again.fault == FAULT_KEY && ring.current->number == rows[i].current && ring.n == i + 1);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ring_key *key = ring.by_number[rows[i].number];
        CHECK(i, key && key->number == rows[i].number && key->created_ms == rows[i].created_ms);
    }
}

static void test_full_ring(void **state) {
    (void)state;
    keyring_wipe(&ring);
    for (size_t i = 0; i < RING_MAX; i++) {
        uint8_t secret[RING_SECRET_BYTES] = {(uint8_t)i};
        CHECK(i, rc_ok(keyring_add(&ring, (uint8_t)(i * 3), (int64_t)i, secret)));
    }
    assert_int_equal(keyring_add(&ring, 250, 9999, counting).fault, FAULT_KEY);
    assert_int_equal(ring.n, RING_MAX);
    assert_int_equal(ring.current->created_ms, RING_MAX - 1);
    for (size_t i = 0; i < RING_MAX; i++) /* no subkey of any generation equals another */
        for (size_t p = 0; p < COUNT(parts); p++)
            for (size_t k = 0; k <= i; k++)
                for (size_t q = 0; q < (k == i ? p : COUNT(parts)); q++)
                    CHECK(i, memcmp((uint8_t *)&ring.keys[i] + parts[p], (uint8_t *)&ring.keys[k] + parts[q], 32) != 0);
}

static void test_sealed_secret(void **state) {
    (void)state;
    uint8_t master[MASTER_KEY_BYTES], nonce[24], sealed[RING_SEALED_BYTES], out[RING_SECRET_BYTES];
    memset(master, 0x5A, sizeof master);
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)(0x40 + i);
    ring_secret_seal(master, 7, nonce, counting, sealed);
    assert_true(is_hex(sealed, sizeof sealed,
                       "404142434445464748494a4b4c4d4e4f50515253545556577eba455521750d5815fb10324433e3e0"
                       "6af02a640b057fa27601cee13e2dbf90a3b4c650f729774a16a1962828fb018b"));
    str text = {(char *)sealed, sizeof sealed};
    assert_true(rc_ok(ring_secret_open(master, 7, text, out)));
    assert_memory_equal(out, counting, sizeof out);
    assert_int_equal(ring_secret_open(master, 8, text, out).fault, FAULT_KEY);
    assert_int_equal(ring_secret_open(counting, 7, text, out).fault, FAULT_KEY);
    for (size_t bit = 0; bit < sizeof sealed * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(bit, ring_secret_open(master, 7, text, out).fault == FAULT_KEY);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < sizeof sealed; n++)
        CHECK(n, ring_secret_open(master, 7, str_head(text, n), out).fault == FAULT_KEY);
    assert_true(rc_ok(ring_secret_open(master, 7, text, out)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subkeys),
        cmocka_unit_test(test_current_and_numbers),
        cmocka_unit_test(test_full_ring),
        cmocka_unit_test(test_sealed_secret),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
