/* What tokens carry, and that nothing else opens as one: round trips, bounds, every byte changed, every kind for every other. */
#include "tokens.h"

#include "b64.h"

#include "kit_rows_test.h"
#include "scopes.h"

static struct oauth_env env_of(struct kit *k) {
    static uint8_t random[OAUTH_RANDOM_BYTES];
    for (size_t i = 0; i < sizeof random; i++) random[i] = (uint8_t)(i + 1);
    return (struct oauth_env){
        .now_ms = k->now_ms, .registry = &k->registry, .keyring = &k->ring, .settings = &k->settings, .random = random};
}

static struct code a_code(struct kit *k, size_t nonce_n, size_t n_scopes) {
    static char nonce[OIDC_NONCE_MAX];
    struct scope_set scopes = {.n = 0};
    memset(nonce, 'n', sizeof nonce);
    for (size_t i = 0; i < n_scopes; i++) assert_true(scope_set_add(&scopes, (uint16_t)(i + 1)));
    struct code code = {.app_id = INT32_MAX,
                        .hub_id = 1,
                        .user_id = INT32_MAX - 1,
                        .issued_ms = KIT_NOW_MS,
                        .expires_ms = KIT_NOW_MS + CODE_TTL_MAX_S * 1000,
                        .auth_time_ms = KIT_NOW_MS - 7,
                        .redirect_uri_sent = true,
                        .has_challenge = true,
                        .nonce = {nonce, nonce_n},
                        .scopes = scopes_encode(k->arena, &scopes)};
    memset(code.grant_id.b, 0xA5, GRANT_ID_BYTES);
    memset(code.challenge, 0x5A, SHA256_BYTES);
    redirect_hash(S("https://app.example/cb"), code.redirect_hash);
    return code;
}

static bool codes_equal(const struct code *a, const struct code *b) {
    return memcmp(a->grant_id.b, b->grant_id.b, GRANT_ID_BYTES) == 0 && a->app_id == b->app_id &&
           a->hub_id == b->hub_id && a->user_id == b->user_id && a->issued_ms == b->issued_ms &&
           a->expires_ms == b->expires_ms && a->auth_time_ms == b->auth_time_ms &&
           a->redirect_uri_sent == b->redirect_uri_sent && a->has_challenge == b->has_challenge &&
           memcmp(a->redirect_hash, b->redirect_hash, REDIRECT_HASH_BYTES) == 0 &&
           memcmp(a->challenge, b->challenge, SHA256_BYTES) == 0 && str_eq(a->nonce, b->nonce) &&
           str_eq(a->scopes, b->scopes);
}

