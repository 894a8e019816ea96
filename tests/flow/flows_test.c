/* The main flows, whole. */
#include "flow.h"

#include "b64.h"

/* norm: C06 C10 T13 T14 X04 I06 I14 V02 V06 V08 I15 F15 */
static void test_from_consent_to_revocation(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    str response = flow_redeem(&f, FLOW_CONFIDENTIAL, flow_code(&f, FLOW_CONFIDENTIAL));
    assert_int_equal(run_text_status(response), 200);
    assert_true(str_eq(run_text_header(response, S("Content-Type")), S("application/json;charset=utf-8")));
    assert_true(str_eq(run_text_header(response, S("Cache-Control")), S("no-store")));
    assert_true(str_eq(run_text_header(response, S("Pragma")), S("no-cache")));
    assert_int_equal(run_text_header(response, S("x-hubspot-correlation-id")).n, 36);
    str refresh = flow_member(&f, response, "refresh_token"), first = flow_member(&f, response, "access_token");
    response = flow_refresh(&f, FLOW_CONFIDENTIAL, refresh);
    assert_true(str_eq(flow_member(&f, response, "refresh_token"), refresh));
    str second = flow_member(&f, response, "access_token");
    assert_true(flow_is_active(&f, first) && flow_is_active(&f, second) && flow_is_active(&f, refresh));
    response = flow_form(&f, "token/introspect", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(first));
    assert_true(str_eq(flow_member(&f, response, "username"), f.seed.email));
    assert_true(str_eq(flow_member(&f, response, "hub_domain"), f.seed.domain));
    assert_int_equal(run_text_status(flow_form(&f, "token/revoke", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(refresh))),
                     200);
    assert_false(flow_is_active(&f, first) || flow_is_active(&f, second) || flow_is_active(&f, refresh));
    flow_must_refuse(&f, flow_refresh(&f, FLOW_CONFIDENTIAL, refresh), 400, "BAD_REFRESH_TOKEN");
    flow_close(&f);
}

/* norm: C03 C04 C11 R10 */
static void test_codes_are_single_use(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct flow_tokens got = flow_install(&f, FLOW_CONFIDENTIAL);
    flow_must_refuse(&f, flow_redeem(&f, FLOW_CONFIDENTIAL, got.code), 400, "BAD_AUTH_CODE");
    assert_false(flow_is_active(&f, got.access) || flow_is_active(&f, got.refresh));
    str late = flow_code(&f, FLOW_CONFIDENTIAL);
    f.now_ms += 600 * 1000;
    flow_must_refuse(&f, flow_redeem(&f, FLOW_CONFIDENTIAL, late), 400, "EXPIRED_AUTH_CODE");
    flow_close(&f);
}

/* norm: F03 F04 F15 T22 C08 */
static void test_public_app_rotates(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct flow_tokens got = flow_install(&f, FLOW_PUBLIC);
    str response = flow_refresh(&f, FLOW_PUBLIC, got.refresh);
    str second = flow_member(&f, response, "refresh_token");
    assert_false(str_eq(second, got.refresh));
    f.now_ms += 1000; /* the answer was lost */
    str before = flow_grants(&f);
    response = flow_refresh(&f, FLOW_PUBLIC, got.refresh);
    assert_true(str_eq(flow_member(&f, response, "refresh_token"), second));
    assert_true(str_eq(flow_grants(&f), before));
    response = flow_refresh(&f, FLOW_PUBLIC, second);
    str third = flow_member(&f, response, "refresh_token");
    assert_true(flow_is_active(&f, third) && !flow_is_active(&f, second));
    flow_must_refuse(&f, flow_refresh(&f, FLOW_PUBLIC, got.refresh), 400, "BAD_REFRESH_TOKEN"); /* theft */
    assert_false(flow_is_active(&f, third));
    flow_must_refuse(&f, flow_refresh(&f, FLOW_PUBLIC, third), 400, "BAD_REFRESH_TOKEN");
    flow_close(&f);
}

