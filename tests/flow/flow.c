#include "flow.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "percent.h"
#include "pwhash.h"
#include "random.h"

static int64_t now_of(void *arg) { return ((struct flow *)arg)->now_ms; }

/* Predictable bytes that never repeat (splitmix64). */
static void random_of(void *arg, void *out, size_t n) {
    struct flow *f = arg;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = f->random_state += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        ((uint8_t *)out)[i] = (uint8_t)(z >> 56);
    }
}

static void must(struct rc rc) {
    if (!rc_ok(rc)) fail_msg("%s: %s", rc_name(rc), rc_detail());
}

static void nothing(void *arg) { (void)arg; }

/* SQLite in memory, or the PostgreSQL of tests/pg/cluster.sh, emptied. */
static struct db *open_db(void) {
    struct db *db = NULL;
    const char *url = getenv("TEST_POSTGRES");
    if (!url) {
        must(db_open_sqlite(&(struct db_sqlite_options){.path = ":memory:"}, &db));
        return db;
    }
    must(db_open_pg(&(struct db_pg_options){.url = url, .inline_writes = true, .deadline_ms = 20000}, &db));
    must(db->driver->script(db, "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    return db;
}

static void open_store(struct flow *f) {
    f->instance.db = db_wrap_failing(open_db(), 0, FAULT_DB_IO);
    must(storage_migrate(f->instance.db, f->arena));
    must(storage_admin_open(f->instance.db, &f->instance.admin));
    must(db_open_session(f->instance.db, nothing, NULL, &f->session));
}

/* Making an RSA key takes a while: the first flow of a program makes it, the others find it in their store. */
static struct sealed_signing_key rsa;

static void keep_rsa(struct flow *f) {
    struct listed found;
    must(storage_list(f->instance.admin, &(struct listing){.kind = LISTING_SIGNING_KEYS}, f->arena, &found));
    const struct sealed_signing_key *keys = found.rows;
    for (size_t i = 0; i < found.n && !rsa.kid.n; i++) {
        if (keys[i].alg != JOSE_RS256) continue;
        static uint8_t kid[64], sealed[8192];
        assert_true(keys[i].kid.n <= sizeof kid && keys[i].sealed.n <= sizeof sealed);
        rsa = keys[i];
        rsa.kid.p = memcpy(kid, keys[i].kid.p, keys[i].kid.n);
        rsa.sealed.p = memcpy(sealed, keys[i].sealed.p, keys[i].sealed.n);
    }
}

static void put_rsa(struct flow *f) {
    struct edit edit = {.kind = EDIT_SIGNING_KEY_INSERT, .signing_key = rsa, .seen_ms = -1};
    enum outcome outcome = OUTCOME_LOST;
    int32_t id;
    if (!rsa.kid.n) return;
    must(storage_edit(f->instance.admin, &edit, f->arena, &outcome, &id));
    assert_int_equal(outcome, OUTCOME_DONE);
}

/* Without the pool: the answer comes at once. The seeded password has a cheap hash. */
static bool check_password(void *arg, str password, str hash, run_password_done *done, void *done_arg) {
    char text[PWHASH_TEXT_BYTES] = "";
    (void)arg;
    if (hash.n) memcpy(text, hash.p, hash.n);
    bool right = pwhash_check(password, text, (struct pwhash_cost){1, 64});
    done(done_arg, right ? RUN_PASSWORD_RIGHT : RUN_PASSWORD_WRONG);
    return true;
}

void flow_open(struct flow *f) {
    static const uint8_t master[MASTER_KEY_BYTES] = {42};
    memset(f, 0, sizeof *f);
    assert_true(crypto_start());
    f->now_ms = FLOW_NOW_MS;
    f->arena = f->instance.arena = arena_new(65536);
    f->instance.lock_fd = -1;
    memcpy(f->instance.master_key, master, sizeof master);
    options_init(&f->instance.options);
    open_store(f);
    f->instance.settings = (struct settings){
        .issuer = S("https://auth.example"),
        .compat_v1 = true,
        .auto_approve = true,
        .session_idle_s = 3600,
        .session_absolute_s = 86400,
        .form_ttl_s = 3600,
        .code_ttl_s = 60, /* these are for apps that are made from here on */
        .access_ttl_s = 1800,
        .retry_window_s = 60,
    };
    must(instance_reload(&f->instance));
    put_rsa(f);
    must(dev_seed(&f->instance, &f->seed));
    keep_rsa(f);
    f->instance.settings.auto_user_id = f->seed.user_id;
    f->instance.settings.auto_hub_id = f->seed.hub_id;
    must(brand_make(&f->instance.options, f->instance.settings.issuer, f->arena, &f->brand));
    f->lease = lease_new(f->instance.snapshot);
    f->env = (struct run_env){
        .now_ms = now_of,
        .random = random_of,
        .source_arg = f,
        .session = f->session,
        .lease = f->lease,
        .settings = &f->instance.settings,
        .brand = &f->brand,
        .check_password = check_password,
        .subjects = &f->subjects,
        .known = &f->known,
    };
}

void flow_close(struct flow *f) {
    lease_drop(f->lease);
    snapshot_release(f->instance.snapshot);
    db_close_session(f->session);
    storage_admin_close(f->instance.admin);
    db_close(f->instance.db);
    arena_free(f->arena);
}

__attribute__((format(printf, 2, 0))) static str format_text(struct flow *f, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert_true(n >= 0);
    char *text = arena_alloc(f->arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, args);
    return (str){text, (size_t)n};
}

static str send_text(struct flow *f, str request) {
    struct arena *arena = arena_new(4096); /* of the request: what outlives it would be found by a sanitizer */
    str response = arena_copy(f->arena, run_text(&f->env, request, S("192.0.2.1"), arena));
    arena_free(arena);
    return response;
}

str flow_send(struct flow *f, const char *format, ...) {
    va_list args;
    va_start(args, format);
    str request = format_text(f, format, args);
    va_end(args);
    return send_text(f, request);
}

static str encoded(struct flow *f, str text) {
    struct buf b = buf_on(arena_alloc(f->arena, 3 * text.n), 3 * text.n);
    percent_encode(&b, text);
    return buf_str(&b);
}

static str credentials(struct flow *f, enum flow_app app) {
    const struct dev_app *a = &f->seed.apps[app];
    const char *join = a->client_secret.n ? "&client_secret=" : "";
    return arena_printf(f->arena, "client_id=%.*s%s%.*s", STR_ARG(a->client_id), join, STR_ARG(a->client_secret));
}

str flow_form(struct flow *f, const char *path, enum flow_app app, const char *format, ...) {
    va_list args;
    va_start(args, format);
    str form = format_text(f, format, args), who = credentials(f, app);
    va_end(args);
    return flow_send(f, "POST /oauth/v3/%s\nContent-Type: application/x-www-form-urlencoded\n\n%.*s&%.*s", path,
                     STR_ARG(who), STR_ARG(form));
}

str flow_code(struct flow *f, enum flow_app app) {
    const struct dev_app *a = &f->seed.apps[app];
    str response =
        flow_send(f,
                  "GET /oauth/authorize?client_id=%.*s&redirect_uri=%.*s&scope=%.*s&state=s&code_challenge=%s"
                  "&code_challenge_method=S256\n\n",
                  STR_ARG(a->client_id), STR_ARG(encoded(f, a->redirect_uri)), STR_ARG(a->scopes[0]), FLOW_CHALLENGE);
    assert_int_equal(run_text_status(response), 302);
    str code = flow_location_param(f, response, "code");
    assert_true(code.n > 0);
    return code;
}

str flow_redeem(struct flow *f, enum flow_app app, str code) {
    return flow_form(f, "token", app, "grant_type=authorization_code&code=%.*s&redirect_uri=%.*s&code_verifier=%s",
                     STR_ARG(code), STR_ARG(encoded(f, f->seed.apps[app].redirect_uri)), FLOW_VERIFIER);
}

str flow_refresh(struct flow *f, enum flow_app app, str token) {
    return flow_form(f, "token", app, "grant_type=refresh_token&refresh_token=%.*s", STR_ARG(token));
}

struct flow_tokens flow_install(struct flow *f, enum flow_app app) {
    struct flow_tokens got = {.code = flow_code(f, app)};
    str response = flow_redeem(f, app, got.code);
    if (run_text_status(response) != 200) fail_msg("%.*s", STR_ARG(response));
    got.access = flow_member(f, response, "access_token");
    got.refresh = flow_member(f, response, "refresh_token");
    assert_true(got.access.n && got.refresh.n);
    return got;
}

static json_t *parse(str response) {
    str body = run_text_body(response);
    json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(json)) fail_msg("not an object of JSON: %.*s", STR_ARG(body));
    return json;
}

str flow_member(struct flow *f, str response, const char *name) {
    json_t *json = parse(response);
    str value = arena_copy(f->arena, str_of(json_string_value(json_object_get(json, name))));
    json_decref(json);
    return value;
}

str flow_location_param(struct flow *f, str response, const char *name) {
    str location = run_text_header(response, S("Location"));
    str rest = str_from(location, str_find(location, '?') + 1);
    while (rest.n) {
        str value = str_take(&rest, '&');
        if (!str_eq(str_take(&value, '='), str_of(name))) continue;
        char *decoded = arena_alloc(f->arena, value.n);
        size_t n = 0;
        assert_true(percent_decode(value, PERCENT_URI, decoded, &n));
        return (str){decoded, n};
    }
    return (str){NULL, 0};
}

bool flow_is_active(struct flow *f, str token) {
    str response = flow_form(f, "token/introspect", FLOW_RESOURCE_SERVER, "token=%.*s", STR_ARG(token));
    assert_int_equal(run_text_status(response), 200);
    json_t *json = parse(response);
    bool active = json_is_true(json_object_get(json, "active"));
    if (!active) assert_int_equal(json_object_size(json), 1);
    json_decref(json);
    return active;
}

void flow_must_refuse(struct flow *f, str response, int http, const char *status) {
    if (run_text_status(response) != http || !str_eq(flow_member(f, response, "status"), str_of(status)))
        fail_msg("%d %s expected: %.*s", http, status, STR_ARG(response));
    str correlation = flow_member(f, response, "correlationId");
    assert_int_equal(correlation.n, 36);
    assert_true(str_eq(correlation, run_text_header(response, S("x-hubspot-correlation-id"))));
    assert_true(str_eq(flow_member(f, response, "message"), flow_member(f, response, "error_description")));
    assert_true(str_eq(run_text_header(response, S("Content-Type")), S("application/json;charset=utf-8")));
    assert_true(str_eq(run_text_header(response, S("Cache-Control")), S("no-store")));
}

void flow_edit(struct flow *f, const struct edit *edit) {
    enum outcome outcome = OUTCOME_LOST;
    int32_t id = 0;
    must(storage_edit(f->instance.admin, edit, f->arena, &outcome, &id));
    assert_int_equal(outcome, OUTCOME_DONE);
    must(instance_reload(&f->instance));
    lease_drop(f->lease);
    f->env.lease = f->lease = lease_new(f->instance.snapshot);
}

struct app *flow_app_copy(struct flow *f, enum flow_app app) {
    struct app *copy = ARENA_NEW(f->arena, struct app);
    *copy = *registry_app_by_id(f->instance.registry, f->seed.apps[app].app_id);
    return copy; /* its strings belong to the registry, which lives until the next edit was read */
}

str flow_grants(struct flow *f) {
    struct listed found;
    struct listing listing = {.kind = LISTING_GRANTS};
    must(storage_list(f->instance.admin, &listing, f->arena, &found));
    const struct grant *g = found.rows;
    str text = S("");
    for (size_t i = 0; i < found.n; i++)
        text = arena_printf(f->arena,
                            "%.*s%02x%02x app %d hub %d user %d created %lld ends %lld at %u since %lld not before "
                            "%lld revoked %lld day %d\n",
                            STR_ARG(text), g[i].id.b[6], g[i].id.b[7], (int)g[i].app_id, (int)g[i].hub_id,
                            (int)g[i].user_id, (long long)g[i].created_ms, (long long)g[i].expires_ms, g[i].generation,
                            (long long)g[i].rotated_ms, (long long)g[i].access_not_before_ms,
                            (long long)g[i].revoked_ms, (int)g[i].last_used_day);
    return text;
}
