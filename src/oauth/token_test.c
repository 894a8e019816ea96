/* The token endpoint: who may come in, and the authorization_code and client_credentials grants. */
#include "kit_rows_test.h"

#define REDEEM "grant_type=authorization_code&code="
#define CRED   "grant_type=client_credentials&scope=oauth"

static void disable_conf(struct kit *k) { k->apps[APP_CONF].flags |= APP_DISABLED; }
static void delete_conf(struct kit *k) { k->apps[APP_CONF].flags |= APP_DELETED; }
static void disable_user(struct kit *k) { k->user_disabled = true; }
static void remove_user(struct kit *k) { k->user_missing = true; }
static void remove_member(struct kit *k) { k->not_a_member = true; }
static void disable_account(struct kit *k) { k->account_disabled = true; }
static void remove_account(struct kit *k) { k->account_missing = true; }
static void retire_secret(struct kit *k) { k->apps[APP_CONF].secrets[0].retired_ms = 1; }
static void forget_key(struct kit *k) { k->apps[APP_CONF].secrets[0].key_number = 77; }
static void only_refresh(struct kit *k) { k->apps[APP_CONF].grants = APP_GRANT_REFRESH; }
static void require_pkce(struct kit *k) { k->apps[APP_CONF].flags |= APP_REQUIRE_PKCE; }
static void make_public(struct kit *k) { k->apps[APP_CONF].flags |= APP_PUBLIC; }
static void hide_scope(struct kit *k) { k->scopes[0].hidden = true; }
static void uninstall_now(struct kit *k) {
    k->uninstalls[0].app_id = k->apps[APP_CONF].app_id;
    k->uninstalls[0].hub_id = KIT_HUB;
    k->uninstalls[0].ms = k->now_ms;
    k->n_uninstalls = 1;
}

/* Two live secrets, the second hashed by the newer key. */
static void second_secret(struct kit *k) {
    struct app *app = &k->apps[APP_CONF];
    app->secrets[1] = app->secrets[0];
    app->secrets[1].secret_id = 2;
    app->secrets[0].key_number = 2;
    digest_mac(k->ring.by_number[2]->secret_hash, S("gds_another"), app->secrets[0].hash, MAC_BYTES);
    app->n_secrets = 2;
}

