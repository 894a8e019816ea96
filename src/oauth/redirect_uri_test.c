/* Redirect URIs: what may be registered, and what counts as the registered one. */
#include "redirect_uri.h"

#include "kit_rows_test.h"

/* norm: A13 A14 A15 A16 P04 */
static const struct {
    const char *uri;
    bool registrable;
} registrations[] = {
    {"https://app.example/cb", true},
    {"https://app.example", true},
    {"https://app.example/", true},
    {"https://app.example:8443/cb?tenant=1&x=%20a", true},
    {"https://App.Example/cb", true},
    {"https://xn--mnchen-3ya.example/cb", true},
    {"https://203.0.113.7/cb", true},
    {"https://[2001:db8::1]:8443/cb", true},
    {"https://app.example/a.b/..c/...", true},
    {"http://127.0.0.1/cb", true},
    {"http://127.0.0.1:3000/cb", true},
    {"http://[::1]/cb", true},
    {"http://[::1]:3000/cb", true},
    {"http://localhost:3000/oauth-callback", true},
    {"http://localhost", true},
    {"com.example.app:/cb", true},
    {"com.example.app://cb", true},
    {"com.example.app://cb/path?x=1", true},
    {"", false},
    {"/cb", false},
    {"cb", false},
    {"//app.example/cb", false},
    {"https:/app.example/cb", false},
    {"https:app.example/cb", false},
    {"https:///cb", false},
    {"https://", false},
    {"https://?x", false},
    {"HTTPS://app.example/cb", false},
    {"https://app.example/cb#", false},
    {"https://app.example/cb#x", false},
    {"https://user@app.example/cb", false},
    {"https://user:pw@app.example/cb", false},
    {"https://app.example:/cb", false},
    {"https://app.example:0/cb", false},
    {"https://app.example:080/cb", false},
    {"https://app.example:65536/cb", false},
    {"https://app.example:x/cb", false},
    {"https://app.example:443:443/cb", false},
    {"https://*.example/cb", false},
    {"https://app.example/*", false},
    {"https://app_x.example/cb", false},
    {"https://app..example/cb", false},
    {"https://.example/cb", false},
    {"https://app.example./cb", false},
    {"https://-app.example/cb", false},
    {"https://app-.example/cb", false},
    {"https://app.example\\cb", false},
    {"https://app.example/c b", false},
    {" https://app.example/cb", false},
    {"https://app.example/cb\n", false},
    {"https://app.example/cb\r\nX: y", false},
    {"https://app.example/%", false},
    {"https://app.example/%2", false},
    {"https://app.example/%zz", false},
    {"https://app.example/%00", false},
    {"https://app.example/%0d%0aX:y", false},
    {"https://app.example/%7F", false},
    {"https://app.example/\"><script>", false},
    {"https://m\xc3\xbcnchen.example/cb", false},
    {"https://app.example/../cb", false},
    {"https://app.example/a/./cb", false},
    {"https://app.example/a/..", false},
    {"https://app.example/%2e%2e/cb", false},
    {"https://app.example/.%2E/cb", false},
    {"https://[::1/cb", false},
    {"https://[]/cb", false},
    {"https://[zz::1]/cb", false},
    {"https://[::1]x/cb", false},
    {"http://app.example/cb", false},
    {"http://127.0.0.2/cb", false},
    {"http://127.1/cb", false},
    {"http://2130706433/cb", false},
    {"http://0x7f.0.0.1/cb", false},
    {"http://localhost.example/cb", false},
    {"http://LOCALHOST/cb", false},
    {"http://localhost./cb", false},
    {"http://[0:0:0:0:0:0:0:1]/cb", false},
    {"http://127.0.0.1@evil.example/cb", false},
    {"http://127.0.0.1:80@evil.example/cb", false},
    {"javascript:alert(1)", false},
    {"data:text/html,x", false},
    {"file:///etc/passwd", false},
    {"myapp:/cb", false},
    {"myapp://cb", false},
    {"com.example.app:cb", false},
    {"com.example.app:", false},
    {"com.example.app://", false},
    {"com..app:/cb", false},
    {".com.app:/cb", false},
    {"com.app.:/cb", false},
    {"1com.app:/cb", false},
    {"Com.App:/cb", false},
    {"com.example.app://user@cb", false},
    {"urn:ietf:wg:oauth:2.0:oob", false},
};

