/* What three kinds of proxy write, and what they do not. */
#include "certificate_header.h"

#include <stdio.h>

#include "rows_test.h"

#define PEM_BEGIN "-----BEGIN%20CERTIFICATE-----%0A"
#define PEM_END   "%0A-----END%20CERTIFICATE-----%0A"
#define PEM       PEM_BEGIN "aGVs%0AbG8%3D" PEM_END /* "hello" */

static void parse(const char *headers, struct http_head *out) {
    static const struct http_limits limits = {.head_max = 4096, .target_max = 100, .headers_max = 20, .body_max = 0};
    static char text[2048];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    assert_int_equal(http_head_parse(&limits, (str){text, (size_t)n}, out), 0);
}

static void test_styles(void **state) {
    (void)state;
    static const struct {
        enum certificate_style style;
        const char *headers, *want; /* "": none */
        bool verified;
    } rows[] = {
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsbG8=:\r\n", "hello", true},
        {CERTIFICATE_STYLE_RFC9440, "client-cert: :aGVsbG8=:;x=1\r\n", "hello", true},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: aGVsbG8=\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsbG8=\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: ::\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsb!8=:\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsbG8=: x\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsbG8=:, :aGVsbG8=:\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert: :aGVsbG8=:\r\nClient-Cert: :eA==:\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "Client-Cert:\r\n", "", false},
        {CERTIFICATE_STYLE_RFC9440, "X-SSL-Client-Cert: " PEM "\r\n", "", false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM "\r\nX-SSL-Client-Verify: SUCCESS\r\n", "hello", true},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM "\r\nX-SSL-Client-Verify: FAILED:self signed\r\n", "hello",
         false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM "\r\n", "hello", false},
        {CERTIFICATE_STYLE_NGINX,
         "X-SSL-Client-Cert: " PEM "\r\nX-SSL-Client-Verify: SUCCESS\r\nX-SSL-Client-Verify: SUCCESS\r\n", "hello",
         false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM PEM "\r\n", "hello", false}, /* the chain follows */
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM_BEGIN "aGVs\r\n", "", false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: " PEM_BEGIN PEM_END "\r\n", "", false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: %2\r\n", "", false},
        {CERTIFICATE_STYLE_NGINX, "X-SSL-Client-Cert: aGVsbG8=\r\n", "", false},
        {CERTIFICATE_STYLE_NGINX, "Client-Cert: :aGVsbG8=:\r\n", "", false},
        {CERTIFICATE_STYLE_ENVOY, "X-Forwarded-Client-Cert: By=a;Hash=b;Cert=\"" PEM "\";Subject=\"CN=x\"\r\n", "hello",
         true},
        {CERTIFICATE_STYLE_ENVOY,
         "X-Forwarded-Client-Cert: Cert=\"" PEM_BEGIN "eA%3D%3D" PEM_END "\",Subject=\"a,b;Cert=\\\"\";Cert=\"" PEM
         "\"\r\n",
         "hello", true},
        {CERTIFICATE_STYLE_ENVOY, "X-Forwarded-Client-Cert: Cert=\"" PEM "\",Hash=b\r\n", "", false},
        {CERTIFICATE_STYLE_ENVOY, "X-Forwarded-Client-Cert: Cert=\"" PEM "\r\n", "", false},
        {CERTIFICATE_STYLE_ENVOY, "X-Forwarded-Client-Cert: Cert=\"\r\n", "", false},
        {CERTIFICATE_STYLE_NONE, "Client-Cert: :aGVsbG8=:\r\nX-SSL-Client-Cert: " PEM "\r\n", "", false},
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct http_head head;
        struct shown_certificate shown;
        parse(rows[i].headers, &head);
        bool found = certificate_header_read(&head, rows[i].style, arena, &shown);
        CHECK(i, found == (*rows[i].want != 0));
        if (found) CHECK(i, str_eq(shown.der, str_of(rows[i].want)) && shown.verified == rows[i].verified);
    }
    arena_free(arena);
}

static void test_names(void **state) {
    (void)state;
    enum certificate_style style;
    assert_true(certificate_style_named(S("envoy"), &style) && style == CERTIFICATE_STYLE_ENVOY);
    assert_true(certificate_style_named(S(""), &style) && style == CERTIFICATE_STYLE_NONE);
    assert_false(certificate_style_named(S("apache"), &style));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_styles), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