/* norm: A33 K01 K02 P02 P08 T03 T05 T12 T19 X05 X06 X07 */
static const struct kit_row client_rows[] = {
    {"client id missing", CRED, .refusal = REFUSAL_CLIENT_ID_MISSING},
    {"X07 client id empty is missing", "client_id=&" CRED, .refusal = REFUSAL_CLIENT_ID_MISSING},
    {"client id unknown", "client_id=nobody&client_secret=x&" CRED, .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"client id of another case", "client_id=CONF&client_secret=$s&" CRED, .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"client id beyond every bound",
     "client_id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&" CRED,
     .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"the app is disabled", "$C&" CRED, .before = disable_conf, .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"the app is deleted", "$C&" CRED, .before = delete_conf, .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"client id before grant type", "client_id=nobody&grant_type=x", .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"T12 grant type missing", "$C", .refusal = REFUSAL_GRANT_TYPE_MISSING, .in = "grant_type"},
    {"T12 grant type empty", "$C&grant_type=", .refusal = REFUSAL_GRANT_TYPE_MISSING, .in = "grant_type"},
    {"T19 password", "$C&grant_type=password&username=a&password=b", .refusal = REFUSAL_GRANT_TYPE_UNKNOWN,
     .in = "grant_type"},
    {"grant type before secret", "client_id=conf&client_secret=wrong&grant_type=x",
     .refusal = REFUSAL_GRANT_TYPE_UNKNOWN, .in = "grant_type"},
    {"T12 K01 not for public apps", "$P&" CRED, .refusal = REFUSAL_GRANT_TYPE_NOT_ALLOWED, .in = "grant_type"},
    {"T12 not given to this app", "$T&" CRED, .refusal = REFUSAL_GRANT_TYPE_NOT_ALLOWED, .in = "grant_type"},
    {"the secret before what the app may do", "client_id=rota&client_secret=wrong&" CRED,
     .refusal = REFUSAL_CLIENT_AUTH},
    {"T12 the code grant was taken away", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = only_refresh,
     .refusal = REFUSAL_GRANT_TYPE_NOT_ALLOWED, .in = "grant_type"},
    {"T03 K02 no secret", "client_id=conf&" CRED, .refusal = REFUSAL_CLIENT_AUTH},
    {"secret wrong", "client_id=conf&client_secret=wrong&" CRED, .refusal = REFUSAL_CLIENT_AUTH},
    {"secret of another app", "client_id=rota&client_secret=$s&" REDEEM "x", .refusal = REFUSAL_CLIENT_AUTH},
    {"secret with more behind it", "client_id=conf&client_secret=$sx&" CRED, .refusal = REFUSAL_CLIENT_AUTH},
    {"secret retired", "$C&" CRED, .before = retire_secret, .refusal = REFUSAL_CLIENT_AUTH},
    {"secret of a key that is gone", "$C&" CRED, .before = forget_key, .refusal = REFUSAL_CLIENT_AUTH},
    {"secret before scope", "client_id=conf&client_secret=wrong&grant_type=client_credentials",
     .refusal = REFUSAL_CLIENT_AUTH},
    {"two live secrets, the newer key", "client_id=conf&client_secret=gds_another&" CRED, .before = second_secret},
    {"two live secrets, the older key", "$C&" CRED, .before = second_secret},
    {"P02 A33 a public app has no secret to be right",
     "$P&client_secret=$s&" REDEEM "$p&redirect_uri=$w&code_verifier=$v", .refusal = REFUSAL_CLIENT_AUTH},
    {"P08 an assertion is no secret", "client_id=conf&client_assertion=x&" CRED, .refusal = REFUSAL_CLIENT_AUTH},
    {"P08 nor proof for a public app", "$P&client_assertion=x&" REDEEM "x", .refusal = REFUSAL_CLIENT_AUTH},
    {"T05 secret and assertion", "$C&client_assertion=x&" CRED, .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"T05 secret and assertion type", "$C&client_assertion_type=x&" CRED, .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"X06 repeated", "$C&scope=a&" CRED, .refusal = REFUSAL_PARAMETER_REPEATED, .in = "scope"},
    {"X06 repeated client id", "client_id=conf&$C&" CRED, .refusal = REFUSAL_PARAMETER_REPEATED, .in = "client_id"},
    {"X05 unknown ones may be", "foo=1&foo=2&$C&" CRED},
    {"X07 an empty one was not sent", "client_secret=&$C&code=&refresh_token=&" CRED},
    {"a broken escape", "$C&" CRED "&x=%zz", .refusal = REFUSAL_REQUEST_MALFORMED},
    {"NUL", "$C&" CRED "&x=%00", .refusal = REFUSAL_REQUEST_MALFORMED},
    {"not UTF-8", "$C&" CRED "&x=%ff", .refusal = REFUSAL_REQUEST_MALFORMED},
};

