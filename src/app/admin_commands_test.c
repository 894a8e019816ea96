/* Every command of administration against a real store in a directory of its own, with every refusal. */
#include "admin_kit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "b64.h"
#include "random.h"
#include "rows_test.h"
#include "token_text.h"

/* One request, and what must come of it. */
struct step {
    enum http_method method;
    const char *target;
    const char *body;
    int status;
    const char *part; /* of the answer */
};

static void run_steps(void **state, const struct step *steps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct admin_reply reply = call(*state, steps[i].method, steps[i].target, steps[i].body);
        json_decref(json_of(reply));
        if (reply.status != steps[i].status || !holds(reply.body, steps[i].part))
            fail_msg("step %zu: %s %s: %d %.*s", i, admin_method_name(steps[i].method), steps[i].target, reply.status,
                     STR_ARG(reply.body));
        assert_true(reply.status < 300 ? reply.code[0] == '\0' : reply.code[0] != '\0');
    }
}
#define RUN(state, steps) run_steps(state, steps, COUNT(steps))

#define APPS     "/admin/v1/apps"
#define ACCOUNTS "/admin/v1/accounts"
#define USERS    "/admin/v1/users"
#define SCOPES   "/admin/v1/scopes"
#define GRANTS   "/admin/v1/grants"
#define APIS     "/admin/v1/resources"
#define CB       "\"redirect_uris\":[\"https://shop.example/cb\"]"

static const struct step basis[] = {
    {HTTP_POST, SCOPES, "{\"name\":\"read\",\"title\":\"Read all\"}", 201, "\"status\":\"shown\""},
    {HTTP_POST, SCOPES, "{\"name\":\"write\"}", 201, "\"name\":\"write\""},
    {HTTP_POST, ACCOUNTS, "{\"domain\":\"one.example\"}", 201, "\"hub_id\":1001"},
    {HTTP_POST, USERS, "{\"email\":\"ann@one.example\",\"account\":1001,\"role\":\"installer\"}", 201,
     "\"has_password\":false"},
    {HTTP_POST, APPS, "{\"name\":\"Shop\"," CB ",\"scopes\":[\"read\",\"write\"]}", 201, "\"app_id\":1001"},
};

