#include "certificate.h"

#include "b64.h"
#include "random.h"
#include "rows_test.h"

/* openssl req -x509 -newkey ec -subj '/C=US/O=Example, Inc./CN=app "one"/emailAddress=a@b.example'
 * -addext 'subjectAltName=DNS:app.example.com,URI:spiffe://example/app,IP:192.0.2.7,IP:2001:db8::1,email:ops@example.com,RID:1.2.3.4' */
static const char text[] =
    "MIICZDCCAgmgAwIBAgIUOb9WeK7kXb5idEeCH/fnvAKYG4cwCgYIKoZIzj0EAwIwVTELMAkGA1UEBhMCVVMxFjAUBgNVBAoMDUV4"
    "YW1wbGUsIEluYy4xEjAQBgNVBAMMCWFwcCAib25lIjEaMBgGCSqGSIb3DQEJARYLYUBiLmV4YW1wbGUwIBcNMjYxMTIyMDY0OTI2"
    "WhgPMjEyNjEwMjkwNjQ5MjZaMFUxCzAJBgNVBAYTAlVTMRYwFAYDVQQKDA1FeGFtcGxlLCBJbmMuMRIwEAYDVQQDDAlhcHAgIm9u"
    "ZSIxGjAYBgkqhkiG9w0BCQEWC2FAYi5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOYJ0waHP5BIQJHxzjj5oZVaV"
    "KsclBKqv1FfX7LOfu1OW0ksb4Sw86kotxMPeT3AGrSA/eytwmZe3UzWEk9I8gKOBtDCBsTAdBgNVHQ4EFgQUmfvb6OF6sIDw5E3U"
    "eGVOuy6LogUwHwYDVR0jBBgwFoAUmfvb6OF6sIDw5E3UeGVOuy6LogUwDwYDVR0TAQH/BAUwAwEB/zBeBgNVHREEVzBVgg9hcHAu"
    "ZXhhbXBsZS5jb22GFHNwaWZmZTovL2V4YW1wbGUvYXBwhwTAAAIHhxAgAQ24AAAAAAAAAAAAAAABgQ9vcHNAZXhhbXBsZS5jb22I"
    "AyoDBDAKBggqhkjOPQQDAgNJADBGAiEAyfUfF/sGPHVU5WFJaLCnFptLo58HVUoP5o8lLuX4f64CIQCtnYoZ+LXciIB0eLZos4I0"
    "t6xwlEycWgl9xsmNB9BBhg==";
static const char sha256[] = "e3fc599db7e48c9fce7fee67461e34ece076f4a1c37a7066bab5164e2f5e2811";

static str der_of(struct arena *arena) {
    uint8_t *bytes = arena_alloc(arena, sizeof text + 8);
    size_t n = 0;
    assert_true(b64_decode(str_of(text), bytes, &n));
    return (str){(const char *)bytes, n};
}

static void test_read(void **state) {
    (void)state;
    static const struct certificate_name names[] = {{CERTIFICATE_DNS, S("app.example.com")},
                                                    {CERTIFICATE_URI, S("spiffe://example/app")},
                                                    {CERTIFICATE_IP, S("192.0.2.7")},
                                                    {CERTIFICATE_IP, S("2001:db8::1")},
                                                    {CERTIFICATE_EMAIL, S("ops@example.com")}};
    struct arena *arena = arena_new(4096);
    struct certificate c;
    char hex[2 * SHA256_BYTES];
    assert_true(certificate_read(der_of(arena), arena, &c));
    hex_encode(c.thumbprint, SHA256_BYTES, hex);
    assert_memory_equal(hex, sha256, sizeof hex);
    assert_true(str_eq(c.subject, S("emailAddress=a@b.example,CN=app \\\"one\\\",O=Example\\, Inc.,C=US")));
    assert_int_equal(c.n_names, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        CHECK(i, c.names[i].kind == names[i].kind && str_eq(c.names[i].text, names[i].text));
    arena_free(arena);
}

/* Cut anywhere, with bytes behind it, or with any byte changed: no crash, and never the same thumbprint. */
static void test_broken(void **state) {
    (void)state;
    struct arena *arena = arena_new(65536);
    struct certificate whole, c;
    str der = der_of(arena);
    assert_true(certificate_read(der, arena, &whole));
    for (size_t n = 0; n < der.n; n++) CHECK(n, !certificate_read(str_head(der, n), arena, &c));
    assert_false(certificate_read((str){der.p, der.n + 1}, arena, &c));
    for (size_t i = 0; i < der.n; i++) {
        char *changed = arena_alloc(arena, der.n);
        memcpy(changed, der.p, der.n);
        changed[i] ^= 0x41;
        bool good = certificate_read((str){changed, der.n}, arena, &c);
        CHECK(i, !good || memcmp(c.thumbprint, whole.thumbprint, SHA256_BYTES) != 0);
    }
    assert_false(certificate_read((str){NULL, 0}, arena, &c));
    static char large[CERTIFICATE_MAX + 1] = {0x30};
    assert_false(certificate_read((str){large, sizeof large}, arena, &c));
    arena_free(arena);
}

/* A name with a NUL could be taken for another one by those who stop reading there. */
static void test_nul(void **state) {
    (void)state;
    struct arena *arena = arena_new(4096);
    struct certificate c;
    str der = der_of(arena);
    char *at = memmem(der.p, der.n, "app.example.com", 15);
    assert_non_null(at);
    at[3] = 0;
    assert_true(certificate_read(der, arena, &c));
    assert_true(c.n_names == 4 && c.names[0].kind == CERTIFICATE_URI);
    arena_free(arena);
}

static void test_addresses(void **state) {
    (void)state;
    static const struct {
        str text, want;
    } rows[] = {{S("192.0.2.7"), S("192.0.2.7")},
                {S("2001:DB8:0::1"), S("2001:db8::1")},
                {S("192.0.2.7/8"), S("")},
                {S("localhost"), S("")},
                {S(""), S("")},
                {S("1.2.3.4\0x"), S("")}};
    struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, str_eq(certificate_address(rows[i].text, arena), rows[i].want));
    arena_free(arena);
}

int main(void) {
    if (!crypto_start()) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_broken),
                                       cmocka_unit_test(test_nul), cmocka_unit_test(test_addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
