/* People in a browser, as text in and text out: signing in, saying yes or no, and what is nobody's form. */
#include "flow.h"

#define COOKIES 4

/* The cookies, and the last page. */
struct tab {
    struct flow *f;
    str names[COOKIES], values[COOKIES];
    str page;
};

static void keep_cookie(struct tab *t, str value) {
    str name = str_take(&value, '=');
    size_t i = 0;
    while (i < COOKIES && t->names[i].n && !str_eq(t->names[i], name)) i++;
    assert_true(i < COOKIES);
    t->names[i] = name;
    t->values[i] = str_take(&value, ';');
    assert_true(str_find(value, 'S') < value.n); /* SameSite */
}

static str keep(struct tab *t, str response) {
    str rest = response;
    while (rest.n) {
        str value = str_take(&rest, '\n');
        if (value.n == 0) break;
        if (str_eq_nocase(str_take(&value, ':'), S("set-cookie"))) keep_cookie(t, str_trim(value));
    }
    if (run_text_header(response, S("Location")).n == 0) t->page = response;
    return response;
}

static str jar(const struct tab *t) {
    str text = S("Cookie: none=1");
    for (size_t i = 0; i < COOKIES && t->names[i].n; i++)
        text = arena_printf(t->f->arena, "%.*s; %.*s=%.*s", STR_ARG(text), STR_ARG(t->names[i]), STR_ARG(t->values[i]));
    return text;
}

static str get(struct tab *t, str path) {
    return keep(t, flow_send(t->f, "GET %.*s\n%.*s\n\n", STR_ARG(path), STR_ARG(jar(t))));
}

/* The value of a hidden field of the page. */
static str field(const struct tab *t, const char *name) {
    str mark = arena_printf(t->f->arena, "name=\"%s\" value=\"", name);
    for (str rest = t->page; rest.n > mark.n; rest = str_from(rest, 1))
        if (str_starts_with(rest, mark)) return str_head(str_from(rest, mark.n), str_find(str_from(rest, mark.n), '"'));
    return (str){NULL, 0};
}

static bool shows(const struct tab *t, str text) {
    for (str rest = t->page; rest.n >= text.n; rest = str_from(rest, 1))
        if (str_starts_with(rest, text)) return true;
    return false;
}

static str post_from(struct tab *t, const char *path, const char *origin, str csrf, const char *more) {
    str request =
        arena_printf(t->f->arena, "POST %s\n%.*s\nOrigin: %s\nContent-Type: application/x-www-form-urlencoded\n\n",
                     path, STR_ARG(jar(t)), origin);
    return keep(t, flow_send(t->f, "%.*scsrf=%.*s&flow=%.*s&%s", STR_ARG(request), STR_ARG(csrf),
                             STR_ARG(field(t, "flow")), more));
}

static str post(struct tab *t, const char *path, const char *more) {
    return post_from(t, path, "https://auth.example", field(t, "csrf"), more);
}

static void open_tab(struct tab *t, struct flow *f) {
    memset(t, 0, sizeof *t);
    t->f = f;
    flow_open(f);
    f->instance.settings.auto_approve = false;
}

static str authorize(struct tab *t) {
    const struct dev_app *app = &t->f->seed.apps[FLOW_CONFIDENTIAL];
    return get(
        t, arena_printf(t->f->arena,
                        "/oauth/authorize?client_id=%.*s&scope=%.*s&optional_scope=crm.objects.companies.read&state=st",
                        STR_ARG(app->client_id), STR_ARG(app->scopes[0])));
}

static str sign_in(struct tab *t) {
    const struct dev_seed *seed = &t->f->seed;
    str form = arena_printf(t->f->arena, "action=sign_in&email=%.*s&password=%.*s", STR_ARG(seed->email),
                            STR_ARG(seed->password));
    return post(t, "/oauth/sign-in", arena_cstr(t->f->arena, form));
}

/* On the consent page. */
static void reach_consent(struct tab *t) {
    assert_int_equal(run_text_status(authorize(t)), 200);
    str response = sign_in(t);
    assert_int_equal(run_text_status(response), 303);
    assert_int_equal(run_text_status(get(t, run_text_header(response, S("Location")))), 200);
    assert_true(shows(t, S("action=\"/oauth/consent\"")));
}