static void test_uninstall(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct flow_tokens got = flow_install(&f, FLOW_CONFIDENTIAL), other = flow_install(&f, FLOW_PUBLIC);
    str pending = flow_code(&f, FLOW_CONFIDENTIAL);
    str response =
        flow_send(&f, "DELETE /appinstalls/v3/external-install\nAuthorization: Bearer %.*s\n\n", STR_ARG(got.access));
    assert_int_equal(run_text_status(response), 204);
    assert_int_equal(run_text_body(response).n, 0);
    assert_false(flow_is_active(&f, got.access) || flow_is_active(&f, got.refresh));
    flow_must_refuse(&f, flow_refresh(&f, FLOW_CONFIDENTIAL, got.refresh), 400, "BAD_HUB");
    flow_must_refuse(&f, flow_redeem(&f, FLOW_CONFIDENTIAL, pending), 400, "BAD_HUB");
    assert_true(flow_is_active(&f, other.access));
    response =
        flow_send(&f, "DELETE /appinstalls/v3/external-install\nAuthorization: Bearer %.*s\n\n", STR_ARG(got.access));
    flow_must_refuse(&f, response, 401, "BAD_TOKEN");
    assert_true(str_eq(run_text_header(response, S("WWW-Authenticate")), S("Bearer error=\"invalid_token\"")));
    got = flow_install(&f, FLOW_CONFIDENTIAL); /* in the same millisecond */
    assert_true(flow_is_active(&f, got.access) && flow_is_active(&f, got.refresh));
    flow_close(&f);
}

static void change_user(struct flow *f, int64_t disabled_ms) {
    struct user user = {
        .user_id = f->seed.user_id, .email = f->seed.email, .name = S("Person"), .disabled_ms = disabled_ms};
    flow_edit(f, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &user, .now_ms = f->now_ms});
}

static void change_account(struct flow *f, int64_t disabled_ms) {
    struct account account = {
        .hub_id = f->seed.hub_id, .domain = f->seed.domain, .name = S("Account"), .disabled_ms = disabled_ms};
    flow_edit(f, &(struct edit){.kind = EDIT_ACCOUNT_UPDATE, .account = &account, .now_ms = f->now_ms});
}

static void change_app(struct flow *f, uint32_t flags) {
    struct app *app = flow_app_copy(f, FLOW_CONFIDENTIAL);
    app->flags = flags;
    flow_edit(f, &(struct edit){.kind = EDIT_APP_UPDATE, .app = app, .now_ms = f->now_ms});
}

static void change_member(struct flow *f, int64_t disabled_ms) {
    struct edit edit = {.kind = disabled_ms ? EDIT_MEMBER_DELETE : EDIT_MEMBER_PUT,
                        .member = {f->seed.user_id, f->seed.hub_id, MEMBER_INSTALLER}};
    flow_edit(f, &edit);
}

static void change_app_disabled(struct flow *f, int64_t disabled_ms) { change_app(f, disabled_ms ? APP_DISABLED : 0); }
static void change_app_deleted(struct flow *f, int64_t disabled_ms) { change_app(f, disabled_ms ? APP_DELETED : 0); }

