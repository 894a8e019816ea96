#include "documents.h"

#include <jansson.h>
#include <stdlib.h>

#include "random.h"
#include "rows_test.h"

static struct scope scopes[] = {
    {1, S("oauth"), S(""), false},
    {2, S("old"), S(""), true},
    {3, S("crm.read"), S(""), false},
    {4, S("openid"), S(""), false},
};

static struct documents *make_with(const char *issuer, size_t n_scopes) {
    struct settings settings = {.issuer = str_of(issuer)};
    struct registry registry = {.arena = arena_new(1024), .scopes = scopes, .n_scopes = n_scopes};
    struct jose_keys keys = {.n = 1};
    struct buf text = buf_growing(8192);
    struct documents *d = NULL;
    registry_index(&registry);
    assert_true(rc_ok(jose_key_make(JOSE_ES256, S("one"), &text)));
    assert_true(rc_ok(jose_key_open(JOSE_ES256, buf_str(&text), &keys.keys[0])));
    assert_true(rc_ok(documents_make(&settings, 3600, &registry, &keys, &d)));
    jose_key_free(keys.keys[0]);
    buf_free(&text);
    arena_free(registry.arena);
    return d;
}

/* A catalogue without OpenID Connect. */
static struct documents *make(const char *issuer) { return make_with(issuer, COUNT(scopes) - 1); }

static json_t *load(const struct documents *d, enum route_document which) {
    json_t *json = json_loadb(d->of[which].body.p, d->of[which].body.n, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(json));
    return json;
}

static const char *text_of(const json_t *json, const char *member) {
    return json_string_value(json_object_get(json, member));
}

