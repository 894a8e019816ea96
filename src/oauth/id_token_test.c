/* ID tokens by themselves; whole flows are in tests/flow. */
#include "id_token.h"

#include "claims.h"
#include "kit_rows_test.h"
#include "random.h"

/* OpenID Connect Core A.3 and A.4. */
static void test_at_hash(void **state) {
    (void)state;
    char hash[AT_HASH_CHARS];
    at_hash(S("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), hash);
    assert_memory_equal(hash, "77QmUPtjPfzWtF2AnpK9RQ", AT_HASH_CHARS);
}

static struct oauth_call call_of(struct kit *k) {
    return (struct oauth_call){
        .env = {.now_ms = k->now_ms, .registry = &k->registry, .signers = &k->signers, .settings = &k->settings},
        .arena = k->arena,
        .app = &k->apps[APP_CONF],
    };
}

static str make(const struct oauth_call *c) {
    struct access_token access = {
        .kind = ACCESS_OF_GRANT, .user_id = KIT_USER, .issued_ms = KIT_NOW_MS, .expires_ms = KIT_NOW_MS + 1000};
    return id_token_make(c,
                         &(struct id_token){.access = &access, .access_text = S("gda_x"), .auth_time_ms = KIT_NOW_MS});
}

static void test_a_hint_is_read_again(void **state) {
    static struct kit k;
    struct id_token_hint hint = {.user_id = 0};
    (void)state;
    kit_open(&k);
    k.apps[APP_CONF].flags |= APP_ID_TOKEN_ES256; /* the kit has no RSA key */
    struct oauth_call c = call_of(&k);
    str token = make(&c);
    assert_true(token.n > 0);
    assert_true(id_token_hint_read(&c, token, &hint));
    assert_int_equal(hint.user_id, KIT_USER);
    assert_ptr_equal(hint.app, &k.apps[APP_CONF]);
    for (size_t i = 0; i < token.n; i++) { /* norm: E61 */
        char *changed = arena_cstr(k.arena, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(id_token_hint_read(&c, (str){changed, token.n}, &hint));
    }
    k.settings.issuer = S("https://other.example");
    assert_false(id_token_hint_read(&c, token, &hint));
    k.settings.issuer = S(KIT_ISSUER);
    k.signers.keys.n = 0; /* its key is no longer published */
    assert_false(id_token_hint_read(&c, token, &hint));
    k.signers.keys.n = 1;
    kit_close(&k);
}

/* Tokens of the same key that are no ID tokens of ours: by their type, their issuer, their audience or their subject. */
static void test_what_is_no_id_token(void **state) {
    static struct kit k;
    struct id_token_hint hint;
    (void)state;
    kit_open(&k);
    struct oauth_call c = call_of(&k);
    const struct jose_key *key = k.signers.current[JOSE_ES256];
    static const struct {
        const char *typ, *payload;
        bool good;
    } rows[] = {
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\",\"aud\":\"conf\"}", true},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\",\"aud\":[\"conf\"]}", true},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\",\"aud\":[\"conf\",\"other\"]}", false},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\"}", false},
        {"at+jwt", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\",\"aud\":\"conf\"}", false},
        {"", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"99\",\"aud\":\"conf\"}", false},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "/\",\"sub\":\"99\",\"aud\":\"conf\"}", false},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"sub\":\"conf\",\"aud\":\"conf\"}", false},
        {"JWT", "{\"iss\":\"" KIT_ISSUER "\",\"aud\":\"conf\"}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str token = jose_sign(key, str_of(rows[i].typ), str_of(rows[i].payload), k.arena);
        if (id_token_hint_read(&c, token, &hint) != rows[i].good) fail_msg("row %zu", i);
    }
    kit_close(&k);
}

static void test_without_a_key(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct oauth_call c = call_of(&k);
    assert_int_equal(make(&c).n, 0); /* RS256 */
    kit_close(&k);
}

static void test_claims_by_name(void **state) {
    enum claim claim;
    (void)state;
    for (unsigned i = 0; i < CLAIMS; i++) assert_true(claim_named(claim_rows[i].name, &claim) && claim == i);
    assert_false(claim_named(S("sub"), &claim));
    assert_false(claim_named(S("Name"), &claim));
    assert_false(claim_named(S(""), &claim));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_hash),
        cmocka_unit_test(test_a_hint_is_read_again),
        cmocka_unit_test(test_what_is_no_id_token),
        cmocka_unit_test(test_without_a_key),
        cmocka_unit_test(test_claims_by_name),
    };
    return crypto_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
