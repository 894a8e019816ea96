/* Access tokens as signed JWTs: what they say, that they are treated like opaque ones, and what is not taken for one. The deaths that they share
 * with opaque ones are in shown_test.c. */
#include "jwt_access.h"

#include "kit_rows_test.h"

static void open_jwt(struct kit *k) {
    kit_open(k);
    for (size_t i = 0; i < KIT_APPS; i++) k->apps[i].flags |= APP_JWT;
}

static struct jose_jwt verified(struct kit *k, str token) {
    struct jose_jwt jwt;
    assert_true(token.n <= TOKEN_TEXT_MAX);
    assert_true(jose_verify(&k->signers.keys, JOSE_BIT(JOSE_ES256), token, k->arena, &jwt));
    return jwt;
}

/* norm: E60 E61 E62 */
static void test_of_a_person(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct jose_jwt jwt = verified(&k, got.access);
    assert_true(str_eq(jwt.typ, S("at+jwt")) && str_eq(jwt.kid, S("ec-key")));
    assert_true(str_eq(jwt.iss, S(KIT_ISSUER)) && jwt.n_aud == 1 && str_eq(jwt.aud[0], S(KIT_ISSUER)));
    assert_true(str_eq(jwt.sub, S("99")) && str_eq(jwt.client_id, S("conf")) && jwt.hub_id == KIT_HUB);
    assert_true(jwt.iat_s == KIT_NOW_MS / 1000 && jwt.exp_s == KIT_NOW_MS / 1000 + 1800);
    assert_true(str_eq(jwt.scope, S("oauth crm.read")) && jwt.jti.n == 32);
    /* another one for the same grant has another jti, and neither shows the grant */
    struct kit_answer again = kit_refresh(&k, APP_CONF, got.refresh);
    struct jose_jwt other = verified(&k, kit_member(&again, "access_token"));
    assert_false(str_eq(jwt.jti, other.jti));
    assert_false(str_eq(str_from(jwt.jti, 8), str_from(other.jti, 8)));
    assert_true(kit_is_active(&k, got.access) && kit_is_active(&k, kit_member(&again, "access_token")));
    kit_close(&k);
}

/* norm: E63 */
static void test_of_an_app(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    struct jose_jwt jwt = verified(&k, kit_member(&own, "access_token"));
    assert_true(str_eq(jwt.sub, S("conf")) && str_eq(jwt.client_id, S("conf")) && jwt.hub_id == 0);
    struct kit_answer info = kit_introspect(&k, APP_CONF, kit_member(&own, "access_token"));
    assert_true(str_eq(kit_member(&info, "token_use"), S("client_credentials")));
    struct kit_answer bound = kit_token(&k, APP_BOUND, "grant_type=client_credentials&scope=oauth");
    assert_int_equal(verified(&k, kit_member(&bound, "access_token")).hub_id, KIT_HUB);
    kit_close(&k);
}

/* norm: V03 V06 */
static void test_revocation(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF), other = kit_install(&k, APP_CONF);
    struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    struct kit_answer own2 = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    assert_int_equal(kit_revoke(&k, APP_CONF, got.access).a.http, 200);
    assert_false(kit_is_active(&k, got.access));
    assert_true(kit_is_active(&k, got.refresh) && kit_is_active(&k, other.access));
    /* the next one, in the same millisecond, lives: times are exact although iat has seconds */
    struct kit_answer next = kit_refresh(&k, APP_CONF, got.refresh);
    assert_true(kit_is_active(&k, kit_member(&next, "access_token")));
    assert_false(kit_is_active(&k, got.access));
    assert_int_equal(kit_revoke(&k, APP_CONF, kit_member(&own, "access_token")).a.http, 200);
    assert_false(kit_is_active(&k, kit_member(&own, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&own2, "access_token")));
    assert_int_equal(kit_revoke(&k, APP_OTHER, other.access).refusal, REFUSAL_TOKEN_FOREIGN);
    assert_true(kit_is_active(&k, other.access));
    kit_close(&k);
}