static void test_addresses(void **state) {
    static const struct step steps[] = {
        {HTTP_GET, "/", "", 404, "not_found"},
        {HTTP_GET, "/admin", "", 404, "not_found"},
        {HTTP_GET, "/admin/v2/apps", "", 404, "not_found"},
        {HTTP_GET, "/admin/v1/apps/1/x", "", 404, "not_found"},
        {HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11/12", "", 404, "not_found"},
        {HTTP_PUT, APPS, "", 405, "method_not_allowed"},
        {HTTP_GET, "//admin/v1//apps/", "", 200, "\"apps\":[]"},
        {HTTP_GET, APPS "/%zz", "", 400, "malformed"},
        {HTTP_GET, APPS "/%00", "", 400, "malformed"},
        {HTTP_GET, APPS "/%FF", "", 400, "malformed"},
        {HTTP_GET, APPS "/none", "", 404, "there is no app none"},
    };
    RUN(state, steps);
    assert_true(str_eq(call(*state, HTTP_PUT, APPS, "").allow, S("POST, GET")));
}

static void test_resources(void **state) {
    static const struct step steps[] = {
        {HTTP_GET, APIS, "", 200, "\"resources\":[]"},
        {HTTP_POST, APIS, "{}", 400, "uris is missing"},
        {HTTP_POST, APIS, "{\"uris\":[]}", 400, "at least one --uri"},
        {HTTP_POST, APIS, "{\"uris\":[\"/api\"]}", 400, "absolute URI"},
        {HTTP_POST, APIS, "{\"uris\":[\"https://a.example/#x\"]}", 400, "absolute URI"},
        {HTTP_POST, APIS, "{\"uris\":[\"HTTPS://a.example/\"]}", 400, "absolute URI"},
        {HTTP_POST, APIS, "{\"uris\":[\"https://a.example/a b\"]}", 400, "absolute URI"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:a\",\"urn:a\"]}", 400, "given twice"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:a\"],\"token_format\":\"saml\"}", 400, "app, opaque or jwt"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:a\"],\"resource_server\":\"none\"}", 404, "there is no app"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:a\"],\"resource_server\":\"1001\"}", 400, "is no resource server"},
        {HTTP_POST, APPS, "{\"name\":\"Api\",\"resource_server\":true}", 201, "\"app_id\":1002"},
        {HTTP_POST, APIS,
         "{\"uris\":[\"https://a.example/\",\"https://a.example\"],\"name\":\"A\",\"token_format\":\"jwt\","
         "\"resource_server\":\"1002\",\"strict\":true}",
         201,
         "{\"resource_id\":1,\"uri\":\"https://a.example/\",\"uris\":[\"https://a.example/\",\"https://a.example\"],"
         "\"name\":\"A\",\"token_format\":\"jwt\",\"resource_server\":1002,\"strict\":true,"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:b\",\"https://a.example\"]}", 409, "names the resource 1 already"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:b\"]}", 201,
         "\"token_format\":\"app\",\"resource_server\":null,\"strict\":false"},
        {HTTP_GET, APIS "/https%3A%2F%2Fa.example", "", 200, "\"resource_id\":1,"},
        {HTTP_GET, APIS "/2", "", 200, "urn:b"},
        {HTTP_GET, APIS "/3", "", 404, "there is no resource 3"},
        {HTTP_GET, APIS "?limit=1", "", 200, "\"next\":\"1\""},
        {HTTP_GET, APIS "?after=1", "", 200, "\"resources\":[{\"resource_id\":2,"},
        {HTTP_PATCH, APIS "/2", "{}", 400, "nothing to change"},
        {HTTP_PATCH, APIS "/2", "{\"uris\":[\"https://a.example/\"]}", 409, "names the resource 1 already"},
        {HTTP_PATCH, APIS "/urn:b", "{\"uris\":[\"urn:c\",\"urn:b\"],\"strict\":true}", 200, "\"uri\":\"urn:c\""},
        {HTTP_PATCH, APIS "/1", "{\"resource_server\":\"\",\"token_format\":\"app\",\"strict\":false,\"name\":\"\"}",
         200, "\"name\":\"\",\"token_format\":\"app\",\"resource_server\":null,\"strict\":false"},
        {HTTP_POST, GRANTS, "{\"app\":\"1001\",\"account\":1001,\"user\":\"1001\",\"resources\":[\"urn:x\"]}", 404,
         "there is no resource urn:x"},
        {HTTP_POST, GRANTS, "{\"app\":\"1001\",\"account\":1001,\"user\":\"1001\",\"resources\":[\"urn:b\",\"1\"]}",
         201, "\"resources\":[\"https://a.example/\",\"urn:c\"]"},
        {HTTP_DELETE, APIS "/urn:b", "", 200, "\"status\":\"deleted\""},
        {HTTP_DELETE, APIS "/urn:b", "", 404, "there is no resource"},
        {HTTP_GET, GRANTS, "", 200, "\"resources\":[\"https://a.example/\"]"},
        {HTTP_POST, APIS, "{\"uris\":[\"urn:b\"]}", 201, "\"resource_id\":3,"},
    };
    RUN(state, basis);
    RUN(state, steps);
}

static void test_arguments(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, SCOPES, "", 400, "name is missing"},
        {HTTP_POST, SCOPES, "{}", 400, "name is missing"},
        {HTTP_POST, SCOPES, "[]", 400, "one JSON object"},
        {HTTP_POST, SCOPES, "{", 400, "malformed"},
        {HTTP_POST, SCOPES, "{} x", 400, "malformed"},
        {HTTP_POST, SCOPES, "{\"name\":\"a\",\"name\":\"b\"}", 400, "malformed"},
        {HTTP_POST, SCOPES, "{\"name\":\"a\\u0000b\"}", 400, "malformed"},
        {HTTP_POST, SCOPES, "{\"name\":[[[[[1]]]]]}", 400, "malformed"},
        {HTTP_POST, SCOPES, "{\"name\":\"a\",\"nmae\":1}", 400, "no such member here: nmae"},
        {HTTP_POST, SCOPES, "{\"name\":\"a\",\"<script>\\n\":1}", 400, "there is no such member here\""},
        {HTTP_POST, SCOPES, "{\"name\":true}", 400, "wrong type"},
        {HTTP_POST, SCOPES, "{\"name\":\"a b\"}", 400, "must be a scope name"},
        {HTTP_POST, SCOPES, "{\"name\":\"\"}", 400, "must not be empty"},
        {HTTP_POST, SCOPES, "{\"name\":null}", 400, "name is missing"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"scopes\":\"x\"}", 400, "array of strings"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"scopes\":[1]}", 400, "array of strings"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"public\":\"true\"}", 400, "wrong type"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"public\":1}", 400, "wrong type"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"access_ttl_s\":-1}", 400, "wrong type"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"access_ttl_s\":1.5}", 400, "wrong type"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"access_ttl_s\":0}", 400, "between 1 and 86400"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"access_ttl_s\":\"25h\"}", 400, "between 1 and 86400"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"access_ttl_s\":\"soon\"}", 400, "duration"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"code_ttl_s\":601}", 400, "between 1 and 600"},
        {HTTP_GET, APPS "?limit=0", "", 400, "between 1"},
        {HTTP_GET, APPS "?limit=x", "", 400, "whole number"},
        {HTTP_GET, APPS "?limit=1&limit=2", "", 400, "twice: limit"},
        {HTTP_GET, APPS "?lmit=1", "", 400, "no such parameter here: lmit"},
        {HTTP_GET, APPS "?after=x", "", 400, "`next`"},
        {HTTP_GET, APPS "?all=yes", "", 400, "true or false"},
        {HTTP_GET, APPS "?all=%ZZ", "", 400, "malformed"},
        {HTTP_GET, ACCOUNTS "?after=x", "", 400, "`next`"},
        {HTTP_GET, USERS "?after=x", "", 400, "`next`"},
        {HTTP_GET, SCOPES "?after=x", "", 400, "`next`"},
        {HTTP_GET, GRANTS "?after=x", "", 400, "`next`"},
    };
    RUN(state, steps);
    struct admin_request request = {HTTP_POST, S(SCOPES), S(""), S("text/plain"), S("{\"name\":\"a\"}")};
    struct fixture *f = *state;
    assert_int_equal(admin_serve(f->instance, f->backup, &request, f->arena).status, 415);
}

