/* Resource indicators (RFC 8707): asking for them, narrowing, who sees what, formats, and what becomes of those that go. */
#include "kit_rows_test.h"

#include "jwt_access.h"
#include "resources.h"

#define OWN "$C&grant_type=client_credentials&scope=oauth"

/* norm: E01 E02 E03 X06 X07 */
static const struct kit_row own_rows[] = {
    {"E05 none", OWN},
    {"X07 empty", OWN "&resource="},
    {"E03 known", OWN "&resource=https://api.example/"},
    {"another spelling of it", OWN "&resource=https://api.example"},
    {"E02 several", OWN "&resource=https://api.example/&resource=urn:example:5"},
    {"E02 one of them twice", OWN "&resource=urn:example:5&resource=urn:example:5"},
    {"strict", OWN "&resource=https://strict.example/"},
    {"E02 eight",
     OWN "&resource=urn:example:5&resource=urn:example:6&resource=urn:example:7&resource=urn:example:8"
         "&resource=urn:example:9&resource=urn:example:10&resource=urn:example:11&resource=urn:example:12"},
    {"nine",
     OWN "&resource=urn:example:5&resource=urn:example:6&resource=urn:example:7&resource=urn:example:8"
         "&resource=urn:example:9&resource=urn:example:10&resource=urn:example:11&resource=urn:example:12"
         "&resource=https://api.example/",
     .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E03 unknown", OWN "&resource=https://nobody.example/", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E03 deleted", OWN "&resource=https://gone.example/", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E03 one of two is unknown", OWN "&resource=https://api.example/&resource=urn:x", .refusal = REFUSAL_RESOURCE,
     .in = "resource"},
    {"another case", OWN "&resource=https://API.example/", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"below it", OWN "&resource=https://api.example/v1", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E01 a fragment", OWN "&resource=https://api.example/%23top", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E01 not absolute", OWN "&resource=/api", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"E01 no URI", OWN "&resource=%22", .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"the scope is looked at first", "$C&grant_type=client_credentials&scope=nonsense&resource=urn:x",
     .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"the secret before", "client_id=conf&client_secret=x&grant_type=client_credentials&scope=oauth&resource=urn:x",
     .refusal = REFUSAL_CLIENT_AUTH},
};

static void of_two(struct kit *k) { k->grants[0].resources = S("\x00\x01\x00\x05"); }
static void of_a_deleted_one(struct kit *k) { k->grants[0].resources = S("\x00\x04"); }
static void of_both(struct kit *k) { k->grants[0].resources = S("\x00\x01\x00\x04"); }
static void damaged(struct kit *k) { k->grants[0].resources = S("\x00"); }

/* A grant against what is asked for now. norm: F08 E04 */
static const struct kit_row refresh_rows[] = {
#define R "$C&grant_type=refresh_token&refresh_token=$r"
    {"for every API: none asked for", R},
    {"for every API: one of them", R "&resource=https://api.example/"},
    {"for every API: not for the strict ones", R "&resource=https://strict.example/", .refusal = REFUSAL_RESOURCE,
     .in = "resource"},
    {"F08 all of two", R, .before = of_two},
    {"F08 one of two", R "&resource=urn:example:5", .before = of_two},
    {"F08 the other, by another spelling", R "&resource=https://api.example", .before = of_two},
    {"F08 both", R "&resource=urn:example:5&resource=https://api.example/", .before = of_two},
    {"F08 another one", R "&resource=urn:example:6", .before = of_two, .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"F08 one of them and another one", R "&resource=urn:example:5&resource=urn:example:6", .before = of_two,
     .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"one of them was deleted", R, .before = of_both},
    {"all of them were deleted", R, .before = of_a_deleted_one, .refusal = REFUSAL_RESOURCE, .in = "resource"},
    {"the deleted one", R "&resource=https://gone.example/", .before = of_both, .refusal = REFUSAL_RESOURCE,
     .in = "resource"},
    {"a damaged row", R, .before = damaged, .refusal = REFUSAL_INTERNAL},
    {"an app that rotates is not moved on by a refusal", "$T&grant_type=refresh_token&refresh_token=$t&resource=urn:x",
     .refusal = REFUSAL_RESOURCE, .in = "resource"},
#undef R
};

