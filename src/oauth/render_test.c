/* Every refusal in every form, and the bounds of the bodies. */
#include "render.h"

#include "kit_rows_test.h"
#include "scopes.h"

static bool error_text_is_safe(str text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e || text.p[i] == '"' || text.p[i] == '\\') return false;
    return text.n > 0;
}

/* norm: X04 X21 T15 R03 */
static void test_every_refusal(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    for (int r = REFUSAL_NONE + 1; r < REFUSAL_COUNT; r++) {
        const struct refusal_row *row = refusal_row((enum refusal)r);
        assert_true(error_text_is_safe(row->text) && error_text_is_safe(row->error) && row->http >= 400);
        for (int form = FORM_JSON; form <= FORM_REDIRECT; form++) {
            struct oauth_call c = {.env = {.settings = &k.settings, .correlation_id = KIT_CORRELATION},
                                   .arena = k.arena,
                                   .refusal = (enum refusal)r,
                                   .form = (enum refusal_form)form,
                                   .redirect_base = S("https://app.example/cb?"),
                                   .redirect_state = S("a b")};
            oauth_render(&c);
            assert_true(c.answer.no_store);
            assert_int_equal(c.answer.http, form == FORM_REDIRECT ? 302 : row->http);
            if (form == FORM_JSON) kit_check_error(&k, &(struct kit_answer){.a = c.answer}, (enum refusal)r, NULL);
            if (form == FORM_PAGE) assert_int_equal(c.answer.screen->refusal, r);
            if (form != FORM_REDIRECT) continue;
            str expected = arena_printf(
                k.arena, "https://app.example/cb?error=%.*s&error_description=%.*s&state=%s&iss=%s",
                STR_ARG(row->error), STR_ARG(kit_encoded(&k, row->text)), "a%20b", "https%3A%2F%2Fauth.example");
            assert_true(str_eq(c.answer.location, expected));
        }
    }
    kit_close(&k);
}

/* norm: N02 V12 I12 */
static void test_trouble(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct answer answer = oauth_render_refusal(REFUSAL_UNAVAILABLE, KIT_CORRELATION, k.arena);
    assert_true(answer.http == 503 && answer.retry_after_s > 0 && answer.no_store);
    kit_check_error(&k, &(struct kit_answer){.a = answer}, REFUSAL_UNAVAILABLE, NULL);
    answer = oauth_render_refusal(REFUSAL_RATE_LIMIT, KIT_CORRELATION, k.arena);
    assert_true(answer.http == 429 && answer.retry_after_s > 0);
    answer = oauth_render_refusal(REFUSAL_INTERNAL, KIT_CORRELATION, k.arena);
    assert_true(answer.http == 500 && answer.retry_after_s == 0);
    answer = oauth_render_refusal((enum refusal)9999, KIT_CORRELATION, k.arena);
    assert_int_equal(answer.http, 500);
    kit_close(&k);
}

/* Scope names of the longest kind, all of characters that JSON writes longest, in every body: nothing is cut. */
static void test_largest_bodies(void **state) {
    static struct kit k;
    static struct scope scopes[SCOPE_SET_MAX];
    static char names[SCOPE_SET_MAX][SCOPE_NAME_MAX];
    (void)state;
    kit_open(&k);
    struct scope_set all = {.n = 0};
    for (uint16_t i = 0; i < SCOPE_SET_MAX; i++) {
        memset(names[i], '<', SCOPE_NAME_MAX);
        names[i][0] = (char)('0' + i / 26);
        names[i][1] = (char)('a' + i % 26);
        scopes[i] = (struct scope){.id = (uint16_t)(i + 1), .name = {names[i], SCOPE_NAME_MAX}};
        assert_true(scope_set_add(&all, (uint16_t)(i + 1)));
    }
    k.registry.scopes = scopes;
    k.registry.n_scopes = SCOPE_SET_MAX;
    registry_index(&k.registry);
    k.apps[APP_CONF].optional_scopes = all;
    k.apps[APP_CONF].scopes.n = 0;
    assert_true(scope_set_add(&k.apps[APP_CONF].scopes, 1));
    str joined = scopes_join(k.arena, &k.registry, &all);
    assert_int_equal(joined.n, SCOPE_SET_MAX * (SCOPE_NAME_MAX + 1) - 1);
    /* more than a request may carry: what arrives whole is granted */
    str asked = kit_encoded(&k, str_head(joined, 60 * (SCOPE_NAME_MAX + 1) - 1));
    str first = kit_encoded(&k, scopes[0].name);
    struct oauth_req req = {.method = METHOD_GET,
                            .query = arena_printf(k.arena, "client_id=conf&scope=%.*s&optional_scope=%.*s",
                                                  STR_ARG(first), STR_ARG(asked))};
    struct kit_answer answer = kit_run(&k, &endpoint_authorize, &req);
    str code = kit_location_param(&k, &answer, "code");
    assert_true(code.n && code.n <= TOKEN_TEXT_MAX);
    answer = kit_token(&k, APP_CONF, "grant_type=authorization_code&code=%.*s", STR_ARG(code));
    assert_int_equal(answer.a.http, 200);
    assert_int_equal(answer.a.body.p[answer.a.body.n - 1], '}');
    answer = kit_introspect(&k, APP_CONF, kit_member(&answer, "access_token"));
    assert_int_equal(answer.a.body.p[answer.a.body.n - 1], '}');
    assert_non_null(strstr(kit_z(&k, answer.a.body), "\"username\":"));
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_refusal),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_largest_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
