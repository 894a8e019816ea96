/* Tokens that are shown: introspection, revocation, the v1 paths, uninstall. */
#include "kit_rows_test.h"

#define DAY_MS INT64_C(86400000)

static void disable_conf(struct kit *k) { k->apps[APP_CONF].flags |= APP_DISABLED; }
static void delete_conf(struct kit *k) { k->apps[APP_CONF].flags |= APP_DELETED; }
static void disable_user(struct kit *k) { k->user_disabled = true; }
static void remove_user(struct kit *k) { k->user_missing = true; }
static void remove_member(struct kit *k) { k->not_a_member = true; }
static void disable_account(struct kit *k) { k->account_disabled = true; }
static void remove_account(struct kit *k) { k->account_missing = true; }
static void revoke_grant(struct kit *k) { k->grants[0].revoked_ms = k->now_ms; }
static void forget_grants(struct kit *k) { k->n_grants = 0; }
static void end_grant(struct kit *k) { k->grants[0].expires_ms = k->now_ms; }
static void not_before(struct kit *k) { k->grants[0].access_not_before_ms = k->now_ms; }
static void not_before_a_past(struct kit *k) { k->grants[0].access_not_before_ms = k->now_ms - 1; }
static void raise_generation(struct kit *k) { k->grants[0].generation = 1; }
static void nothing(struct kit *k) { (void)k; }
static void uninstall(struct kit *k) {
    k->uninstalls[0].app_id = k->apps[APP_CONF].app_id;
    k->uninstalls[0].hub_id = KIT_HUB;
    k->uninstalls[0].ms = k->now_ms;
    k->n_uninstalls = 1;
}

/* norm: I02 I03 I11 T03 T05 P02 */
static const struct kit_row introspection_rows[] = {
    {"I02 nobody", "token=x", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"I11 unknown client", "client_id=nobody&client_secret=x&token=x", .refusal = REFUSAL_CLIENT_ID_UNKNOWN,
     .http = 401},
    {"I11 wrong secret", "client_id=conf&client_secret=x&token=x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"I11 no secret", "client_id=conf&token=x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"I11 basic, wrong secret", "token=x", "basic:conf:x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"I11 a bearer is no client", "token=x", "Bearer gda_x", .refusal = REFUSAL_CLIENT_ID_MISSING, .http = 401},
    {"P02 a public app", "$P&token=x", .refusal = REFUSAL_CLIENT_PUBLIC},
    {"P02 a public app by basic", "token=x", "basic:publ:", .refusal = REFUSAL_CLIENT_PUBLIC},
    {"T05 two methods", "$C&token=x", "basic:conf:$s", .refusal = REFUSAL_CLIENT_AUTH_TWICE},
    {"I03 token missing", "$C", .refusal = REFUSAL_TOKEN_MISSING, .in = "token"},
    {"I03 token empty", "$C&token=", .refusal = REFUSAL_TOKEN_MISSING, .in = "token"},
    {"the client before the token", "client_id=conf&client_secret=x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"one token by two names", "$C&token=x&access_token=y", .refusal = REFUSAL_PARAMETER_REPEATED,
     .in = "access_token"},
    {"by basic", "token=x", "basic:conf:$s"},
};

/* norm: V04 V05 V10 C13 */
static const struct kit_row revocation_rows[] = {
    {"V04 nobody", "token=x", .refusal = REFUSAL_CLIENT_ID_MISSING},
    {"V04 unknown client", "client_id=nobody&token=x", .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"V04 wrong secret", "client_id=conf&client_secret=x&token=x", .refusal = REFUSAL_CLIENT_AUTH},
    {"V04 basic, wrong secret", "token=x", "basic:conf:x", .refusal = REFUSAL_CLIENT_AUTH, .http = 401},
    {"token missing", "$C", .refusal = REFUSAL_TOKEN_MISSING, .in = "token"},
    {"V10 garbage", "$C&token=x"},
    {"V10 a code", "$C&token=$c"},
    {"V10 a secret", "$C&token=$s"},
    {"V02 a refresh token", "$C&token=$r", .changes = 1},
    {"V03 an access token", "$C&token=$a", .changes = 1},
    {"V03 of client_credentials", "$C&token=$m", .changes = 1},
    {"V04 a public app", "$P&token=$q", .changes = 1},
    {"V07 a wrong hint", "$C&token_type_hint=access_token&token=$r", .changes = 1},
    {"V07 an unknown hint", "$C&token_type_hint=nonsense&token=$a", .changes = 1},
    {"the guide's name", "$C&refresh_token=$r", .changes = 1},
    {"V05 access token of another app", "$C&token=$b", .refusal = REFUSAL_TOKEN_FOREIGN},
    {"V05 refresh token of another app", "$C&token=$l", .refusal = REFUSAL_TOKEN_FOREIGN},
    {"V05 of client_credentials, of another app", "$O&token=$m", .refusal = REFUSAL_TOKEN_FOREIGN},
    {"V05 a resource server sees all but revokes nothing", "$R&token=$a", .refusal = REFUSAL_TOKEN_FOREIGN},
    {"V10 expired", "$C&token=$a", .later_ms = 1800000},
    {"V10 revoked before", "$C&token=$r", .before = revoke_grant},
    {"V10 purged", "$C&token=$r", .before = forget_grants},
    {"V10 purged, access", "$C&token=$a", .before = forget_grants},
    {"a superseded refresh token ends its grant too", "$C&token=$r", .before = raise_generation, .changes = 1},
};

static void test_introspection_rows(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_introspect, introspection_rows);
}

