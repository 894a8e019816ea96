/* private_key_jwt, claim by claim and edge by edge. */
#include "kit_rows_test.h"
#include "random.h"

#include <stdlib.h>

#define TYPE     "client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
#define FORM     "grant_type=client_credentials&scope=oauth&"
#define NOW_S    (KIT_NOW_MS / 1000)
#define ENDPOINT KIT_ISSUER "/oauth/v3/token"

static struct jose_keys keys, other_keys;

static struct jose_key *make_key(enum jose_alg alg) {
    struct buf text = buf_growing(8192);
    struct jose_key *key = NULL;
    struct rc rc = jose_key_make(alg, S("client"), &text);
    if (rc_ok(rc)) rc = jose_key_open(alg, buf_str(&text), &key);
    assert_true(rc_ok(rc));
    buf_free(&text);
    return key;
}

static int make_keys(void **state) {
    (void)state;
    keys = (struct jose_keys){.n = 2, .keys = {make_key(JOSE_ES256), make_key(JOSE_RS256)}};
    other_keys = (struct jose_keys){.n = 1, .keys = {make_key(JOSE_ES256)}};
    return 0;
}

static int free_keys(void **state) {
    (void)state;
    jose_key_free(keys.keys[0]);
    jose_key_free(keys.keys[1]);
    jose_key_free(other_keys.keys[0]);
    return 0;
}

/* A set of one other key, with this name. */
static struct jose_keys *keys_named(const char *kid) {
    struct buf text = buf_growing(8192);
    struct jose_keys *set = calloc(1, sizeof *set);
    struct rc rc = jose_key_make(JOSE_ES256, str_of(kid), &text);
    if (rc_ok(rc)) rc = jose_key_open(JOSE_ES256, buf_str(&text), &set->keys[0]);
    assert_true(rc_ok(rc));
    set->n = 1;
    buf_free(&text);
    return set;
}

static void open_with_keys(struct kit *k) {
    kit_open(k);
    k->apps[APP_CONF].jwks = S("registered");
    k->apps[APP_CONF].keys = &keys;
}

static struct kit_answer send_as(struct kit *k, const char *client_id, str assertion) {
    return kit_post(k, &endpoint_token, FORM TYPE "&client_id=%s&client_assertion=%.*s", client_id, STR_ARG(assertion));
}

static struct kit_answer send(struct kit *k, str assertion) { return send_as(k, "conf", assertion); }

/* iat, exp and nbf are seconds from now; 0: left out. */
struct assertion {
    const char *name;
    const char *iss, *sub, *aud, *jti, *typ; /* aud as JSON */
    int64_t iat, exp, nbf;
    bool good;
};

static str write_assertion(struct kit *k, const struct assertion *a) {
    str times = {"", 0};
    const struct {
        const char *name;
        int64_t from_now;
    } rows[] = {{"iat", a->iat}, {"exp", a->exp}, {"nbf", a->nbf}};
    for (size_t i = 0; i < 3; i++)
        if (rows[i].from_now)
            times = arena_printf(k->arena, "%.*s\"%s\":%lld,", STR_ARG(times), rows[i].name,
                                 (long long)(NOW_S + rows[i].from_now));
    return arena_printf(k->arena, "{%.*s\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":%s,\"jti\":\"%s\"}", STR_ARG(times),
                        a->iss, a->sub, a->aud, a->jti);
}

#define ISSUER "\"" KIT_ISSUER "\""
#define GOOD   .iss = "conf", .sub = "conf", .aud = ISSUER, .jti = "1", .typ = "JWT", .iat = -1, .exp = 60

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
/* norm: E81 E83 P01 T09 T10 */
static void test_claims(void **state) {
    static struct kit k;
    (void)state;
    static const struct assertion rows[] = {
        {"good", GOOD, .good = true},
        {"named type", GOOD, .typ = "client-authentication+jwt", .good = true},
        {"no type", GOOD, .typ = "", .good = true},
        {"an access token", GOOD, .typ = "at+jwt"},
        {"for the token endpoint", GOOD, .aud = "\"" ENDPOINT "\"", .good = true},
        {"a list of one", GOOD, .aud = "[" ISSUER "]", .good = true},
        {"for somebody else as well", GOOD, .aud = "[" ISSUER ",\"https://evil.example\"]"},
        {"for another path", GOOD, .aud = "\"" KIT_ISSUER "/oauth/v3/token/revoke\""},
        {"for the issuer with a slash", GOOD, .aud = "\"" KIT_ISSUER "/\""},
        {"for somebody else", GOOD, .aud = "\"https://evil.example\""},
        {"for nobody", GOOD, .aud = "[]"},
        {"another issuer", GOOD, .iss = "other"},
        {"another subject", GOOD, .sub = "other"},
        {"no issuer", GOOD, .iss = ""},
        {"no jti", GOOD, .jti = ""},
        {"no exp", GOOD, .exp = 0},
        {"expired within the skew", GOOD, .exp = -29, .good = true},
        {"expired", GOOD, .exp = -30},
        {"the longest life", GOOD, .exp = 3630, .good = true},
        {"a longer life", GOOD, .exp = 3631},
        {"issued within the skew", GOOD, .iat = 30, .good = true},
        {"issued later", GOOD, .iat = 31},
        {"no iat", GOOD, .iat = 0, .good = true},
        {"not before within the skew", GOOD, .nbf = 30, .good = true},
        {"not yet", GOOD, .nbf = 31},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t key = 0; key < keys.n; key++) {
            print_message("  %s\n", rows[i].name);
            open_with_keys(&k);
            str assertion = jose_sign(keys.keys[key], str_of(rows[i].typ), write_assertion(&k, &rows[i]), k.arena);
            struct kit_answer answer = send(&k, assertion);
            assert_int_equal(answer.refusal, rows[i].good ? REFUSAL_NONE : REFUSAL_CLIENT_ASSERTION);
            kit_close(&k);
        }
    }
}

