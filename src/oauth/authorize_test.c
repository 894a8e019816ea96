/* The authorization endpoint. */
#include "kit_rows_test.h"

#define URI    "redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
#define BACK   "https://app.example/cb?"
#define TAIL   "&iss=https%3A%2F%2Fauth.example"
#define NATIVE "redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb"

/* What goes wrong before the redirect URI is verified: a page, never a redirect. norm: A07 A08 A12 A29 X06 X10 */
static const struct {
    const char *query;
    enum refusal refusal;
} pages[] = {
    {"", REFUSAL_AUTHORIZE_CLIENT},
    {URI "&scope=oauth", REFUSAL_AUTHORIZE_CLIENT},
    {"client_id=nobody&" URI "&scope=oauth", REFUSAL_AUTHORIZE_CLIENT},
    {"client_id=off&" URI "&scope=oauth", REFUSAL_AUTHORIZE_CLIENT},
    {"client_id=gone&" URI "&scope=oauth", REFUSAL_AUTHORIZE_CLIENT},
    {"client_id=conf&client_id=conf&" URI, REFUSAL_PARAMETER_REPEATED},
    {"scope=a&scope=b&client_id=conf&client_id=other&" URI, REFUSAL_PARAMETER_REPEATED},
    {"client_id=conf&" URI "&" URI, REFUSAL_PARAMETER_REPEATED},
    {"scope=a&scope=b&client_id=conf&" URI "&" URI, REFUSAL_PARAMETER_REPEATED},
    {"client_id=conf&redirect_uri=https%3A%2F%2Fevil.example%2F&scope=oauth", REFUSAL_AUTHORIZE_REDIRECT_URI},
    {"client_id=conf&redirect_uri="
     "https%3A%2F%2Fapp.example%2Fcb%2F",
     REFUSAL_AUTHORIZE_REDIRECT_URI},
    {"client_id=conf&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%23x", REFUSAL_AUTHORIZE_REDIRECT_URI},
    {"client_id=other&scope=oauth", REFUSAL_AUTHORIZE_REDIRECT_URI}, /* two are registered */
    {"client_id=rs&scope=oauth", REFUSAL_AUTHORIZE_REDIRECT_URI},    /* none is */
    {"client_id=conf&" URI "&x=%zz", REFUSAL_REQUEST_MALFORMED},
    {"client_id=conf&" URI "&state=%00", REFUSAL_REQUEST_MALFORMED},
    {"client_id=conf&" URI "&state=%ff", REFUSAL_REQUEST_MALFORMED},
};

static void test_pages(void **state) {
    static struct kit k;
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        print_message("  %s\n", pages[i].query);
        kit_open(&k);
        struct kit_answer answer = kit_authorize(&k, "%s", pages[i].query);
        assert_int_equal(answer.refusal, pages[i].refusal);
        assert_int_equal(answer.a.http, 400);
        assert_int_equal(answer.a.type, ANSWER_PAGE);
        assert_int_equal(answer.a.location.n, 0);
        assert_int_equal(answer.a.screen->kind, SCREEN_ERROR);
        assert_int_equal(answer.a.screen->refusal, pages[i].refusal);
        kit_close(&k);
    }
}

/* norm: X11 X14 X17 */
static void test_golden_page(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer answer = kit_authorize(&k, "client_id=%%3Cscript%%3E");
    kit_check_text(&k, &answer, "400\n\npage: error\nBAD_CLIENT_ID\n");
    kit_close(&k);
}

static void disable_user(struct kit *k) { k->user_disabled = true; }
static void remove_member(struct kit *k) { k->not_a_member = true; }
static void disable_account(struct kit *k) { k->account_disabled = true; }
static void require_pkce(struct kit *k) { k->apps[APP_CONF].flags |= APP_REQUIRE_PKCE; }
static void no_code_grant(struct kit *k) { k->apps[APP_CONF].grants = APP_GRANT_REFRESH; }