static void test_revocation_rows(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_revoke, revocation_rows);
}

/* Every level of death, for every kind of token, at introspection, at the v1 paths and at uninstall. 'a' access, 'r' refresh, 'm' client
 * credentials, 'M' those that are bound to the account. norm: I07 I08 I09 I15 I16 T20 F12 V06 V08 */
static void test_levels_of_death(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        const char *name;
        void (*before)(struct kit *k);
        int64_t later_ms;
        const char *live; /* the kinds that survive it */
    } cases[] = {
        {"nothing happened", nothing, 0, "armM"},
        {"the last millisecond", nothing, 1799999, "armM"},
        {"expired", nothing, 1800000, "r"},
        {"access not before now", not_before, 0, "rmM"},
        {"access not before a time before", not_before_a_past, 0, "armM"},
        {"grant revoked", revoke_grant, 0, "mM"},
        {"grant purged", forget_grants, 0, "mM"},
        {"grant ended", end_grant, 0, "mM"},
        {"superseded", raise_generation, 0, "amM"},
        {"app disabled", disable_conf, 0, "M"},
        {"app deleted", delete_conf, 0, "M"},
        {"user disabled", disable_user, 0, "mM"},
        {"user gone", remove_user, 0, "mM"},
        {"no longer a member", remove_member, 0, "mM"},
        {"account disabled", disable_account, 0, "m"},
        {"account gone", remove_account, 0, "m"},
        {"uninstalled", uninstall, 0, "mM"},
    };
    const size_t n_cases = sizeof cases / sizeof cases[0];
    for (size_t run = 0; run < 3 * n_cases; run++) { /* opaque tokens, signed ones, those whose signature is known */
        static struct jose_known known;
        const size_t i = run % n_cases;
        print_message("  %s\n", cases[i].name);
        kit_open(&k);
        if (run >= n_cases) k.apps[APP_CONF].flags |= APP_JWT;
        if (run >= n_cases) k.apps[APP_BOUND].flags |= APP_JWT;
        struct kit_tokens got = kit_install(&k, APP_CONF);
        struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
        struct kit_answer bound = kit_token(&k, APP_BOUND, "grant_type=client_credentials&scope=oauth");
        str tokens[] = {got.access, got.refresh, kit_member(&own, "access_token"), kit_member(&bound, "access_token")};
        if (run >= 2 * n_cases) k.known = &known;
        for (size_t kind = 0; kind < 4; kind++) assert_true(kit_is_active(&k, tokens[kind]));
        cases[i].before(&k);
        k.now_ms += cases[i].later_ms;
        unsigned changed = k.changed;
        for (size_t kind = 0; kind < 4; kind++) {
            bool live = strchr(cases[i].live, "armM"[kind]) != NULL;
            assert_int_equal(kit_is_active(&k, tokens[kind]), live);
            struct oauth_req req = {.method = METHOD_GET, .path_arg = tokens[kind]};
            struct kit_answer answer =
                kit_run(&k, kind == 1 ? &endpoint_v1_refresh_token : &endpoint_v1_access_token, &req);
            assert_int_equal(answer.refusal, live ? REFUSAL_NONE : REFUSAL_TOKEN_UNKNOWN);
        }
        assert_int_equal(k.changed, changed); /* looking never changes anything; norm: I17 */
        struct oauth_req req = {.method = METHOD_DELETE,
                                .authorization = arena_printf(k.arena, "Bearer %.*s", STR_ARG(got.access))};
        struct kit_answer answer = kit_run(&k, &endpoint_uninstall, &req);
        assert_int_equal(answer.a.http, strchr(cases[i].live, 'a') ? 204 : 401);
        kit_close(&k);
    }
}