/* Tokens that our own key signed and that are none of these: an ID token, another issuer's, without a grant. */
static void test_not_taken(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    str jti = verified(&k, kit_install(&k, APP_CONF).access).jti;
#define CLAIMS_FOR(aud, iss, sub, client, times)                                                                       \
    "{\"iss\":\"" iss "\",\"sub\":\"" sub "\",\"aud\":" aud ",\"client_id\":\"" client "\"," times "\"jti\":\"%.*s\"}"
#define CLAIMS(iss, sub, client, times) CLAIMS_FOR("\"" KIT_ISSUER "\"", iss, sub, client, times)
#define CLAIMS_OF(aud)                  CLAIMS_FOR(aud, KIT_ISSUER, "99", "conf", TIMES)
#define TIMES                           "\"iat\":1800000000,\"exp\":1800001800,"
    static const struct {
        const char *typ, *claims;
        bool good;
    } rows[] = {
        {"at+jwt", CLAIMS(KIT_ISSUER, "99", "conf", TIMES), true},
        {"JWT", CLAIMS(KIT_ISSUER, "99", "conf", TIMES), false}, /* norm: E60 */
        {"", CLAIMS(KIT_ISSUER, "99", "conf", TIMES), false},
        {"at+jwt", CLAIMS("https://other.example", "99", "conf", TIMES), false},
        {"at+jwt", CLAIMS(KIT_ISSUER, "99", "nobody", TIMES), false},
        {"at+jwt", CLAIMS(KIT_ISSUER, "ada", "conf", TIMES), false},
        {"at+jwt", CLAIMS(KIT_ISSUER, "99", "conf", "\"iat\":1800000000,"), false},
        {"at+jwt", CLAIMS(KIT_ISSUER, "99", "conf", "\"exp\":1800001800,"), false},
        /* norm: E62 */
        {"at+jwt", CLAIMS_OF("[\"" KIT_ISSUER "\"]"), true},
        {"at+jwt", CLAIMS_OF("\"https://api.example\""), true},
        {"at+jwt", CLAIMS_OF("[\"https://gone.example/\",\"urn:example:9\"]"), true},
        {"at+jwt", CLAIMS_OF("\"https://gone.example/\""), false}, /* never for every API instead */
        {"at+jwt", CLAIMS_OF("[]"), false},
        {"at+jwt", CLAIMS_OF("[\"" KIT_ISSUER "\",\"https://other.example\"]"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        str payload = arena_printf(k.arena, rows[i].claims, STR_ARG(jti));
#pragma GCC diagnostic pop
        str token = jose_sign(k.signers.current[JOSE_ES256], str_of(rows[i].typ), payload, k.arena);
        assert_int_equal(kit_is_active(&k, token), rows[i].good);
    }
    kit_close(&k);
}

/* Every changed character, and a key that is not ours any more. norm: I07 I08 */
static void test_forgeries(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    str token = kit_install(&k, APP_CONF).access;
    char *text = memcpy(arena_alloc(k.arena, token.n), token.p, token.n);
    for (size_t i = 0; i < token.n; i++) {
        text[i] = token.p[i] == 'A' ? 'B' : 'A';
        assert_false(kit_is_active(&k, (str){text, token.n}));
        text[i] = token.p[i];
    }
    assert_true(kit_is_active(&k, token));
    struct jose_keys keys = k.signers.keys;
    k.signers.keys.n = 0;
    assert_false(kit_is_active(&k, token));
    k.signers.keys = keys;
    kit_close(&k);
}

/* Whether the table of known signatures is there or not, and whether it knows this one, is not to be seen. norm: I07 I08 */
static void test_known_signatures(void **state) {
    static struct kit k, other;
    static struct jose_known known, before;
    (void)state;
    open_jwt(&k);
    open_jwt(&other);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct kit_answer without = kit_introspect(&k, APP_RS, got.access);
    k.known = &known;
    for (int i = 0; i < 2; i++) {
        struct kit_answer with = kit_introspect(&k, APP_RS, got.access);
        assert_true(str_eq(with.text, without.text));
    }
    /* one changed letter of what is known, anywhere, and nothing is learned from what was refused */
    before = known;
    char *text = memcpy(arena_alloc(k.arena, got.access.n), got.access.p, got.access.n);
    for (size_t i = 0; i < got.access.n; i++) {
        text[i] = got.access.p[i] == 'A' ? 'B' : 'A';
        assert_false(kit_is_active(&k, (str){text, got.access.n}));
        text[i] = got.access.p[i];
    }
    assert_memory_equal(&before, &known, sizeof known);
    assert_true(kit_is_active(&k, got.access));
    /* another key under the same id, and no key at all */
    struct jose_signers ours = k.signers;
    k.signers = other.signers;
    assert_false(kit_is_active(&k, got.access));
    k.signers.keys.n = 0;
    assert_false(kit_is_active(&k, got.access));
    k.signers = ours;
    assert_true(kit_is_active(&k, got.access));
    /* everything else is looked at anew each time */
    assert_int_equal(kit_revoke(&k, APP_CONF, got.access).a.http, 200);
    assert_false(kit_is_active(&k, got.access));
    str next = kit_install(&k, APP_CONF).access;
    assert_true(kit_is_active(&k, next));
    k.now_ms += 1800000;
    assert_false(kit_is_active(&k, next));
    kit_close(&other);
    kit_close(&k);
}

/* Nothing is longer than promised: what does not fit becomes an opaque token, and administration can say so before. */
static void test_length(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    const struct jose_key *key = k.signers.current[JOSE_ES256];
    str token = kit_install(&k, APP_CONF).access;
    size_t longest = jwt_access_longest(&k.registry, S(KIT_ISSUER), key, &k.apps[APP_CONF]);
    assert_true(token.n <= longest && longest <= TOKEN_TEXT_MAX);
    char issuer[200] = "https://";
    memset(issuer + 8, 'a', sizeof issuer - 8);
    k.settings.issuer = (str){issuer, sizeof issuer};
    assert_true(jwt_access_longest(&k.registry, k.settings.issuer, key, &k.apps[APP_CONF]) > TOKEN_TEXT_MAX);
    str opaque = kit_install(&k, APP_CONF).access;
    assert_true(str_starts_with(opaque, S("gda_")) && kit_is_active(&k, opaque));
    /* the bound is what is reached, not a guess: every length of issuer up to it fits */
    for (size_t n = 9; n < sizeof issuer; n++) {
        k.settings.issuer = (str){issuer, n};
        bool fits = jwt_access_longest(&k.registry, k.settings.issuer, key, &k.apps[APP_CONF]) <= TOKEN_TEXT_MAX;
        str text = kit_install(&k, APP_CONF).access;
        assert_true(text.n <= TOKEN_TEXT_MAX && (!fits || str_starts_with(text, S("eyJ"))));
        k.n_grants = 0;
    }
    kit_close(&k);
}

/* The room that contract.md promises: 78 characters for twice the issuer and the scope names. */
static void test_room(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    struct app app = {.client_id = S("6f1c0e5d-0000-4000-8000-000000000000"),
                      .grants = APP_GRANT_CODE | APP_GRANT_REFRESH};
    const struct jose_key *key = k.signers.current[JOSE_ES256];
    char name[40];
    memset(name, 's', sizeof name);
    assert_true(scope_set_add(&app.scopes, 1));
    k.scopes[0].name = (str){name, 28};
    assert_true(jwt_access_longest(&k.registry, S("https://login.example.com"), key, &app) <= TOKEN_TEXT_MAX);
    k.scopes[0].name = (str){name, 29};
    assert_true(jwt_access_longest(&k.registry, S("https://login.example.com"), key, &app) > TOKEN_TEXT_MAX);
    kit_close(&k);
}

/* Without a key to sign with nothing is refused. */
static void test_without_a_key(void **state) {
    static struct kit k;
    (void)state;
    open_jwt(&k);
    k.signers.current[JOSE_ES256] = NULL;
    assert_true(str_starts_with(kit_install(&k, APP_CONF).access, S("gda_")));
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_person),
        cmocka_unit_test(test_of_an_app),
        cmocka_unit_test(test_revocation),
        cmocka_unit_test(test_not_taken),
        cmocka_unit_test(test_forgeries),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_without_a_key),
        cmocka_unit_test(test_known_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
