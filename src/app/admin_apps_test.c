/* What apps can be set to beyond the walk of admin_commands_test.c. */
#include "admin_kit_test.h"

#define APPS "/admin/v1/apps"

static const char long_scopes[] =
    "\"crm.objects.contacts.read\",\"crm.objects.contacts.write\",\"crm.objects.companies.read\","
    "\"crm.objects.companies.write\",\"crm.objects.deals.read\",\"crm.objects.deals.write\"";

/* Signed tokens are refused where one could be longer than promised, and the sentence says by how much. */
static void test_token_format(void **state) {
    struct fixture *f = *state;
    f->instance->settings.issuer = S("https://auth.example");
    const struct {
        enum http_method method;
        const char *target, *body;
        int status;
        const char *part;
    } rows[] = {
        {HTTP_POST, APPS,
         "{\"name\":\"A\",\"redirect_uris\":[\"https://a.example/cb\"],\"scopes\":[\"oauth\"],\"create_scopes\":true}",
         201, "\"token_format\":\"opaque\""},
        {HTTP_PATCH, APPS "/1001", "{\"token_format\":\"jwt\"}", 200, "\"token_format\":\"jwt\""},
        {HTTP_PATCH, APPS "/1001", "{\"token_format\":\"paseto\"}", 400, "must be opaque or jwt"},
        {HTTP_PATCH, APPS "/1001",
         arena_cstr(f->arena, arena_printf(f->arena, "{\"scopes\":[%s],\"create_scopes\":true}", long_scopes)), 400,
         "characters, and no token may have more than 512"},
        {HTTP_GET, APPS "/1001", "", 200, "\"scopes\":[\"oauth\"]"},
        {HTTP_PATCH, APPS "/1001", "{\"token_format\":\"opaque\"}", 200, "\"token_format\":\"opaque\""},
        {HTTP_PATCH, APPS "/1001", arena_cstr(f->arena, arena_printf(f->arena, "{\"scopes\":[%s]}", long_scopes)), 200,
         "deals.write"},
        {HTTP_PATCH, APPS "/1001", "{\"token_format\":\"jwt\"}", 400, "\"code\":\"token_format\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct admin_reply reply = call(f, rows[i].method, rows[i].target, rows[i].body);
        if (reply.status != rows[i].status || !holds(reply.body, rows[i].part))
            print_error("%.*s\n", STR_ARG(reply.body));
        CHECK(i, reply.status == rows[i].status && holds(reply.body, rows[i].part));
    }
}

#define X_Y                                                                                                            \
    "\\\"kty\\\":\\\"EC\\\",\\\"crv\\\":\\\"P-256\\\",\\\"x\\\":\\\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\\\","  \
    "\\\"y\\\":\\\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\\\""
#define SET "{\\\"keys\\\":[{" X_Y "}]}"

/* An app with keys has no secret and gets none; keys that nobody could use are refused when they are registered. */
static void test_keys(void **state) {
    struct fixture *f = *state;
    static const struct {
        enum http_method method;
        const char *target, *body;
        int status;
        const char *part;
    } rows[] = {
        {HTTP_POST, APPS, "{\"name\":\"A\",\"redirect_uris\":[\"https://a.example/cb\"],\"jwks\":\"" SET "\"}", 201,
         "\"authentication\":\"private_key_jwt\""},
        {HTTP_POST, APPS "/1001/secrets", "{}", 400, "\"code\":\"has_keys\""},
        {HTTP_PATCH, APPS "/1001", "{\"jwks\":\"{}\"}", 400, "it is not a JSON Web Key Set"},
        {HTTP_PATCH, APPS "/1001", "{\"jwks\":\"{\\\"keys\\\":[]}\"}", 400, "it has no key for ES256"},
        {HTTP_PATCH, APPS "/1001", "{\"jwks\":\"{\\\"keys\\\":[{" X_Y ",\\\"d\\\":\\\"AA\\\"}]}\"}", 400,
         "private key"},
        {HTTP_PATCH, APPS "/1001", "{\"name\":\"B\"}", 200, "\"authentication\":\"private_key_jwt\""}, /* they stay */
        {HTTP_PATCH, APPS "/1001", "{\"jwks\":\"\"}", 200, "\"authentication\":\"client_secret\""},
        {HTTP_POST, APPS "/1001/secrets", "{}", 201, "gds_"},
        {HTTP_POST, APPS,
         "{\"name\":\"P\",\"public\":true,\"redirect_uris\":[\"https://a.example/cb\"],\"jwks\":\"" SET "\"}", 400,
         "\"code\":\"public_app\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct admin_reply reply = call(f, rows[i].method, rows[i].target, rows[i].body);
        if (reply.status != rows[i].status || !holds(reply.body, rows[i].part))
            print_error("%.*s\n", STR_ARG(reply.body));
        CHECK(i, reply.status == rows[i].status && holds(reply.body, rows[i].part));
        if (i == 0) assert_false(holds(reply.body, "client_secret\":"));
    }
    assert_null(registry_app_by_id(f->instance->registry, 1001)->keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_token_format, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_keys, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