static void must_go_back(struct tab *t, str response, const char *error) {
    str redirect = t->f->seed.apps[FLOW_CONFIDENTIAL].redirect_uri;
    if (!str_starts_with(run_text_header(response, S("Location")), redirect)) fail_msg("%.*s", STR_ARG(response));
    assert_true(str_eq(flow_location_param(t->f, response, "error"), str_of(error)));
    assert_true(str_eq(flow_location_param(t->f, response, "state"), S("st")));
    assert_true(str_eq(flow_location_param(t->f, response, "iss"), S("https://auth.example")));
    assert_int_equal(flow_location_param(t->f, response, "code").n > 0, *error == '\0');
}

/* norm: A03 A27 */
static void test_signing_in_and_consent(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    open_tab(&t, &f);
    assert_int_equal(run_text_status(authorize(&t)), 200);
    str wrong = post(&t, "/oauth/sign-in", "action=sign_in&email=nobody%40example.com&password=wrong");
    assert_int_equal(run_text_status(wrong), 403);
    reach_consent(&t);
    str response = post(&t, "/oauth/consent", "action=allow&scope=crm.objects.companies.read");
    assert_int_equal(run_text_status(response), 303);
    must_go_back(&t, response, "");
    response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=authorization_code&code=%.*s",
                         STR_ARG(flow_location_param(&f, response, "code")));
    assert_int_equal(run_text_status(response), 200);
    t.page = response;
    assert_true(shows(&t, S("crm.objects.companies.read")));
    flow_close(&f);
}

/* norm: R13 */
static void test_no_is_no(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    open_tab(&t, &f);
    authorize(&t);
    must_go_back(&t, post(&t, "/oauth/sign-in", "action=cancel"), "access_denied");
    reach_consent(&t);
    must_go_back(&t, post(&t, "/oauth/consent", "action=cancel"), "access_denied");
    assert_int_equal(flow_grants(&f).n, 0);
    flow_close(&f);
}

/* norm: X11 X12 */
static void test_forged_forms(void **state) {
    static struct flow f;
    struct tab t;
    (void)state;
    open_tab(&t, &f);
    reach_consent(&t);
    str csrf = field(&t, "csrf"), flow = field(&t, "flow");
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
        str page = post_from(&forged, rows[i].path, rows[i].origin, rows[i].csrf, "action=allow&hub_id=1");
        assert_int_equal(run_text_status(page), 400);
        assert_int_equal(run_text_header(page, S("Location")).n, 0);
    }
    must_go_back(&t, post(&t, "/oauth/consent", "action=allow"), ""); /* the real one still works */
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
    open_tab(&t, &f);
    reach_consent(&t);
    put_role(&f, MEMBER_USER); /* while the page is open */
    must_go_back(&t, post(&t, "/oauth/consent", "action=allow"), "access_denied");
    assert_int_equal(run_text_status(authorize(&t)), 200);
    assert_true(shows(&t, S("action=\"/oauth/choose-account\"")));
    assert_false(shows(&t, S("name=\"hub_id\""))); /* shown, and cannot be chosen */
    put_role(&f, MEMBER_INSTALLER);
    authorize(&t);
    assert_true(shows(&t, S("action=\"/oauth/consent\"")));
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
    open_tab(&t, &f);
    reach_consent(&t);
    assert_true(str_eq(field(&t, "scope"), S("crm.objects.companies.read")));
    lack(&f, S("crm.objects.companies.read"));
    authorize(&t);
    assert_true(shows(&t, S("action=\"/oauth/consent\"")));
    assert_int_equal(field(&t, "scope").n, 0);
    lack(&f, f.seed.apps[FLOW_CONFIDENTIAL].scopes[0]);
    must_go_back(&t, post(&t, "/oauth/consent", "action=allow"), "invalid_scope");
    must_go_back(&t, authorize(&t), "invalid_scope");
    f.instance.settings.auto_approve = true;
    must_go_back(&t, authorize(&t), "invalid_scope");
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