static void test_rows(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, own_rows);
    KIT_CHECK_ROWS(endpoint_token, refresh_rows);
}

/* ---- the whole way ---- */

static str code_for(struct kit *k, const char *resources) {
    str query = kit_expand(k, "client_id=conf&scope=oauth&redirect_uri=$u" KIT_PKCE);
    struct kit_answer answer = kit_authorize(k, "%.*s%s", STR_ARG(query), resources);
    assert_int_equal(answer.refusal, REFUSAL_NONE);
    return kit_location_param(k, &answer, "code");
}

static struct kit_answer redeem(struct kit *k, str code, const char *resources) {
    return kit_token(k, APP_CONF, "%.*s%s", STR_ARG(kit_redemption(k, APP_CONF, code)), resources);
}

/* The audience that the resource server is told of, as JSON. */
static str aud_of(struct kit *k, str token) {
    struct kit_answer answer = kit_introspect(k, APP_RS, token);
    const str mark = S("\"aud\":");
    str body = answer.a.body;
    while (body.n > mark.n && !str_starts_with(body, mark)) body = str_from(body, 1);
    body = str_from(body, mark.n);
    size_t end = body.n && body.p[0] == '[' ? str_find(body, ']') + 1 : str_find(body, ',');
    return str_head(body, end);
}

#define ASSERT_STR(got, want) assert_string_equal(kit_z(&k, got), want)

/* norm: E03 E04 E05 F08 T16 */
static void test_from_the_code_to_the_refresh(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer all = redeem(&k, code_for(&k, ""), "");
    ASSERT_STR(aud_of(&k, kit_member(&all, "access_token")), "\"" KIT_ISSUER "\"");
    ASSERT_STR(aud_of(&k, kit_member(&all, "refresh_token")), "\"" KIT_ISSUER "\"");
    assert_int_equal(k.grants[0].resources.n, 0);

    str code = code_for(&k, "&resource=https://api.example&resource=urn:example:5");
    assert_int_equal(redeem(&k, code, "&resource=urn:example:6").refusal, REFUSAL_RESOURCE);
    assert_int_equal(k.n_grants, 1); /* the code was not used up */
    struct kit_answer one = redeem(&k, code, "&resource=urn:example:5");
    str access = kit_member(&one, "access_token"), refresh = kit_member(&one, "refresh_token");
    ASSERT_STR(aud_of(&k, access), "\"urn:example:5\"");
    ASSERT_STR(aud_of(&k, refresh), "[\"https://api.example/\",\"urn:example:5\"]");
    struct kit_answer again = kit_refresh(&k, APP_CONF, refresh);
    ASSERT_STR(aud_of(&k, kit_member(&again, "access_token")), "[\"https://api.example/\",\"urn:example:5\"]");
    kit_close(&k);
}

/* norm: E01 E03 */
static void test_refused_at_authorize(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    static const char *const rows[] = {"resource=urn:x", "resource=https://api.example/%23a", "resource=api",
                                       "resource=https://api.example/&resource=https://gone.example/"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str query = kit_expand(&k, "client_id=conf&scope=oauth&state=s&redirect_uri=$u" KIT_PKCE);
        struct kit_answer answer = kit_authorize(&k, "%.*s&%s", STR_ARG(query), rows[i]);
        assert_int_equal(answer.refusal, REFUSAL_RESOURCE);
        ASSERT_STR(kit_location_param(&k, &answer, "error"), "invalid_target");
        ASSERT_STR(kit_location_param(&k, &answer, "state"), "s");
        ASSERT_STR(kit_location_param(&k, &answer, "iss"), KIT_ISSUER);
    }
    kit_close(&k);
}