static const struct assertion good = {"good", GOOD};
#pragma GCC diagnostic pop

/* Once, at whatever endpoint; other ids, and the same id of another app, are other assertions. norm: T11 */
static void test_replay(void **state) {
    static struct kit k;
    (void)state;
    open_with_keys(&k);
    k.apps[APP_OTHER].jwks = S("registered");
    k.apps[APP_OTHER].keys = &keys;
    str payload = write_assertion(&k, &good);
    str first = jose_sign(keys.keys[0], S("JWT"), payload, k.arena);
    str again = jose_sign(keys.keys[0], S("JWT"), payload, k.arena); /* another signature, the same jti */
    assert_int_equal(send(&k, first).refusal, REFUSAL_NONE);
    assert_int_equal(send(&k, first).refusal, REFUSAL_CLIENT_ASSERTION);
    assert_int_equal(send(&k, again).refusal, REFUSAL_CLIENT_ASSERTION);
    struct kit_answer introspection =
        kit_post(&k, &endpoint_introspect, TYPE "&token=x&client_assertion=%.*s", STR_ARG(again));
    assert_int_equal(introspection.refusal, REFUSAL_CLIENT_ASSERTION);
    assert_int_equal(introspection.a.http, 401);
    kit_check_error(&k, &introspection, REFUSAL_CLIENT_ASSERTION, NULL);
    struct assertion another = good;
    another.iss = another.sub = "other";
    /* without client_id: the subject says it */
    assert_int_equal(send_as(&k, "", jose_sign(keys.keys[0], S("JWT"), write_assertion(&k, &another), k.arena)).refusal,
                     REFUSAL_NONE);
    another = good;
    another.jti = "2";
    assert_int_equal(send(&k, jose_sign(keys.keys[0], S("JWT"), write_assertion(&k, &another), k.arena)).refusal,
                     REFUSAL_NONE);
    assert_int_equal(k.last_change.expires_ms, KIT_NOW_MS + 90000); /* kept until nobody would take it anyway */
    kit_close(&k);
}

/* Nobody can use up somebody else's: what does not verify is not noted. */
static void test_only_good_ones_are_noted(void **state) {
    static struct kit k;
    (void)state;
    open_with_keys(&k);
    str payload = write_assertion(&k, &good);
    assert_int_equal(send(&k, jose_sign(other_keys.keys[0], S("JWT"), payload, k.arena)).refusal,
                     REFUSAL_CLIENT_ASSERTION);
    assert_int_equal(k.changed, 0);
    assert_int_equal(send(&k, jose_sign(keys.keys[0], S("JWT"), payload, k.arena)).refusal, REFUSAL_NONE);
    kit_close(&k);
}

