#include "routes.h"

#include "rows_test.h"

#include <string.h>

static void test_find(void **state) {
    (void)state;
    static const struct {
        str path;
        enum oauth_method method;
        const struct endpoint *endpoint; /* NULL: none for this method */
        const char *allow;               /* "": the path is unknown */
        str arg;
    } rows[] = {
        {S("/oauth/v3/token"), METHOD_POST, &endpoint_token, "POST", S("")},
        {S("/oauth/2026-03/token"), METHOD_POST, &endpoint_token, "POST", S("")},
        {S("/oauth/2026-09/token"), METHOD_POST, &endpoint_token, "POST", S("")},
        {S("//oauth///v3/token//"), METHOD_POST, &endpoint_token, "POST", S("")},
        {S("/oauth/v3/token"), METHOD_GET, NULL, "POST", S("")},
        {S("/oauth/v3/token"), METHOD_HEAD, NULL, "POST", S("")},
        {S("/oauth/v3/token"), METHOD_OPTIONS, NULL, "POST", S("")},
        {S("/oauth/v3/token"), METHOD_OTHER, NULL, "POST", S("")},
        {S("/oauth/v2/token"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/2026-10/token"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/V3/token"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/v3/token/introspect"), METHOD_POST, &endpoint_introspect, "POST", S("")},
        {S("/oauth/2026-09/token/revoke/"), METHOD_POST, &endpoint_revoke, "POST", S("")},
        {S("/oauth/v3/token/other"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/v3"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/authorize"), METHOD_GET, &endpoint_authorize, "GET, HEAD, POST", S("")},
        {S("/oauth/authorize"), METHOD_HEAD, &endpoint_authorize, "GET, HEAD, POST", S("")},
        {S("/oauth/authorize"), METHOD_POST, &endpoint_authorize, "GET, HEAD, POST", S("")},
        {S("/oauth/authorize"), METHOD_DELETE, NULL, "GET, HEAD, POST", S("")},
        {S("/oauth/12345/authorize"), METHOD_GET, &endpoint_authorize, "GET, HEAD, POST", S("12345")},
        {S("/oauth/2147483648/authorize"), METHOD_GET, NULL, "", S("")},
        {S("/oauth/me/authorize"), METHOD_GET, NULL, "", S("")},
        {S("/appinstalls/2026-03/external-install"), METHOD_DELETE, &endpoint_uninstall, "DELETE", S("")},
        {S("/oauth/v1/token"), METHOD_POST, &endpoint_token, "POST", S("")},
        {S("/oauth/v1/token/introspect"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/v1/access-tokens/gda_x"), METHOD_GET, &endpoint_v1_access_token, "GET, HEAD", S("gda_x")},
        {S("/oauth/v1/access-tokens"), METHOD_GET, NULL, "", S("")},
        {S("/oauth/v1/access-tokens/a/b"), METHOD_GET, NULL, "", S("")},
        {S("/oauth/v1/refresh-tokens/x"), METHOD_GET, &endpoint_v1_refresh_token, "GET, HEAD, DELETE", S("x")},
        {S("/oauth/v1/refresh-tokens/x"), METHOD_DELETE, &endpoint_v1_refresh_delete, "GET, HEAD, DELETE", S("x")},
        {S("/oauth/v1/refresh-tokens/x"), METHOD_POST, NULL, "GET, HEAD, DELETE", S("")},
        {S("/.well-known/oauth-authorization-server"), METHOD_GET, &endpoint_metadata, "GET, HEAD", S("")},
        {S("/.well-known/jwks.json"), METHOD_HEAD, &endpoint_jwks, "GET, HEAD", S("")},
        {S("/.well-known/jwks.json"), METHOD_POST, NULL, "GET, HEAD", S("")},
        {S("/"), METHOD_GET, NULL, "", S("")},
        {S(""), METHOD_GET, NULL, "", S("")},
        {S("*"), METHOD_OPTIONS, NULL, "", S("")},
        {S("oauth/v3/token"), METHOD_POST, NULL, "", S("")},
        {S("/a/b/c/d/e/f/g/h/i/j/k"), METHOD_GET, NULL, "", S("")},
        {S("/oauth/%76%33/token"), METHOD_POST, NULL, "", S("")},
        {S("/oauth/v3/token/."), METHOD_POST, NULL, "", S("")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char allow[ROUTE_ALLOW_BYTES];
        struct route_match m = route_find(rows[i].path, rows[i].method, true);
        CHECK(i, (m.route ? m.route->endpoint : NULL) == rows[i].endpoint);
        CHECK(i, str_eq(route_allow_text(m.allowed, allow), str_of(rows[i].allow)));
        CHECK(i, str_eq(m.arg, rows[i].arg));
    }
}

/* v1 puts tokens into URLs: without the option it is not there at all. */
static void test_without_v1(void **state) {
    (void)state;
    static const char *const paths[] = {"/oauth/v1/token", "/oauth/v1/access-tokens/x", "/oauth/v1/refresh-tokens/x"};
    static const enum oauth_method methods[] = {METHOD_GET, METHOD_POST, METHOD_DELETE};
    for (size_t i = 0; i < COUNT(paths); i++)
        for (size_t m = 0; m < COUNT(methods); m++)
            CHECK(i, route_find(str_of(paths[i]), methods[m], false).allowed == 0);
    assert_non_null(route_find(S("/oauth/v3/token"), METHOD_POST, false).route);
}

/* Pages may read what an app without a secret needs, and what is published; nothing of people, and nothing for APIs. norm: X15 X16 */
static enum cors_policy cors_policy_of(const struct route *row) {
    if (row->endpoint == &endpoint_token || row->endpoint == &endpoint_revoke) return CORS_APPS;
    if (row->endpoint == &endpoint_userinfo) return CORS_APPS;
    return row->flags & ROUTE_DOCUMENT ? CORS_ANYBODY : CORS_NOBODY;
}

/* What every row must keep to. */
static void test_table(void **state) {
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *row = &route_rows[i];
        CHECK(i, row->pattern[0] == '/' && row->endpoint && row->methods);
        CHECK(i, !(row->flags & ROUTE_NO_STORE) == ((row->flags & (ROUTE_ASSET | ROUTE_DOCUMENT)) != 0));
        /* whoever asks userinfo with a token in the header has no body to send */
        CHECK(i, !(row->methods & METHOD_POST) || (row->flags & ROUTE_FORM) || row->endpoint == &endpoint_userinfo);
        CHECK(i, !(row->flags & ROUTE_LIMIT_GRANT) || (row->flags & ROUTE_LIMIT_AUTH));
        CHECK(i, !(row->flags & ROUTE_QUERY) || (row->flags & ROUTE_V1));
        CHECK(i, row->cors == cors_policy_of(row));
        CHECK(i,
              route_find(str_of(row->pattern), METHOD_OTHER, true).cors == row->cors || strpbrk(row->pattern, "$#*"));
    }
    char allow[ROUTE_ALLOW_BYTES];
    assert_true(route_allow_text(~0U, allow).n < sizeof allow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_without_v1),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
