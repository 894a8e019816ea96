/* A request through everything but the socket: a real store in a file, a clock and random bytes of our own. */
#include "run_text.h"

#include "dev_seed.h"
#include "random.h"
#include "rows_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PEER S("192.0.2.1")

struct bench {
    struct instance *instance;
    struct dev_seed seed;
    struct db *db; /* fails when it is told to */
    struct db_session *session;
    struct run_env env;
    struct brand brand;
    struct arena *arena;
    int64_t now_ms;
    uint32_t random;
};

static char dir[] = "/tmp/grantd-run-XXXXXX";
static struct bench bench;

static int64_t now_ms(void *arg) { return ((struct bench *)arg)->now_ms; }

/* The same bytes in every run of the test, never the same twice in one. */
static void fill_random(void *arg, void *out, size_t n) {
    struct bench *b = arg;
    for (size_t i = 0; i < n; i++) {
        b->random = b->random * 1664525U + 1013904223U;
        ((uint8_t *)out)[i] = (uint8_t)(b->random >> 24);
    }
}

static void on_wake(void *arg) { (void)arg; }

static int set_up(void **state) {
    (void)state;
    struct bench *b = &bench;
    struct options options;
    if (!crypto_start() || !mkdtemp(dir)) return -1;
    options_init(&options);
    options.data = str_of(dir);
    options.compat_v1 = true;
    options.issuer = S("http://localhost");
    if (!rc_ok(instance_open(&options, true, &b->instance)) || !rc_ok(dev_seed(b->instance, &b->seed))) return -1;
    b->db = b->instance->db = db_wrap_failing(b->instance->db, 0, FAULT_NONE);
    if (!rc_ok(db_open_session(b->db, on_wake, NULL, &b->session))) return -1;
    b->instance->settings.auto_approve = true;
    b->instance->settings.auto_hub_id = b->seed.hub_id;
    b->instance->settings.auto_user_id = b->seed.user_id;
    b->arena = arena_new(65536);
    b->now_ms = 1900000000000;
    if (!rc_ok(brand_make(&options, options.issuer, b->instance->arena, &b->brand))) return -1;
    b->env = (struct run_env){
        .now_ms = now_ms,
        .random = fill_random,
        .source_arg = b,
        .session = b->session,
        .lease = lease_new(b->instance->snapshot),
        .settings = &b->instance->settings,
        .brand = &b->brand,
    };
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    static const char *const files[] = {"grantd.db", "grantd.db-wal", "grantd.db-shm", "grantd.lock", "master.key"};
    char path[128];
    lease_drop(bench.env.lease);
    db_close_session(bench.session);
    instance_close(bench.instance);
    arena_free(bench.arena);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static str run(str request) { return run_text(&bench.env, request, PEER, bench.arena); }

/* A form to the token endpoint as the confidential app. */
static str post(const char *path, const char *fields) {
    const struct dev_app *app = &bench.seed.apps[0];
    return run(arena_printf(bench.arena,
                            "POST %s\nContent-Type: application/x-www-form-urlencoded\n\n"
                            "client_id=%.*s&client_secret=%.*s&%s",
                            path, STR_ARG(app->client_id), STR_ARG(app->client_secret), fields));
}

/* Where a text stands in a response, up to its quote. */
static str member(str response, const char *name) {
    str key = arena_printf(bench.arena, "\"%s\":\"", name);
    char *at = memmem(response.p, response.n, key.p, key.n);
    if (!at) return (str){0};
    str rest = str_from(response, (size_t)(at - response.p) + key.n);
    return str_head(rest, str_find(rest, '"'));
}

static str get_code(void) {
    const struct dev_app *app = &bench.seed.apps[0];
    str response =
        run(arena_printf(bench.arena, "GET /oauth/authorize?client_id=%.*s&scope=oauth\n\n", STR_ARG(app->client_id)));
    str location = run_text_header(response, S("location"));
    char *at = memmem(location.p, location.n, "code=", 5);
    assert_non_null(at);
    str rest = str_from(location, (size_t)(at - location.p) + 5);
    return str_head(rest, str_find(rest, '&'));
}

static str redeem(str code) {
    return post(
        "/oauth/v3/token",
        arena_cstr(bench.arena, arena_printf(bench.arena, "grant_type=authorization_code&code=%.*s", STR_ARG(code))));
}

/* ---- what is refused before an endpoint sees it ---- */

#define FORM "Content-Type: application/x-www-form-urlencoded\n"

static void test_admission(void **state) {
    (void)state;
    static const struct {
        str request;
        int status;
        str word;  /* of the body */
        str allow; /* header */
    } rows[] = {
        {S("GET /\n\n"), 404, S("NOT_FOUND"), S("")},
        {S("GET /oauth/v9/token\n\n"), 404, S("NOT_FOUND"), S("")},
        {S("GET /oauth/v3/token\n\n"), 405, S("METHOD_NOT_ALLOWED"), S("POST")},
        {S("HEAD /oauth/v3/token\n\n"), 405, S("METHOD_NOT_ALLOWED"), S("POST")},
        {S("OPTIONS /oauth/v3/token\n\n"), 405, S("METHOD_NOT_ALLOWED"), S("POST")},
        {S("PATCH /oauth/authorize\nContent-Length: 0\n\n"), 405, S("METHOD_NOT_ALLOWED"), S("GET, HEAD, POST")},
        {S("POST /oauth/v3/token\n\n"), 415, S("UNSUPPORTED_MEDIA_TYPE"), S("")},
        {S("POST /oauth/v3/token\nContent-Type: application/json\n\n{}"), 415, S("UNSUPPORTED_MEDIA_TYPE"), S("")},
        {S("POST /oauth/v3/token\nContent-Type: application/x-www-form-urlencodedx\n\n"), 415,
         S("UNSUPPORTED_MEDIA_TYPE"), S("")},
        {S("POST /oauth/v3/token\n" FORM "\n"), 400, S("BAD_CLIENT_ID"), S("")},
        {S("POST /oauth/v3/token/\nContent-Type: Application/X-WWW-Form-Urlencoded ; charset=utf-8\n\n"), 400,
         S("BAD_CLIENT_ID"), S("")},
        {S("GET /oauth/v1/access-tokens/%zz\n\n"), 400, S("BAD_REQUEST"), S("")},
        {S("GET /oauth/v1/access-tokens/%00\n\n"), 400, S("BAD_REQUEST"), S("")},
        {S("GET /oauth/v1/access-tokens/%ff\n\n"), 400, S("BAD_REQUEST"), S("")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str response = run(rows[i].request);
        CHECK(i, run_text_status(response) == rows[i].status);
        CHECK(i, str_eq(member(run_text_body(response), "status"), rows[i].word));
        CHECK(i, str_eq(run_text_header(response, S("allow")), rows[i].allow));
        CHECK(i, run_text_header(response, S("x-hubspot-correlation-id")).n == 36);
        CHECK(i, str_eq(run_text_header(response, S("x-hubspot-correlation-id")),
                        member(run_text_body(response), "correlationId")));
        CHECK(i, str_eq(run_text_header(response, S("cache-control")), S("no-store")));
        CHECK(i, str_eq(run_text_header(response, S("x-content-type-options")), S("nosniff")));
        arena_reset(bench.arena);
    }
}

static void test_large_body(void **state) {
    (void)state;
    char *fill = arena_alloc(bench.arena, 65537);
    memset(fill, 'a', 65537);
    for (size_t n = 65536; n <= 65537; n++) {
        str response = run(arena_printf(bench.arena, "POST /oauth/v3/token\n" FORM "\n%.*s", (int)n, fill));
        CHECK(n, run_text_status(response) == (n == 65536 ? 400 : 413));
    }
    arena_reset(bench.arena);
}

/* Pages cannot be framed, loaded into or leak where they were. */
static void test_page_headers(void **state) {
    (void)state;
    str response = run(S("GET /oauth/authorize?client_id=nobody\n\n"));
    assert_int_equal(run_text_status(response), 400);
    assert_true(str_starts_with(run_text_header(response, S("content-type")), S("text/html")));
    assert_true(str_eq(run_text_header(response, S("content-security-policy")),
                       S("default-src 'none'; style-src 'self'; img-src 'self' https: data:; base-uri 'none'; "
                         "frame-ancestors 'none'; form-action 'self'")));
    assert_true(str_eq(run_text_header(response, S("x-frame-options")), S("DENY")));
    assert_true(str_eq(run_text_header(response, S("referrer-policy")), S("no-referrer")));
    arena_reset(bench.arena);
}

/* ---- the store in trouble ---- */

static bool is_unavailable(str response) {
    return run_text_status(response) == 503 && str_eq(member(run_text_body(response), "status"), S("UNAVAILABLE")) &&
           str_eq(run_text_header(response, S("retry-after")), S("1"));
}

/* Every step that touches the store fails once; the answer is always "later", and afterwards the same request goes through. */
static void test_faults(void **state) {
    (void)state;
    static const enum fault faults[] = {FAULT_DB_BUSY, FAULT_DB_FULL, FAULT_DB_IO, FAULT_DB_READONLY, FAULT_DB_CORRUPT};
    for (size_t f = 0; f < COUNT(faults); f++) {
        str code = get_code();
        db_failing_set(bench.db, 0, FAULT_NONE);
        str response = redeem(code);
        CHECK(f, run_text_status(response) == 200);
        uint64_t steps = db_failing_count(bench.db);
        CHECK(f, steps >= 2); /* it asks and it applies */
        code = get_code();
        for (uint64_t step = 1; step <= steps; step++) {
            db_failing_set(bench.db, step, faults[f]);
            CHECK(step, is_unavailable(redeem(code)));
        }
        db_failing_set(bench.db, 0, FAULT_NONE);
        CHECK(f, run_text_status(redeem(code)) == 200);
        arena_reset(bench.arena);
    }
}

/* Introspection never says "inactive" because the store could not be read. */
static void test_fault_of_introspection(void **state) {
    (void)state;
    str token = member(run_text_body(redeem(get_code())), "access_token");
    const char *fields = arena_cstr(bench.arena, arena_printf(bench.arena, "token=%.*s", STR_ARG(token)));
    db_failing_set(bench.db, 1, FAULT_DB_IO);
    assert_true(is_unavailable(post("/oauth/v3/token/introspect", fields)));
    db_failing_set(bench.db, 0, FAULT_NONE);
    str response = post("/oauth/v3/token/introspect", fields);
    assert_non_null(memmem(response.p, response.n, "\"active\":true", 13));
    arena_reset(bench.arena);
}

/* A fault of the program itself is 500, and says nothing of what it was. */
static void test_internal_fault(void **state) {
    (void)state;
    str code = get_code();
    db_failing_set(bench.db, 1, FAULT_INTERNAL);
    str response = redeem(code);
    assert_int_equal(run_text_status(response), 500);
    assert_true(str_eq(member(run_text_body(response), "error"), S("server_error")));
    assert_int_equal(run_text_header(response, S("retry-after")).n, 0);
    db_failing_set(bench.db, 0, FAULT_NONE);
    arena_reset(bench.arena);
}

/* ---- limits ---- */

static int fail_auth(void) {
    int status = run_text_status(run(arena_printf(
        bench.arena, "POST /oauth/v3/token\n" FORM "\nclient_id=%.*s&client_secret=no&grant_type=client_credentials",
        STR_ARG(bench.seed.apps[0].client_id))));
    arena_reset(bench.arena);
    return status;
}

static int good(const char *path, const char *fields) {
    int status = run_text_status(post(path, fields));
    arena_reset(bench.arena);
    return status;
}

static void test_limits(void **state) {
    (void)state;
    static const uint8_t key[16] = {7};
    const char *credentials = "grant_type=client_credentials&scope=oauth";
    bench.env.limiter = limiter_new((struct limiter_limits){3, 2}, key);
    for (int i = 0; i < 50; i++) assert_int_equal(good("/oauth/v3/token", credentials), 200);
    /* wrong codes close the token endpoint, but not introspection */
    for (int i = 0; i < 2; i++)
        assert_int_equal(good("/oauth/v3/token", "grant_type=authorization_code&code=gdc_x"), 400);
    assert_int_equal(good("/oauth/v3/token", credentials), 429);
    assert_int_equal(good("/oauth/2026-03/token", credentials), 429);
    assert_int_equal(good("/oauth/v1/token", credentials), 429);
    assert_int_equal(good("/oauth/v3/token/introspect", "token=x"), 200);
    bench.now_ms += LIMITER_WINDOW_MS;
    assert_int_equal(good("/oauth/v3/token", credentials), 200);
    /* wrong secrets close all three */
    for (int i = 0; i < 3; i++) assert_int_equal(fail_auth(), 400);
    assert_int_equal(fail_auth(), 429);
    assert_int_equal(good("/oauth/v3/token", credentials), 429);
    assert_int_equal(good("/oauth/v3/token/introspect", "token=x"), 429);
    bench.now_ms += 20000;
    str response = post("/oauth/v3/token/revoke", "token=x");
    assert_int_equal(run_text_status(response), 429);
    assert_true(str_eq(run_text_header(response, S("retry-after")), S("40")));
    assert_true(str_eq(run_text_header(response, S("x-hubspot-ratelimit-max")), S("3")));
    assert_true(str_eq(run_text_header(response, S("x-hubspot-ratelimit-remaining")), S("0")));
    assert_true(str_eq(run_text_header(response, S("x-hubspot-ratelimit-interval-milliseconds")), S("60000")));
    assert_true(str_eq(member(run_text_body(response), "status"), S("RATE_LIMIT")));
    /* another address is not concerned */
    str elsewhere = run_text(&bench.env, S("POST /oauth/v3/token\n" FORM "\nclient_id=x"), S("192.0.2.2"), bench.arena);
    assert_int_equal(run_text_status(elsewhere), 400);
    limiter_free(bench.env.limiter);
    bench.env.limiter = NULL;
    arena_reset(bench.arena);
}

/* ---- the registry ---- */

/* A request keeps the registry it began with; the last one out frees it. */
static void test_leases(void **state) {
    (void)state;
    const struct registry *first = bench.instance->registry;
    struct lease *held = lease_take(bench.env.lease);
    assert_true(rc_ok(instance_reload(bench.instance)));
    assert_ptr_not_equal(bench.instance->registry, first);
    lease_drop(bench.env.lease);
    bench.env.lease = lease_new(bench.instance->snapshot);
    assert_ptr_equal(held->snapshot->registry, first);
    assert_non_null(
        registry_app_by_client_id(held->snapshot->registry, bench.seed.apps[0].client_id)); /* still there */
    lease_drop(held);
    assert_int_equal(good("/oauth/v3/token", "grant_type=client_credentials&scope=oauth"), 200);
}

/* ---- the text form itself ---- */

static void test_text(void **state) {
    (void)state;
    static const struct {
        str request;
        int status;
    } rows[] = {
        {S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 404},
        {S("GET / HTTP/1.1\nHost: a\n\n"), 404},
        {S("GET /"), 404},
        {S("GET  /\n\n"), 400},
        {S("GET /\nA : b\n\n"), 400},
        {S(""), 400},
        {S("\n\n"), 400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, run_text_status(run(rows[i].request)) == rows[i].status);
    arena_reset(bench.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_page_headers),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_of_introspection),
        cmocka_unit_test(test_internal_fault),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