/* A resource server that is bound to an API sees tokens for it alone; the app its own. norm: I10 E03 */
static void test_who_sees_what(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.resources[0].app_id = k.apps[APP_RS].app_id;
    struct kit_answer every = redeem(&k, code_for(&k, ""), "");
    struct kit_answer for_it = redeem(&k, code_for(&k, "&resource=https://api.example/"), "");
    struct kit_answer for_both = redeem(&k, code_for(&k, "&resource=https://api.example/&resource=urn:example:5"), "");
    struct kit_answer other = redeem(&k, code_for(&k, "&resource=urn:example:5"), "");
    struct kit_answer narrowed =
        redeem(&k, code_for(&k, "&resource=https://api.example/&resource=urn:example:5"), "&resource=urn:example:5");
    assert_true(kit_is_active(&k, kit_member(&every, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&for_it, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&for_both, "access_token")));
    assert_false(kit_is_active(&k, kit_member(&other, "access_token")));
    assert_false(kit_is_active(&k, kit_member(&narrowed, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&narrowed, "refresh_token")));
    assert_false(kit_is_active(&k, kit_member(&other, "refresh_token")));
    struct kit_answer own = kit_introspect(&k, APP_CONF, kit_member(&other, "access_token"));
    assert_true(str_starts_with(own.a.body, S("{\"active\":true")));
    own = kit_introspect(&k, APP_OTHER, kit_member(&other, "access_token"));
    assert_true(str_eq(own.a.body, S("{\"active\":false}")));
    /* strict: what is for every API is not for this one */
    k.resources[0].flags = RESOURCE_STRICT;
    assert_false(kit_is_active(&k, kit_member(&every, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&for_it, "access_token")));
    /* bound to a second one, it sees those as well */
    k.resources[4].app_id = k.apps[APP_RS].app_id;
    assert_true(kit_is_active(&k, kit_member(&other, "access_token")));
    kit_close(&k);
}

/* A token for an API that is gone is good for nothing, and for nobody. norm: I07 I08 */
static void test_deleted(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer got = redeem(&k, code_for(&k, "&resource=urn:example:5&resource=urn:example:6"), "");
    str access = kit_member(&got, "access_token");
    k.resources[4].flags = RESOURCE_DELETED;
    ASSERT_STR(aud_of(&k, access), "\"urn:example:6\"");
    k.resources[5].flags = RESOURCE_DELETED;
    assert_false(kit_is_active(&k, access) || kit_is_active(&k, kit_member(&got, "refresh_token")));
    struct kit_answer own = kit_introspect(&k, APP_CONF, access);
    assert_true(str_eq(own.a.body, S("{\"active\":false}")));
    assert_int_equal(kit_refresh(&k, APP_CONF, kit_member(&got, "refresh_token")).refusal, REFUSAL_RESOURCE);
    assert_int_equal(kit_revoke(&k, APP_CONF, kit_member(&got, "refresh_token")).a.http, 200);
    assert_true(k.grants[0].revoked_ms > 0);
    kit_close(&k);
}

static bool is_jwt(str token) { return str_starts_with(token, S("eyJ")); }

/* The API says what it can read; else the app does. norm: E60 E62 */
static void test_formats(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer got =
        kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth&resource=https://files.example/v1");
    str token = kit_member(&got, "access_token");
    struct jose_jwt jwt;
    assert_true(is_jwt(token) && kit_is_active(&k, token));
    assert_true(jose_verify(&k.signers.keys, JOSE_ANY, token, k.arena, &jwt));
    assert_true(jwt.n_aud == 1 && !jwt.aud_is_list && str_eq(jwt.aud[0], S("https://files.example/v1")));
    got =
        kit_token(&k, APP_CONF,
                  "grant_type=client_credentials&scope=oauth&resource=https://files.example/v1&resource=urn:example:5");
    token = kit_member(&got, "access_token");
    assert_true(is_jwt(token) && jose_verify(&k.signers.keys, JOSE_ANY, token, k.arena, &jwt));
    assert_true(jwt.n_aud == 2 && str_eq(jwt.aud[1], S("urn:example:5")));

    k.apps[APP_CONF].flags |= APP_JWT;
    got = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth&resource=urn:example:5");
    assert_true(is_jwt(kit_member(&got, "access_token")));
    k.resources[4].token_format = TOKEN_FORMAT_OPAQUE;
    got = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth&resource=urn:example:5");
    assert_false(is_jwt(kit_member(&got, "access_token")));
    kit_close(&k);
}