/* norm: A02 D01 D02 D04 R05 V01 */
static void test_metadata(void **state) {
    (void)state;
    struct documents *d = make("https://auth.example");
    json_t *json = load(d, ROUTE_METADATA);
    static const char *const rows[][2] = {
        {"issuer", "https://auth.example"},
        {"authorization_endpoint", "https://auth.example/oauth/authorize"}, /* no fragment, and no query to keep: A02 */
        {"token_endpoint", "https://auth.example/oauth/v3/token"},
        {"revocation_endpoint", "https://auth.example/oauth/v3/token/revoke"},
        {"introspection_endpoint", "https://auth.example/oauth/v3/token/introspect"},
        {"jwks_uri", "https://auth.example/.well-known/jwks.json"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) assert_string_equal(text_of(json, rows[i][0]), rows[i][1]);
    json_t *listed = json_object_get(json, "scopes_supported");
    assert_int_equal(json_array_size(listed), 2); /* without the hidden one */
    listed = json_object_get(json, "code_challenge_methods_supported");
    assert_int_equal(json_array_size(listed), 1);
    assert_string_equal(json_string_value(json_array_get(listed, 0)), "S256");
    assert_true(json_is_true(json_object_get(json, "authorization_response_iss_parameter_supported")));
    json_t *all = json_object_get(json, "token_endpoint_auth_methods_supported");
    listed = json_object_get(json, "introspection_endpoint_auth_methods_supported");
    assert_int_equal(json_array_size(all), json_array_size(listed) + 1); /* none proves nothing */
    assert_null(json_object_get(json, "userinfo_endpoint"));
    assert_null(json_object_get(json, "id_token_signing_alg_values_supported"));
    assert_int_equal(d->of[ROUTE_OPENID].body.n, 0);
    json_decref(json);
    documents_free(d);
}

/* What OpenID Connect Discovery s3 requires, and what it would take for granted otherwise. norm: D06 */
static void test_openid(void **state) {
    (void)state;
    struct documents *d = make_with("https://auth.example", COUNT(scopes));
    json_t *json = load(d, ROUTE_OPENID);
    assert_true(str_eq(d->of[ROUTE_OPENID].body, d->of[ROUTE_METADATA].body));
    assert_string_equal(text_of(json, "userinfo_endpoint"), "https://auth.example/oauth/userinfo");
    assert_string_equal(text_of(json, "end_session_endpoint"), "https://auth.example/oauth/logout");
    static const struct {
        const char *member, *first;
        size_t n;
    } rows[] = {
        {"response_types_supported", "code", 1},
        {"subject_types_supported", "public", 1},
        {"id_token_signing_alg_values_supported", "RS256", 2},
        {"claims_supported", "sub", 13},
        {"acr_values_supported", "0", 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *listed = json_object_get(json, rows[i].member);
        CHECK(i, json_array_size(listed) == rows[i].n);
        assert_string_equal(json_string_value(json_array_get(listed, 0)), rows[i].first);
    }
    assert_true(json_is_true(json_object_get(json, "claims_parameter_supported")));
    assert_true(json_is_false(json_object_get(json, "request_parameter_supported")));
    assert_true(json_is_false(json_object_get(json, "request_uri_parameter_supported")));
    json_decref(json);
    documents_free(d);
}

/* norm: D10 */
static void test_key_set(void **state) {
    (void)state;
    struct documents *d = make("https://auth.example");
    json_t *json = load(d, ROUTE_JWKS), *keys = json_object_get(json, "keys");
    assert_int_equal(json_array_size(keys), 1);
    assert_string_equal(text_of(json_array_get(keys, 0), "alg"), "ES256");
    assert_string_equal(text_of(json_array_get(keys, 0), "kid"), "one");
    assert_null(json_object_get(json_array_get(keys, 0), "d"));
    json_decref(json);
    assert_true(str_eq(d->cache_control, S("public, max-age=3600")));
    documents_free(d);
}

/* norm: D03 */
static void test_paths(void **state) {
    (void)state;
    static const struct {
        const char *issuer;
        str path, found; /* empty: another issuer's */
    } rows[] = {
        {"https://a.example", S("/.well-known/oauth-authorization-server"),
         S("/.well-known/oauth-authorization-server")},
        {"https://a.example", S("/.well-known/oauth-authorization-server/p"),
         S("/.well-known/oauth-authorization-server/p")},
        {"https://a.example:8443", S("/oauth/v3/token"), S("/oauth/v3/token")},
        {"https://a.example/p", S("/.well-known/oauth-authorization-server/p"),
         S("/.well-known/oauth-authorization-server")},
        {"https://a.example/p/q", S("/.well-known/oauth-authorization-server/p/q"),
         S("/.well-known/oauth-authorization-server")},
        {"https://a.example/p", S("/.well-known/oauth-authorization-server"), S("")},
        {"https://a.example/p", S("/.well-known/oauth-authorization-server/q"), S("")},
        {"https://a.example/p", S("/p/.well-known/openid-configuration"), S("/.well-known/openid-configuration")},
        {"https://a.example/p", S("/.well-known/openid-configuration"), S("")},
        {"https://a.example/p", S("/.well-known/jwks.json"), S("/.well-known/jwks.json")},
        {"https://a.example/p", S("/oauth/v3/token"), S("/oauth/v3/token")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings settings = {.issuer = str_of(rows[i].issuer)};
        str path;
        bool good = documents_route_path(&settings, rows[i].path, &path);
        CHECK(i, good == (rows[i].found.n > 0));
        CHECK(i, !good || str_eq(path, rows[i].found));
    }
    struct documents *d = make("https://a.example/p");
    json_t *json = load(d, ROUTE_METADATA);
    assert_string_equal(text_of(json, "issuer"), "https://a.example/p");
    assert_string_equal(text_of(json, "token_endpoint"), "https://a.example/oauth/v3/token");
    json_decref(json);
    documents_free(d);
}

static void test_tags(void **state) {
    (void)state;
    struct documents *d = make("https://a.example");
    const char *tag = d->of[ROUTE_METADATA].etag;
    assert_memory_not_equal(tag, d->of[ROUTE_JWKS].etag, DOCUMENT_ETAG_CHARS);
    static const struct {
        const char *format;
        bool matches;
    } rows[] = {
        {"", false}, {"%.24s", true},  {"W/%.24s", true}, {"\"a\", %.24s , \"b\"", true}, {"\"a\",\"b\"", false},
        {"*", true}, {"%.23s", false}, {"%.24sx", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        str text = arena_printf(d->arena, rows[i].format, tag);
#pragma GCC diagnostic pop
        CHECK(i, documents_tag_matches(text, tag) == rows[i].matches);
    }
    documents_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_metadata), cmocka_unit_test(test_openid),
                                       cmocka_unit_test(test_key_set), cmocka_unit_test(test_paths),
                                       cmocka_unit_test(test_tags)};
    return crypto_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