/* norm: T04 T05 T07 */
static const struct kit_row basic_rows[] = {
    {"T04 basic", CRED, "basic:conf:$s"},
    {"T04 the scheme has no case", CRED, "bAsIc Y29uZjo=", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"T04 both halves are form-encoded", CRED, "basic:c%6Fnf:%67ds_x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"T07 wrong secret", CRED, "basic:conf:wrong", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"T07 unknown client", CRED, "basic:nobody:wrong", .refusal = REFUSAL_CLIENT_ID_UNKNOWN, .http = 401},
    {"T07 no id", CRED, "basic::wrong", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"no colon", CRED, "basic:conf", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"not base64", CRED, "Basic !!!!", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"nothing behind the scheme", CRED, "Basic", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"a broken escape inside", CRED, "basic:conf:%zz", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"NUL inside", CRED, "basic:conf%00:x", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"the same id in the body too", "client_id=conf&" CRED, "basic:conf:$s"},
    {"T05 another id in the body", "client_id=other&" CRED, "basic:conf:$s", .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"T05 a secret in the body too", "$C&" CRED, "basic:conf:$s", .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"T05 an assertion too", "client_assertion=x&" CRED, "basic:conf:$s", .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"a public app with an empty secret", REDEEM "$p&redirect_uri=$w&code_verifier=$v", "basic:publ:", .changes = 1},
    {"a public app with a secret", REDEEM "$p&redirect_uri=$w&code_verifier=$v", "basic:publ:x",
     .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"another scheme is not looked at", "$C&" CRED, "Bearer gda_x"},
    {"a scheme that begins the same", "$C&" CRED, "Basics x"},
    {"401 is for clients, not for grants", "grant_type=x", "basic:conf:$s", .refusal = REFUSAL_GRANT_TYPE_UNKNOWN,
     .in = "grant_type"},
    {"401 is for clients, not for scopes", "grant_type=client_credentials", "basic:conf:$s", .refusal = REFUSAL_SCOPE,
     .in = "scope"},
};

/* norm: C01 C06 C07 C08 C09 C10 C11 C13 C14 F01 R09 R10 T22 */
static const struct kit_row code_rows[] = {
    {"a code", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .changes = 1},
    {"code missing", "$C&grant_type=authorization_code", .refusal = REFUSAL_CODE_MISSING, .in = "code"},
    {"code unknown", "$C&" REDEEM "gdc_nonsense&redirect_uri=$u", .refusal = REFUSAL_CODE_INVALID, .in = "code"},
    {"C01 F01 code of another app", "$C&" REDEEM "$o&redirect_uri=$u&code_verifier=$v", .refusal = REFUSAL_CODE_INVALID,
     .in = "code"},
    {"C13 an access token", "$C&" REDEEM "$a&redirect_uri=$u", .refusal = REFUSAL_CODE_INVALID, .in = "code"},
    {"C13 a refresh token", "$C&" REDEEM "$r&redirect_uri=$u", .refusal = REFUSAL_CODE_INVALID, .in = "code"},
    {"C13 a secret", "$C&" REDEEM "$s&redirect_uri=$u", .refusal = REFUSAL_CODE_INVALID, .in = "code"},
    {"R10 in its last millisecond", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .later_ms = 59999,
     .changes = 1},
    {"R10 C11 expired", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .later_ms = 60000,
     .refusal = REFUSAL_CODE_EXPIRED, .in = "code"},
    {"another app's code is unknown, not expired", "$C&" REDEEM "$o", .later_ms = 60000,
     .refusal = REFUSAL_CODE_INVALID, .in = "code"},
    {"C10 redirect URI missing", "$C&" REDEEM "$c&code_verifier=$v", .refusal = REFUSAL_REDIRECT_URI_MISSING,
     .in = "redirect_uri"},
    {"C10 redirect URI different", "$C&" REDEEM "$c&redirect_uri=$u/&code_verifier=$v",
     .refusal = REFUSAL_REDIRECT_URI_MISMATCH, .in = "redirect_uri"},
    {"C10 was left out", "$C&" REDEEM "$n", .changes = 1},
    {"C10 was left out, sent as registered", "$C&" REDEEM "$n&redirect_uri=$u", .changes = 1},
    {"C10 was left out, sent differently", "$C&" REDEEM "$n&redirect_uri=https://app.example/",
     .refusal = REFUSAL_REDIRECT_URI_MISMATCH, .in = "redirect_uri"},
    {"redirect URI before verifier", "$C&" REDEEM "$c&redirect_uri=x&code_verifier=x",
     .refusal = REFUSAL_REDIRECT_URI_MISMATCH, .in = "redirect_uri"},
    {"C06 verifier missing", "$C&" REDEEM "$c&redirect_uri=$u", .refusal = REFUSAL_VERIFIER_WRONG,
     .in = "code_verifier"},
    {"C06 verifier wrong", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     .refusal = REFUSAL_VERIFIER_WRONG, .in = "code_verifier"},
    {"C06 R09 the challenge is not the verifier", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=" KIT_CHALLENGE,
     .refusal = REFUSAL_VERIFIER_WRONG, .in = "code_verifier"},
    {"C09 42 characters", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     .refusal = REFUSAL_VERIFIER_MALFORMED, .in = "code_verifier"},
    {"C09 129 characters",
     "$C&" REDEEM
     "$c&redirect_uri=$u&code_verifier=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     .refusal = REFUSAL_VERIFIER_MALFORMED, .in = "code_verifier"},
    {"C09 a character outside the set",
     "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%2B",
     .refusal = REFUSAL_VERIFIER_MALFORMED, .in = "code_verifier"},
    {"C07 a verifier without a challenge", "$C&" REDEEM "$n&code_verifier=$v", .refusal = REFUSAL_VERIFIER_WRONG,
     .in = "code_verifier"},
    {"C08 no challenge, and by now it is required", "$C&" REDEEM "$n", .before = require_pkce,
     .refusal = REFUSAL_VERIFIER_WRONG, .in = "code_verifier"},
    {"C08 no challenge, and by now the app is public", "client_id=conf&" REDEEM "$n", .before = make_public,
     .refusal = REFUSAL_VERIFIER_WRONG, .in = "code_verifier"},
    {"T22 a public app", "$P&" REDEEM "$p&redirect_uri=$w&code_verifier=$v", .changes = 1},
    {"C14 user disabled", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = disable_user,
     .refusal = REFUSAL_CODE_INVALID},
    {"C14 user gone", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = remove_user,
     .refusal = REFUSAL_CODE_INVALID},
    {"C14 user no longer of the account", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = remove_member,
     .refusal = REFUSAL_CODE_INVALID},
    {"account disabled", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = disable_account,
     .refusal = REFUSAL_HUB_GONE},
    {"account gone", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v", .before = remove_account,
     .refusal = REFUSAL_HUB_GONE},
    {"uninstalled in the millisecond of the consent", "$C&" REDEEM "$c&redirect_uri=$u&code_verifier=$v",
     .before = uninstall_now, .refusal = REFUSAL_HUB_GONE},
};

/* norm: A25 K03 K04 */
static const struct kit_row client_credentials_rows[] = {
    {"K03 K04", "$C&" CRED},
    {"scope missing", "$C&grant_type=client_credentials", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"scope of spaces", "$C&grant_type=client_credentials&scope=++", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"K04 unknown scope", "$C&grant_type=client_credentials&scope=oauth+nonsense", .refusal = REFUSAL_SCOPE,
     .in = "scope"},
    {"K04 not of this app", "$C&grant_type=client_credentials&scope=never.available", .refusal = REFUSAL_SCOPE,
     .in = "scope"},
    {"K04 only in optional_scope", "$C&grant_type=client_credentials&scope=files", .refusal = REFUSAL_SCOPE,
     .in = "scope"},
    {"hidden", "$C&grant_type=client_credentials&scope=old.hidden", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"hidden by now", "$C&" CRED, .before = hide_scope, .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"A25 another case", "$C&grant_type=client_credentials&scope=OAUTH", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"A25 a quote", "$C&grant_type=client_credentials&scope=%22oauth%22", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"A25 a tab is no separator", "$C&grant_type=client_credentials&scope=oauth%09crm.read", .refusal = REFUSAL_SCOPE,
     .in = "scope"},
    {"A25 a set", "$C&grant_type=client_credentials&scope=crm.read+oauth++crm.read"},
};

static void test_clients(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, client_rows);
}

static void test_basic(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, basic_rows);
}

