#include "page_out.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "page_lang.h"

#define BAD "\xEF\xBF\xBD"

static void assert_text(struct buf *out, const char *wanted) {
    assert_false(buf_failed(out));
    if (!str_eq(buf_str(out), str_of(wanted))) fail_msg("got %.*s, wanted %s", STR_ARG(buf_str(out)), wanted);
    buf_clear(out);
}

static const struct {
    str in;
    const char *out;
} texts[] = {
    {S(""), ""},
    {S("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
    {S("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"},
    {S("&lt;"), "&amp;lt;"},
    {S("a\tb\nc\rd"), "a\tb\nc\rd"},
    {S("a\x01\x1F\x7F"
       "b"),
     "a" BAD BAD BAD "b"},
    {{"a\0b", 3}, "a" BAD "b"},
    {S("\xC2\x85x\xC2\x9Fy\xC2\xA0z"), BAD "x" BAD "y\xC2\xA0z"},
    {S("\xFF\xFEx"), BAD BAD "x"},
    {S("\xC3"), BAD},
    {S("\xC0\xBCscript"), BAD BAD "script"}, /* an overlong '<' */
    {S("\xE0\x80\xBCx"), BAD BAD BAD "x"},
    {S("\xED\xA0\x80"), BAD BAD BAD}, /* a surrogate */
    {S("\xF4\x90\x80\x80"), BAD BAD BAD BAD},
    {S("\xE2\x80\xAEtxt.exe"), BAD "txt.exe"}, /* right-to-left override */
    {S("\xE2\x81\xA6x\xE2\x81\xA9"), BAD "x" BAD},
    {S("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"), "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"},
};

static void test_text(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        page_put_text(&out, texts[i].in);
        assert_text(&out, texts[i].out);
    }
    buf_free(&out);
}

static void test_addresses(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    page_put_url(&out, S("https://a.example/?b=c&d=e"));
    assert_text(&out, "https://a.example/?b=c&amp;d=e");
    page_put_url(&out, S("javascript:alert(1)"));
    assert_text(&out, "");
    page_put_image(&out, S("data:image/png;base64,AAAA"));
    assert_text(&out, "data:image/png;base64,AAAA");
    page_put_image(&out, S("data:text/html;base64,AAAA"));
    assert_text(&out, "");
    page_put_host(&out, S("https://a.example:1/x"));
    assert_text(&out, "a.example:1");
    buf_free(&out);
}

static const struct {
    const char *path, *out;
} paths[] = {
    {"/a", "/a?lang=de"},
    {"/a?", "/a?lang=de"},
    {"/a?b=c", "/a?b=c&amp;lang=de"},
    {"/a?lang=fr", "/a?lang=de"},
    {"/a?b=c&lang=fr&d=e&lang=en", "/a?b=c&amp;d=e&amp;lang=de"},
    {"/a?language=fr", "/a?language=fr&amp;lang=de"},
    {"/a?b#c", "/a?b&amp;lang=de"},
    {"//evil.example", ""},
    {"https://evil.example/", ""},
    {"javascript:x", ""},
    {"", ""},
};

static void test_switch(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        page_put_url_in(&out, str_of(paths[i].path), S("de"));
        assert_text(&out, paths[i].out);
    }
    buf_free(&out);
}

static const struct {
    const char *name, *out;
} initials[] = {{"acme", "A"}, {"  Zed", "Z"},  {"\xC3\x89toile", "\xC3\x89"}, {"<b>", "&lt;"}, {"\xFF", BAD},
                {"", ""},      {"9 lives", "9"}};

static void test_initial(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    for (size_t i = 0; i < sizeof(initials) / sizeof(initials[0]); i++) {
        page_put_initial(&out, str_of(initials[i].name));
        assert_text(&out, initials[i].out);
    }
    buf_free(&out);
}

static void test_date(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    page_put_date(&out, PAGE_LANG_EN, 1795312800000);
    assert_text(&out, "<time datetime=\"2026-11-22\">22 November 2026</time>");
    page_put_date(&out, PAGE_LANG_DE, 1709164800000);
    assert_text(&out, "<time datetime=\"2024-02-29\">29. Februar 2024</time>");
    page_put_date(&out, PAGE_LANG_FR, 0);
    assert_text(&out, "<time datetime=\"1970-01-01\">1 janvier 1970</time>");
    page_put_date(&out, PAGE_LANG_EN, -1);
    assert_text(&out, "");
    page_put_date(&out, PAGE_LANG_EN, INT64_MAX);
    assert_text(&out, "");
    buf_free(&out);
}

static void test_message(void **state) {
    (void)state;
    struct buf out = buf_growing(4096);
    const struct page_arg args[] = {{.text = S("<\0011>")}, {.number = -5, .is_number = true}};
    page_put_message(&out, S("a \0010 b \0011 c \0010"), args, 2);
    assert_text(&out, "a &lt;" BAD "1&gt; b -5 c &lt;" BAD "1&gt;");
    page_put_message(&out, S("\0017x\001"), args, 2); /* no such argument */
    assert_text(&out, "x");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_addresses), cmocka_unit_test(test_switch),
        cmocka_unit_test(test_initial), cmocka_unit_test(test_date),      cmocka_unit_test(test_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