/* norm: R12 X18 */
static void test_codes(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct oauth_env env = env_of(&k);
    static const struct {
        size_t nonce_n, n_scopes;
        bool sent, challenge;
    } cases[] = {
        {0, 1, false, false}, {0, 1, true, true}, {1, 3, true, false}, {OIDC_NONCE_MAX, SCOPE_SET_MAX, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct code code = a_code(&k, cases[i].nonce_n, cases[i].n_scopes), opened;
        code.redirect_uri_sent = cases[i].sent;
        code.has_challenge = cases[i].challenge;
        if (!code.has_challenge) memset(code.challenge, 0, SHA256_BYTES);
        str text = code_seal(&env, k.arena, &code);
        assert_true(text.n <= TOKEN_TEXT_MAX);
        assert_true(code_open(&env, k.arena, text, &opened));
        assert_true(codes_equal(&code, &opened));
    }
    kit_close(&k);
}

static void test_access_tokens(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct oauth_env env = env_of(&k);
    for (int kind = ACCESS_OF_GRANT; kind <= ACCESS_OF_CLIENT; kind++) {
        struct access_token token = {.kind = (enum access_kind)kind,
                                     .app_id = 1,
                                     .hub_id = 2,
                                     .user_id = INT32_MAX,
                                     .issued_ms = KIT_NOW_MS,
                                     .expires_ms = KIT_NOW_MS + 86400000},
                            opened;
        for (uint16_t id = 1; id <= SCOPE_SET_MAX; id++) assert_true(scope_set_add(&token.scopes, id));
        if (kind == ACCESS_OF_GRANT) memset(token.grant_id.b, 7, GRANT_ID_BYTES);
        str text = access_seal(&env, k.arena, &token);
        assert_true(text.n <= TOKEN_TEXT_MAX);
        assert_true(access_open(&env, k.arena, text, &opened));
        assert_memory_equal(opened.token_id, env.random + OAUTH_RANDOM_NONCE, TOKEN_ID_BYTES);
        assert_memory_equal(opened.grant_id.b, token.grant_id.b, GRANT_ID_BYTES);
        assert_int_equal(opened.kind, token.kind);
        assert_true(opened.app_id == 1 && opened.hub_id == 2 && opened.user_id == INT32_MAX);
        assert_true(opened.issued_ms == token.issued_ms && opened.expires_ms == token.expires_ms);
        assert_true(scope_set_equal(&opened.scopes, &token.scopes));
    }
    kit_close(&k);
}

/* An envelope of ours with another plaintext: a newer version, a kind that is not known, too few bytes. */
static void test_plaintexts_that_are_not_ours(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct oauth_env env = env_of(&k);
    static const uint8_t plain[] = {1, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t from = 0; from < 3; from++) {
        for (size_t n = 0; n + from <= sizeof plain; n++) {
            uint8_t sealed[sizeof plain + ENVELOPE_OVERHEAD];
            char text[TOKEN_TEXT_MAX];
            struct access_token access;
            struct code code;
            str said = {(const char *)plain + from, n}, body = {(char *)sealed, n + ENVELOPE_OVERHEAD};
            envelope_seal(k.ring.current, ENVELOPE_ACCESS, env.random, said, sealed);
            str token = {text, token_text_write(TOKEN_ACCESS, body, text)};
            assert_false(access_open(&env, k.arena, token, &access));
            envelope_seal(k.ring.current, ENVELOPE_CODE, env.random, said, sealed);
            token = (str){text, token_text_write(TOKEN_CODE, body, text)};
            assert_false(code_open(&env, k.arena, token, &code));
        }
    }
    kit_close(&k);
}

/* Rewrites the text of one kind as another: right prefix, right checksum, wrong inside. */
static str as_kind(struct kit *k, str token, enum token_kind from, enum token_kind to) {
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = 0;
    char *text = arena_alloc(k->arena, TOKEN_TEXT_MAX);
    assert_true(token_text_read(from, token, body, &n));
    return (str){text, token_text_write(to, (str){(const char *)body, n}, text)};
}

static void must_be_nothing(struct kit *k, str token) {
    unsigned changed = k->changed;
    assert_false(kit_is_active(k, token));
    assert_int_equal(kit_redeem(k, APP_CONF, token).refusal, REFUSAL_CODE_INVALID);
    assert_int_equal(kit_refresh(k, APP_CONF, token).refusal, REFUSAL_REFRESH_INVALID);
    assert_int_equal(kit_revoke(k, APP_CONF, token).a.http, 200);
    assert_int_equal(k->changed, changed);
}

/* norm: C13 N07 */
static void test_no_kind_passes_for_another(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    str tokens[TOKEN_KINDS] = {[TOKEN_ACCESS] = got.access,
                               [TOKEN_REFRESH] = got.refresh,
                               [TOKEN_CODE] = kit_code(&k, APP_CONF),
                               [TOKEN_SECRET] = k.secrets[APP_CONF]};
    for (int from = 0; from < TOKEN_KINDS; from++)
        for (int to = 0; to < TOKEN_KINDS; to++)
            if (from != to) must_be_nothing(&k, as_kind(&k, tokens[from], (enum token_kind)from, (enum token_kind)to));
    assert_true(kit_is_active(&k, got.access) && kit_is_active(&k, got.refresh));
    kit_close(&k);
}

static const char *const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* With a checksum that fits again, so that the envelope itself is what refuses. */
static str with_checksum(struct kit *k, str token, enum token_kind kind) {
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = 0;
    char *text = arena_alloc(k->arena, TOKEN_TEXT_MAX);
    str encoded = {token.p + TOKEN_PREFIX_BYTES, token.n - TOKEN_PREFIX_BYTES - TOKEN_CHECK_BYTES};
    if (!b64url_decode(encoded, body, &n)) return token;
    return (str){text, token_text_write(kind, (str){(const char *)body, n}, text)};
}

/* Each character changed, with and without a checksum that fits; cut short; made longer. norm: T20 F10 */
static void check_every_byte(struct kit *k, str token, enum token_kind kind) {
    for (size_t i = 0; i < token.n; i++) {
        char *changed = arena_alloc(k->arena, token.n);
        memcpy(changed, token.p, token.n);
        const char *at = strchr(alphabet, changed[i]);
        changed[i] = alphabet[((size_t)(at - alphabet) + 1 + i % 62) % 64];
        str other = {changed, token.n};
        assert_false(str_eq(other, token));
        must_be_nothing(k, other);
        if (i >= TOKEN_PREFIX_BYTES && i < token.n - TOKEN_CHECK_BYTES)
            must_be_nothing(k, with_checksum(k, other, kind));
        if (i) must_be_nothing(k, str_head(token, i));
    }
    must_be_nothing(k, arena_printf(k->arena, "%.*sA", STR_ARG(token)));
    must_be_nothing(k, arena_printf(k->arena, " %.*s", STR_ARG(token)));
    must_be_nothing(k, arena_printf(k->arena, "%.*s%.*s", STR_ARG(token), STR_ARG(token)));
}

static void test_every_byte_counts(void **state) {
    static struct kit k;
    (void)state;
    for (enum token_kind kind = TOKEN_ACCESS; kind <= TOKEN_CODE; kind++) {
        kit_open(&k);
        struct kit_tokens got = kit_install(&k, APP_CONF);
        str code = kit_code(&k, APP_CONF);
        check_every_byte(&k, kind == TOKEN_ACCESS ? got.access : kind == TOKEN_REFRESH ? got.refresh : code, kind);
        assert_true(kit_is_active(&k, got.access) && kit_is_active(&k, got.refresh));
        assert_int_equal(kit_refresh(&k, APP_CONF, got.refresh).refusal, REFUSAL_NONE);
        assert_int_equal(kit_redeem(&k, APP_CONF, code).refusal, REFUSAL_NONE);
        kit_close(&k);
    }
}

/* A token of another server with the same texts: other keys. norm: I08 */
static void test_foreign_keys(void **state) {
    static struct kit k;
    static const uint8_t others[RING_SECRET_BYTES] = {0xEE};
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    str code = kit_code(&k, APP_CONF);
    keyring_wipe(&k.ring);
    memset(&k.ring, 0, sizeof k.ring);
    assert_true(rc_ok(keyring_add(&k.ring, 1, 1, others)) && rc_ok(keyring_add(&k.ring, 2, 2, others)));
    for (size_t i = 0; i < KIT_APPS; i++) /* the secrets are the same */
        digest_mac(k.ring.by_number[1]->secret_hash, k.secrets[i], k.apps[i].secrets[0].hash, MAC_BYTES);
    must_be_nothing(&k, got.access);
    must_be_nothing(&k, got.refresh);
    must_be_nothing(&k, code);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_access_tokens),
        cmocka_unit_test(test_plaintexts_that_are_not_ours),
        cmocka_unit_test(test_no_kind_passes_for_another),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_foreign_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