static void test_code(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, code_rows);
}

static void test_client_credentials(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, client_credentials_rows);
}

/* norm: T02 T06 X04 */
static void test_how_the_form_comes(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        const char *type, *body, *query;
        bool query_params;
        enum refusal refusal;
    } rows[] = {
        {"application/x-www-form-urlencoded", "$C&" CRED, "", false, REFUSAL_NONE},
        {"application/x-www-form-urlencoded;charset=utf-8", "$C&" CRED, "", false, REFUSAL_NONE},
        {"APPLICATION/X-www-form-urlencoded ; charset=UTF-8", "$C&" CRED, "", false, REFUSAL_NONE},
        {"application/json", "$C&" CRED, "", false, REFUSAL_MEDIA_TYPE},
        {"text/plain", "$C&" CRED, "", false, REFUSAL_MEDIA_TYPE},
        {"application/x-www-form-urlencodedx", "$C&" CRED, "", false, REFUSAL_MEDIA_TYPE},
        {"", "$C&" CRED, "", false, REFUSAL_MEDIA_TYPE},
        {"", "", "", false, REFUSAL_CLIENT_ID_MISSING},
        {"application/x-www-form-urlencoded", CRED, "$C", false,
         REFUSAL_CLIENT_ID_MISSING}, /* v3 does not look there */
        {"application/x-www-form-urlencoded", "$C&" CRED, "grant_type=x&%zz", false, REFUSAL_NONE},
        {"application/x-www-form-urlencoded", CRED, "$C", true, REFUSAL_NONE}, /* v1 does */
        {"", "", "$C&" CRED, true, REFUSAL_NONE},
        {"application/x-www-form-urlencoded", "$C&" CRED, "client_id=conf", true, REFUSAL_PARAMETER_REPEATED},
        {"application/x-www-form-urlencoded", "$C&" CRED, "a=%zz", true, REFUSAL_REQUEST_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kit_open(&k);
        struct oauth_req req = {
            .method = METHOD_POST,
            .content_type = str_of(rows[i].type),
            .body = kit_expand(&k, rows[i].body),
            .query = kit_expand(&k, rows[i].query),
            .query_params = rows[i].query_params,
        };
        assert_int_equal(kit_run(&k, &endpoint_token, &req).refusal, rows[i].refusal);
        kit_close(&k);
    }
}