static void test_registration(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof registrations / sizeof registrations[0]; i++)
        if (redirect_uri_is_registrable(str_of(registrations[i].uri)) != registrations[i].registrable)
            fail_msg("%s", registrations[i].uri);
}

/* Hostile variants of a registered URI, one fault each. norm: A08 A09 A11 A13 */
static const struct {
    const char *registered, *requested;
} strangers[] = {
    {"https://app.example/cb", ""},
    {"https://app.example/cb", "https://app.example/CB"},
    {"https://app.example/cb", "https://app.example/cb/"},
    {"https://app.example/cb", "https://app.example//cb"},
    {"https://app.example/cb", "https://app.example/cb?"},
    {"https://app.example/cb", "https://app.example/cb?x=1"},
    {"https://app.example/cb", "https://app.example/cb#"},
    {"https://app.example/cb", "https://app.example/cb#x"},
    {"https://app.example/cb", "https://app.example/cb;x=1"},
    {"https://app.example/cb", "https://app.example/cb%20"},
    {"https://app.example/cb", "https://app.example/cb%00"},
    {"https://app.example/cb", "https://app.example/c%62"},
    {"https://app.example/cb", "https://app.example/%63b"},
    {"https://app.example/cb", "https://app.example/%2563b"},
    {"https://app.example/cb", "https://app.example/./cb"},
    {"https://app.example/cb", "https://app.example/x/../cb"},
    {"https://app.example/cb", "https://app.example/x/%2e%2e/cb"},
    {"https://app.example/cb", "https://app.example/cb/../../evil"},
    {"https://app.example/cb", "https://app.example\\cb"},
    {"https://app.example/cb", "https:\\\\app.example/cb"},
    {"https://app.example/cb", "https:/app.example/cb"},
    {"https://app.example/cb", "//app.example/cb"},
    {"https://app.example/cb", "/cb"},
    {"https://app.example/cb", "http://app.example/cb"},
    {"https://app.example/cb", "HTTPS://app.example/cb"},
    {"https://app.example/cb", "https://APP.example/cb"},
    {"https://app.example/cb", "https://app.example:443/cb"},
    {"https://app.example/cb", "https://app.example:8443/cb"},
    {"https://app.example/cb", "https://app.example:/cb"},
    {"https://app.example/cb", "https://app.example./cb"},
    {"https://app.example/cb", "https://x.app.example/cb"},
    {"https://app.example/cb", "https://app.example.evil.example/cb"},
    {"https://app.example/cb", "https://evilapp.example/cb"},
    {"https://app.example/cb", "https://app.example@evil.example/cb"},
    {"https://app.example/cb", "https://user@app.example/cb"},
    {"https://app.example/cb", "https://evil.example/https://app.example/cb"},
    {"https://app.example/cb", "https://evil.example/?x=https://app.example/cb"},
    {"https://app.example/cb", "https://evil.example#https://app.example/cb"},
    {"https://app.example/cb", "https://app.example%2fcb"},
    {"https://app.example/cb", "https://app.example%2eevil.example/cb"},
    {"https://app.example/cb", "https://\xd0\xb0pp.example/cb"},
    {"https://app.example/cb", "https://app.example\xe3\x80\x82/cb"},
    {"https://app.example/cb", " https://app.example/cb"},
    {"https://app.example/cb", "https://app.example/cb "},
    {"https://app.example/cb", "https://app.example/cb\n"},
    {"https://app.example/cb", "https://app.example/cb\r\nX: y"},
    {"https://app.example/cb", "https://app.example/c"},
    {"https://app.example/cb", "javascript:alert(1)//https://app.example/cb"},
    {"https://app.example/cb?a=1", "https://app.example/cb"},
    {"https://app.example/cb?a=1", "https://app.example/cb?a=1&b=2"},
    {"https://app.example/cb?a=1", "https://app.example/cb?a=%31"},
    {"https://127.0.0.1/cb", "https://127.0.0.1:1/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152/other"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?x"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb/"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb#x"},
    {"http://127.0.0.1/cb", "https://127.0.0.1:49152/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.2:49152/cb"},
    {"http://127.0.0.1/cb", "http://localhost:49152/cb"},
    {"http://127.0.0.1/cb", "http://[::1]:49152/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb"},
    {"http://127.0.0.1/cb", "http://x@127.0.0.1:49152/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example:49152/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152.evil.example/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:0/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:-1/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:+1/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:1 /cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:1:2/cb"},
    {"http://127.0.0.1/cb", "http://127.0.0.1:49152\\cb"},
    {"http://[::1]/cb", "http://[::2]:1/cb"},
    {"http://[::1]/cb", "http://[::1]x:1/cb"},
    {"http://[::1]/cb", "http://[::1:1/cb"},
    {"http://app.example/cb", "http://app.example:1/cb"}, /* registered around the rule: still no exception */
    {"com.example.app:/cb", "com.example.app:/cb2"},
    {"com.example.app:/cb", "com.example.app://cb"},
    {"com.example.app:/cb", "COM.example.app:/cb"},
};

static void test_strangers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        if (redirect_uri_matches(str_of(strangers[i].registered), str_of(strangers[i].requested)))
            fail_msg("%s counts as %s", strangers[i].requested, strangers[i].registered);
}

