#include "page_lang.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define EN PAGE_LANG_EN
#define DE PAGE_LANG_DE
#define FR PAGE_LANG_FR

static const struct {
    const char *ui_locales, *cookie, *accept;
    enum page_lang wanted;
} choices[] = {
    {"", "", "", EN},
    {"", "", "de", DE},
    {"", "", "DE-at", DE},
    {"", "", "fr-CH, de;q=0.9, en;q=0.8", FR},
    {"", "", "en;q=0.2, de;q=0.3", DE},
    {"", "", "it, ja, fr;q=0.1", FR},
    {"", "", "de;q=0, fr;q=0", EN},
    {"", "", "de;q=0.500,fr;q=0.5", DE}, /* equals: the first */
    {"", "", "*", EN},
    {"", "", "it, *;q=0.5, fr;q=0.4", EN},
    {"", "", "it, *;q=0.1, fr;q=0.4", FR},
    {"", "", "de;q=1.001, fr;q=0.1", FR}, /* malformed weights count as nothing */
    {"", "", "de;q=2, fr;q=0.1", FR},
    {"", "", "de;q=, fr;q=0.1", FR},
    {"", "", "de;q=0.1234, fr;q=0.1", FR},
    {"", "", "de;q=x, fr;q=0.1", FR},
    {"", "", "de;level=1, fr;q=0.1", FR},
    {"", "", " de ; q=0.7 , fr ; q=0.6", DE},
    {"", "", ",,;;,=,fr", FR},
    {"", "", "deutsch, fr;q=0.1", FR},
    {"", "", "-de, fr;q=0.1", FR},
    {"", "", "de-this-tag-is-longer-than-any-tag-may-be-x, fr;q=0.1", FR},
    {"", "", "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,de", EN}, /* the 17th is not looked at */
    {"", "", "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,de", DE},
    {"fr-CA fr en", "", "de", FR},
    {"it ja", "", "de", DE},
    {"it de", "", "fr", DE},
    {"  de", "", "fr", DE},
    {"a a a a a a a a a a a a a a a a de", "", "fr", FR},
    {"fr", "de", "en", DE},
    {"fr", "xx", "en", FR},
    {"", "<script>", "fr", FR},
};

static void test_choose(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        enum page_lang got =
            page_lang_choose(str_of(choices[i].ui_locales), str_of(choices[i].cookie), str_of(choices[i].accept));
        if (got != choices[i].wanted) fail_msg("row %zu: got %.*s", i, STR_ARG(page_langs[got].tag));
    }
}

static void test_unknown_is_untouched(void **state) {
    (void)state;
    enum page_lang lang = FR;
    assert_false(page_lang_of(S("it"), &lang));
    assert_false(page_lang_of(S(""), &lang));
    assert_int_equal(lang, FR);
    assert_int_equal(page_lang_known((enum page_lang)99), EN);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choose), cmocka_unit_test(test_unknown_is_untouched)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
