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

/* norm: A27 */
static void test_many_accounts(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    for (int32_t n = 0; n < MEMBERSHIPS_MAX + 10; n++) {
        struct account account = {.hub_id = 5000 + n, .name = arena_printf(f.arena, "Shop %03d", (int)n)};
        flow_edit(&f, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account});
        flow_edit(&f, &(struct edit){.kind = EDIT_MEMBER_PUT, .member = {f.seed.user_id, 5000 + n, MEMBER_INSTALLER}});
    }
    authorize(&t);
    str first = run_text_header(tab_sign_in(&t), S("Location"));
    tab_get(&t, first);
    assert_true(tab_shows(&t, S("value=\"5000\"")) && !tab_shows(&t, S("value=\"5059\"")));
    const struct {
        const char *find, *page, *shows, *hides;
    } rows[] = {
        {"", "2", "value=\"5059\"", "value=\"5001\""},
        {"", "3", "no more accounts", "name=\"hub_id\""},
        {"", "0", "value=\"5000\"", "value=\"5059\""},
        {"", "-1", "value=\"5000\"", "value=\"5059\""},
        {"", "99999999999999999999", "value=\"5000\"", "value=\"5059\""},
        {"SHOP+05", "", "value=\"5059\"", "value=\"5000\""},
        {"+Shop+042++", "", "value=\"5042\"", "value=\"5000\""}, /* one is shown, and not chosen unasked */
        {"nothing+%3Cb%3E", "", "nothing &lt;b&gt;", "name=\"hub_id\""},
        {"%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%"
         "C3%A9%C3%A9%C3%A9%C3%A9%C3%A9x%C3%A9%C3%A9",
         "", "\xc3\xa9x\"", "x\xc3\xa9"}, /* cut between characters */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tab_get(&t, arena_printf(f.arena, "%.*s&account_find=%s&account_page=%s", STR_ARG(first), rows[i].find,
                                 rows[i].page));
        assert_true(tab_shows(&t, S("action=\"/oauth/choose-account\"")));
        if (!tab_shows(&t, str_of(rows[i].shows))) fail_msg("row %zu does not show %s", i, rows[i].shows);
        if (tab_shows(&t, str_of(rows[i].hides))) fail_msg("row %zu shows %s", i, rows[i].hides);
    }
    /* the form searches; what is found can be chosen, and the app never hears of the search */
    str response = tab_post(&t, "/oauth/choose-account", "action=find&find=shop+047");
    assert_int_equal(run_text_status(response), 303);
    tab_get(&t, run_text_header(response, S("Location")));
    assert_true(tab_shows(&t, S("value=\"5047\"")) && !tab_shows(&t, S("value=\"5048\"")));
    response = tab_post(&t, "/oauth/choose-account", "hub_id=5047&find=shop+047");
    tab_get(&t, run_text_header(response, S("Location")));
    assert_true(tab_shows(&t, S("Shop 047")) && tab_shows(&t, S("action=\"/oauth/consent\"")));
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=allow"), "");
    flow_close(&f);
}

/* RFC 8707: the person sees which APIs the access is for. norm: A27 */
static void test_the_apis_that_it_is_for(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    tab_open(&t, &f);
    const str uris[] = {S("https://api.example/<v2>"), S("https://api.example")};
    struct resource billing = {.name = S("Billing & more"), .uris = uris, .n_uris = 2},
                    files = {.uris = (const str[]){S("urn:example:files")}, .n_uris = 1};
    flow_edit(&f, &(struct edit){.kind = EDIT_RESOURCE_CREATE, .resource = &billing});
    flow_edit(&f, &(struct edit){.kind = EDIT_RESOURCE_CREATE, .resource = &files});
    reach_consent(&t);
    assert_false(tab_shows(&t, S("works only with")));
    const struct dev_app *app = &f.seed.apps[FLOW_CONFIDENTIAL];
    str path = arena_printf(f.arena,
                            "/oauth/authorize?client_id=%.*s&scope=%.*s&state=st&resource=https://api.example"
                            "&resource=urn:example:files",
                            STR_ARG(app->client_id), STR_ARG(app->scopes[0]));
    tab_get(&t, path);
    assert_true(tab_shows(&t, S("works only with")) && tab_shows(&t, S("Billing &amp; more")));
    assert_true(tab_shows(&t, S("https://api.example/&lt;v2&gt;")) && tab_shows(&t, S("urn:example:files")));
    tab_must_go_back(&t, tab_post(&t, "/oauth/consent", "action=allow"), "");
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
        cmocka_unit_test(test_signing_in_and_consent),
        cmocka_unit_test(test_no_is_no),
        cmocka_unit_test(test_forged_forms),
        cmocka_unit_test(test_not_an_installer),
        cmocka_unit_test(test_what_the_account_lacks),
        cmocka_unit_test(test_many_accounts),
        cmocka_unit_test(test_the_apis_that_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
