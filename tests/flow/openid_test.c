/* OpenID Connect as text in and text out: ID tokens, userinfo, what a request can ask for, and signing out. Each is Core unless it says otherwise. */
#include "tab.h"

#include <jansson.h>
#include <stdio.h>

#include "b64.h"
#include "clock.h"
#include "id_token.h"
#include "percent.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define BACK        "http://localhost:3000/oauth-callback"
#define SIGNED_OUT  "http://localhost:3000/signed-out"

static struct flow f;

/* ---- helpers ---- */

static str encoded(str text) {
    struct buf b = buf_on(arena_alloc(f.arena, 3 * text.n + 1), 3 * text.n + 1);
    percent_encode(&b, text);
    return buf_str(&b);
}

static bool has_response_type(str more) {
    for (; more.n; more = str_from(more, 1))
        if (str_starts_with(more, S("response_type"))) return true;
    return false;
}

static str request(enum flow_app app, str more) {
    return arena_printf(f.arena, "/oauth/authorize?client_id=%.*s&redirect_uri=" BACK "&state=st%s&%.*s",
                        STR_ARG(f.seed.apps[app].client_id), has_response_type(more) ? "" : "&response_type=code",
                        STR_ARG(more));
}

/* Of the confidential app, approved at once. */
static str ask(str more) { return flow_send(&f, "GET %.*s\n\n", STR_ARG(request(FLOW_CONFIDENTIAL, more))); }

static str redeem(enum flow_app app, str code) {
    str response =
        flow_form(&f, "token", app, "grant_type=authorization_code&code=%.*s&redirect_uri=" BACK, STR_ARG(code));
    if (run_text_status(response) != 200) fail_msg("%.*s", STR_ARG(response));
    return response;
}

static str tokens_for(const char *more) {
    str response = ask(str_of(more));
    if (run_text_status(response) != 302) fail_msg("%s: %.*s", more, STR_ARG(response));
    return redeem(FLOW_CONFIDENTIAL, flow_location_param(&f, response, "code"));
}

/* A signed ID token of the server: verified by the published keys, then its members. */
static json_t *id_token(str text, struct jose_jwt *jwt) {
    const struct jose_keys *keys = &f.instance.snapshot->keys->signers.keys;
    struct jose_jwt ignored;
    if (!jwt) jwt = &ignored;
    if (!jose_verify(keys, JOSE_ANY, text, f.arena, jwt)) fail_msg("not signed by us: %.*s", STR_ARG(text));
    str rest = text;
    (void)str_take(&rest, '.');
    str payload = str_take(&rest, '.');
    uint8_t *bytes = arena_alloc(f.arena, payload.n);
    size_t n = 0;
    assert_true(b64url_decode(payload, bytes, &n));
    json_t *json = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(json));
    return json;
}

static const char *text_of(const json_t *json, const char *member) {
    const char *text = json_string_value(json_object_get(json, member));
    return text ? text : "";
}

static int64_t number_of(const json_t *json, const char *member) {
    return json_integer_value(json_object_get(json, member));
}

/* The names of the members, in their order. */
static const char *members_of(const json_t *json) {
    str names = S("");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) names =
        arena_printf(f.arena, "%.*s%s%s", STR_ARG(names), names.n ? " " : "", name);
    return arena_cstr(f.arena, names);
}

static json_t *body_of(str response) {
    str body = run_text_body(response);
    json_t *json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(json)) fail_msg("%.*s", STR_ARG(response));
    return json;
}

static str userinfo(str access_token) {
    return flow_send(&f, "GET /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", STR_ARG(access_token));
}

static void set_up(void) { flow_open(&f); }

/* ---- ID tokens ---- */