static void test_app_rules(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, APPS, "{\"name\":\"a\"}", 400, "could do nothing"},
        {HTTP_POST, APPS, "{" CB "}", 400, "name is missing"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"https://shop.example/cb#x\"]}", 400, "redirect_uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"http://shop.example/cb\"]}", 400, "redirect_uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"https://*.example/cb\"]}", 400, "redirect_uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"myapp:/cb\"]}", 400, "redirect_uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"/cb\"]}", 400, "redirect_uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"\"]}", 400, "must not be empty"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"redirect_uris\":[\"https://a.example/b\",\"https://a.example/b\"]}", 400,
         "given twice"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"scopes\":[\"nope\"]}", 400, "grantd scope create nope"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"grants\":[\"implicit\"]}", 400, "must be code, refresh_token"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"grants\":[\"code\"]}", 400, "at least one --redirect-uri"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"grants\":[]}", 400, "could do nothing"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"public\":true,\"client_credentials\":true}", 400, "public_app"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"public\":true,\"resource_server\":true}", 400, "public_app"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"bound_hub_id\":1001}", 400, "--client-credentials"},
        {HTTP_POST, APPS, "{\"name\":\"a\",\"client_credentials\":true,\"bound_hub_id\":1001}", 404, "no account 1001"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"site_url\":\"javascript:alert(1)\"}", 400, "site_url"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"logo_url\":\"https://\"}", 400, "logo_url"},
        {HTTP_GET, APPS, "", 200, "\"apps\":[]"}, /* nothing of all that was made */
        {HTTP_GET, SCOPES, "", 200, "\"scopes\":[]"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"scopes\":[\"x\",\"x\"],\"create_scopes\":true}", 201,
         "\"scopes\":[\"x\"]"},
        {HTTP_POST, APPS, "{\"name\":\"cc\",\"client_credentials\":true}", 201, "\"grants\":[\"client_credentials\"]"},
        {HTTP_POST, APPS, "{\"name\":\"api\",\"resource_server\":true}", 201, "\"grants\":[]"},
        {HTTP_POST, APPS, "{\"name\":\"p\"," CB ",\"public\":true}", 201,
         "\"public\":true,\"rotate\":true,\"require_pkce\":true"},
        {HTTP_POST, APPS, "{\"name\":\"l\",\"redirect_uris\":[\"http://127.0.0.1/cb\",\"com.example.app:/cb\"]}", 201,
         "\"type\":\"confidential\""},
        {HTTP_POST, SCOPES "/x/hide", "", 200, "hidden"},
        {HTTP_POST, APPS, "{\"name\":\"a\"," CB ",\"scopes\":[\"x\"],\"create_scopes\":true}", 400, "is hidden"},
    };
    RUN(state, steps);
}

static void test_app_life(void **state) {
    static const struct step steps[] = {
        {HTTP_GET, APPS "/1001", "", 200, "\"live_secrets\":1"},
        {HTTP_PATCH, APPS "/1001", "{}", 400, "nothing to change"},
        {HTTP_PATCH, APPS "/1001", "{\"public\":true}", 400, "no such member here: public"},
        {HTTP_PATCH, APPS "/1001", "{\"name\":\"New\",\"access_ttl_s\":\"10m\"}", 200, "\"access_ttl_s\":600"},
        {HTTP_PATCH, APPS "/1001", "{\"redirect_uris\":[]}", 400, "at least one --redirect-uri"},
        {HTTP_PATCH, APPS "/1001", "{\"scopes\":[\"read\"],\"developer\":\"D\"}", 200, "\"scopes\":[\"read\"]"},
        {HTTP_PATCH, APPS "/1001", "{\"developer\":\"\",\"rotate\":true}", 200, "\"developer\":\"\""},
        {HTTP_GET, APPS "/1001", "", 200, "\"rotate\":true"},
        {HTTP_PATCH, APPS "/1001", "{\"rotate\":false,\"client_credentials\":true,\"bound_hub_id\":1001}", 200,
         "\"bound_hub_id\":1001"},
        {HTTP_PATCH, APPS "/1001", "{\"client_credentials\":false}", 400, "--bound-account"},
        {HTTP_PATCH, APPS "/1001", "{\"client_credentials\":false,\"bound_hub_id\":0}", 200, "\"bound_hub_id\":0"},
        {HTTP_GET, APPS, "", 200, "\"name\":\"New\""},
        {HTTP_POST, APPS "/1001/disable", "", 200, "\"status\":\"disabled\""},
        {HTTP_POST, APPS "/1001/disable", "{}", 200, "\"status\":\"disabled\""},
        {HTTP_POST, APPS "/1001/enable", "", 200, "\"status\":\"enabled\""},
        {HTTP_POST, APPS, "{\"name\":\"Second\"," CB "}", 201, "\"app_id\":1002"},
        {HTTP_GET, APPS "?limit=1", "", 200, "\"next\":\"1001\""},
        {HTTP_GET, APPS "?limit=1&after=1001", "", 200, "\"next\":null"},
        {HTTP_DELETE, APPS "/1001", "", 200, "\"status\":\"deleted\""},
        {HTTP_DELETE, APPS "/1001", "", 404, "not_found"},
        {HTTP_GET, APPS "/1001", "", 404, "not_found"},
        {HTTP_POST, APPS "/1001/enable", "", 404, "not_found"},
        {HTTP_POST, APPS "/1001/secrets", "", 404, "not_found"},
        {HTTP_GET, APPS "?limit=1", "", 200, "\"app_id\":1002"},
        {HTTP_GET, APPS "?all=true", "", 200, "\"status\":\"deleted\""},
        {HTTP_POST, APPS, "{\"name\":\"Third\"," CB "}", 201, "\"app_id\":1003"}, /* an id is never given again */
    };
    RUN(state, basis);
    RUN(state, steps);
}

