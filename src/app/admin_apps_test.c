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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_token_format, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