/* A bound app's token dies with the uninstall of its own app. */
static void test_uninstall_of_a_bound_app(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer bound = kit_token(&k, APP_BOUND, "grant_type=client_credentials&scope=oauth");
    uninstall(&k);
    k.uninstalls[0].app_id = k.apps[APP_BOUND].app_id;
    assert_false(kit_is_active(&k, kit_member(&bound, "access_token")));
    kit_close(&k);
}

#define SIGNED(expires)                                                                                                \
    "\"signed_access_token\":{\"expiresAt\":" expires                                                                  \
    ",\"scopes\":\"b2F1dGggY3JtLnJlYWQ=\",\"hubId\":4711,\"userId\":99,\"appId\":100,\"signature\":\"#\","             \
    "\"scopeToScopeGroupPks\":\"\",\"newSignature\":\"#\",\"hublet\":\"na1\",\"trialScopes\":\"\","                    \
    "\"trialScopeToScopeGroupPks\":\"\",\"isUserLevel\":false,\"isPrivateDistribution\":false,"                        \
    "\"appInstallId\":\"100-4711\",\"audience\":\"https://auth.example\",\"installingUserId\":99,"                     \
    "\"isServiceAccount\":false}"

/* Replaces the values of both signatures by '#'. */
static str without_signatures(struct kit *k, str text) {
    char *out = arena_alloc(k->arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        out[n++] = text.p[i];
        bool signature = n >= 12 && (memcmp(out + n - 12, "signature\":\"", 12) == 0 ||
                                     memcmp(out + n - 12, "Signature\":\"", 12) == 0);
        if (!signature) continue;
        assert_true(i + 46 < text.n && text.p[i + 45] == '"');
        out[n++] = '#';
        i += 44;
    }
    return (str){out, n};
}

static void check_info(struct kit *k, struct kit_answer answer, const char *expected) {
    answer.text = without_signatures(k, answer.text);
    kit_check_text(k, &answer, expected);
}

/* norm: I06 I14 T21 */
static void test_golden_introspection(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    k.now_ms += 10999;
    check_info(
        &k, kit_introspect(&k, APP_CONF, got.access),
        "200\n\n{\"active\":true,\"token\":\"gda_*\",\"token_type\":\"Bearer\",\"token_use\":\"access_token\","
        "\"client_id\":\"conf\",\"app_id\":100,\"hub_id\":4711,\"hub_domain\":\"example.com\",\"user_id\":99,"
        "\"user\":\"ada@example.com\",\"scopes\":[\"oauth\",\"crm.read\"],\"scope\":\"oauth crm.read\","
        "\"expires_in\":1789,\"is_private_distribution\":false," SIGNED(
            "1800001800000") ","
                             "\"iat\":1800000000,\"exp\":1800001800,\"sub\":\"99\",\"aud\":\"https://auth.example\","
                             "\"iss\":\"https://auth.example\",\"username\":\"ada@example.com\"}");
    check_info(&k, kit_introspect(&k, APP_CONF, got.refresh),
               "200\n\n{\"active\":true,\"token\":\"gdr_*\",\"token_type\":\"Bearer\",\"token_use\":\"refresh_token\","
               "\"client_id\":\"conf\",\"app_id\":100,\"hub_id\":4711,\"hub_domain\":\"example.com\",\"user_id\":99,"
               "\"user\":\"ada@example.com\",\"scopes\":[\"oauth\",\"crm.read\"],\"scope\":\"oauth crm.read\","
               "\"iat\":1800000000,\"sub\":\"99\",\"aud\":\"https://auth.example\",\"iss\":\"https://auth.example\","
               "\"username\":\"ada@example.com\"}");
    check_info(
        &k, kit_introspect(&k, APP_CONF, kit_member(&own, "access_token")),
        "200\n\n{\"active\":true,\"token\":\"gda_*\",\"token_type\":\"Bearer\","
        "\"token_use\":\"client_credentials\",\"client_id\":\"conf\",\"app_id\":100,\"scopes\":[\"oauth\"],"
        "\"scope\":\"oauth\",\"expires_in\":1789,\"is_private_distribution\":false,\"iat\":1800000000,"
        "\"exp\":1800001800,\"sub\":\"conf\",\"aud\":\"https://auth.example\",\"iss\":\"https://auth.example\"}");
    kit_close(&k);
}

