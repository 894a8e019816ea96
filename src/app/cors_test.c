#include "cors.h"

#include "rows_test.h"

static const str web_uris[] = {S("https://spa.example/cb"), S("https://Other.Example:8443/cb?x=1"),
                               S("https://default.example:443/cb"), S("com.example.app:/done")};
static const str loopback_uris[] = {S("http://localhost:3000/cb"), S("http://127.0.0.1/cb"), S("http://[::1]:9/cb")};
static const str secret_uris[] = {S("https://server.example/cb")};
static const str gone_uris[] = {S("https://gone.example/cb")};

static struct cors_origins *make(void) {
    struct app apps[] = {
        {.app_id = 1, .flags = APP_PUBLIC, .redirect_uris = web_uris, .n_redirect_uris = COUNT(web_uris)},
        {.app_id = 2, .flags = APP_PUBLIC, .redirect_uris = loopback_uris, .n_redirect_uris = COUNT(loopback_uris)},
        {.app_id = 3, .flags = 0, .redirect_uris = secret_uris, .n_redirect_uris = COUNT(secret_uris)},
        {.app_id = 4, .flags = APP_PUBLIC | APP_DISABLED, .redirect_uris = gone_uris, .n_redirect_uris = 1},
        {.app_id = 5, .flags = APP_PUBLIC | APP_DELETED, .redirect_uris = gone_uris, .n_redirect_uris = 1},
        {.app_id = 6, .flags = APP_PUBLIC},
    };
    return cors_origins_new(&(struct registry){.apps = apps, .n_apps = COUNT(apps)});
}

static void test_origins(void **state) {
    (void)state;
    static const struct {
        str origin;
        bool want;
    } rows[] = {
        {S("https://spa.example"), true},
        {S("https://SPA.example"), true},
        {S("https://spa.example:443"), true}, /* browsers leave the scheme's own port out */
        {S("https://spa.example:8443"), false},
        {S("http://spa.example"), false},
        {S("https://other.example:8443"), true},
        {S("https://other.example"), false},
        {S("https://default.example"), true},
        {S("http://localhost:3000"), true},
        {S("http://localhost:5173"), true}, /* as the port of the redirect URI, RFC 8252 s7.3 */
        {S("http://localhost"), true},
        {S("https://localhost:3000"), false},
        {S("http://127.0.0.1:1"), true},
        {S("http://[::1]:1"), true},
        {S("http://localhost.evil.example"), false},
        {S("https://server.example"), false},
        {S("https://gone.example"), false},
        {S("https://spa.example.evil.example"), false},
        {S("https://evilspa.example"), false},
        {S("https://spa.example/"), false},
        {S("https://spa.example/cb"), false},
        {S("https://spa.example:443/cb"), false},
        {S("https://spa.example?x"), false},
        {S("https://a@spa.example"), false},
        {S("https://spa.example, https://evil.example"), false},
        {S("https://*"), false},
        {S("com.example.app:"), false},
        {S("null"), false},
        {S("*"), false},
        {S(""), false},
    };
    struct cors_origins *origins = make();
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, cors_origins_have(origins, rows[i].origin) == rows[i].want);
    cors_origins_free(origins);
}

static void test_headers(void **state) {
    (void)state;
    static const struct {
        enum cors_policy policy;
        str origin, allowed;
        bool varies;
    } rows[] = {
        {CORS_APPS, S("https://spa.example"), S("https://spa.example"), true},
        {CORS_APPS, S("https://evil.example"), S(""), true},
        {CORS_APPS, S("null"), S(""), true},
        {CORS_APPS, S(""), S(""), true},
        {CORS_ANYBODY, S("https://evil.example"), S("*"), false},
        {CORS_ANYBODY, S(""), S("*"), false},
        {CORS_NOBODY, S("https://spa.example"), S(""), false},
        {CORS_NOBODY, S(""), S(""), false},
    };
    struct cors_origins *origins = make(), *none = cors_origins_new(&(struct registry){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct web_header headers[CORS_HEADERS_MAX], preflight[CORS_PREFLIGHT_HEADERS_MAX];
        struct cors_request request = {rows[i].policy, rows[i].origin};
        size_t n = cors_write_headers(origins, &request, headers);
        str allowed = S("");
        bool varies = false;
        for (size_t h = 0; h < n; h++) {
            if (str_eq(headers[h].name, S("Access-Control-Allow-Origin"))) allowed = headers[h].value;
            varies = varies || str_eq(headers[h].name, S("Vary"));
            CHECK(i, !str_eq_nocase(headers[h].name, S("Access-Control-Allow-Credentials")));
        }
        CHECK(i, str_eq(allowed, rows[i].allowed) && varies == rows[i].varies);
        CHECK(i, cors_write_preflight(origins, &request, S("POST"), preflight) == (allowed.n ? 3 : 0));
        CHECK(i, rows[i].policy == CORS_ANYBODY || cors_write_preflight(none, &request, S("POST"), preflight) == 0);
    }
    cors_origins_free(origins);
    cors_origins_free(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