/* norm: T13 T14 K03 X04 C10 */
static void test_golden_successes(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer answer = kit_redeem(&k, APP_CONF, kit_code(&k, APP_CONF));
    kit_check_text(&k, &answer,
                   "200\n\n{\"token_type\":\"bearer\",\"access_token\":\"gda_*\",\"refresh_token\":\"gdr_*\","
                   "\"expires_in\":1800,\"token_use\":\"access_token\",\"hub_id\":4711,\"user_id\":99,"
                   "\"scopes\":[\"oauth\",\"crm.read\"],\"scope\":\"oauth crm.read\"}");
    answer = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=crm.write+oauth");
    kit_check_text(&k, &answer,
                   "200\n\n{\"token_type\":\"bearer\",\"access_token\":\"gda_*\",\"expires_in\":1800,"
                   "\"token_use\":\"client_credentials\",\"scopes\":[\"oauth\",\"crm.write\"],"
                   "\"scope\":\"oauth crm.write\"}");
    answer = kit_token(&k, APP_BOUND, "grant_type=client_credentials&scope=oauth");
    kit_check_text(&k, &answer,
                   "200\n\n{\"token_type\":\"bearer\",\"access_token\":\"gda_*\",\"expires_in\":1800,"
                   "\"token_use\":\"client_credentials\",\"hub_id\":4711,\"scopes\":[\"oauth\"],\"scope\":\"oauth\"}");
    kit_close(&k);
}