/* The signature speaks of this token: another one has another, and the two of one differ. */
static void test_signatures(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_answer one = kit_introspect(&k, APP_CONF, kit_install(&k, APP_CONF).access);
    k.now_ms++;
    struct kit_answer two = kit_introspect(&k, APP_CONF, kit_install(&k, APP_CONF).access);
    assert_int_equal(kit_member(&one, "signature").n, 44);
    assert_false(str_eq(kit_member(&one, "signature"), kit_member(&two, "signature")));
    assert_false(str_eq(kit_member(&one, "signature"), kit_member(&one, "newSignature")));
    kit_close(&k);
}

static struct kit_answer get_v1(struct kit *k, const struct endpoint *endpoint, str token) {
    struct oauth_req req = {.method = METHOD_GET, .path_arg = token};
    return kit_run(k, endpoint, &req);
}

static void test_golden_v1(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    check_info(&k, get_v1(&k, &endpoint_v1_access_token, got.access),
               "200\n\n{\"token\":\"gda_*\",\"token_type\":\"access\",\"app_id\":100,\"hub_id\":4711,"
               "\"hub_domain\":\"example.com\",\"user_id\":99,\"user\":\"ada@example.com\","
               "\"scopes\":[\"oauth\",\"crm.read\"],\"expires_in\":1800,\"is_private_distribution\":false," SIGNED(
                   "1800001800000") "}");
    check_info(&k, get_v1(&k, &endpoint_v1_refresh_token, got.refresh),
               "200\n\n{\"token\":\"gdr_*\",\"token_type\":\"refresh\",\"client_id\":\"conf\",\"hub_id\":4711,"
               "\"hub_domain\":\"example.com\",\"user_id\":99,\"user\":\"ada@example.com\","
               "\"scopes\":[\"oauth\",\"crm.read\"]}");
    kit_close(&k);
}

static void test_v1_refusals(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct {
        const struct endpoint *endpoint;
        str token;
        enum refusal refusal;
    } cases[] = {
        {&endpoint_v1_access_token, S("nonsense"), REFUSAL_TOKEN_FORMAT},
        {&endpoint_v1_access_token, S(""), REFUSAL_TOKEN_FORMAT},
        {&endpoint_v1_access_token, got.refresh, REFUSAL_TOKEN_FORMAT},
        {&endpoint_v1_access_token, got.code, REFUSAL_TOKEN_FORMAT},
        {&endpoint_v1_access_token, str_head(got.access, got.access.n - 1), REFUSAL_TOKEN_FORMAT},
        {&endpoint_v1_refresh_token, S("nonsense"), REFUSAL_TOKEN_UNKNOWN},
        {&endpoint_v1_refresh_token, got.access, REFUSAL_TOKEN_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_answer answer = get_v1(&k, cases[i].endpoint, cases[i].token);
        assert_int_equal(answer.refusal, cases[i].refusal);
        kit_check_error(&k, &answer, cases[i].refusal, NULL);
        assert_true(answer.a.no_store);
    }
    k.ring.by_number[2] = NULL; /* well formed, but of a key that is gone */
    assert_int_equal(get_v1(&k, &endpoint_v1_access_token, got.access).refusal, REFUSAL_TOKEN_UNKNOWN);
    kit_close(&k);
}

/* norm: V10 */
static void test_v1_delete(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    str tokens[] = {S("nonsense"), S(""), got.access, got.code, got.refresh, got.refresh};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct oauth_req req = {.method = METHOD_DELETE, .path_arg = tokens[i]};
        assert_int_equal(kit_is_active(&k, got.access), i <= 4);
        struct kit_answer answer = kit_run(&k, &endpoint_v1_refresh_delete, &req);
        kit_check_text(&k, &answer, "204\n\n");
    }
    assert_int_equal(k.changed, 2);
    assert_false(kit_is_active(&k, got.refresh));
    kit_close(&k);
}

