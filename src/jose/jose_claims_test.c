#include "jose_claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One text for all claims: the member, the name, "!" when it is essential, and "=" with the value. */
static str shown(struct arena *arena, const struct jose_claim *claims, size_t n) {
    str text = S("");
    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%.*s%s%s:%.*s%s%s%.*s", STR_ARG(text), i ? " " : "",
                            claims[i].of_id_token ? "id" : "info", STR_ARG(claims[i].name),
                            claims[i].is_essential ? "!" : "", claims[i].value.n ? "=" : "", STR_ARG(claims[i].value));
    return text;
}

/* OpenID Connect Core s5.5, with its own example. */
static void test_rows(void **state) {
    (void)state;
    static const struct {
        const char *json, *wanted; /* NULL: refused */
    } rows[] = {
        {"{}", ""},
        {" {\"userinfo\": null, \"id_token\": {}} ", ""},
        {"{\"userinfo\":{\"given_name\":{\"essential\":true},\"nickname\":null,\"email\":{\"essential\":true},"
         "\"email_verified\":{\"essential\":true},\"picture\":null,\"http://example.info/claims/groups\":null},"
         "\"id_token\":{\"auth_time\":{\"essential\":true},\"acr\":{\"values\":[\"urn:mace:incommon:iap:silver\"]}}}",
         "info:given_name! info:nickname info:email! info:email_verified! info:picture "
         "info:http://example.info/claims/groups id:auth_time! id:acr"},
        {"{\"id_token\":{\"sub\":{\"value\":\"248289761001\"}}}", "id:sub=248289761001"},
        {"{\"id_token\":{\"sub\":{\"value\":7}}}", "id:sub"}, /* not a text: no value of ours */
        {"{\"userinfo\":{\"a\":{\"essential\":\"true\"}}}", "info:a"},
        {"{\"userinfo\":{\"a\":{\"essential\":false,\"more\":[[{}]]}}}", "info:a"},
        {"{\"userinfo\":{\"\":null}}", "info:"},
        {"{\"verified_claims\":[],\"x\":1}", ""},
        {"{\"userinfo\":{\"a\":null},\"id_token\":{\"a\":null}}", "info:a id:a"},
        {"", NULL},
        {"null", NULL},
        {"[]", NULL},
        {"\"userinfo\"", NULL},
        {"{", NULL},
        {"{}}", NULL},
        {"{} x", NULL},
        {"{\"userinfo\":[]}", NULL},
        {"{\"userinfo\":\"name\"}", NULL},
        {"{\"id_token\":true}", NULL},
        {"{\"userinfo\":{\"name\":true}}", NULL},
        {"{\"userinfo\":{\"name\":\"x\"}}", NULL},
        {"{\"userinfo\":{\"name\":[]}}", NULL},
        {"{\"userinfo\":{},\"userinfo\":{}}", NULL},
        {"{\"userinfo\":{\"a\":null,\"a\":null}}", NULL},
        {"{\"userinfo\":{\"a\\u0000b\":null}}", NULL},
        {"{\"userinfo\":{\"\xff\":null}}", NULL},
        {"{\"a\":[[[[[[[]]]]]]]}", ""},     /* eight deep ... */
        {"{\"a\":[[[[[[[[]]]]]]]]}", NULL}, /* ... and one more */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(4096);
        struct jose_claim *claims = NULL;
        size_t n = 0;
        bool good = jose_claims_read(str_of(rows[i].json), arena, &claims, &n);
        if (good != (rows[i].wanted != NULL)) fail_msg("%s", rows[i].json);
        str got = good ? shown(arena, claims, n) : S("");
        if (good && !str_eq(got, str_of(rows[i].wanted))) fail_msg("%s: %.*s", rows[i].json, STR_ARG(got));
        arena_free(arena);
    }
}

static void test_length(void **state) {
    (void)state;
    struct arena *arena = arena_new(16384);
    struct jose_claim *claims = NULL;
    size_t n = 0;
    char *text = arena_alloc(arena, JOSE_CLAIMS_MAX + 1);
    memset(text, ' ', JOSE_CLAIMS_MAX + 1);
    text[0] = '{';
    text[1] = '}';
    assert_true(jose_claims_read((str){text, JOSE_CLAIMS_MAX}, arena, &claims, &n));
    assert_false(jose_claims_read((str){text, JOSE_CLAIMS_MAX + 1}, arena, &claims, &n));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