static void test_secrets(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, APPS "/1001/secrets", "", 201, "\"secret_id\":2"},
        {HTTP_POST, APPS "/1001/secrets", "", 409, "two live secrets"},
        {HTTP_GET, APPS "/1001/secrets", "", 200, "\"status\":\"live\""},
        {HTTP_DELETE, APPS "/1001/secrets/9", "", 404, "no secret 9"},
        {HTTP_DELETE, APPS "/1001/secrets/0", "", 400, "between 1"},
        {HTTP_DELETE, APPS "/1001/secrets/1", "", 200, "retired"},
        {HTTP_DELETE, APPS "/1001/secrets/1", "", 409, "retired already"},
        {HTTP_GET, APPS "/1001/secrets", "", 200, "\"status\":\"retired\""},
        {HTTP_POST, APPS "/1001/secrets", "", 201, "\"secret_id\":3"},
        {HTTP_POST, APPS, "{\"name\":\"p\"," CB ",\"public\":true}", 201, "\"live_secrets\":0"},
        {HTTP_POST, APPS "/1002/secrets", "", 400, "public_app"},
        {HTTP_DELETE, APPS "/1002/secrets/2", "", 404, "no secret 2"}, /* of another app */
    };
    RUN(state, basis);
    RUN(state, steps);
}

/* norm: P05. 256 random bits, shown once, kept as a keyed hash that the registry then holds. */
static void test_secret_text(void **state) {
    struct fixture *f = *state;
    RUN(state, basis);
    json_t *made = json_of(call(f, HTTP_POST, APPS "/1001/secrets", ""));
    str text = str_of(json_string_value(json_object_get(made, "client_secret")));
    uint8_t body[TOKEN_BODY_MAX], hash[MAC_BYTES];
    size_t n = 0;
    assert_true(token_text_read(TOKEN_SECRET, text, body, &n));
    assert_int_equal(n, 32);
    const struct app *app = registry_app_by_id(f->instance->registry, 1001);
    const struct ring_key *key = f->instance->keyring->by_number[app->secrets[1].key_number];
    digest_mac(key->secret_hash, text, hash, MAC_BYTES);
    assert_int_equal(app->n_secrets, 2);
    assert_memory_equal(hash, app->secrets[1].hash, MAC_BYTES);
    static const char *const targets[] = {APPS, APPS "/1001", APPS "/1001/secrets"};
    for (size_t i = 0; i < COUNT(targets); i++)
        CHECK(i, !holds(call(f, HTTP_GET, targets[i], "").body,
                        json_string_value(json_object_get(made, "client_secret"))));
    json_decref(made);
}

/* norm: A34. Client ids are version 4 UUIDs; an app is named by client id or app id. */
static void test_client_id(void **state) {
    struct fixture *f = *state;
    char target[128];
    RUN(state, basis);
    json_t *made = json_of(call(f, HTTP_GET, APPS "/1001", ""));
    const char *client_id = json_string_value(json_object_get(made, "client_id"));
    assert_int_equal(strlen(client_id), 36);
    assert_int_equal(client_id[14], '4');
    assert_non_null(strchr("89ab", client_id[19]));
    snprintf(target, sizeof target, APPS "/%s", client_id);
    assert_int_equal(call(f, HTTP_GET, target, "").status, 200);
    assert_string_equal(json_string_value(json_object_get(made, "type")), "confidential");
    json_decref(made);
}

static void test_accounts(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, ACCOUNTS, "{}", 400, "domain is missing"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"-a.example\"}", 400, "domain name"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"a..example\"}", 400, "domain name"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"a b\"}", 400, "domain name"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"two.example\",\"hub_id\":77,\"name\":\"Two\"}", 201, "\"hub_id\":77"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"two.example\",\"hub_id\":77}", 409, "conflict"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"a.example\",\"hub_id\":0}", 400, "between 1"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"a.example\",\"hub_id\":2147483648}", 400, "between 1"},
        {HTTP_GET, ACCOUNTS, "", 200, "\"hub_id\":77"},
        {HTTP_GET, ACCOUNTS "?limit=1", "", 200, "\"next\":\"77\""},
        {HTTP_GET, ACCOUNTS "?after=77", "", 200, "\"hub_id\":1001"},
        {HTTP_GET, ACCOUNTS "/78", "", 404, "no account 78"},
        {HTTP_GET, ACCOUNTS "/x", "", 400, "whole number"},
        {HTTP_PATCH, ACCOUNTS "/77", "{\"name\":\"\",\"domain\":\"three.example\"}", 200, "three.example"},
        {HTTP_PATCH, ACCOUNTS "/78", "{\"name\":\"x\"}", 404, "no account 78"},
        {HTTP_GET, ACCOUNTS "/77", "", 200, "\"name\":\"\""},
        {HTTP_POST, ACCOUNTS "/77/disable", "", 200, "\"status\":\"disabled\""},
        {HTTP_POST, ACCOUNTS "/77/disable", "", 200, "\"status\":\"disabled\""},
        {HTTP_GET, ACCOUNTS "/77", "", 200, "\"status\":\"disabled\""},
        {HTTP_POST, ACCOUNTS "/77/enable", "", 200, "\"disabled_at\":null"},
        {HTTP_POST, ACCOUNTS "/78/enable", "", 404, "no account 78"},
    };
    RUN(state, basis);
    RUN(state, steps);
}