/* s2, s3.1.3.3, s3.1.3.6 */
static void test_id_token(void **state) {
    (void)state;
    set_up();
    str response = tokens_for("scope=openid%20oauth&nonce=n-0S6_WzA2Mj");
    struct jose_jwt jwt;
    json_t *said = id_token(flow_member(&f, response, "id_token"), &jwt);
    char hash[AT_HASH_CHARS];
    at_hash(flow_member(&f, response, "access_token"), hash);
    assert_int_equal(jwt.alg, JOSE_RS256);
    assert_true(str_eq(jwt.typ, S("JWT")) && jwt.kid.n > 0);
    assert_string_equal(members_of(said), "iss sub aud exp iat auth_time acr nonce at_hash");
    assert_string_equal(text_of(said, "iss"), "https://auth.example");
    assert_string_equal(text_of(said, "sub"), arena_cstr(f.arena, arena_printf(f.arena, "%d", f.seed.user_id)));
    assert_true(str_eq(str_of(text_of(said, "aud")), f.seed.apps[FLOW_CONFIDENTIAL].client_id));
    assert_string_equal(text_of(said, "nonce"), "n-0S6_WzA2Mj");
    assert_true(str_eq(str_of(text_of(said, "at_hash")), (str){hash, sizeof hash}));
    assert_int_equal(number_of(said, "iat"), FLOW_NOW_MS / 1000);
    assert_int_equal(number_of(said, "exp"), FLOW_NOW_MS / 1000 + 1800);
    assert_int_equal(number_of(said, "auth_time"), FLOW_NOW_MS / 1000);
    json_decref(said);
    flow_close(&f);
}

/* s12.2: the same person, app and sign-in, no nonce; and only while the scope is among those of the answer. */
static void test_refreshing(void **state) {
    (void)state;
    set_up();
    str first = tokens_for("scope=openid%20oauth&nonce=n1");
    str refresh_token = flow_member(&f, first, "refresh_token");
    f.now_ms += 600000;
    str second = flow_refresh(&f, FLOW_CONFIDENTIAL, refresh_token);
    json_t *said = id_token(flow_member(&f, second, "id_token"), NULL);
    assert_string_equal(members_of(said), "iss sub aud exp iat auth_time acr at_hash");
    assert_int_equal(number_of(said, "auth_time"), FLOW_NOW_MS / 1000);
    assert_int_equal(number_of(said, "iat"), FLOW_NOW_MS / 1000 + 600);
    json_decref(said);
    str narrow = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=refresh_token&refresh_token=%.*s&scope=oauth",
                           STR_ARG(refresh_token));
    assert_int_equal(run_text_status(narrow), 200);
    assert_int_equal(flow_member(&f, narrow, "id_token").n, 0);
    flow_close(&f);
}

/* Apps that do not ask for openid see nothing of it, and neither do tokens that speak of nobody. */
static void test_without_openid(void **state) {
    (void)state;
    set_up();
    str response = tokens_for("scope=oauth%20profile%20email&nonce=n1");
    json_t *said = body_of(response);
    assert_string_equal(members_of(said),
                        "token_type access_token refresh_token expires_in token_use hub_id user_id scopes scope");
    json_decref(said);
    str own = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=openid");
    assert_int_equal(run_text_status(own), 200);
    assert_int_equal(flow_member(&f, own, "id_token").n, 0);
    flow_must_refuse(&f, userinfo(flow_member(&f, own, "access_token")), 401, "BAD_TOKEN");
    flow_close(&f);
}

static void set_flags(uint32_t flags) {
    struct app *app = flow_app_copy(&f, FLOW_CONFIDENTIAL);
    app->flags |= flags;
    flow_edit(&f, &(struct edit){.kind = EDIT_APP_UPDATE, .app = app, .app_id = app->app_id, .now_ms = f.now_ms});
}

/* Registration s2: id_token_signed_response_alg. The hash is of the token as it is given out, signed or not. */
static void test_es256(void **state) {
    (void)state;
    set_up();
    set_flags(APP_ID_TOKEN_ES256 | APP_JWT);
    str response = tokens_for("scope=openid");
    struct jose_jwt jwt;
    char hash[AT_HASH_CHARS];
    json_t *said = id_token(flow_member(&f, response, "id_token"), &jwt);
    at_hash(flow_member(&f, response, "access_token"), hash);
    assert_int_equal(jwt.alg, JOSE_ES256);
    assert_true(str_eq(str_of(text_of(said, "at_hash")), (str){hash, sizeof hash}));
    assert_int_equal(run_text_status(userinfo(flow_member(&f, response, "access_token"))), 200);
    json_decref(said);
    flow_close(&f);
}

/* ---- claims ---- */