/* Who sees what. norm: I05 I08 I10 I13 V05 */
static void test_who_sees(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens conf = kit_install(&k, APP_CONF), other = kit_install(&k, APP_OTHER);
    str tokens[] = {conf.access, conf.refresh, other.access, other.refresh};
    static const char *const hints[] = {"", "access_token", "refresh_token", "nonsense"};
    for (size_t i = 0; i < 4; i++) {
        for (size_t h = 0; h < 4; h++) {
            for (enum kit_app caller = APP_CONF; caller <= APP_OTHER; caller++) {
                if (caller == APP_PUBL || caller == APP_ROTA) continue;
                struct kit_answer answer = kit_post(&k, &endpoint_introspect, "%.*s&token_type_hint=%s&token=%.*s",
                                                    STR_ARG(kit_credentials(&k, caller)), hints[h], STR_ARG(tokens[i]));
                bool sees = caller == APP_RS || caller == (i < 2 ? APP_CONF : APP_OTHER);
                if (sees)
                    assert_true(str_starts_with(answer.a.body, S("{\"active\":true,")));
                else
                    kit_check_text(&k, &answer, "200\n\n{\"active\":false}");
            }
        }
    }
    for (size_t i = 0; i < 4; i++) assert_true(kit_is_active(&k, tokens[i]));
    kit_close(&k);
}

/* norm: V02 V03 V06 V08 V09 V11 */
static void test_revocation_reaches(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct kit_answer sibling = kit_refresh(&k, APP_CONF, got.refresh);
    struct kit_tokens neighbour = kit_install(&k, APP_CONF);
    kit_check_text(&k, &(struct kit_answer){.text = kit_revoke(&k, APP_CONF, got.access).text}, "200\n\n");
    assert_false(kit_is_active(&k, got.access) || kit_is_active(&k, kit_member(&sibling, "access_token")));
    assert_true(kit_is_active(&k, got.refresh));
    sibling = kit_refresh(&k, APP_CONF, got.refresh);
    assert_true(kit_is_active(&k, kit_member(&sibling, "access_token")));
    assert_int_equal(kit_revoke(&k, APP_CONF, got.refresh).a.http, 200);
    assert_false(kit_is_active(&k, got.refresh) || kit_is_active(&k, kit_member(&sibling, "access_token")));
    assert_true(kit_is_active(&k, neighbour.access) && kit_is_active(&k, neighbour.refresh));
    struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    struct kit_answer own_too = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    assert_int_equal(kit_revoke(&k, APP_CONF, kit_member(&own, "access_token")).a.http, 200);
    assert_false(kit_is_active(&k, kit_member(&own, "access_token")));
    assert_true(kit_is_active(&k, kit_member(&own_too, "access_token")));
    assert_true(k.last_change.expires_ms == k.now_ms + 1800000); /* the deny list keeps it no longer than it lives */
    kit_close(&k);
}

/* The option that restores HubSpot's "they live until expiry". */
static void test_keep_access_tokens(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.revocation_keep_access_tokens = true;
    struct kit_tokens got = kit_install(&k, APP_CONF);
    kit_revoke(&k, APP_CONF, got.refresh);
    assert_true(kit_is_active(&k, got.access) && !kit_is_active(&k, got.refresh));
    assert_true(k.grants[0].expires_ms >= k.now_ms + 1800000); /* so the row must stay as long */
    kit_revoke(&k, APP_CONF, got.access);                      /* on its own it can still be revoked */
    assert_false(kit_is_active(&k, got.access));
    kit_close(&k);
}

/* The option is for clients that say good-bye: what a thief may hold dies at once. norm: F04 */
static void test_keep_access_tokens_not_from_a_thief(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.settings.revocation_keep_access_tokens = true;
    struct kit_tokens got = kit_install(&k, APP_PUBL);
    struct kit_answer second = kit_refresh(&k, APP_PUBL, got.refresh);
    kit_refresh(&k, APP_PUBL, kit_member(&second, "refresh_token"));
    assert_true(kit_is_active(&k, kit_member(&second, "access_token")));
    assert_int_equal(kit_refresh(&k, APP_PUBL, got.refresh).refusal, REFUSAL_REFRESH_INVALID);
    assert_false(kit_is_active(&k, got.access) || kit_is_active(&k, kit_member(&second, "access_token")));
    kit_close(&k);
}

