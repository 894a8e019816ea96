/* Every call of the store fails once, with every fault that a store has: 503 and Retry-After, never a definite answer, nothing changed, and the
 * same request succeeds right after. */
#include "flow.h"

struct scene {
    struct flow_tokens confidential, public_app;
    str pending, own;
};

static void set_scene(struct flow *f, struct scene *s) {
    s->confidential = flow_install(f, FLOW_CONFIDENTIAL);
    s->public_app = flow_install(f, FLOW_PUBLIC);
    s->pending = flow_code(f, FLOW_CONFIDENTIAL);
    str response = flow_form(f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=oauth");
    s->own = flow_member(f, response, "access_token");
}

static str redeem(struct flow *f, const struct scene *s) { return flow_redeem(f, FLOW_CONFIDENTIAL, s->pending); }
static str replay(struct flow *f, const struct scene *s) {
    return flow_redeem(f, FLOW_CONFIDENTIAL, s->confidential.code);
}
static str refresh(struct flow *f, const struct scene *s) {
    return flow_refresh(f, FLOW_CONFIDENTIAL, s->confidential.refresh);
}
static str rotate(struct flow *f, const struct scene *s) { return flow_refresh(f, FLOW_PUBLIC, s->public_app.refresh); }
static str introspect(struct flow *f, str token) {
    return flow_form(f, "token/introspect", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(token));
}
static str revoke(struct flow *f, str token) {
    return flow_form(f, "token/revoke", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(token));
}
static str introspect_access(struct flow *f, const struct scene *s) { return introspect(f, s->confidential.access); }
static str introspect_refresh(struct flow *f, const struct scene *s) { return introspect(f, s->confidential.refresh); }
static str introspect_own(struct flow *f, const struct scene *s) { return introspect(f, s->own); }
static str revoke_access(struct flow *f, const struct scene *s) { return revoke(f, s->confidential.access); }
static str revoke_refresh(struct flow *f, const struct scene *s) { return revoke(f, s->confidential.refresh); }
static str revoke_own(struct flow *f, const struct scene *s) { return revoke(f, s->own); }
static str v1_access(struct flow *f, const struct scene *s) {
    return flow_send(f, "GET /oauth/v1/access-tokens/%.*s\n\n", STR_ARG(s->confidential.access));
}
static str v1_refresh(struct flow *f, const struct scene *s) {
    return flow_send(f, "GET /oauth/v1/refresh-tokens/%.*s\n\n", STR_ARG(s->confidential.refresh));
}
static str v1_delete(struct flow *f, const struct scene *s) {
    return flow_send(f, "DELETE /oauth/v1/refresh-tokens/%.*s\n\n", STR_ARG(s->confidential.refresh));
}
static str uninstall(struct flow *f, const struct scene *s) {
    return flow_send(f, "DELETE /appinstalls/v3/external-install\nAuthorization: Bearer %.*s\n\n",
                     STR_ARG(s->confidential.access));
}

/* How often each request calls the store, and how it ends when nothing fails. */
static const struct {
    const char *name;
    str (*request)(struct flow *f, const struct scene *s);
    unsigned calls;
    int http;
} cases[] = {
    {"redeem", redeem, 2, 200},
    {"replay", replay, 3, 400}, /* question, lost insert, revocation */
    {"refresh, stable", refresh, 1, 200},
    {"refresh, rotating", rotate, 2, 200},
    {"introspect access", introspect_access, 1, 200},
    {"introspect refresh", introspect_refresh, 1, 200},
    {"introspect client_credentials", introspect_own, 1, 200},
    {"revoke access", revoke_access, 2, 200},
    {"revoke refresh", revoke_refresh, 2, 200},
    {"revoke client_credentials", revoke_own, 1, 200},
    {"v1 access", v1_access, 1, 200},
    {"v1 refresh", v1_refresh, 1, 200},
    {"v1 delete", v1_delete, 2, 204},
    {"uninstall", uninstall, 2, 204},
};
static const enum fault faults[] = {FAULT_DB_BUSY, FAULT_DB_FULL, FAULT_DB_READONLY, FAULT_DB_IO, FAULT_DB_CORRUPT};

static void must_be_unavailable(struct flow *f, str response) {
    flow_must_refuse(f, response, 503, "UNAVAILABLE");
    assert_true(str_eq(flow_member(f, response, "error"), S("temporarily_unavailable")));
    assert_true(run_text_header(response, S("Retry-After")).n > 0);
    assert_int_equal(run_text_header(response, S("WWW-Authenticate")).n, 0);
    assert_int_equal(flow_member(f, response, "access_token").n, 0);
}

static void fail_once(size_t i, unsigned at, enum fault fault) {
    static struct flow f;
    struct scene s;
    flow_open(&f);
    set_scene(&f, &s);
    str before = flow_grants(&f);
    db_failing_set(f.instance.db, at, fault);
    str response = cases[i].request(&f, &s);
    assert_int_equal(db_failing_count(f.instance.db), at <= cases[i].calls ? at : cases[i].calls);
    db_failing_set(f.instance.db, 0, fault);
    if (at <= cases[i].calls) {
        must_be_unavailable(&f, response);
        assert_true(str_eq(flow_grants(&f), before));
        assert_true(flow_is_active(&f, s.confidential.access) && flow_is_active(&f, s.confidential.refresh));
        assert_true(flow_is_active(&f, s.public_app.refresh) && flow_is_active(&f, s.own));
        response = cases[i].request(&f, &s);
    }
    assert_int_equal(run_text_status(response), cases[i].http);
    flow_close(&f);
}

/* norm: N02 I12 V12 V13 F14 */
static void test_every_call(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("  %s\n", cases[i].name);
        for (unsigned at = 1; at <= cases[i].calls + 1; at++)
            for (size_t k = 0; k < sizeof faults / sizeof faults[0]; k++) fail_once(i, at, faults[k]);
    }
}

/* At the authorization endpoint the browser takes the trouble back to the app (RFC 6749 s4.1.2.1). norm: R14 */
static void test_authorize(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    db_failing_set(f.instance.db, 1, FAULT_DB_IO);
    str client = f.seed.apps[FLOW_CONFIDENTIAL].client_id;
    str response = flow_send(&f, "GET /oauth/authorize?client_id=%.*s&scope=oauth&state=s\n\n", STR_ARG(client));
    assert_int_equal(run_text_status(response), 302);
    assert_true(str_eq(flow_location_param(&f, response, "error"), S("temporarily_unavailable")));
    assert_true(str_eq(flow_location_param(&f, response, "state"), S("s")));
    assert_int_equal(flow_location_param(&f, response, "code").n, 0);
    flow_close(&f);
}

/* A fault that is not the store's is ours: 500, and nothing is promised. */
static void test_internal(void **state) {
    static struct flow f;
    struct scene s;
    (void)state;
    flow_open(&f);
    set_scene(&f, &s);
    db_failing_set(f.instance.db, 1, FAULT_INTERNAL);
    flow_must_refuse(&f, refresh(&f, &s), 500, "INTERNAL_ERROR");
    db_failing_set(f.instance.db, 0, FAULT_INTERNAL);
    assert_int_equal(run_text_status(refresh(&f, &s)), 200);
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_authorize),
        cmocka_unit_test(test_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