/* s5.4, s5.5: by scope, or by name; in userinfo, and in the ID token where that was asked for. */
static void test_claims(void **state) {
    (void)state;
    set_up();
    struct {
        const char *scope, *claims, *userinfo, *id_token; /* the last: behind the standard members */
    } rows[] = {
        {"openid", "", "sub", ""},
        {"openid profile", "", "sub name updated_at", ""},
        {"openid email", "", "sub email email_verified", ""},
        {"email openid profile", "", "sub name updated_at email email_verified", ""},
        {"openid", "{\"userinfo\":{\"name\":{\"essential\":true}}}", "sub name updated_at", ""},
        {"openid", "{\"userinfo\":{\"email\":null}}", "sub email email_verified", ""},
        {"openid", "{\"id_token\":{\"email\":null}}", "sub email email_verified", " email"},
        {"openid", "{\"id_token\":{\"name\":null,\"email_verified\":null}}", "sub name updated_at email email_verified",
         " name email_verified"},
        {"openid", "{\"id_token\":{\"auth_time\":{\"essential\":true},\"acr\":{\"values\":[\"1\",\"2\"]}}}", "sub", ""},
        {"openid", "{\"userinfo\":{\"birthdate\":{\"essential\":true},\"x#de\":null},\"other\":7}", "sub", ""},
        {"openid", "{\"id_token\":{\"sub\":{\"value\":\"2001\"}}}", "sub", ""},
        {"openid", "{}", "sub", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str more = arena_printf(f.arena, "scope=%.*s&claims=%.*s", STR_ARG(encoded(str_of(rows[i].scope))),
                                STR_ARG(encoded(str_of(rows[i].claims))));
        str response = tokens_for(arena_cstr(f.arena, more));
        json_t *id = id_token(flow_member(&f, response, "id_token"), NULL);
        json_t *info = body_of(userinfo(flow_member(&f, response, "access_token")));
        str wanted = arena_printf(f.arena, "iss sub aud exp iat auth_time acr at_hash%s", rows[i].id_token);
        assert_string_equal(members_of(info), rows[i].userinfo);
        assert_string_equal(members_of(id), arena_cstr(f.arena, wanted));
        assert_string_equal(text_of(info, "sub"), text_of(id, "sub"));
        json_decref(id);
        json_decref(info);
    }
    flow_close(&f);
}

/* What is not known is left out; what administration knows is told. */
static void test_what_is_known(void **state) {
    (void)state;
    set_up();
    str response = tokens_for("scope=openid%20profile%20email");
    struct user user = {.user_id = f.seed.user_id, .email = S("ada@example.com"), .email_verified = true};
    flow_edit(&f, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &user, .now_ms = f.now_ms});
    json_t *info = body_of(userinfo(flow_member(&f, response, "access_token")));
    assert_string_equal(members_of(info), "sub email email_verified");
    assert_string_equal(text_of(info, "email"), "ada@example.com");
    assert_true(json_is_true(json_object_get(info, "email_verified")));
    json_decref(info);
    flow_close(&f);
}

/* ---- userinfo ---- */

/* s5.3.1: both methods, in the header or in a form; s5.3.3 and RFC 6750 s3.1: how it says no. */
static void test_userinfo_requests(void **state) {
    (void)state;
    set_up();
    str good = flow_member(&f, tokens_for("scope=openid"), "access_token");
    str plain = flow_member(&f, tokens_for("scope=oauth"), "access_token");
    str refresh_token = flow_member(&f, tokens_for("scope=openid"), "refresh_token");
    str dead = flow_member(&f, tokens_for("scope=openid"), "access_token");
    flow_form(&f, "token/revoke", FLOW_CONFIDENTIAL, "token=%.*s", STR_ARG(dead));
#define FORM "\nContent-Type: application/x-www-form-urlencoded\n"
    struct {
        const char *format;
        str token;
        int http;
        const char *said, *status; /* `said`: what WWW-Authenticate ends with */
    } rows[] = {
        {"GET /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", good, 200, "", ""},
        {"GET /oauth/userinfo\nAuthorization: bearer %.*s\n\n", good, 200, "", ""},
        {"POST /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", good, 200, "", ""},
        {"POST /oauth/userinfo\nAuthorization: Bearer %.*s" FORM "\n", good, 200, "", ""},
        {"POST /oauth/userinfo\nAuthorization: Bearer %.*s\nContent-Type: application/json\n\n{}", good, 200, "", ""},
        {"POST /oauth/userinfo" FORM "\naccess_token=%.*s", good, 200, "", ""},
        {"GET /oauth/userinfo?access_token=%.*s\n\n", good, 401, "invalid_token\"", "BAD_TOKEN"},
        {"POST /oauth/userinfo?access_token=%.*s" FORM "\n", good, 401, "invalid_token\"", "BAD_TOKEN"},
        {"POST /oauth/userinfo\nContent-Type: text/plain\n\naccess_token=%.*s", good, 415, "",
         "UNSUPPORTED_MEDIA_TYPE"},
        {"POST /oauth/userinfo" FORM "\naccess_token=x&access_token=%.*s", good, 400, "", "BAD_REQUEST"},
        {"POST /oauth/userinfo\nAuthorization: Bearer x" FORM "\naccess_token=%.*s", good, 400, "", "BAD_REQUEST"},
        {"GET /oauth/userinfo\nAuthorization: Basic %.*s\n\n", good, 401, "invalid_token\"", "BAD_TOKEN"},
        {"GET /oauth/userinfo\n\n%.*s", S(""), 401, "invalid_token\"", "BAD_TOKEN"},
        {"GET /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", refresh_token, 401, "invalid_token\"", "BAD_TOKEN"},
        {"GET /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", dead, 401, "invalid_token\"", "BAD_TOKEN"},
        {"GET /oauth/userinfo\nAuthorization: Bearer %.*s\n\n", plain, 403, "scope=\"openid\"",
         "BAD_SCOPES"}, /* SCOPE_INSUFFICIENT */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        str response = flow_send(&f, rows[i].format, STR_ARG(rows[i].token));
#pragma GCC diagnostic pop
        str said = run_text_header(response, S("WWW-Authenticate"));
        if (rows[i].http != 200) flow_must_refuse(&f, response, rows[i].http, rows[i].status);
        if (run_text_status(response) != rows[i].http) fail_msg("row %zu: %.*s", i, STR_ARG(response));
        size_t n = strlen(rows[i].said);
        if (said.n < n || !str_eq(str_from(said, said.n - n), str_of(rows[i].said)) || (said.n && !n))
            fail_msg("row %zu: %.*s", i, STR_ARG(said));
    }
    f.now_ms += 1800 * 1000;
    flow_must_refuse(&f, userinfo(good), 401, "BAD_TOKEN");
    flow_close(&f);
}