/* norm: X21 X22 T15 */
static void test_golden_refusals(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer answer = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth+%%3Cb%%3E");
    kit_check_text(
        &k, &answer,
        "400\n\n{\"status\":\"BAD_SCOPES\",\"message\":\"a scope is missing, unknown, or more than this app was "
        "given\",\"error\":\"invalid_scope\",\"error_description\":\"a scope is missing, unknown, or more than "
        "this app was given\",\"category\":\"VALIDATION_ERROR\",\"correlationId\":\"" KIT_CORRELATION
        "\",\"errors\":[{\"message\":\"a scope is missing, unknown, or more than this app was given\","
        "\"in\":\"scope\",\"code\":\"SCOPE\",\"context\":{\"scopes\":[\"\\u003cb\\u003e\"]}}]}");
    answer = kit_post(&k, &endpoint_token, "client_id=nobody&grant_type=x");
    kit_check_text(&k, &answer,
                   "400\n\n{\"status\":\"BAD_CLIENT_ID\",\"message\":\"missing or unknown client id\","
                   "\"error\":\"invalid_client\",\"error_description\":\"missing or unknown client id\","
                   "\"category\":\"VALIDATION_ERROR\",\"correlationId\":\"" KIT_CORRELATION "\"}");
    kit_close(&k);
}

/* What the redemption writes. norm: C02 R11 */
static void test_the_grant(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str code = kit_code(&k, APP_CONF);
    k.now_ms += 5000;
    assert_int_equal(kit_redeem(&k, APP_CONF, code).a.http, 200);
    const struct grant *g = &k.grants[0];
    assert_int_equal(g->app_id, k.apps[APP_CONF].app_id);
    assert_int_equal(g->hub_id, KIT_HUB);
    assert_int_equal(g->user_id, KIT_USER);
    assert_true(g->created_ms == KIT_NOW_MS && g->expires_ms == 0 && g->auth_time_ms == KIT_NOW_MS);
    assert_true(grant_id_time_ms(&g->id) == KIT_NOW_MS && g->generation == 0 && g->rotated_ms == 0);
    assert_int_equal(g->last_used_day, (k.now_ms / 86400000));
    kit_close(&k);
}

/* When the row may go. norm: F13 */
static void test_the_end_of_the_grant(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        uint32_t grants;
        int64_t absolute_s, access_ttl_s, code_ttl_s, expires_s, expires_in;
        bool refresh;
    } rows[] = {
        {7, 0, 1800, 60, 0, 1800, true},     {7, 3600, 1800, 60, 3600, 1800, true},
        {7, 900, 1800, 60, 900, 900, true},  /* access tokens end with their grant */
        {7, 10, 5, 600, 600, 5, true},       /* the row outlives the code, or it could be redeemed again */
        {1, 0, 1800, 60, 1800, 1800, false}, /* no refresh token */
        {1, 0, 5, 60, 60, 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kit_open(&k);
        struct app *app = &k.apps[APP_CONF];
        app->grants = rows[i].grants;
        app->refresh_absolute_s = rows[i].absolute_s;
        app->access_ttl_s = rows[i].access_ttl_s;
        app->code_ttl_s = rows[i].code_ttl_s;
        struct kit_answer answer = kit_redeem(&k, APP_CONF, kit_code(&k, APP_CONF));
        assert_int_equal(k.grants[0].expires_ms ? (k.grants[0].expires_ms - KIT_NOW_MS) / 1000 : 0, rows[i].expires_s);
        assert_int_equal(kit_member(&answer, "refresh_token").n > 0, rows[i].refresh);
        str expected = arena_printf(k.arena, "\"expires_in\":%d,", (int)rows[i].expires_in);
        assert_non_null(strstr(kit_z(&k, answer.text), kit_z(&k, expected)));
        kit_close(&k);
    }
}

