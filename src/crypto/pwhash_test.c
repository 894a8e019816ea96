#include "pwhash.h"

#include <time.h>

#include "random.h"
#include "rows_test.h"

static const struct pwhash_cost cheap = {1, 8};

static int start(void **state) {
    (void)state;
    return crypto_start() ? 0 : -1;
}

static void test_make_and_check(void **state) {
    (void)state;
    char full[PASSWORD_MAX];
    memset(full, 'x', sizeof full);
    const str passwords[] = {S("correct horse"), S(""), S("p\xC3\xA4ss"), S("nul\0inside"), {full, sizeof full}};
    for (size_t i = 0; i < COUNT(passwords); i++) {
        char hash[PWHASH_TEXT_BYTES], again[PWHASH_TEXT_BYTES];
        CHECK(i, rc_ok(pwhash_make(passwords[i], cheap, hash)));
        CHECK(i, rc_ok(pwhash_make(passwords[i], cheap, again)));
        CHECK(i, str_starts_with(str_of(hash), S("$argon2id$v=19$m=8,t=1,p=1$")));
        CHECK(i, strcmp(hash, again) != 0); /* salted */
        for (size_t k = 0; k < COUNT(passwords); k++) CHECK(k, pwhash_check(passwords[k], hash, cheap) == (i == k));
        CHECK(i, !pwhash_check(S("nul"), hash, cheap));
    }
}

/* A test of the reference implementation of Argon2 (Argon2id, 64 MiB, 2 passes). */
static void test_vector(void **state) {
    (void)state;
    static const char hash[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_true(pwhash_check(S("password"), hash, cheap));
    assert_false(pwhash_check(S("Password"), hash, cheap));
}

static void test_refused(void **state) {
    (void)state;
    static const char *const broken[] = {"x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$$",
                                         "$2b$12$abcdefghijklmnopqrstuv"};
    char too_long[PASSWORD_MAX + 1] = {0}, hash[PWHASH_TEXT_BYTES];
    str password = {too_long, sizeof too_long};
    assert_int_equal(pwhash_make(password, cheap, hash).fault, FAULT_CRYPTO);
    assert_int_equal(pwhash_make(S("x"), (struct pwhash_cost){1, 0}, hash).fault, FAULT_CRYPTO);
    assert_int_equal(pwhash_make(S("x"), (struct pwhash_cost){0, 8}, hash).fault, FAULT_CRYPTO);
    assert_true(rc_ok(pwhash_make(S(""), cheap, hash)));
    assert_false(pwhash_check(password, hash, cheap));
    for (size_t i = 0; i < COUNT(broken); i++) CHECK(i, !pwhash_check(S("x"), broken[i], cheap));
    assert_false(pwhash_check(S("x"), NULL, cheap));
    assert_false(pwhash_check(S("x"), "", cheap));
}

static int64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whether a person is known must not show in the time. */
static void test_unknown_people_cost_the_same(void **state) {
    (void)state;
    static const struct pwhash_cost cost = {2, 19456};
    char hash[PWHASH_TEXT_BYTES];
    assert_true(rc_ok(pwhash_make(S("right"), cost, hash)));
    int64_t start_ns = cpu_ns();
    assert_false(pwhash_check(S("wrong"), hash, cost));
    int64_t known_ns = cpu_ns() - start_ns;
    assert_false(pwhash_check(S("wrong"), NULL, cost));
    int64_t unknown_ns = cpu_ns() - start_ns - known_ns;
    assert_true(unknown_ns > known_ns / 2 && unknown_ns < known_ns * 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_and_check),
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unknown_people_cost_the_same),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