/* What an API verifies by itself must not come to it as something else; and the code is still good for a smaller wish. */
static void test_too_long_to_sign(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    char name[SCOPE_NAME_MAX];
    memset(name, 's', sizeof name);
    str code = code_for(&k, "&resource=https://files.example/v1&resource=urn:example:5");
    k.scopes[0].name = (str){name, sizeof name};
    struct kit_answer got = redeem(&k, code, "");
    assert_int_equal(got.refusal, REFUSAL_RESOURCE_FORMAT);
    assert_int_equal(k.n_grants, 0);
    got = redeem(&k, code, "&resource=urn:example:5");
    assert_true(got.a.http == 200 && !is_jwt(kit_member(&got, "access_token")));
    kit_close(&k);
}

/* A token for one API cannot be turned against us by it. norm: T16 */
static void test_not_for_us(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer got = redeem(&k, code_for(&k, "&resource=urn:example:5"), "");
    str header = arena_printf(k.arena, "Bearer %.*s", STR_ARG(kit_member(&got, "access_token")));
    struct oauth_req req = {.method = METHOD_DELETE, .authorization = header};
    assert_int_equal(kit_run(&k, &endpoint_uninstall, &req).refusal, REFUSAL_BEARER_INVALID);
    assert_int_equal(k.n_uninstalls, 0);
    kit_close(&k);
}

/* The longest nonce, scopes and resources together do not fit into a code; that is said at once. norm: R12 */
static void test_room_in_the_code(void **state) {
    static struct kit k;
    char nonce[OIDC_NONCE_MAX];
    (void)state;
    kit_open(&k);
    memset(nonce, 'n', sizeof nonce);
    str empty = {NULL, 0};
    char bytes[SCOPE_SET_BYTES];
    assert_true(code_fits((str){nonce, 128}, (str){bytes, 112}, empty));
    assert_true(code_fits((str){nonce, 113}, (str){bytes, 112}, (str){bytes, 16}));
    assert_false(code_fits((str){nonce, 114}, (str){bytes, 112}, (str){bytes, 16}));

    struct app *app = &k.apps[APP_CONF];
    struct scope scopes[SCOPE_SET_MAX];
    struct buf names = buf_growing(8192);
    app->scopes.n = 0;
    for (uint16_t i = 0; i < SCOPE_SET_MAX; i++) {
        scopes[i] = (struct scope){.id = (uint16_t)(i + 1), .name = arena_printf(k.arena, "s%u", (unsigned)i)};
        assert_true(scope_set_add(&app->scopes, scopes[i].id));
        buf_printf(&names, "%ss%u", i ? "+" : "", (unsigned)i);
    }
    k.registry.scopes = scopes;
    k.registry.n_scopes = SCOPE_SET_MAX;
    registry_index(&k.registry);
    str uri = kit_expand(&k, "$u"), scope = buf_str(&names);
#define ASK(n, more)                                                                                                   \
    kit_authorize(&k, "client_id=conf&scope=%.*s&redirect_uri=%.*s&nonce=%.*s" KIT_PKCE more, STR_ARG(scope),          \
                  STR_ARG(uri), n, nonce)
    assert_int_equal(ASK(128, "").refusal, REFUSAL_NONE);
    assert_int_equal(ASK(127, "&resource=urn:example:5").refusal, REFUSAL_NONE);
    struct kit_answer most = ASK(127, "&resource=urn:example:5");
    assert_int_equal(kit_location_param(&k, &most, "code").n, TOKEN_TEXT_MAX);
    assert_int_equal(ASK(128, "&resource=urn:example:5").refusal, REFUSAL_PARAMETER_TOO_LONG);
    buf_free(&names);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_from_the_code_to_the_refresh),
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_refused_at_authorize),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_who_sees_what),
        cmocka_unit_test(test_not_for_us),
        cmocka_unit_test(test_too_long_to_sign),
        cmocka_unit_test(test_room_in_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