/* What goes back to the app. norm: A05 A06 A17 A20 A21 A22 A24 A25 R03 R13 R14 X06 */
static const struct {
    const char *query; /* behind client_id, redirect_uri and state */
    void (*before)(struct kit *k);
    enum refusal refusal;
} redirects[] = {
    {"&scope=oauth&response_type=token", NULL, REFUSAL_RESPONSE_TYPE},
    {"&scope=oauth&response_type=code%20token", NULL, REFUSAL_RESPONSE_TYPE},
    {"&scope=oauth&response_type=CODE", NULL, REFUSAL_RESPONSE_TYPE},
    {"&scope=oauth", no_code_grant, REFUSAL_AUTHORIZE_NOT_ALLOWED},
    {"", NULL, REFUSAL_SCOPE},
    {"&scope=", NULL, REFUSAL_SCOPE},
    {"&scope=oauth+nonsense", NULL, REFUSAL_SCOPE},
    {"&scope=files", NULL, REFUSAL_SCOPE},
    {"&scope=never.available", NULL, REFUSAL_SCOPE},
    {"&scope=old.hidden", NULL, REFUSAL_SCOPE},
    {"&scope=oauth&scope=oauth", NULL, REFUSAL_PARAMETER_REPEATED},
    {"&scope=oauth&optional_scope=files&optional_scopes=files", NULL, REFUSAL_PARAMETER_REPEATED},
    {"&scope=oauth&code_challenge=" KIT_CHALLENGE, NULL, REFUSAL_CHALLENGE_METHOD},
    {"&scope=oauth&code_challenge=" KIT_CHALLENGE "&code_challenge_method=plain", NULL, REFUSAL_CHALLENGE_METHOD},
    {"&scope=oauth&code_challenge=" KIT_CHALLENGE "&code_challenge_method=s256", NULL, REFUSAL_CHALLENGE_METHOD},
    {"&scope=oauth&code_challenge_method=S256", NULL, REFUSAL_CHALLENGE_MISSING},
    {"&scope=oauth", require_pkce, REFUSAL_CHALLENGE_MISSING},
    {"&scope=oauth&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c&code_challenge_method=S256", NULL,
     REFUSAL_CHALLENGE_MALFORMED},
    {"&scope=oauth&code_challenge=" KIT_CHALLENGE "A&code_challenge_method=S256", NULL, REFUSAL_CHALLENGE_MALFORMED},
    {"&scope=oauth&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=&code_challenge_method=S256", NULL,
     REFUSAL_CHALLENGE_MALFORMED},
    {"&scope=oauth&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM&code_challenge_method=S256", NULL,
     REFUSAL_CHALLENGE_MALFORMED},
    {"&scope=oauth&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN&code_challenge_method=S256", NULL,
     REFUSAL_CHALLENGE_MALFORMED}, /* bits behind the last byte */
    {"&scope=oauth&prompt=none+login", NULL, REFUSAL_REQUEST_MALFORMED},
    {"&scope=oauth&nonce="
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     NULL, REFUSAL_PARAMETER_TOO_LONG},
    {"&scope=oauth", disable_user, REFUSAL_ACCESS_DENIED},
    {"&scope=oauth", remove_member, REFUSAL_ACCESS_DENIED},
    {"&scope=oauth", disable_account, REFUSAL_ACCESS_DENIED},
};

static void test_redirects(void **state) {
    static struct kit k;
    (void)state;
    for (size_t i = 0; i < sizeof redirects / sizeof redirects[0]; i++) {
        print_message("  %s\n", redirects[i].query);
        kit_open(&k);
        if (redirects[i].before) redirects[i].before(&k);
        struct kit_answer answer = kit_authorize(&k, "client_id=conf&%s&state=s%%2B%%26t%s", URI, redirects[i].query);
        const struct refusal_row *row = refusal_row(redirects[i].refusal);
        assert_int_equal(answer.refusal, redirects[i].refusal);
        str expected = arena_printf(k.arena, "302\nlocation: %serror=%.*s&error_description=%.*s&state=%s%s\n\n", BACK,
                                    STR_ARG(row->error), STR_ARG(kit_encoded(&k, row->text)), "s%2B%26t", TAIL);
        kit_check_text(&k, &answer, kit_z(&k, expected));
        assert_int_equal(k.changed, 0);
        kit_close(&k);
    }
}

/* norm: A17 */
static void test_public_app_without_challenge(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer answer = kit_authorize(&k, "client_id=publ&%s&scope=oauth", NATIVE);
    kit_check_text(
        &k, &answer,
        "302\nlocation: http://127.0.0.1/cb?error=invalid_request&error_description=code%20challenge%20required" TAIL
        "\n\n");
    kit_close(&k);
}

