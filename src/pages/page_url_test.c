#include "page_url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NUL_BEFORE_HOST ((str){"https://a\0b.example/", 20})

static const struct {
    str url;
    bool ok;
} addresses[] = {
    {S("https://app.example"), true},
    {S("https://app.example/"), true},
    {S("HTTPS://App.Example:8443/a/b?c=d&e=%20#f"), true},
    {S("https://[2001:db8::1]:443/"), true},
    {S("https://xn--bcher-kva.example/"), true},
    {S("http://localhost:3000/cb"), true},
    {S("http://127.0.0.1/"), true},
    {S("http://[::1]:80/x"), true},
    {S("/oauth/authorize?a=b"), true},
    {S("/"), true},
    {S(""), false},
    {S("http://app.example/"), false},
    {S("http://127.0.0.1.evil.example/"), false},
    {S("http://localhost.evil.example/"), false},
    {S("http://localhost@evil.example/"), false},
    {S("https://"), false},
    {S("https:///path"), false},
    {S("https://good.example@evil.example/"), false},
    {S("https://good.example\\@evil.example/"), false},
    {S("https://a b/"), false},
    {S("https://a.example/\"onclick=alert(1)"), false},
    {S("https://a.example/'x"), false},
    {S("https://a.example/<b>"), false},
    {S("https://a.example:99999/"), false},
    {S("https://a.example:8x/"), false},
    {S("https://[::1/"), false},
    {S("https://[]/"), false},
    {S("https://b\xC3\xBC"
       "cher.example/"),
     false},
    {NUL_BEFORE_HOST, false},
    {S("//evil.example/"), false},
    {S("/\\evil.example/"), false},
    {S("\\\\evil.example"), false},
    {S("javascript:alert(1)"), false},
    {S("JaVaScRiPt:alert(1)"), false},
    {S(" javascript:alert(1)"), false},
    {S("java\nscript:alert(1)"), false},
    {S("data:text/html,<script>"), false},
    {S("data:text/html;base64,PHNjcmlwdD4="), false},
    {S("vbscript:x"), false},
    {S("file:///etc/passwd"), false},
    {S("blob:https://a.example/1"), false},
    {S("relative/path"), false},
    {S("?query"), false},
};

static void test_ok(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        if (page_url_ok(addresses[i].url) != addresses[i].ok) fail_msg("row %zu: %.*s", i, STR_ARG(addresses[i].url));
}

static void test_length(void **state) {
    (void)state;
    char long_url[2100];
    memset(long_url, 'a', sizeof(long_url));
    memcpy(long_url, "https://a.example/", 18);
    assert_true(page_url_ok((str){long_url, 2048}));
    assert_false(page_url_ok((str){long_url, 2049}));
}

static const struct {
    const char *url;
    bool ok;
} images[] = {
    {"https://a.example/logo.svg", true},
    {"/logo.png", true},
    {"data:image/png;base64,iVBORw0KGgo=", true},
    {"data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=", true},
    {"data:image/png;base64,", false},
    {"data:image/png;base64,abc", false},
    {"data:image/png;base64,a===", false},
    {"data:image/png;base64,ab\"onload=x=", false},
    {"data:image/svg+xml,<svg onload=alert(1)>", false},
    {"data:image/svg+xml;utf8,<svg/>", false},
    {"data:text/html;base64,PHNjcmlwdD4=", false},
    {"DATA:image/png;base64,iVBORw0KGgo=", false},
    {"javascript:alert(1)", false},
    {"data:,", false},
};

static void test_image(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
        if (page_image_ok(str_of(images[i].url)) != images[i].ok) fail_msg("row %zu: %s", i, images[i].url);
}

static const struct {
    const char *url, *host;
    enum page_target target;
} hosts[] = {
    {"https://app.example/cb?x=y", "app.example", PAGE_TARGET_SITE},
    {"https://app.example:8443", "app.example:8443", PAGE_TARGET_SITE},
    {"https://good.example@evil.example/", "evil.example", PAGE_TARGET_SITE},
    {"https://good.example:x@evil.example?", "evil.example", PAGE_TARGET_SITE},
    {"https://evil.example#@good.example", "evil.example", PAGE_TARGET_SITE},
    {"https://evil.example\\@good.example/", "", PAGE_TARGET_SITE},
    {"http://127.0.0.1:53682/", "127.0.0.1:53682", PAGE_TARGET_DEVICE},
    {"http://[::1]:53682/", "[::1]:53682", PAGE_TARGET_DEVICE},
    {"http://localhost/", "localhost", PAGE_TARGET_DEVICE},
    {"http://localhost.evil.example/", "localhost.evil.example", PAGE_TARGET_SITE},
    {"com.example.app:/done", "com.example.app", PAGE_TARGET_APP},
    {"com.example.app://done", "com.example.app", PAGE_TARGET_APP},
    {"/path", "", PAGE_TARGET_APP},
    {":x", "", PAGE_TARGET_APP},
    {"1a:x", "", PAGE_TARGET_APP},
    {"a b:x", "", PAGE_TARGET_APP},
    {"", "", PAGE_TARGET_APP},
};

static void test_host(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        str host = page_url_host(str_of(hosts[i].url));
        if (!str_eq(host, str_of(hosts[i].host))) fail_msg("row %zu: %.*s", i, STR_ARG(host));
        assert_int_equal(page_url_target(str_of(hosts[i].url)), hosts[i].target);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ok),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