/* What an administrator switches off is off at once, and on again when it is switched on. norm: C14 F12 I07 I15 I16 R13 */
static void test_switching_off(void **state) {
    static struct flow f;
    (void)state;
    static const struct {
        void (*change)(struct flow *f, int64_t disabled_ms);
        const char *refresh, *redeem;
        int authorize;
    } cases[] = {
        {change_user, "BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", 302},
        {change_member, "BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", 302},
        {change_account, "BAD_HUB", "BAD_HUB", 302},
        {change_app_disabled, "BAD_CLIENT_ID", "BAD_CLIENT_ID", 400},
        {change_app_deleted, "BAD_CLIENT_ID", "BAD_CLIENT_ID", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flow_open(&f);
        struct flow_tokens got = flow_install(&f, FLOW_CONFIDENTIAL);
        str pending = flow_code(&f, FLOW_CONFIDENTIAL);
        cases[i].change(&f, f.now_ms);
        assert_false(flow_is_active(&f, got.access) || flow_is_active(&f, got.refresh));
        flow_must_refuse(&f, flow_refresh(&f, FLOW_CONFIDENTIAL, got.refresh), 400, cases[i].refresh);
        flow_must_refuse(&f, flow_redeem(&f, FLOW_CONFIDENTIAL, pending), 400, cases[i].redeem);
        str client = f.seed.apps[FLOW_CONFIDENTIAL].client_id;
        str response = flow_send(&f, "GET /oauth/authorize?client_id=%.*s&scope=oauth\n\n", STR_ARG(client));
        assert_int_equal(run_text_status(response), cases[i].authorize);
        if (cases[i].authorize == 302)
            assert_true(str_eq(flow_location_param(&f, response, "error"), S("access_denied")));
        cases[i].change(&f, 0);
        assert_true(flow_is_active(&f, got.access) && flow_is_active(&f, got.refresh));
        assert_int_equal(run_text_status(flow_redeem(&f, FLOW_CONFIDENTIAL, pending)), 200);
        flow_close(&f);
    }
}

/* norm: K02 K03 V03 */
static void test_client_credentials(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    str response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=oauth");
    str one = flow_member(&f, response, "access_token");
    assert_int_equal(flow_member(&f, response, "refresh_token").n, 0);
    response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=oauth");
    str two = flow_member(&f, response, "access_token");
    flow_form(&f, "token/revoke", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(one));
    assert_true(!flow_is_active(&f, one) && flow_is_active(&f, two));
    f.now_ms += 1800 * 1000;
    assert_false(flow_is_active(&f, two));
    flow_must_refuse(&f, flow_form(&f, "token", FLOW_PUBLIC, "grant_type=client_credentials&scope=oauth"), 400,
                     "BAD_GRANT_TYPE");
    flow_close(&f);
}

static void test_v1(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct flow_tokens got = flow_install(&f, FLOW_CONFIDENTIAL);
    str response = flow_send(&f, "GET /oauth/v1/access-tokens/%.*s\n\n", STR_ARG(got.access));
    assert_true(str_eq(flow_member(&f, response, "token_type"), S("access")));
    response = flow_send(&f, "GET /oauth/v1/refresh-tokens/%.*s\n\n", STR_ARG(got.refresh));
    assert_true(str_eq(flow_member(&f, response, "token_type"), S("refresh")));
    flow_must_refuse(&f, flow_send(&f, "GET /oauth/v1/access-tokens/x\n\n"), 400, "BAD_TOKEN");
    for (int i = 0; i < 2; i++) {
        response = flow_send(&f, "DELETE /oauth/v1/refresh-tokens/%.*s\n\n", STR_ARG(got.refresh));
        assert_int_equal(run_text_status(response), 204);
    }
    flow_must_refuse(&f, flow_send(&f, "GET /oauth/v1/refresh-tokens/%.*s\n\n", STR_ARG(got.refresh)), 404,
                     "BAD_TOKEN");
    f.instance.settings.compat_v1 = false;
    flow_must_refuse(&f, flow_send(&f, "GET /oauth/v1/access-tokens/%.*s\n\n", STR_ARG(got.access)), 404, "NOT_FOUND");
    flow_close(&f);
}

static void purge(struct flow *f) {
    bool more = true;
    while (more) assert_true(rc_ok(storage_purge(f->instance.admin, f->now_ms, f->arena, &more)));
}

/* The purge takes only what could not come back. norm: F06 C03 V15 */
static void test_purge(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct flow_tokens revoked = flow_install(&f, FLOW_CONFIDENTIAL), kept = flow_install(&f, FLOW_CONFIDENTIAL);
    struct flow_tokens pending = {.code = flow_code(&f, FLOW_CONFIDENTIAL)};
    flow_redeem(&f, FLOW_CONFIDENTIAL, pending.code);
    flow_form(&f, "token/revoke", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(revoked.refresh));
    for (int i = 0; i < 4; i++) {
        f.now_ms += 14 * 1000; /* as long as the codes live */
        purge(&f);
        str response = flow_redeem(&f, FLOW_CONFIDENTIAL, revoked.code);
        flow_must_refuse(&f, response, 400, "BAD_AUTH_CODE");
    }
    f.now_ms += 601 * 1000;
    purge(&f);
    flow_must_refuse(&f, flow_redeem(&f, FLOW_CONFIDENTIAL, revoked.code), 400, "EXPIRED_AUTH_CODE");
    flow_must_refuse(&f, flow_refresh(&f, FLOW_CONFIDENTIAL, revoked.refresh), 400, "BAD_REFRESH_TOKEN");
    assert_false(flow_is_active(&f, revoked.access) || flow_is_active(&f, revoked.refresh));
    assert_true(flow_is_active(&f, kept.access) && flow_is_active(&f, kept.refresh));
    flow_close(&f);
}

/* The same request by every name and by both ways of authentication has the same end. norm: N08 T04 */
static void test_names_and_methods(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    static const char *const names[] = {"/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token",
                                        "/oauth/v1/token", "//oauth//v3/token/"};
    const struct dev_app *app = &f.seed.apps[FLOW_CONFIDENTIAL];
    str pair = arena_printf(f.arena, "%.*s:%.*s", STR_ARG(app->client_id), STR_ARG(app->client_secret));
    char *basic = arena_alloc(f.arena, b64_length(pair.n));
    b64_encode((const uint8_t *)pair.p, pair.n, basic);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        str response =
            flow_send(&f, "POST %s\nContent-Type: application/x-www-form-urlencoded\nAuthorization: Basic %.*s\n\n%s",
                      names[i], (int)b64_length(pair.n), basic, "grant_type=client_credentials&scope=oauth");
        assert_int_equal(run_text_status(response), 200);
        response =
            flow_send(&f, "POST %s\nContent-Type: application/x-www-form-urlencoded\nAuthorization: Basic eDp5\n\n%s",
                      names[i], "grant_type=client_credentials&scope=oauth");
        flow_must_refuse(&f, response, 401, "BAD_CLIENT_ID");
        assert_true(str_starts_with(run_text_header(response, S("WWW-Authenticate")), S("Basic realm=")));
    }
    flow_close(&f);
}