static void test_members(void **state) {
    static const struct step steps[] = {
        {HTTP_GET, ACCOUNTS "/1001/members", "", 200, "\"role\":\"installer\",\"email\":\"ann@one.example\""},
        {HTTP_PUT, ACCOUNTS "/1001/members/ann@one.example", "", 200, "\"role\":\"user\""},
        {HTTP_PUT, ACCOUNTS "/1001/members/1001", "{\"role\":\"boss\"}", 400, "user or installer"},
        {HTTP_PUT, ACCOUNTS "/1002/members/1001", "", 404, "no account 1002"},
        {HTTP_PUT, ACCOUNTS "/1001/members/bob@one.example", "", 404, "no user bob@one.example"},
        {HTTP_GET, USERS "/1001", "", 200, "\"accounts\":[{\"hub_id\":1001,\"role\":\"user\"}]"},
        {HTTP_DELETE, ACCOUNTS "/1001/members/1001", "", 200, "removed"},
        {HTTP_DELETE, ACCOUNTS "/1001/members/1001", "", 404, "does not belong"},
        {HTTP_DELETE, ACCOUNTS "/1002/members/1001", "", 404, "no account 1002"},
        {HTTP_GET, ACCOUNTS "/1001/members", "", 200, "\"members\":[]"},
        {HTTP_GET, ACCOUNTS "/1002/members", "", 404, "no account 1002"},
    };
    RUN(state, basis);
    RUN(state, steps);
}

static void test_users(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, USERS, "{\"email\":\"x\"}", 400, "email"},
        {HTTP_POST, USERS, "{\"email\":\"a b@one.example\"}", 400, "e-mail address"},
        {HTTP_POST, USERS, "{\"email\":\"ANN@one.example\"}", 409, "conflict"},
        {HTTP_POST, USERS, "{\"email\":\"c@one.example\",\"user_id\":1001}", 409, "conflict"},
        {HTTP_POST, USERS, "{\"email\":\"c@one.example\",\"role\":\"user\"}", 400, "--account"},
        {HTTP_POST, USERS, "{\"email\":\"c@one.example\",\"account\":5}", 404, "no account 5"},
        {HTTP_POST, USERS, "{\"email\":\"c@one.example\",\"password\":\"short\"}", 400, "at least 8 bytes"},
        {HTTP_GET, USERS "/c@one.example", "", 404, "no user c@one.example"},
        {HTTP_POST, USERS,
         "{\"email\":\"bob@one.example\",\"user_id\":7,\"name\":\"Bob\",\"password\":\"long enough\"}", 201,
         "\"has_password\":true"},
        {HTTP_GET, USERS "?limit=1", "", 200, "\"next\":\"7\""},
        {HTTP_GET, USERS "?after=7", "", 200, "ann@one.example"},
        {HTTP_GET, USERS "/Bob@ONE.example", "", 200, "\"user_id\":7"},
        {HTTP_GET, USERS "/999", "", 404, "no user 999"},
        {HTTP_GET, USERS "/0", "", 404, "no user 0"},
        {HTTP_GET, USERS "/a%20b", "", 400, "user id or an e-mail"},
        {HTTP_PATCH, USERS "/7", "{\"email\":\"ann@one.example\"}", 409, "conflict"},
        {HTTP_PATCH, USERS "/7", "{\"email\":\"robert@one.example\",\"name\":\"\"}", 200, "robert@one.example"},
        {HTTP_PATCH, USERS "/8", "{\"name\":\"x\"}", 404, "no user 8"},
        {HTTP_GET, USERS "/bob@one.example", "", 404, "no user"},
        {HTTP_POST, USERS "/7/disable", "", 200, "\"status\":\"disabled\""},
        {HTTP_POST, USERS "/7/enable", "", 200, "\"status\":\"enabled\""},
        {HTTP_POST, USERS "/8/disable", "", 404, "no user 8"},
        {HTTP_PUT, USERS "/1001/password", "{}", 400, "password is missing"},
        {HTTP_PUT, USERS "/1001/password", "{\"password\":\"\"}", 400, "must not be empty"},
        {HTTP_PUT, USERS "/8/password", "{\"password\":\"long enough\"}", 404, "no user 8"},
        {HTTP_PUT, USERS "/1001/password", "{\"password\":\"long enough\"}", 200, "\"has_password\":true"},
    };
    RUN(state, basis);
    RUN(state, steps);
    struct fixture *f = *state;
    struct listing listing = {.kind = LISTING_USERS, .user_id = 1001};
    struct listed listed = {0};
    assert_true(rc_ok(storage_list(f->instance->admin, &listing, f->arena, &listed)));
    const struct user *ann = listed.rows;
    const struct pwhash_cost cost = {2, 19456};
    assert_true(str_starts_with(ann->password_hash, S("$argon2id$")));
    assert_true(pwhash_check(S("long enough"), arena_cstr(f->arena, ann->password_hash), cost));
    assert_false(holds(call(f, HTTP_GET, USERS "/1001", "").body, "argon2"));
}