/* norm: A01 R01 R02 R07 R08 A16 A10 X08 X09 A19 X05 */
static void test_successes(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        const char *query, *location;
    } cases[] = {
        {"client_id=conf&scope=oauth", BACK "code=gdc_*" TAIL},
        {"client_id=conf&" URI "&scope=oauth&state=x", BACK "code=gdc_*&state=x" TAIL},
        {"client_id=conf&" URI "&scope=oauth&state=a%2Bb%26c%3Dd%25+%C3%A9%0D%0A",
         BACK "code=gdc_*&state=a%2Bb%26c%3Dd%25%20%C3%A9%0D%0A" TAIL},
        {"client_id=conf&" URI "&scope=oauth&state=&response_type=code" KIT_PKCE, BACK "code=gdc_*" TAIL},
        {"client_id=conf&" URI "&scope=oauth&prompt=none&login_hint=a&ui_locales=de&foo=1&foo=2",
         BACK "code=gdc_*" TAIL},
        {"client_id=conf&" URI "&scope=oauth&prompt=login+consent&nonce=n", BACK "code=gdc_*" TAIL},
        {"client_id=other&scope=oauth&redirect_uri=https%3A%2F%2Fother.example%2Fcb%3Ftenant%3D1",
         "https://other.example/cb?tenant=1&code=gdc_*" TAIL},
        {"client_id=publ&scope=oauth&redirect_uri=com.example.app%3A%2Fcb" KIT_PKCE,
         "com.example.app:/cb?code=gdc_*" TAIL},
        {"client_id=publ&scope=oauth&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcb" KIT_PKCE,
         "http://127.0.0.1:49152/cb?code=gdc_*" TAIL},
        {"client_id=publ&scope=oauth&redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A1%2Fcb" KIT_PKCE,
         "http://[::1]:1/cb?code=gdc_*" TAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_open(&k);
        str expected = arena_printf(k.arena, "302\nlocation: %s\n\n", cases[i].location);
        struct kit_answer answer = kit_authorize(&k, "%s", cases[i].query);
        kit_check_text(&k, &answer, kit_z(&k, expected));
        struct oauth_req req = {.method = METHOD_POST,
                                .query = S("client_id=nobody"),
                                .body = str_of(cases[i].query),
                                .content_type = S("application/x-www-form-urlencoded")};
        answer = kit_run(&k, &endpoint_authorize, &req);
        expected = arena_printf(k.arena, "303\nlocation: %s\n\n", cases[i].location);
        kit_check_text(&k, &answer, kit_z(&k, expected));
        kit_close(&k);
    }
}

/* norm: R01 */
static void test_longest_state(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    char text[STATE_MAX + 1];
    memset(text, 's', sizeof text);
    struct kit_answer answer = kit_authorize(&k, "client_id=conf&scope=oauth&state=%.*s", STATE_MAX, text);
    assert_int_equal(kit_location_param(&k, &answer, "state").n, STATE_MAX);
    answer = kit_authorize(&k, "client_id=conf&scope=oauth&state=%.*s", STATE_MAX + 1, text);
    assert_int_equal(answer.refusal, REFUSAL_PARAMETER_TOO_LONG);
    assert_int_equal(kit_location_param(&k, &answer, "state").n, 0);
    answer = kit_authorize(&k, "client_id=conf&scope=oauth&state=a&state=b");
    assert_int_equal(answer.refusal, REFUSAL_PARAMETER_REPEATED);
    assert_int_equal(kit_location_param(&k, &answer, "state").n, 0);
    kit_close(&k);
}

static str granted(struct kit *k, const char *query) {
    struct kit_answer answer = kit_authorize(k, "client_id=conf&%s", query);
    str code = kit_location_param(k, &answer, "code");
    answer = kit_token(k, APP_CONF, "grant_type=authorization_code&code=%.*s", STR_ARG(code));
    return kit_member(&answer, "scope");
}

