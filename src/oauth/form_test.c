/* Forms to pairs, pairs to structs. */
#include "form.h"

#include "kit_rows_test.h"
#include "params.h"

static const struct {
    const char *text;
    bool malformed;
    const char *pairs; /* name=value, each behind a '|' */
} cases[] = {
    {"", false, ""},
    {"a=b", false, "|a=b"},
    {"a=b&c=d", false, "|a=b|c=d"},
    {"&&a=b&&", false, "|a=b"},
    {"a", false, "|a="},
    {"a=", false, "|a="},
    {"=b", false, "|=b"},
    {"=", false, "|="},
    {"a=b=c", false, "|a=b=c"},
    {"a+b=c+d", false, "|a b=c d"},
    {"a%20b=%2B%26%3d", false, "|a b=+&="},
    {"a;b=c", false, "|a;b=c"},
    {"%C3%A9=%e2%82%ac", false, "|\xc3\xa9=\xe2\x82\xac"},
    {"a=%", true, ""},
    {"a=%2", true, ""},
    {"a=%2g", true, ""},
    {"%zz=a", true, ""},
    {"a=%00", true, ""},
    {"%00=a", true, ""},
    {"a=%ff", true, ""},
    {"a=\xff", true, ""},
    {"a=%c3", true, ""},
    {"a=%c3&b=%a9", true, ""},
    {"a=%ed%a0%80", true, ""}, /* a surrogate */
    {"a=%c0%80", true, ""},    /* an overlong NUL */
};

/* norm: N07 */
static void test_forms(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct form form = {.n = 0};
        enum refusal refused = form_parse(str_of(cases[i].text), arena, &form);
        assert_int_equal(refused, cases[i].malformed ? REFUSAL_REQUEST_MALFORMED : REFUSAL_NONE);
        if (refused) continue;
        char text[256];
        struct buf b = buf_on(text, sizeof text);
        for (size_t p = 0; p < form.n; p++)
            buf_printf(&b, "|%.*s=%.*s", STR_ARG(form.pairs[p].name), STR_ARG(form.pairs[p].value));
        assert_true(str_eq(buf_str(&b), str_of(cases[i].pairs)));
    }
    arena_free(arena);
}

/* norm: N06 */
static void test_number_of_parameters(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    char text[2 * (PARAMS_MAX + 1)];
    for (size_t i = 0; i <= PARAMS_MAX; i++) memcpy(text + 2 * i, "a&", 2);
    struct form form = {.n = 0};
    assert_int_equal(form_parse((str){text, 2 * PARAMS_MAX}, arena, &form), REFUSAL_NONE);
    assert_int_equal(form.n, PARAMS_MAX);
    form.n = 0;
    assert_int_equal(form_parse((str){text, sizeof text}, arena, &form), REFUSAL_REQUEST_MALFORMED);
    arena_free(arena);
}

struct example {
    str one, two, three;
};
static const struct param rows[] = {
    PARAM(struct example, one, 3, 'U'),
    PARAM(struct example, two, 0, 0),
    PARAM_ALIAS(struct example, "zwei", two, 0, 0),
    PARAM(struct example, three, 0, 'N'),
};
static const struct params_table table = PARAMS_TABLE(rows);

/* norm: X05 X06 X07 */
static void test_params(void **state) {
    (void)state;
    static const struct {
        const char *text, *one, *two, *three;
        enum refusal refusal;
        const char *blamed;
        bool two_repeated;
    } params[] = {
        {"", "", "", "", REFUSAL_NONE, "", false},
        {"one=1&two=2&three=3&four=4&four=4", "1", "2", "3", REFUSAL_NONE, "", false},
        {"zwei=2", "", "2", "", REFUSAL_NONE, "", false},
        {"one=&one=1&one=", "1", "", "", REFUSAL_NONE, "", false},
        {"one=1&one=1", "1", "", "", REFUSAL_PARAMETER_REPEATED, "one", false},
        {"two=1&zwei=2&three=3", "", "1", "3", REFUSAL_PARAMETER_REPEATED, "zwei", true},
        {"one=1234", "1234", "", "", REFUSAL_PARAMETER_TOO_LONG, "one", false},
        {"one=a%2B", "a+", "", "", REFUSAL_PARAMETER_TOO_LONG, "one", false},
        {"three=a+b", "", "", "a b", REFUSAL_PARAMETER_TOO_LONG, "three", false},
        {"three=%22&one=1&one=2&zwei=x&zwei=y", "1", "x", "\"", REFUSAL_PARAMETER_TOO_LONG, "three", true},
        {"ONE=1", "", "", "", REFUSAL_NONE, "", false},
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        struct form form = {.n = 0};
        struct example got = {.one = {NULL, 0}};
        assert_int_equal(form_parse(str_of(params[i].text), arena, &form), REFUSAL_NONE);
        struct params_problem problem = params_fill(&form, &table, &got);
        assert_int_equal(problem.refusal, params[i].refusal);
        if (problem.refusal) assert_true(str_eq(problem.row->name, str_of(params[i].blamed)));
        assert_true(str_eq(got.one, str_of(params[i].one)) && str_eq(got.two, str_of(params[i].two)));
        assert_true(str_eq(got.three, str_of(params[i].three)));
        assert_int_equal(params_is_repeated(&problem, &table, PARAM_OFFSET(struct example, two)),
                         params[i].two_repeated);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_number_of_parameters),
        cmocka_unit_test(test_params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