/* norm: C03 C04 C05 C12 */
static void test_replay(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    str form = kit_redemption(&k, APP_CONF, got.code);
    /* by somebody without the verifier, or without the secret: nothing happens */
    assert_int_equal(kit_post(&k, &endpoint_token, "%.*s&%.*s&code_verifier=", STR_ARG(kit_credentials(&k, APP_OTHER)),
                              STR_ARG(form))
                         .refusal,
                     REFUSAL_CODE_INVALID);
    assert_int_equal(kit_token(&k, APP_CONF,
                               "grant_type=authorization_code&code=%.*s&redirect_uri=https://app.example/cb",
                               STR_ARG(got.code))
                         .refusal,
                     REFUSAL_VERIFIER_WRONG);
    assert_true(kit_is_active(&k, got.access) && kit_is_active(&k, got.refresh));
    /* by the rightful client: all of it dies */
    struct kit_answer replay = kit_token(&k, APP_CONF, "%.*s", STR_ARG(form));
    assert_int_equal(replay.refusal, REFUSAL_CODE_INVALID);
    kit_check_error(&k, &replay, REFUSAL_CODE_INVALID, "code");
    assert_int_equal(k.last_change.kind, CHANGE_GRANT_REVOKE);
    assert_true(k.last_change.expires_ms >= KIT_NOW_MS + CODE_TTL_MAX_S * 1000);
    assert_false(kit_is_active(&k, got.access));
    assert_false(kit_is_active(&k, got.refresh));
    assert_int_equal(kit_refresh(&k, APP_CONF, got.refresh).refusal, REFUSAL_REFRESH_INVALID);
    /* and a third time */
    assert_int_equal(kit_token(&k, APP_CONF, "%.*s", STR_ARG(form)).refusal, REFUSAL_CODE_INVALID);
    kit_close(&k);
}

/* A wrong try does not consume the code. norm: C12 */
static void test_failed_tries_leave_the_code(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str code = kit_code(&k, APP_CONF);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            kit_token(&k, APP_CONF, "grant_type=authorization_code&code=%.*s&redirect_uri=x", STR_ARG(code)).refusal,
            REFUSAL_REDIRECT_URI_MISMATCH);
    assert_int_equal(k.changed, 0);
    assert_int_equal(kit_redeem(&k, APP_CONF, code).a.http, 200);
    kit_close(&k);
}

static str raced_form;
static void redeem_meanwhile(struct kit *k) {
    assert_int_equal(kit_token(k, APP_CONF, "%.*s", STR_ARG(raced_form)).a.http, 200);
}

/* Two redemptions at once: one wins, and as the other one is its equal, both lose. norm: C02 */
static void test_race(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    raced_form = kit_redemption(&k, APP_CONF, kit_code(&k, APP_CONF));
    k.meanwhile = redeem_meanwhile;
    assert_int_equal(kit_token(&k, APP_CONF, "%.*s", STR_ARG(raced_form)).refusal, REFUSAL_CODE_INVALID);
    assert_int_equal(k.n_grants, 1);
    assert_true(k.grants[0].revoked_ms == KIT_NOW_MS);
    kit_close(&k);
}

static void test_lists(void **state) {
    (void)state;
    str names[OAUTH_LIST_MAX];
    assert_int_equal(oauth_list_grant_types(names), 3);
    assert_true(str_eq(names[0], S("authorization_code")));
    assert_int_equal(oauth_list_auth_methods(&(struct settings){0}, true, names), 4);
    assert_true(str_eq(names[0], S("client_secret_post")) && str_eq(names[2], S("private_key_jwt")) &&
                str_eq(names[3], S("none")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_client_credentials),
        cmocka_unit_test(test_how_the_form_comes),
        cmocka_unit_test(test_golden_successes),
        cmocka_unit_test(test_golden_refusals),
        cmocka_unit_test(test_the_grant),
        cmocka_unit_test(test_the_end_of_the_grant),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_failed_tries_leave_the_code),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