/* norm: T01 T02 T06 X05 */
static void test_front(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    static const struct {
        const char *request;
        int http;
        const char *status;
    } cases[] = {
        {"GET /oauth/v3/token\n\n", 405, "METHOD_NOT_ALLOWED"},
        {"GET /nothing\n\n", 404, "NOT_FOUND"},
        {"POST /oauth/v3/token\nContent-Type: application/json\n\n{}", 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"POST /oauth/v3/token\n\na=b", 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"POST /oauth/v3/token?client_id=x\nContent-Type: application/x-www-form-urlencoded\n\ngrant_type=x", 400,
         "BAD_CLIENT_ID"},
        {"POST /oauth/v3/token/introspect\nContent-Type: application/x-www-form-urlencoded\n\ntoken=x", 401,
         "BAD_CLIENT_ID"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        flow_must_refuse(&f, flow_send(&f, "%s", cases[i].request), cases[i].http, cases[i].status);
    str response = flow_send(&f, "GET /oauth/authorize?client_id=nobody\n\n");
    assert_int_equal(run_text_status(response), 400);
    assert_true(str_eq(run_text_header(response, S("Content-Type")), S("text/html;charset=utf-8")));
    assert_true(run_text_header(response, S("Content-Security-Policy")).n > 0); /* norm: X11 X12 */
    flow_close(&f);
}

/* The first thing that is decided: whatever fails, the page can read it. norm: X15 X16 */
static void test_pages_of_others(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    static const struct {
        const char *request;
        int http;
        const char *allowed; /* "": nobody */
    } cases[] = {
        {"OPTIONS /oauth/v3/token\nOrigin: http://localhost:3000\nAccess-Control-Request-Method: POST\n\n", 204,
         "http://localhost:3000"},
        {"OPTIONS /oauth/v3/token\nOrigin: https://stranger.example\nAccess-Control-Request-Method: POST\n\n", 204, ""},
        {"OPTIONS /oauth/v3/token/introspect\nOrigin: http://localhost:3000\nAccess-Control-Request-Method: POST\n\n",
         405, ""},
        {"OPTIONS /oauth/v3/token\nOrigin: http://localhost:3000\n\n", 405, "http://localhost:3000"},
        {"POST /oauth/v3/token\nOrigin: http://localhost:3000\n\n", 415, "http://localhost:3000"},
        {"POST /oauth/v3/token/revoke\nOrigin: http://localhost:3000\nContent-Type: "
         "application/x-www-form-urlencoded\n\ntoken=x",
         400, "http://localhost:3000"},
        {"GET /.well-known/jwks.json\nOrigin: https://stranger.example\n\n", 200, "*"},
        {"GET /oauth/authorize\nOrigin: http://localhost:3000\n\n", 400, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        str response = flow_send(&f, "%s", cases[i].request);
        str allowed = run_text_header(response, S("Access-Control-Allow-Origin"));
        if (run_text_status(response) != cases[i].http || !str_eq(allowed, str_of(cases[i].allowed)))
            fail_msg("case %zu: %.*s", i, STR_ARG(response));
    }
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_consent_to_revocation),
        cmocka_unit_test(test_codes_are_single_use),
        cmocka_unit_test(test_public_app_rotates),
        cmocka_unit_test(test_uninstall),
        cmocka_unit_test(test_switching_off),
        cmocka_unit_test(test_client_credentials),
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_names_and_methods),
        cmocka_unit_test(test_front),
        cmocka_unit_test(test_pages_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