static void test_scopes(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, SCOPES, "{\"name\":\"read\"}", 409, "exists"},
        {HTTP_GET, SCOPES "/nope", "", 404, "no scope nope"},
        {HTTP_GET, SCOPES "/read", "", 200, "Read all"},
        {HTTP_POST, SCOPES, "{\"name\":\"https://api.example/x:y\"}", 201, "https://api.example/x:y"},
        {HTTP_GET, SCOPES "/https%3A%2F%2Fapi.example%2Fx%3Ay", "", 200, "https://api.example/x:y"},
        {HTTP_PATCH, SCOPES "/read", "{\"title\":\"See all\"}", 200, "See all"},
        {HTTP_PATCH, SCOPES "/read", "{}", 400, "title is missing"},
        {HTTP_PATCH, SCOPES "/nope", "{\"title\":\"x\"}", 404, "no scope"},
        {HTTP_POST, SCOPES "/read/hide", "", 200, "\"title\":\"See all\",\"status\":\"hidden\""},
        {HTTP_POST, SCOPES "/nope/hide", "", 404, "no scope"},
        {HTTP_GET, APPS "/1001", "", 200, "\"scopes\":[\"read\",\"write\"]"},
        {HTTP_POST, SCOPES "/read/unhide", "", 200, "shown"},
        {HTTP_GET, SCOPES "?limit=1", "", 200, "\"next\":\"1\""},
        {HTTP_GET, SCOPES "?limit=5&after=1", "", 200, "\"next\":null"},
    };
    RUN(state, basis);
    RUN(state, steps);
}

static void test_grant_refusals(void **state) {
    static const struct step steps[] = {
        {HTTP_POST, GRANTS, "{\"app\":\"1001\",\"account\":1001}", 400, "user is missing"},
        {HTTP_POST, GRANTS, "{\"app\":\"9\",\"account\":1001,\"user\":\"1001\"}", 404, "no app 9"},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":9,\"user\":1001}", 404, "no account 9"},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":9}", 404, "no user 9"},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001,\"scopes\":[\"nope\"]}", 400,
         "no scope nope"},
        {HTTP_POST, SCOPES, "{\"name\":\"other\"}", 201, ""},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001,\"scopes\":[\"other\"]}", 400,
         "not among those"},
        {HTTP_POST, APPS, "{\"name\":\"n\"," CB "}", 201, "\"app_id\":1002"},
        {HTTP_POST, GRANTS, "{\"app\":1002,\"account\":1001,\"user\":1001}", 400, "at least one scope"},
        {HTTP_POST, APPS, "{\"name\":\"n\",\"client_credentials\":true,\"scopes\":[\"read\"]}", 201, "\"app_id\":1003"},
        {HTTP_POST, GRANTS, "{\"app\":1003,\"account\":1001,\"user\":1001}", 400, "may not use refresh tokens"},
        {HTTP_POST, ACCOUNTS, "{\"domain\":\"two.example\",\"hub_id\":2}", 201, ""},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":2,\"user\":1001}", 409, "does not belong"},
        {HTTP_POST, USERS "/1001/disable", "", 200, ""},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001}", 409, "user is disabled"},
        {HTTP_POST, USERS "/1001/enable", "", 200, ""},
        {HTTP_POST, ACCOUNTS "/1001/disable", "", 200, ""},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001}", 409, "account is disabled"},
        {HTTP_POST, ACCOUNTS "/1001/enable", "", 200, ""},
        {HTTP_POST, APPS "/1001/disable", "", 200, ""},
        {HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001}", 409, "app is disabled"},
        {HTTP_GET, GRANTS, "", 200, "\"grants\":[]"},
        {HTTP_GET, GRANTS "/0123", "", 400, "at least 32 bytes"},
        {HTTP_GET, GRANTS "/0123456789abcdef0123456789abcdeg", "", 400, "hexadecimal"},
        {HTTP_GET, GRANTS "/0123456789abcdef0123456789abcdef", "", 404, "no such grant"},
        {HTTP_DELETE, GRANTS "/0123456789abcdef0123456789abcdef", "", 404, "no such grant"},
        {HTTP_GET, GRANTS "?app=9", "", 404, "no app 9"},
        {HTTP_GET, GRANTS "?user=9", "", 404, "no user 9"},
        {HTTP_DELETE, GRANTS, "", 400, "app is missing"},
        {HTTP_DELETE, GRANTS "?app=1001", "", 400, "account is missing"},
        {HTTP_DELETE, GRANTS "?app=9&account=1001", "", 404, "no app 9"},
        {HTTP_DELETE, GRANTS "?app=1001&account=9", "", 404, "no account 9"},
    };
    RUN(state, basis);
    RUN(state, steps);
}