/* norm: A24 A25 */
static void test_optional_scopes(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        const char *query, *granted;
    } cases[] = {
        {"scope=oauth", "oauth"},
        {"scope=crm.read%20oauth%20oauth", "oauth crm.read"},
        {"scope=oauth&optional_scope=files", "oauth files"},
        {"scope=oauth&optional_scopes=files+crm.write", "oauth crm.write files"},
        {"scope=oauth&optional_scope=nonsense+files+never.available+old.hidden+%22", "oauth files"},
        {"scope=oauth&optional_scope=++", "oauth"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_open(&k);
        assert_string_equal(kit_z(&k, granted(&k, cases[i].query)), cases[i].granted);
        kit_close(&k);
    }
}

static struct kit_answer authorize_for(struct kit *k, const char *account) {
    struct oauth_req req = {
        .method = METHOD_GET, .path_arg = str_of(account), .query = S("client_id=conf&scope=oauth&state=s")};
    return kit_run(k, &endpoint_authorize, &req);
}

static void test_account_in_the_path(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    assert_int_equal(authorize_for(&k, "4711").refusal, REFUSAL_NONE);
    struct kit_answer answer = authorize_for(&k, "4712");
    assert_int_equal(answer.refusal, REFUSAL_ACCESS_DENIED);
    assert_true(str_starts_with(answer.a.location, S(BACK "error=access_denied&")));
    assert_int_equal(authorize_for(&k, "x").refusal, REFUSAL_NOT_FOUND);
    assert_int_equal(authorize_for(&k, "2147483648").a.http, 404);
    kit_close(&k);
}

/* Without the option that approves a person is asked, and nothing goes to the app. norm: A03 */
static void test_no_automatic_approval(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.auto_approve = false;
    struct kit_answer answer = kit_authorize(&k, "client_id=conf&scope=oauth");
    assert_int_equal(answer.a.http, 200);
    assert_int_equal(answer.a.type, ANSWER_PAGE);
    assert_int_equal(answer.a.screen->kind, SCREEN_SIGN_IN);
    assert_int_equal(answer.a.location.n, 0);
    kit_close(&k);
}

static void test_media_type(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct oauth_req req = {.method = METHOD_POST, .body = S("{}"), .content_type = S("application/json")};
    struct kit_answer answer = kit_run(&k, &endpoint_authorize, &req);
    assert_int_equal(answer.a.http, 415);
    assert_int_equal(answer.a.type, ANSWER_PAGE);
    kit_close(&k);
}

/* A row that went around the rule for registration is no way out either. norm: X10 A13 A14 R15 */
static void test_registered_but_not_registrable(void **state) {
    static struct kit k;
    (void)state;
    static const char *const uris[] = {"javascript:alert(1)", "http://evil.example/", "https://a.example/#x",
                                       "https://a b/"};
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        kit_open(&k);
        str uri = str_of(uris[i]);
        k.apps[APP_CONF].redirect_uris = &uri;
        assert_int_equal(kit_authorize(&k, "client_id=conf&scope=oauth").refusal, REFUSAL_AUTHORIZE_REDIRECT_URI);
        struct kit_answer answer =
            kit_authorize(&k, "client_id=conf&scope=oauth&redirect_uri=%.*s", STR_ARG(kit_encoded(&k, uri)));
        assert_int_equal(answer.refusal, REFUSAL_AUTHORIZE_REDIRECT_URI);
        kit_close(&k);
    }
}

/* Each code redeems with its own verifier only, also under one challenge. norm: A23 R11 */
static void test_one_challenge_twice(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str one = kit_code(&k, APP_CONF), two = kit_code(&k, APP_CONF);
    assert_false(str_eq(one, two));
    assert_int_equal(kit_redeem(&k, APP_CONF, one).a.http, 200);
    assert_int_equal(kit_redeem(&k, APP_CONF, two).a.http, 200);
    assert_int_equal(k.n_grants, 2);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_golden_page),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_public_app_without_challenge),
        cmocka_unit_test(test_successes),
        cmocka_unit_test(test_longest_state),
        cmocka_unit_test(test_optional_scopes),
        cmocka_unit_test(test_account_in_the_path),
        cmocka_unit_test(test_no_automatic_approval),
        cmocka_unit_test(test_media_type),
        cmocka_unit_test(test_registered_but_not_registrable),
        cmocka_unit_test(test_one_challenge_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
