/* Forms that only our own pages in the same browser can send. */
#include "kit_rows_test.h"

struct page {
    str token, flow, cookie;
};

static struct kit_answer get(struct kit *k, str cookie) {
    struct oauth_req req = {.method = METHOD_GET, .query = S("client_id=conf&scope=oauth&state=s"), .cookie = cookie};
    return kit_run(k, &endpoint_authorize, &req);
}

static struct page open_page(struct kit *k) {
    struct kit_answer answer = get(k, S(""));
    assert_int_equal(answer.a.type, ANSWER_PAGE);
    assert_int_equal(answer.a.n_cookies, 1);
    str cookie = answer.a.cookies[0];
    return (struct page){answer.a.screen->token, answer.a.screen->flow, str_take(&cookie, ';')};
}

static struct kit_answer post(struct kit *k, const struct endpoint *endpoint, const struct page *p,
                              const char *action) {
    struct oauth_req req = {
        .method = METHOD_POST,
        .body = arena_printf(k->arena, "csrf=%.*s&flow=%.*s&action=%s", STR_ARG(p->token), STR_ARG(p->flow), action),
        .content_type = S("application/x-www-form-urlencoded"),
        .cookie = p->cookie,
    };
    return kit_run(k, endpoint, &req);
}

static str changed_at(struct kit *k, str text, size_t at) {
    char *copy = arena_cstr(k->arena, text);
    copy[at] = copy[at] == 'A' ? 'B' : 'A';
    return (str){copy, text.n};
}

/* norm: X11 X12 */
static void test_every_changed_character_is_refused(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.auto_approve = false;
    struct page page = open_page(&k);
    assert_int_equal(post(&k, &endpoint_sign_in, &page, "cancel").refusal, REFUSAL_ACCESS_DENIED);
    for (size_t i = 0; i < page.flow.n; i++) {
        struct page forged = page;
        forged.flow = changed_at(&k, page.flow, i);
        assert_int_equal(post(&k, &endpoint_sign_in, &forged, "cancel").refusal, REFUSAL_FORM_EXPIRED);
    }
    for (size_t i = 0; i < page.token.n; i++) {
        struct page forged = page;
        forged.token = changed_at(&k, page.token, i);
        assert_int_equal(post(&k, &endpoint_sign_in, &forged, "cancel").refusal, REFUSAL_FORM_EXPIRED);
    }
    for (size_t i = str_find(page.cookie, '=') + 1; i < page.cookie.n; i++) {
        struct page forged = page;
        forged.cookie = changed_at(&k, page.cookie, i);
        assert_int_equal(post(&k, &endpoint_sign_in, &forged, "cancel").refusal, REFUSAL_FORM_EXPIRED);
    }
    kit_close(&k);
}

static void test_a_form_is_for_one_step_and_one_time(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.auto_approve = false;
    struct page page = open_page(&k);
    const struct endpoint *const others[] = {&endpoint_choose_account, &endpoint_consent, &endpoint_sign_out,
                                             &endpoint_remove_app};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(post(&k, others[i], &page, "cancel").refusal, REFUSAL_FORM_EXPIRED);
    k.now_ms += k.settings.form_ttl_s * 1000 - 1;
    assert_int_equal(post(&k, &endpoint_sign_in, &page, "cancel").refusal, REFUSAL_ACCESS_DENIED);
    k.now_ms++;
    assert_int_equal(post(&k, &endpoint_sign_in, &page, "cancel").refusal, REFUSAL_FORM_EXPIRED);
    kit_close(&k);
}

/* A redirect URI that was taken away while the page was open is none to go to. norm: A07 */
static void test_what_is_no_longer_registered(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.auto_approve = false;
    struct page page = open_page(&k);
    str other = S("https://app.example/other");
    k.apps[APP_CONF].redirect_uris = &other;
    struct kit_answer answer = post(&k, &endpoint_sign_in, &page, "cancel");
    assert_true(str_starts_with(answer.a.location, other)); /* none was sent, and one is registered */
    k.apps[APP_CONF].flags |= APP_DISABLED;
    answer = post(&k, &endpoint_sign_in, &page, "cancel");
    assert_int_equal(answer.refusal, REFUSAL_AUTHORIZE_CLIENT);
    assert_int_equal(answer.a.location.n, 0);
    kit_close(&k);
}

static void test_a_second_page_keeps_the_browser(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.auto_approve = false;
    struct page page = open_page(&k);
    struct kit_answer again = get(&k, page.cookie);
    assert_int_equal(again.a.n_cookies, 0);
    assert_true(str_eq(again.a.screen->token, page.token));
    assert_false(str_eq(again.a.screen->flow, page.flow));
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_changed_character_is_refused),
        cmocka_unit_test(test_a_form_is_for_one_step_and_one_time),
        cmocka_unit_test(test_what_is_no_longer_registered),
        cmocka_unit_test(test_a_second_page_keeps_the_browser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