static const char *make_grant(struct fixture *f, char out_id[64]) {
    struct admin_reply reply =
        call(f, HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":\"ann@one.example\"}");
    assert_int_equal(reply.status, 201);
    json_t *made = json_of(reply);
    snprintf(out_id, 64, "%s", json_string_value(json_object_get(made, "grant_id")));
    json_decref(made);
    return out_id;
}

static void check_status(struct fixture *f, const char *id, const char *status) {
    char target[128], expected[64];
    snprintf(target, sizeof target, GRANTS "/%s", id);
    snprintf(expected, sizeof expected, "\"status\":\"%s\"", status);
    struct admin_reply one = call(f, HTTP_GET, target, ""), all = call(f, HTTP_GET, GRANTS, "");
    if (!holds(one.body, expected) || !holds(all.body, expected)) fail_msg("not %s: %.*s", status, STR_ARG(one.body));
    bool live = strcmp(status, "live") == 0;
    assert_int_equal(holds(call(f, HTTP_GET, GRANTS "?live=true", "").body, id), live);
}

/* norm: P07. What can be listed, and how each way to end a grant shows. */
static void test_grant_life(void **state) {
    struct fixture *f = *state;
    char id[64], target[128];
    static const struct {
        const char *off, *on, *status;
    } ways[] = {
        {APPS "/1001/disable", APPS "/1001/enable", "app_disabled"},
        {ACCOUNTS "/1001/disable", ACCOUNTS "/1001/enable", "account_disabled"},
        {USERS "/1001/disable", USERS "/1001/enable", "user_disabled"},
    };
    RUN(state, basis);
    make_grant(f, id);
    check_status(f, id, "live");
    for (size_t i = 0; i < COUNT(ways); i++) {
        assert_int_equal(call(f, HTTP_POST, ways[i].off, "").status, 200);
        check_status(f, id, ways[i].status);
        assert_int_equal(call(f, HTTP_POST, ways[i].on, "").status, 200);
        check_status(f, id, "live");
    }
    assert_int_equal(call(f, HTTP_DELETE, ACCOUNTS "/1001/members/1001", "").status, 200);
    check_status(f, id, "not_a_member");
    assert_int_equal(call(f, HTTP_PUT, ACCOUNTS "/1001/members/1001", "").status, 200);
    check_status(f, id, "live");
    snprintf(target, sizeof target, GRANTS "/%s", id);
    assert_int_equal(call(f, HTTP_DELETE, target, "").status, 200);
    assert_int_equal(call(f, HTTP_DELETE, target, "").status, 200);
    check_status(f, id, "revoked");
}

/* A chain of refresh tokens that has come to its end. */
static void test_grant_ends(void **state) {
    struct fixture *f = *state;
    char id[64];
    enum outcome outcome;
    struct change change = {.kind = CHANGE_GRANT_INSERT, .now_ms = 2000};
    RUN(state, basis);
    change.grant =
        (struct grant){.app_id = 1001, .hub_id = 1001, .user_id = 1001, .created_ms = 1000, .expires_ms = 2000};
    change.grant.id = grant_id_make(1000, (const uint8_t[10]){1});
    assert_true(rc_ok(storage_change(f->instance->admin, &change, f->arena, &outcome)));
    hex_encode(change.grant.id.b, GRANT_ID_BYTES, id);
    id[2 * GRANT_ID_BYTES] = '\0';
    check_status(f, id, "expired");
}

static void test_uninstall(void **state) {
    struct fixture *f = *state;
    char first[64], second[64];
    RUN(state, basis);
    make_grant(f, first);
    assert_int_equal(call(f, HTTP_DELETE, GRANTS "?app=1001&account=1001", "").status, 200);
    check_status(f, first, "uninstalled");
    make_grant(f, second); /* in the same millisecond, perhaps: it lives all the same */
    check_status(f, second, "live");
}

static void test_grant_pages(void **state) {
    struct fixture *f = *state;
    char target[128] = GRANTS "?limit=2&app=1001&account=1001&user=1001", id[64];
    size_t seen = 0, pages = 0;
    RUN(state, basis);
    for (int i = 0; i < 5; i++) make_grant(f, id);
    for (bool more = true; more; pages++) {
        json_t *page = json_of(call(f, HTTP_GET, target, ""));
        seen += json_array_size(json_object_get(page, "grants"));
        const char *next = json_string_value(json_object_get(page, "next"));
        more = next != NULL;
        if (more) snprintf(target, sizeof target, GRANTS "?limit=2&account=1001&after=%s", next);
        json_decref(page);
        assert_true(pages < 5);
    }
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 3);
    assert_true(holds(call(f, HTTP_GET, GRANTS "?account=77", "").body, "\"grants\":[]"));
}