/* Every level of death is looked at. */
static void test_userinfo_of_a_disabled_person(void **state) {
    (void)state;
    set_up();
    str token = flow_member(&f, tokens_for("scope=openid"), "access_token");
    struct user user = {.user_id = f.seed.user_id, .email = S("ada@example.com"), .disabled_ms = 1};
    flow_edit(&f, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &user, .now_ms = f.now_ms});
    flow_must_refuse(&f, userinfo(token), 401, "BAD_TOKEN");
    flow_close(&f);
}

/* ---- requests ---- */

/* s3.1.2.6, s6, s7.2.1, s5.5; what is only a wish does no harm (s3.1.2.1, s15.1). */
static void test_requests(void **state) {
    (void)state;
    set_up();
    const char *deep = "scope=openid&claims=%7B%22a%22:%7B%22a%22:%7B%22a%22:%7B%22a%22:%7B%22a%22:%7B%22a%22:%7B%22a%"
                       "22:%7B%22a%22:%7B%7D"
                       "%7D%7D%7D%7D%7D%7D%7D%7D";
    char many[4100];
    memset(many, 'a', sizeof many);
    const char *longest = arena_cstr(
        f.arena, arena_printf(f.arena, "scope=openid&claims=%%7B%%22a%%22:%%22%.*s%%22%%7D", (int)sizeof many, many));
    struct {
        const char *more, *error;
    } rows[] = {
        {"scope=openid&request=eyJhbGciOiJub25lIn0.e30.", "request_not_supported"},            /* REQUEST_OBJECT */
        {"scope=openid&request_uri=https%3A%2F%2Fa.example%2Fr", "request_uri_not_supported"}, /* REQUEST_URI */
        {"scope=openid&registration=%7B%7D", "registration_not_supported"},                    /* REGISTRATION */
        {"scope=openid&response_mode=fragment", "invalid_request"},                            /* RESPONSE_MODE */
        {"scope=openid&response_mode=form_post", "invalid_request"},
        {"scope=openid&response_mode=query&response_type=code", ""},
        {"scope=openid&response_type=", "unsupported_response_type"},
        {"scope=oauth&response_type=", ""}, /* HubSpot's clients */
        {"scope=openid&response_type=id_token", "unsupported_response_type"},
        {"scope=openid&response_type=code%20id_token", "unsupported_response_type"},
        {"scope=openid&max_age=-1", "invalid_request"},
        {"scope=openid&max_age=soon", "invalid_request"},
        {"scope=openid&max_age=0", ""},
        {"scope=openid&max_age=1", ""},
        {"scope=openid&max_age=2147483647", ""},
        {"scope=openid&max_age=2147483648", "invalid_request"},
        {"scope=openid&prompt=none", ""},
        {"scope=openid&prompt=none%20login", "invalid_request"},
        {"scope=openid&prompt=login%20consent", ""},
        {"scope=openid&claims=x", "invalid_request"}, /* CLAIMS_MALFORMED */
        {"scope=openid&claims=%5B%5D", "invalid_request"},
        {"scope=openid&claims=%7B%22userinfo%22%3A%5B%5D%7D", "invalid_request"},
        {"scope=openid&claims=%7B%22userinfo%22%3A%7B%22name%22%3Atrue%7D%7D", "invalid_request"},
        {"scope=openid&claims=%7B%22userinfo%22%3A%7B%7D%2C%22userinfo%22%3A%7B%7D%7D", "invalid_request"},
        {"scope=openid&claims=%7B%22userinfo%22%3Anull%7D", ""},
        {"scope=oauth&claims=x", ""}, /* means nothing without openid */
        {deep, "invalid_request"},
        {longest, "invalid_request"},
        {"scope=openid&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%2277%22%7D%7D%7D", "login_required"},
        {"scope=openid&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22x%22%7D%7D%7D",
         "login_required"}, /* PERSON_UNKNOWN */
        {"scope=openid&display=popup&acr_values=1%202&claims_locales=de&ui_locales=de&login_hint=x&extra=y", ""},
        {"scope=openid&id_token_hint=x", ""},
        {"scope=openid&id_token_hint=x&prompt=none", "login_required"},
        {"scope=openid&nonce=a&nonce=b", "invalid_request"},
        {"scope=profile%20openid", ""},
        {"scope=openid%20address", "invalid_scope"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str response = ask(str_of(rows[i].more));
        if (!str_eq(flow_location_param(&f, response, "error"), str_of(rows[i].error)) ||
            (flow_location_param(&f, response, "code").n > 0) != (*rows[i].error == '\0'))
            fail_msg("%s: %.*s", rows[i].more, STR_ARG(response));
        assert_true(str_eq(flow_location_param(&f, response, "state"), S("st")));
    }
    flow_close(&f);
}

/* ---- people ---- */

static struct tab tab;

static bool is_on_sign_in(void) { return tab_shows(&tab, S("name=\"password\"")); }

/* Follows the answer of a form into a page of ours. */
static str follow(str response) { return tab_get(&tab, run_text_header(response, S("Location"))); }

/* With a session, and a consent of the confidential app for openid. Returns the tokens. */
static str sign_in_once(void) {
    tab_open(&tab, &f);
    f.instance.settings.remember_consent = true;
    tab_get(&tab, request(FLOW_CONFIDENTIAL, S("scope=openid&nonce=1")));
    follow(tab_sign_in(&tab));
    str response = tab_post(&tab, "/oauth/consent", "action=allow");
    tab_must_go_back(&tab, response, "");
    return redeem(FLOW_CONFIDENTIAL, flow_location_param(&f, response, "code"));
}

static str go(str more) { return tab_get(&tab, request(FLOW_CONFIDENTIAL, more)); }

/* s3.1.2.1: a sign-in that is too old is asked for anew, once; the new one counts. */
static void test_max_age(void **state) {
    (void)state;
    sign_in_once();
    f.now_ms += 100000;
    tab_must_go_back(&tab, go(S("scope=openid&max_age=10000")), "");
    tab_must_go_back(&tab, go(S("scope=openid&max_age=100")), "");
    tab_must_go_back(&tab, go(S("scope=openid&prompt=none&max_age=99")), "login_required");
    tab_must_go_back(&tab, go(S("scope=openid&prompt=none&max_age=0")), "login_required");
    const char *const rows[] = {"scope=openid&max_age=99", "scope=openid&max_age=0", "scope=openid&prompt=login",
                                "scope=openid&max_age=1&prompt=login"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        f.now_ms += 100000;
        assert_int_equal(run_text_status(go(str_of(rows[i]))), 200);
        assert_true(is_on_sign_in());
        str back = follow(tab_sign_in(&tab));
        tab_must_go_back(&tab, back, "");
        str tokens = redeem(FLOW_CONFIDENTIAL, flow_location_param(&f, back, "code"));
        json_t *said = id_token(flow_member(&f, tokens, "id_token"), NULL);
        assert_int_equal(number_of(said, "auth_time"), f.now_ms / 1000);
        json_decref(said);
    }
    flow_close(&f);
}

static void create_bob(void) {
    struct user user = {.user_id = 2002, .email = S("bob@example.com")};
    flow_edit(&f, &(struct edit){.kind = EDIT_USER_CREATE, .user = &user, .now_ms = f.now_ms});
}

static str kid_of(str token) {
    struct jose_jwt jwt;
    json_decref(id_token(token, &jwt));
    return jwt.kid;
}

/* s3.1.2.1: an ID token that is over, and whose key signs no longer, still tells who is meant. norm: D08 */
static void test_id_token_hint(void **state) {
    (void)state;
    str hint = flow_member(&f, sign_in_once(), "id_token");
    str silent = arena_printf(f.arena, "scope=openid&prompt=none&id_token_hint=%.*s", STR_ARG(hint));
    tab_must_go_back(&tab, go(silent), "");
    f.now_ms += 3000 * 1000;
    struct key_store store = instance_key_store(&f.instance);
    bool made = false;
    assert_true(rc_ok(keys_rotate(&store, KEY_RS256, clock_now_ms(), clock_now_ms(), &made)) && made);
    create_bob(); /* the snapshot is made anew */
    str back = go(silent);
    tab_must_go_back(&tab, back, "");
    str tokens = redeem(FLOW_CONFIDENTIAL, flow_location_param(&f, back, "code"));
    assert_false(str_eq(kid_of(flow_member(&f, tokens, "id_token")), kid_of(hint)));
    flow_close(&f);
}

/* What is no ID token of ours for this app means nobody, and without a page it cannot be found out who is meant. */
static void test_void_hints(void **state) {
    (void)state;
    str tokens = sign_in_once(), hint = flow_member(&f, tokens, "id_token"), forged = arena_copy(f.arena, hint);
    ((char *)(uintptr_t)forged.p)[forged.n - 10] ^= 1;
    set_flags(APP_JWT);
    f.now_ms += 1000;
    str refreshed = flow_refresh(&f, FLOW_CONFIDENTIAL, flow_member(&f, tokens, "refresh_token"));
    const str rows[] = {S("x"), S("a.b.c"), forged, flow_member(&f, refreshed, "access_token")};
    for (size_t i = 0; i < COUNT(rows); i++) {
        str loud = arena_printf(f.arena, "scope=openid&id_token_hint=%.*s", STR_ARG(rows[i]));
        tab_must_go_back(&tab, go(loud), "");
        tab_must_go_back(&tab, go(arena_printf(f.arena, "%.*s&prompt=none", STR_ARG(loud))), "login_required");
    }
    str of_another =
        tab_get(&tab, request(FLOW_PUBLIC,
                              arena_printf(f.arena,
                                           "scope=openid&prompt=none&id_token_hint=%.*s&code_challenge=" FLOW_CHALLENGE
                                           "&code_challenge_method=S256",
                                           STR_ARG(hint))));
    tab_must_go_back(&tab, of_another, "login_required");
    flow_close(&f);
}

/* s3.1.2.2: nobody gets the tokens of somebody else, whoever is signed in. */
static void test_another_person_is_meant(void **state) {
    (void)state;
    str hint = flow_member(&f, sign_in_once(), "id_token");
    create_bob();
    str bob = S("scope=openid&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%222002%22%7D%7D%7D");
    tab_must_go_back(&tab, go(arena_printf(f.arena, "%.*s&prompt=none", STR_ARG(bob))), "login_required");
    assert_int_equal(run_text_status(go(bob)), 200);
    assert_true(is_on_sign_in());
    assert_int_equal(run_text_status(follow(tab_sign_in(&tab))), 200); /* as the wrong one again */
    assert_true(is_on_sign_in());
    str both = arena_printf(f.arena, "%.*s&id_token_hint=%.*s", STR_ARG(bob), STR_ARG(hint));
    tab_must_go_back(&tab, go(both), "login_required"); /* two that differ mean nobody */
    f.instance.settings.auto_approve = true;
    f.instance.settings.auto_user_id = 2002;
    str me = arena_printf(f.arena, "scope=openid&id_token_hint=%.*s", STR_ARG(hint));
    tab_must_go_back(&tab, go(me), "login_required");
    flow_close(&f);
}

/* The page of consent names what a claim would give, and no is no. */
static void test_a_claim_is_asked_for(void **state) {
    (void)state;
    tab_open(&tab, &f);
    go(S("scope=openid&claims=%7B%22userinfo%22%3A%7B%22email%22%3Anull%7D%7D"));
    follow(tab_sign_in(&tab));
    assert_true(str_eq(tab_field(&tab, "scope"), S("email")));
    str response = tab_post(&tab, "/oauth/consent", "action=allow");
    str tokens = redeem(FLOW_CONFIDENTIAL, flow_location_param(&f, response, "code"));
    json_t *info = body_of(userinfo(flow_member(&f, tokens, "access_token")));
    assert_string_equal(members_of(info), "sub");
    json_decref(info);
    flow_close(&f);
}

/* ---- signing out ---- */

static bool is_signed_in(void) {
    str response = tab_get(&tab, S("/oauth/connected-apps"));
    return run_text_status(response) == 200;
}

enum logout_ends { BACK_AT_APP, QUESTION, DONE, WRONG };

static enum logout_ends logout(str query) {
    str response = tab_get(&tab, arena_printf(f.arena, "/oauth/logout?%.*s", STR_ARG(query)));
    str location = run_text_header(response, S("Location"));
    if (run_text_status(response) == 400) return WRONG;
    if (str_starts_with(location, S("http://"))) return BACK_AT_APP;
    if (location.n) return str_eq(location, S("/oauth/sign-out")) ? DONE : WRONG;
    assert_true(tab_shows(&tab, S("action=\"/oauth/logout\"")));
    return QUESTION;
}

/* RP-Initiated Logout s2, s3: nobody is sent to an address that the app did not register, and nobody is signed out by somebody else's link. norm: X10 */
static void test_logout(void **state) {
    (void)state;
    str hint = flow_member(&f, sign_in_once(), "id_token");
    str foreign = arena_copy(f.arena, hint), client_id = f.seed.apps[FLOW_CONFIDENTIAL].client_id;
    ((char *)(uintptr_t)foreign.p)[foreign.n - 10] ^= 1;
    str uri = encoded(S(SIGNED_OUT)), public_id = f.seed.apps[FLOW_PUBLIC].client_id;
#define WITH(format, ...) arena_printf(f.arena, format, __VA_ARGS__)
    const struct {
        str query;
        enum logout_ends signed_in, signed_out;
    } rows[] = {
        {S(""), QUESTION, DONE},
        {S("state=x"), QUESTION, DONE},
        {WITH("id_token_hint=%.*s", STR_ARG(foreign)), QUESTION, DONE},
        {WITH("client_id=%.*s", STR_ARG(client_id)), QUESTION, DONE},
        {WITH("client_id=%.*s&post_logout_redirect_uri=%.*s", STR_ARG(client_id), STR_ARG(uri)), QUESTION, BACK_AT_APP},
        {WITH("id_token_hint=%.*s&client_id=%.*s&post_logout_redirect_uri=%.*s", STR_ARG(foreign), STR_ARG(client_id),
              STR_ARG(uri)),
         QUESTION, BACK_AT_APP},
        {WITH("post_logout_redirect_uri=%.*s", STR_ARG(uri)), WRONG, WRONG}, /* LOGOUT_REDIRECT_URI */
        {WITH("id_token_hint=%.*s&post_logout_redirect_uri=%.*s", STR_ARG(foreign), STR_ARG(uri)), WRONG, WRONG},
        {WITH("id_token_hint=%.*s&post_logout_redirect_uri=%.*s/x", STR_ARG(hint), STR_ARG(uri)), WRONG, WRONG},
        {WITH("id_token_hint=%.*s&post_logout_redirect_uri=%.*s%%3Fa=b", STR_ARG(hint), STR_ARG(uri)), WRONG, WRONG},
        {WITH("id_token_hint=%.*s&post_logout_redirect_uri=" BACK, STR_ARG(hint)), WRONG, WRONG},
        {WITH("id_token_hint=%.*s&client_id=%.*s", STR_ARG(hint), STR_ARG(public_id)), WRONG,
         WRONG}, /* LOGOUT_CLIENT */
        {S("client_id=nobody"), WRONG, WRONG},
        {S("state=a&state=b"), WRONG, WRONG},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (logout(rows[i].query) != rows[i].signed_in) fail_msg("row %zu: %.*s", i, STR_ARG(tab.page));
    assert_true(is_signed_in());
    str all = WITH("id_token_hint=%.*s&client_id=%.*s&post_logout_redirect_uri=%.*s&state=a%%26b", STR_ARG(hint),
                   STR_ARG(client_id), STR_ARG(uri));
    f.now_ms += 3000 * 1000; /* the ID token is over */
    str response = tab_get(&tab, WITH("/oauth/logout?%.*s", STR_ARG(all)));
    assert_int_equal(run_text_status(response), 302);
    assert_true(str_eq(run_text_header(response, S("Location")), S(SIGNED_OUT "?state=a%26b")));
    assert_false(is_signed_in());
    for (size_t i = 0; i < COUNT(rows); i++)
        if (logout(rows[i].query) != rows[i].signed_out) fail_msg("row %zu: %.*s", i, STR_ARG(tab.page));
    flow_close(&f);
}

/* The question: yes, no, and what is nobody's form. An app's POST comes without cookies, so it begins again as a GET. norm: X11 X12 */
static void test_logout_page(void **state) {
    (void)state;
    sign_in_once();
    str query = WITH("client_id=%.*s&post_logout_redirect_uri=%.*s&state=7",
                     STR_ARG(f.seed.apps[FLOW_CONFIDENTIAL].client_id), STR_ARG(encoded(S(SIGNED_OUT))));
    str posted = flow_send(&f, "POST /oauth/logout" FORM "\n%.*s&lang=de", STR_ARG(query));
    assert_int_equal(run_text_status(posted), 303);
    assert_int_equal(run_text_status(follow(posted)), 200);
    assert_true(tab_shows(&tab, S("Dev confidential app")));
    str policy = run_text_header(tab.page, S("Content-Security-Policy"));
    assert_true(str_find(policy, '3') < policy.n); /* localhost:3000, where the form may lead */
    assert_int_equal(run_text_status(tab_post_from(&tab, "/oauth/logout", "https://evil.example",
                                                   tab_field(&tab, "csrf"), "action=sign_out")),
                     400);
    assert_int_equal(run_text_status(follow(posted)), 200);
    assert_int_equal(
        run_text_status(tab_post_from(&tab, "/oauth/logout", "https://auth.example", S("x"), "action=sign_out")), 400);
    follow(posted);
    struct tab other = tab;
    assert_int_equal(run_text_status(tab_post(&other, "/oauth/sign-out", "action=sign_out")),
                     400); /* a form of another step */
    str stays = tab_post(&tab, "/oauth/logout", "action=cancel");
    assert_true(str_eq(run_text_header(stays, S("Location")), S("/oauth/connected-apps")));
    assert_true(is_signed_in());
    follow(posted);
    str leaves = tab_post(&tab, "/oauth/logout", "action=sign_out");
    assert_int_equal(run_text_status(leaves), 303);
    assert_true(str_eq(run_text_header(leaves, S("Location")), S(SIGNED_OUT "?state=7")));
    assert_false(is_signed_in());
    flow_close(&f);
}

/* The session that is asked about is the one that ends, and no other. */
static void test_logout_of_another_session(void **state) {
    (void)state;
    str hint = flow_member(&f, sign_in_once(), "id_token");
    logout(S(""));
    struct tab before = tab;
    go(S("scope=openid&prompt=login"));
    follow(tab_sign_in(&tab));
    before.names[0] = tab.names[0];
    memcpy(before.names, tab.names, sizeof tab.names);
    memcpy(before.values, tab.values, sizeof tab.values);
    tab_post(&before, "/oauth/logout", "action=sign_out");
    assert_true(is_signed_in());
    struct user user = {.user_id = f.seed.user_id, .email = S("ada@example.com"), .disabled_ms = 1};
    flow_edit(&f, &(struct edit){.kind = EDIT_USER_UPDATE, .user = &user, .now_ms = f.now_ms});
    assert_int_equal(logout(WITH("id_token_hint=%.*s", STR_ARG(hint))), DONE);
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_token),
        cmocka_unit_test(test_refreshing),
        cmocka_unit_test(test_without_openid),
        cmocka_unit_test(test_es256),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_what_is_known),
        cmocka_unit_test(test_userinfo_requests),
        cmocka_unit_test(test_userinfo_of_a_disabled_person),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_max_age),
        cmocka_unit_test(test_id_token_hint),
        cmocka_unit_test(test_void_hints),
        cmocka_unit_test(test_another_person_is_meant),
        cmocka_unit_test(test_a_claim_is_asked_for),
        cmocka_unit_test(test_logout),
        cmocka_unit_test(test_logout_page),
        cmocka_unit_test(test_logout_of_another_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