/* One way alone: an app with keys has no secret, one with a secret has no keys, and nobody says both. norm: P08 A19 */
static void test_no_other_way(void **state) {
    static struct kit k;
    (void)state;
    open_with_keys(&k);
    str one = jose_sign(keys.keys[0], S("JWT"), write_assertion(&k, &good), k.arena);
    str secret = k.secrets[APP_CONF];
    struct kit_answer answer = kit_post(&k, &endpoint_token, FORM "client_id=conf&client_secret=%.*s", STR_ARG(secret));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
    answer = kit_post(&k, &endpoint_token, FORM "client_id=conf");
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
    answer = kit_post(&k, &endpoint_token, FORM "client_id=conf&client_assertion=%.*s", STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
    answer = kit_post(&k, &endpoint_token, FORM "client_id=conf&client_assertion_type=jwt&client_assertion=%.*s",
                      STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_id=conf");
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_secret=x&client_assertion=%.*s", STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_AUTH_TWICE);
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_id=other&client_assertion=%.*s", STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_AUTH); /* that app has a secret */
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_id=publ&client_assertion=%.*s", STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_AUTH); /* a public app proves nothing */
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_assertion=%s", "a.b.c");
    assert_int_equal(answer.refusal, REFUSAL_CLIENT_ID_MISSING);
    answer = kit_post(&k, &endpoint_token, FORM TYPE "&client_id=conf&client_assertion=%.*s", STR_ARG(one));
    assert_int_equal(answer.refusal, REFUSAL_NONE); /* none of that used it up */
    /* keys that could not be read prove nothing */
    k.apps[APP_CONF].keys = NULL;
    assert_int_equal(send(&k, one).refusal, REFUSAL_CLIENT_ASSERTION);
    kit_close(&k);
}

/* Nobody's signature, and the tricks with the header: see jose_test.c for the rest. norm: E61 */
static void test_forgeries(void **state) {
    static struct kit k;
    (void)state;
    open_with_keys(&k);
    str token = jose_sign(keys.keys[0], S("JWT"), write_assertion(&k, &good), k.arena);
    char *text = memcpy(arena_alloc(k.arena, token.n), token.p, token.n);
    for (size_t i = 0; i < token.n; i++) {
        text[i] = token.p[i] == 'A' ? 'B' : 'A';
        struct kit_answer answer =
            kit_post(&k, &endpoint_token, FORM TYPE "&client_id=conf&client_assertion=%.*s", (int)token.n, text);
        assert_int_equal(answer.refusal, REFUSAL_CLIENT_ASSERTION);
        text[i] = token.p[i];
    }
    assert_int_equal(k.changed, 0);
    kit_close(&k);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
/* Keys that the app publishes: had when they are needed, once more for a key that is new, and never for what is wrong already.
 * norm: P01 P08 T10 */
static void test_published(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        const char *name;
        const struct jose_keys *first, *second;
        const char *kid; /* of the keys that are published first; NULL: as it was signed */
        struct assertion assertion;
        enum refusal refusal;
        unsigned fetched;
    } rows[] = {
        {"known", &keys, NULL, NULL, {GOOD}, REFUSAL_NONE, 1},
        {"a key that is new", &other_keys, &keys, "older", {GOOD}, REFUSAL_NONE, 2},
        {"a key that is not there either", &other_keys, &other_keys, "older", {GOOD}, REFUSAL_CLIENT_ASSERTION, 2},
        {"of that name, and not the one", &other_keys, &keys, NULL, {GOOD}, REFUSAL_CLIENT_ASSERTION, 1},
        {"they cannot be had", NULL, NULL, NULL, {GOOD}, REFUSAL_CLIENT_KEYS, 1},
        {"they cannot be had again", &other_keys, NULL, "older", {GOOD}, REFUSAL_CLIENT_KEYS, 2},
        {"expired", &keys, NULL, NULL, {GOOD, .exp = -60}, REFUSAL_CLIENT_ASSERTION, 0},
        {"for another audience",
         &keys,
         NULL,
         NULL,
         {GOOD, .aud = "\"https://x.example\""},
         REFUSAL_CLIENT_ASSERTION,
         0},
        {"without a jti", &keys, NULL, NULL, {GOOD, .jti = ""}, REFUSAL_CLIENT_ASSERTION, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("  %s\n", rows[i].name);
        kit_open(&k);
        k.apps[APP_CONF].jwks_uri = S("https://conf.example/keys");
        struct jose_keys *older = rows[i].kid ? keys_named(rows[i].kid) : NULL;
        k.published[0] = older ? older : rows[i].first;
        k.published[1] = rows[i].second == &other_keys ? older : rows[i].second;
        str payload = write_assertion(&k, &rows[i].assertion);
        struct kit_answer answer = send(&k, jose_sign(keys.keys[0], S("JWT"), payload, k.arena));
        assert_int_equal(answer.refusal, rows[i].refusal);
        assert_int_equal(answer.a.http, rows[i].refusal ? refusal_row(rows[i].refusal)->http : 200);
        assert_int_equal(k.fetched, rows[i].fetched);
        assert_int_equal(k.changed, rows[i].refusal == REFUSAL_NONE);
        assert_true((answer.a.retry_after_s > 0) == (rows[i].refusal == REFUSAL_CLIENT_KEYS));
        /* and never by a secret */
        assert_int_equal(kit_token(&k, APP_CONF, FORM).refusal, REFUSAL_CLIENT_ASSERTION);
        jose_keys_free(older);
        kit_close(&k);
    }
}
#pragma GCC diagnostic pop

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_only_good_ones_are_noted),
        cmocka_unit_test(test_no_other_way),
        cmocka_unit_test(test_forgeries),
        cmocka_unit_test(test_published),
    };
    return crypto_start() ? cmocka_run_group_tests(tests, make_keys, free_keys) : 1;
}