/* Tokens from a clock that was ahead die as well. norm: V06 */
static void test_revocation_with_clocks_that_differ(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    k.now_ms -= 5000;
    kit_revoke(&k, APP_CONF, got.access);
    assert_false(kit_is_active(&k, got.access));
    kit_close(&k);
}

static struct kit_answer uninstall_by(struct kit *k, str authorization) {
    struct oauth_req req = {.method = METHOD_DELETE, .authorization = authorization};
    return kit_run(k, &endpoint_uninstall, &req);
}

static str bearer(struct kit *k, str token) { return arena_printf(k->arena, "Bearer %.*s", STR_ARG(token)); }

static void test_uninstall_refusals(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    struct kit_answer own = kit_token(&k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    struct {
        str authorization;
        enum refusal refusal;
    } cases[] = {
        {S(""), REFUSAL_BEARER_INVALID},
        {S("Bearer"), REFUSAL_BEARER_INVALID},
        {S("Bearer nonsense"), REFUSAL_BEARER_INVALID},
        {S("Basic Y29uZjp4"), REFUSAL_BEARER_INVALID},
        {got.access, REFUSAL_BEARER_INVALID},
        {bearer(&k, got.refresh), REFUSAL_BEARER_INVALID},
        {bearer(&k, got.code), REFUSAL_BEARER_INVALID},
        {bearer(&k, kit_member(&own, "access_token")), REFUSAL_BEARER_INVALID},
        {bearer(&k, got.access), REFUSAL_BEARER_EXPIRED},
    };
    k.now_ms += 1800000;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_answer answer = uninstall_by(&k, cases[i].authorization);
        assert_int_equal(answer.refusal, cases[i].refusal);
        assert_int_equal(answer.a.http, 401);
        assert_true(str_eq(answer.a.www_authenticate, S("Bearer error=\"invalid_token\"")));
        kit_check_error(&k, &answer, cases[i].refusal, NULL);
    }
    assert_int_equal(k.changed, 1);
    kit_close(&k);
}

static void test_uninstall(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens one = kit_install(&k, APP_CONF), two = kit_install(&k, APP_CONF);
    struct kit_tokens other = kit_install(&k, APP_OTHER);
    str pending = kit_code(&k, APP_CONF);
    struct kit_answer answer = uninstall_by(&k, arena_printf(k.arena, "bearer  %.*s", STR_ARG(one.access)));
    kit_check_text(&k, &answer, "204\n\n");
    str dead[] = {one.access, one.refresh, two.access, two.refresh};
    for (size_t i = 0; i < 4; i++) assert_false(kit_is_active(&k, dead[i]));
    assert_int_equal(kit_refresh(&k, APP_CONF, two.refresh).refusal, REFUSAL_HUB_GONE);
    assert_int_equal(kit_redeem(&k, APP_CONF, pending).refusal, REFUSAL_HUB_GONE);
    assert_true(kit_is_active(&k, other.access));
    /* it can be installed again in the same millisecond, and uninstalled, and so on */
    for (int i = 0; i < 3; i++) {
        struct kit_tokens again = kit_install(&k, APP_CONF);
        assert_true(kit_is_active(&k, again.access) && kit_is_active(&k, again.refresh));
        assert_int_equal(uninstall_by(&k, bearer(&k, again.access)).a.http, 204);
        assert_false(kit_is_active(&k, again.access) || kit_is_active(&k, again.refresh));
    }
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_introspection_rows),
        cmocka_unit_test(test_revocation_rows),
        cmocka_unit_test(test_levels_of_death),
        cmocka_unit_test(test_uninstall_of_a_bound_app),
        cmocka_unit_test(test_golden_introspection),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_golden_v1),
        cmocka_unit_test(test_v1_refusals),
        cmocka_unit_test(test_v1_delete),
        cmocka_unit_test(test_who_sees),
        cmocka_unit_test(test_revocation_reaches),
        cmocka_unit_test(test_keep_access_tokens),
        cmocka_unit_test(test_keep_access_tokens_not_from_a_thief),
        cmocka_unit_test(test_revocation_with_clocks_that_differ),
        cmocka_unit_test(test_uninstall_refusals),
        cmocka_unit_test(test_uninstall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