/* norm: A10 A16 */
static void test_friends(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"https://app.example/cb", "https://app.example/cb"},
        {"com.example.app:/cb", "com.example.app:/cb"},
        {"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"},
        {"http://127.0.0.1/cb", "http://127.0.0.1:1/cb"},
        {"http://127.0.0.1/cb", "http://127.0.0.1:65535/cb"},
        {"http://127.0.0.1:3000/cb", "http://127.0.0.1:3001/cb"},
        {"http://127.0.0.1:3000/cb", "http://127.0.0.1/cb"},
        {"http://[::1]/cb?x=1", "http://[::1]:49152/cb?x=1"},
        {"http://localhost:3000/cb", "http://localhost:8080/cb"},
        {"http://localhost", "http://localhost:8080"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (!redirect_uri_matches(str_of(pairs[i][0]), str_of(pairs[i][1]))) fail_msg("%s", pairs[i][1]);
}

/* Whatever matches a registrable URI is registrable itself, so nothing that matches can smuggle. */
static void test_matches_are_registrable(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "http://127.0.0.1", ":1", ":99", "/cb", "?", "#", "@", "%0a", "\\", " ", "//", ".."};
    enum { PIECES = sizeof pieces / sizeof pieces[0] };
    char text[64];
    for (size_t n = 0; n < PIECES * PIECES * PIECES; n++) {
        struct buf b = buf_on(text, sizeof text);
        buf_add(&b, str_of(pieces[0]));
        buf_add(&b, str_of(pieces[n % PIECES]));
        buf_add(&b, str_of(pieces[n / PIECES % PIECES]));
        buf_add(&b, str_of(pieces[n / PIECES / PIECES]));
        if (redirect_uri_matches(S("http://127.0.0.1/cb"), buf_str(&b)))
            assert_true(redirect_uri_is_registrable(buf_str(&b)));
    }
}

static void test_bound(void **state) {
    (void)state;
    static char text[REDIRECT_URI_MAX + 1];
    memset(text, 'a', sizeof text);
    memcpy(text, "https://a.example/", 18);
    assert_true(redirect_uri_is_registrable((str){text, REDIRECT_URI_MAX}));
    assert_false(redirect_uri_is_registrable((str){text, REDIRECT_URI_MAX + 1}));
    memcpy(text, "http://127.0.0.1:1/a", 20);
    assert_false(redirect_uri_matches(S("http://127.0.0.1/a"), (str){text, sizeof text}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registration), cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_friends),      cmocka_unit_test(test_matches_are_registrable),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