/* The token of a new grant is number 1 of its chain. */
static void test_grant_token(void **state) {
    struct fixture *f = *state;
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = 0;
    struct refresh_claim claim;
    struct facts facts = {0};
    RUN(state, basis);
    json_t *made =
        json_of(call(f, HTTP_POST, GRANTS, "{\"app\":1001,\"account\":1001,\"user\":1001,\"scopes\":[\"read\"]}"));
    str token = str_of(json_string_value(json_object_get(made, "refresh_token")));
    assert_true(token_text_read(TOKEN_REFRESH, token, body, &n));
    assert_true(refresh_open(f->instance->keyring, (str){(const char *)body, n}, &claim));
    struct ask ask = {.kind = ASK_GRANT};
    memcpy(ask.grant_id.b, claim.grant_id, GRANT_ID_BYTES);
    assert_true(rc_ok(storage_question(f->instance->admin, &ask, f->arena, &facts)));
    assert_true(facts.grant_found && refresh_is_genuine(&claim, facts.grant.salt));
    assert_int_equal(claim.n, facts.grant.generation + 1);
    assert_true(holds(call(f, HTTP_GET, GRANTS, "").body, "\"scopes\":[\"read\"]"));
    assert_false(holds(call(f, HTTP_GET, GRANTS, "").body, "gdr_"));
    json_decref(made);
}

static void wait_for_backup(struct fixture *f) {
    struct backup_status status;
    do {
        usleep(2000);
        admin_backup_status(f->backup, &status);
    } while (status.state == BACKUP_RUNNING);
}

static void test_backup(void **state) {
    struct fixture *f = *state;
    char body[128], path[96];
    assert_true(holds(call(f, HTTP_GET, "/admin/v1/backups", "").body, "\"state\":\"none\""));
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/backups", "{\"file\":\"copy.db\"}").status, 400);
    snprintf(path, sizeof path, "%s/copy.db", f->dir);
    snprintf(body, sizeof body, "{\"file\":\"%s\"}", path);
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/backups", body).status, 202);
    wait_for_backup(f);
    assert_true(holds(call(f, HTTP_GET, "/admin/v1/backups", "").body, "master.key"));
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/backups", body).status, 409); /* nothing is overwritten */
    assert_int_equal(call(f, HTTP_POST, "/admin/v1/backups", "{\"file\":\"/nowhere/x.db\"}").status, 202);
    wait_for_backup(f);
    assert_true(holds(call(f, HTTP_GET, "/admin/v1/backups", "").body, "\"state\":\"failed\""));
}

/* Names that try to be something else. */
static void test_hostile_names(void **state) {
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        {"Caf\xC3\xA9 <b>&amp;</b>", true},
        {"'; DROP TABLE apps; --", true},
        {"\\\\server\\\\share", true},
        {"\xF0\x9F\x98\x80", true},
        {"a\\nb", false},
        {"a\\u001b[31mb", false},
        {"a\\u007fb", false},
        {"a\\u0085b", false},
        {"gpj.\\u202eexe", false},
        {"a\\u2028b", false},
        {"a\\u2066b", false},
        {"a\\u200bb", false},
        {"\\ufeffa", false},
        {"   ", false},
        {"\\u00a0", false},
        {"a\\ud800", false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"name\":\"%s\"," CB "}", rows[i].name);
        struct admin_reply reply = call(f, HTTP_POST, APPS, body);
        CHECK(i, reply.status == (rows[i].good ? 201 : 400));
        CHECK(i, !holds(reply.body, "<b>"));
    }
    char body[512];
    char *end = body + snprintf(body, sizeof body, "{" CB ",\"name\":\"");
    memset(end, 'x', 201);
    memcpy(end + 201, "\"}", 3);
    assert_int_equal(call(f, HTTP_POST, APPS, body).status, 400);
    memcpy(end + 200, "\"}", 3);
    assert_int_equal(call(f, HTTP_POST, APPS, body).status, 201);
}

/* A store that fails is 503, and the command can be given again. */
static void test_store_fault(void **state) {
    struct fixture *f = *state;
    struct db *good = f->instance->db;
    struct storage_admin *session = f->instance->admin;
    RUN(state, basis);
    struct db *failing = db_wrap_failing(good, 0, FAULT_DB_FULL);
    assert_true(rc_ok(storage_admin_open(failing, &f->instance->admin)));
    for (uint64_t at = 1; at <= 2; at++) { /* the change itself; the registry that is read after it */
        db_failing_set(failing, at, FAULT_DB_FULL);
        struct admin_reply reply = call(f, HTTP_POST, SCOPES, at == 1 ? "{\"name\":\"s1\"}" : "{\"name\":\"s2\"}");
        assert_int_equal(reply.status, 503);
        assert_string_equal(reply.code, "unavailable");
    }
    db_failing_set(failing, 0, FAULT_DB_FULL);
    assert_int_equal(call(f, HTTP_POST, SCOPES, "{\"name\":\"s1\"}").status, 201);
    storage_admin_close(f->instance->admin);
    f->instance->admin = session;
    f->instance->db = failing; /* owns the good one */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_addresses),      TEST(test_arguments),   TEST(test_resources),   TEST(test_app_rules),
        TEST(test_app_life),       TEST(test_secrets),     TEST(test_secret_text), TEST(test_client_id),
        TEST(test_accounts),       TEST(test_members),     TEST(test_users),       TEST(test_scopes),
        TEST(test_grant_refusals), TEST(test_grant_life),  TEST(test_grant_ends),  TEST(test_uninstall),
        TEST(test_grant_pages),    TEST(test_grant_token), TEST(test_backup),      TEST(test_hostile_names),
        TEST(test_store_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
