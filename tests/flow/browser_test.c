/* People in a browser, as text in and text out: signing in, saying yes or no, and what is nobody's form. */
#include "tab.h"

static str authorize(struct tab *t) {
    const struct dev_app *app = &t->f->seed.apps[FLOW_CONFIDENTIAL];
    return tab_get(
        t, arena_printf(t->f->arena,
                        "/oauth/authorize?client_id=%.*s&scope=%.*s&optional_scope=crm.objects.companies.read&state=st",
                        STR_ARG(app->client_id), STR_ARG(app->scopes[0])));
}

/* On the consent page. */
static void reach_consent(struct tab *t) {
    assert_int_equal(run_text_status(authorize(t)), 200);
    str response = tab_sign_in(t);
    assert_int_equal(run_text_status(response), 303);
    assert_int_equal(run_text_status(tab_get(t, run_text_header(response, S("Location")))), 200);
    assert_true(tab_shows(t, S("action=\"/oauth/consent\"")));
}

/* norm: A03 A27 */
static void test_signing_in_and_consent(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    assert_int_equal(run_text_status(authorize(&t)), 200);
    str wrong = tab_post(&t, "/oauth/sign-in", "action=sign_in&email=nobody%40example.com&password=wrong");
    assert_int_equal(run_text_status(wrong), 403);
    reach_consent(&t);
    str response = tab_post(&t, "/oauth/consent", "action=allow&scope=crm.objects.companies.read");
    assert_int_equal(run_text_status(response), 303);
    tab_must_go_back(&t, response, "");
    response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=authorization_code&code=%.*s",
                         STR_ARG(flow_location_param(&f, response, "code")));
    assert_int_equal(run_text_status(response), 200);
    t.page = response;
    assert_true(tab_shows(&t, S("crm.objects.companies.read")));
    flow_close(&f);
}

/* norm: R13 */
static void test_no_is_no(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    authorize(&t);
    tab_must_go_back(&t, tab_post(&t, "/oauth/sign-in", "action=cancel"), "access_denied");
    reach_consent(&t);
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=cancel"), "access_denied");
    assert_int_equal(flow_grants(&f).n, 0);
    flow_close(&f);
}

/* norm: X11 X12 */
static void test_forged_forms(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    reach_consent(&t);
    str csrf = tab_field(&t, "csrf"), flow = tab_field(&t, "flow");
    const struct {
        const char *path, *origin;
        str csrf;
        bool has_cookies;
    } rows[] = {
        {"/oauth/consent", "https://auth.example", csrf, false},
        {"/oauth/consent", "https://auth.example", S(""), true},
        {"/oauth/consent", "https://auth.example", flow, true},
        {"/oauth/consent", "https://evil.example", csrf, true},
        {"/oauth/choose-account", "https://auth.example", csrf, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tab forged = t;
        if (!rows[i].has_cookies) forged.names[0].n = 0;
        str page = tab_post_from(&forged, rows[i].path, rows[i].origin, rows[i].csrf, "action=allow&hub_id=1");
        assert_int_equal(run_text_status(page), 400);
        assert_int_equal(run_text_header(page, S("Location")).n, 0);
    }
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=allow"), ""); /* the real one still works */
    flow_close(&f);
}

static void put_role(struct flow *f, int32_t role) {
    struct edit edit = {.kind = EDIT_MEMBER_PUT, .member = {f->seed.user_id, f->seed.hub_id, role}};
    flow_edit(f, &edit);
}

static void test_not_an_installer(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    reach_consent(&t);
    put_role(&f, MEMBER_USER); /* while the page is open */
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=allow"), "access_denied");
    assert_int_equal(run_text_status(authorize(&t)), 200);
    assert_true(tab_shows(&t, S("action=\"/oauth/choose-account\"")));
    assert_false(tab_shows(&t, S("name=\"hub_id\""))); /* shown, and cannot be chosen */
    put_role(&f, MEMBER_INSTALLER);
    authorize(&t);
    assert_true(tab_shows(&t, S("action=\"/oauth/consent\"")));
    flow_close(&f);
}

static void lack(struct flow *f, str scope) {
    struct account account = {.hub_id = f->seed.hub_id, .domain = f->seed.domain, .name = S("Account")};
    (void)scope_set_add(&account.without_scopes, registry_scope_by_name(f->instance.registry, scope)->id);
    flow_edit(f, &(struct edit){.kind = EDIT_ACCOUNT_UPDATE, .account = &account, .now_ms = f->now_ms});
}

static void test_what_the_account_lacks(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    reach_consent(&t);
    assert_true(str_eq(tab_field(&t, "scope"), S("crm.objects.companies.read")));
    lack(&f, S("crm.objects.companies.read"));
    authorize(&t);
    assert_true(tab_shows(&t, S("action=\"/oauth/consent\"")));
    assert_int_equal(tab_field(&t, "scope").n, 0);
    lack(&f, f.seed.apps[FLOW_CONFIDENTIAL].scopes[0]);
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=allow"), "invalid_scope");
    tab_must_go_back(&t, authorize(&t), "invalid_scope");
    f.instance.settings.auto_approve = true;
    tab_must_go_back(&t, authorize(&t), "invalid_scope");
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signing_in_and_consent), cmocka_unit_test(test_no_is_no),
        cmocka_unit_test(test_forged_forms),           cmocka_unit_test(test_not_an_installer),
        cmocka_unit_test(test_what_the_account_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
