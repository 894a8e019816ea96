#include "jose_known.h"

#include <stdio.h>

#include "rows_test.h"

static struct jose_known known;

static struct jose_fact fact_of(uint8_t key, const char *token) {
    uint8_t fingerprint[SHA256_BYTES] = {key};
    return jose_fact_of(fingerprint, str_of(token));
}

/* Tokens whose facts meet in one set, numbered in the order in which they are found. */
static struct jose_fact colliding(size_t wanted) {
    struct jose_fact first = fact_of(1, "0"), fact = first;
    char token[16];
    for (unsigned i = 1; wanted; i++) {
        snprintf(token, sizeof token, "%u", i);
        fact = fact_of(1, token);
        bool meets = fact.hash[0] == first.hash[0] && (fact.hash[1] & 7) == (first.hash[1] & 7);
        wanted -= meets;
    }
    return fact;
}

static void test_a_fact_is_of_one_token_and_one_key(void **state) {
    (void)state;
    static const struct {
        uint8_t key;
        const char *token;
        bool is_known;
    } rows[] = {{1, "token", true}, {2, "token", false}, {1, "tokeN", false}, {1, "toke", false}, {1, "", false}};
    memset(&known, 0, sizeof known);
    struct jose_fact fact = fact_of(1, "token");
    assert_false(jose_known_has(&known, &fact));
    jose_known_add(&known, &fact);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_fact other = fact_of(rows[i].key, rows[i].token);
        CHECK(i, jose_known_has(&known, &other) == rows[i].is_known);
    }
}

/* The table cannot grow: the oldest of a set goes, and no other. */
static void test_the_oldest_goes(void **state) {
    (void)state;
    memset(&known, 0, sizeof known);
    struct jose_fact far = fact_of(1, "0");
    far.hash[0] ^= 1; /* of another set */
    jose_known_add(&known, &far);
    for (size_t i = 0; i <= JOSE_KNOWN_WAYS; i++) {
        struct jose_fact fact = colliding(i);
        jose_known_add(&known, &fact);
    }
    for (size_t i = 0; i <= JOSE_KNOWN_WAYS; i++) {
        struct jose_fact fact = colliding(i);
        CHECK(i, jose_known_has(&known, &fact) == (i > 0));
    }
    assert_true(jose_known_has(&known, &far));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fact_is_of_one_token_and_one_key),
        cmocka_unit_test(test_the_oldest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
