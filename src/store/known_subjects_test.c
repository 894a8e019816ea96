#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_subjects.h"

static struct known_subjects known;
static struct arena *arena;

static int set_up(void **state) {
    (void)state;
    memset(&known, 0, sizeof known);
    arena = arena_new(1024);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct subject ann = {
    .user_found = true,
    .account_found = true,
    .account_enabled = true,
    .member = true,
    .email = {"ann@a.example", 13},
    .user_name = {"Ann", 3},
    .domain = {"a.example", 9},
    .email_verified = true,
    .user_updated_ms = INT64_C(1) << 40,
};

static void test_what_was_added_is_found_as_it_was(void **state) {
    (void)state;
    const struct subject_key key = {5, 1001, 2001};
    struct subject found;
    known_subjects_add(&known, &key, &ann);
    assert_true(known_subjects_has(&known, 1001, 2001));
    assert_true(known_subjects_find(&known, &key, arena, &found));
    assert_true(found.user_found && !found.user_enabled && found.account_found && found.account_enabled &&
                found.member);
    assert_true(str_eq(found.email, ann.email) && str_eq(found.user_name, ann.user_name));
    assert_true(str_eq(found.domain, ann.domain) && found.email_verified);
    assert_int_equal(found.user_updated_ms, ann.user_updated_ms);
    memset(known.of, 'x', sizeof known.of); /* what was found stays */
    assert_true(str_eq(found.email, ann.email));
}

static void test_only_that_person_in_that_account_under_that_version(void **state) {
    (void)state;
    const struct subject_key key = {5, 1001, 2001};
    const struct subject_key others[] = {{6, 1001, 2001}, {4, 1001, 2001}, {5, 1002, 2001}, {5, 1001, 2002}, {0, 0, 0}};
    struct subject found;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        known_subjects_add(&known, &key, &ann);
        if (known_subjects_find(&known, &others[i], arena, &found)) fail_msg("row %zu", i);
    }
    assert_false(known_subjects_has(&known, 1001, 2001)); /* another version was seen since */
    known_subjects_add(&known, &key, &ann);
    known_subjects_forget(&known);
    assert_false(known_subjects_has(&known, 1001, 2001) || known_subjects_find(&known, &key, arena, &found));
}

static void test_a_long_text_is_not_kept(void **state) {
    (void)state;
    char text[KNOWN_SUBJECT_TEXT_MAX];
    memset(text, 'n', sizeof text);
    struct subject_key key = {5, 1001, 2001};
    struct subject subject = ann, found;
    for (size_t n = 1; n <= sizeof text; n++) {
        subject.user_name = (str){text, n};
        key.version++;
        known_subjects_add(&known, &key, &subject);
        bool fits = n + ann.email.n + ann.domain.n <= KNOWN_SUBJECT_TEXT_MAX;
        if (known_subjects_find(&known, &key, arena, &found) != fits) fail_msg("%zu", n);
        if (fits) assert_true(str_eq(found.user_name, subject.user_name) && str_eq(found.domain, ann.domain));
    }
}

/* Most of those that come in a row have places of their own. */
static void test_neighbours_do_not_meet(void **state) {
    (void)state;
    int there = 0;
    for (int32_t i = 0; i < KNOWN_SUBJECTS / 2; i++)
        known_subjects_add(&known, &(struct subject_key){1, 1001 + i, 2001 + i}, &ann);
    for (int32_t i = 0; i < KNOWN_SUBJECTS / 2; i++) there += known_subjects_has(&known, 1001 + i, 2001 + i);
    assert_true(there > KNOWN_SUBJECTS / 4);
    memset(&known, 0, sizeof known);
    there = 0;
    for (int32_t i = 0; i < KNOWN_SUBJECTS / 2; i++)
        known_subjects_add(&known, &(struct subject_key){1, 1001, 2001 + i}, &ann);
    for (int32_t i = 0; i < KNOWN_SUBJECTS / 2; i++) there += known_subjects_has(&known, 1001, 2001 + i);
    assert_true(there > KNOWN_SUBJECTS / 4);
}

static void test_it_pays_while_most_are_known(void **state) {
    (void)state;
    const struct subject_key key = {5, 1001, 2001};
    struct subject found;
    assert_false(known_subjects_pay(&known));
    for (int i = 0; i < 4; i++) known_subjects_add(&known, &key, &ann);
    assert_true(known_subjects_pay(&known));
    for (int i = 0; i < 1000; i++) assert_true(known_subjects_find(&known, &key, arena, &found));
    for (int32_t i = 0; i < 40; i++) known_subjects_add(&known, &(struct subject_key){5, 1, i}, &ann);
    assert_false(known_subjects_pay(&known));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_added_is_found_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_that_person_in_that_account_under_that_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_long_text_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours_do_not_meet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_pays_while_most_are_known, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
