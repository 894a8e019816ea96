/* grant_type=refresh_token: rotation that is safe to retry, theft, limits, scopes, and every way in which a grant can be dead. */
#include "kit_rows_test.h"

#define REFRESH "grant_type=refresh_token&refresh_token="
#define DAY_MS  INT64_C(86400000)

static void revoke_grant(struct kit *k) { k->grants[0].revoked_ms = k->now_ms; }
static void forget_grant(struct kit *k) { k->n_grants = 0; }
static void change_salt(struct kit *k) { k->grants[0].salt[3] ^= 1; }
static void end_grant(struct kit *k) { k->grants[0].expires_ms = k->now_ms; }
static void other_owner(struct kit *k) { k->grants[0].app_id = k->apps[APP_OTHER].app_id; }
static void set_back(struct kit *k) {
    k->apps[APP_CONF].flags |= APP_ROTATE;
    k->grants[0].generation = 7;
}
static void disable_app(struct kit *k) { k->apps[APP_CONF].flags |= APP_DISABLED; }
static void no_refresh_grant(struct kit *k) { k->apps[APP_CONF].grants = APP_GRANT_CODE; }
static void disable_user(struct kit *k) { k->user_disabled = true; }
static void remove_user(struct kit *k) { k->user_missing = true; }
static void remove_member(struct kit *k) { k->not_a_member = true; }
static void disable_account(struct kit *k) { k->account_disabled = true; }
static void remove_account(struct kit *k) { k->account_missing = true; }
static void forget_key(struct kit *k) { k->ring.by_number[2] = NULL; }
static void uninstall(struct kit *k) {
    k->uninstalls[0].app_id = k->apps[APP_CONF].app_id;
    k->uninstalls[0].hub_id = KIT_HUB;
    k->uninstalls[0].ms = k->now_ms;
    k->n_uninstalls = 1;
}
static void uninstall_long_ago(struct kit *k) {
    uninstall(k);
    k->uninstalls[0].ms = k->now_ms - 1;
}

/* norm: F01 F02 F07 F10 F12 F14 C13 I16 */
static const struct kit_row rows[] = {
    {"a stable token writes nothing", "$C&" REFRESH "$r"},
    {"refresh token missing", "$C&grant_type=refresh_token", .refusal = REFUSAL_REFRESH_MISSING, .in = "refresh_token"},
    {"nonsense", "$C&" REFRESH "gdr_nonsense", .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"C13 an access token", "$C&" REFRESH "$a", .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"C13 a code", "$C&" REFRESH "$c", .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"C13 a secret", "$C&" REFRESH "$s", .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"F01 of another app", "$C&" REFRESH "$l", .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"F02 without a secret", "client_id=conf&" REFRESH "$r", .refusal = REFUSAL_CLIENT_AUTH},
    {"F14 revoked", "$C&" REFRESH "$r", .before = revoke_grant, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F14 purged", "$C&" REFRESH "$r", .before = forget_grant, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F14 past its absolute end", "$C&" REFRESH "$r", .before = end_grant, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F10 the tag does not fit the row", "$C&" REFRESH "$r", .before = change_salt, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F01 the row is of another app", "$C&" REFRESH "$r", .before = other_owner, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"the key is gone", "$C&" REFRESH "$r", .before = forget_key, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F04 superseded long ago", "$C&" REFRESH "$r", .before = set_back, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token", .changes = 1},
    {"the app may no longer refresh", "$C&" REFRESH "$r", .before = no_refresh_grant,
     .refusal = REFUSAL_GRANT_TYPE_NOT_ALLOWED, .in = "grant_type"},
    {"the app was disabled", "$C&" REFRESH "$r", .before = disable_app, .refusal = REFUSAL_CLIENT_ID_UNKNOWN},
    {"F12 user disabled", "$C&" REFRESH "$r", .before = disable_user, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F12 user gone", "$C&" REFRESH "$r", .before = remove_user, .refusal = REFUSAL_REFRESH_INVALID,
     .in = "refresh_token"},
    {"F12 user no longer of the account", "$C&" REFRESH "$r", .before = remove_member,
     .refusal = REFUSAL_REFRESH_INVALID, .in = "refresh_token"},
    {"account disabled", "$C&" REFRESH "$r", .before = disable_account, .refusal = REFUSAL_HUB_GONE,
     .in = "refresh_token"},
    {"account gone", "$C&" REFRESH "$r", .before = remove_account, .refusal = REFUSAL_HUB_GONE, .in = "refresh_token"},
    {"uninstalled", "$C&" REFRESH "$r", .before = uninstall, .refusal = REFUSAL_HUB_GONE, .in = "refresh_token"},
    {"uninstalled before the consent", "$C&" REFRESH "$r", .before = uninstall_long_ago},
    {"F07 narrower", "$C&" REFRESH "$r&scope=oauth"},
    {"F07 the same", "$C&" REFRESH "$r&scope=crm.read+oauth"},
    {"F07 broader", "$C&" REFRESH "$r&scope=oauth+crm.write", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"F07 unknown", "$C&" REFRESH "$r&scope=nonsense", .refusal = REFUSAL_SCOPE, .in = "scope"},
    {"a public app rotates", "$P&" REFRESH "$q", .changes = 1},
    {"an app that rotates", "$T&" REFRESH "$t", .changes = 1},
    {"a bad scope does not rotate", "$T&" REFRESH "$t&scope=crm.write", .refusal = REFUSAL_SCOPE, .in = "scope"},
};

static void test_rows(void **state) {
    (void)state;
    KIT_CHECK_ROWS(endpoint_token, rows);
}

/* norm: E87 T13 */
static void test_stable(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    for (int i = 0; i < 3; i++) {
        k.now_ms += 100 * DAY_MS;
        struct kit_answer answer = kit_refresh(&k, APP_CONF, got.refresh);
        kit_check_text(&k, &answer,
                       "200\n\n{\"token_type\":\"bearer\",\"access_token\":\"gda_*\",\"refresh_token\":\"gdr_*\","
                       "\"expires_in\":1800,\"token_use\":\"access_token\",\"hub_id\":4711,\"user_id\":99,"
                       "\"scopes\":[\"oauth\",\"crm.read\"],\"scope\":\"oauth crm.read\"}");
        assert_true(str_eq(kit_member(&answer, "refresh_token"), got.refresh));
        assert_true(kit_is_active(&k, kit_member(&answer, "access_token")));
    }
    assert_int_equal(k.changed, 1); /* the insert */
    kit_close(&k);
}

/* Presented number against generation, for an app that rotates. norm: F03 F04 F15 */
static void test_rotation(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str first = kit_install(&k, APP_PUBL).refresh;
    struct kit_answer answer = kit_refresh(&k, APP_PUBL, first);
    str second = kit_member(&answer, "refresh_token");
    assert_false(str_eq(first, second));
    assert_int_equal(k.last_change.kind, CHANGE_GRANT_ROTATE);
    /* the answer was lost: the same successor, nothing is written */
    unsigned changed = k.changed;
    k.now_ms += 59999;
    answer = kit_refresh(&k, APP_PUBL, first);
    assert_true(str_eq(kit_member(&answer, "refresh_token"), second));
    assert_true(kit_is_active(&k, kit_member(&answer, "access_token")));
    assert_int_equal(k.changed, changed);
    /* the use of the successor ends that */
    answer = kit_refresh(&k, APP_PUBL, second);
    str third = kit_member(&answer, "refresh_token"), access = kit_member(&answer, "access_token");
    assert_true(kit_is_active(&k, third) && !kit_is_active(&k, second));
    assert_int_equal(kit_refresh(&k, APP_PUBL, first).refusal, REFUSAL_REFRESH_INVALID);
    assert_int_equal(k.last_change.kind, CHANGE_GRANT_REVOKE);
    assert_false(kit_is_active(&k, third) || kit_is_active(&k, access));
    assert_int_equal(kit_refresh(&k, APP_PUBL, third).refusal, REFUSAL_REFRESH_INVALID);
    kit_close(&k);
}

/* norm: F04 F15 */
static void test_retry_window(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        int64_t window_s, after_ms;
        uint32_t flags;
        bool accepted;
    } cases[] = {
        {60, 0, 0, true}, {60, 59999, 0, true}, {60, 60000, 0, false},
        {0, 0, 0, false}, {1, 999, 0, true},    {0, 400 * DAY_MS, APP_RETRY_UNTIL_USED, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_open(&k);
        k.apps[APP_ROTA].retry_window_s = cases[i].window_s;
        k.apps[APP_ROTA].flags |= cases[i].flags;
        str first = kit_install(&k, APP_ROTA).refresh;
        struct kit_answer answer = kit_refresh(&k, APP_ROTA, first);
        str second = kit_member(&answer, "refresh_token");
        k.now_ms += cases[i].after_ms;
        answer = kit_refresh(&k, APP_ROTA, first);
        assert_int_equal(answer.refusal, cases[i].accepted ? REFUSAL_NONE : REFUSAL_REFRESH_INVALID);
        assert_int_equal(kit_is_active(&k, second), cases[i].accepted);
        if (cases[i].accepted) assert_true(str_eq(kit_member(&answer, "refresh_token"), second));
        kit_close(&k);
    }
}

static str raced_token;
static void refresh_meanwhile(struct kit *k) {
    assert_int_equal(kit_refresh(k, APP_ROTA, raced_token).refusal, REFUSAL_NONE);
}
static void refresh_twice_meanwhile(struct kit *k) {
    struct kit_answer answer = kit_refresh(k, APP_ROTA, raced_token);
    assert_int_equal(kit_refresh(k, APP_ROTA, kit_member(&answer, "refresh_token")).refusal, REFUSAL_NONE);
}
static void revoke_meanwhile(struct kit *k) { assert_int_equal(kit_revoke(k, APP_ROTA, raced_token).a.http, 200); }

/* The change is LOST: ask and decide once more, on what is true now. norm: F05 V15 */
static void test_races(void **state) {
    static struct kit k;
    (void)state;
    static const struct {
        void (*meanwhile)(struct kit *k);
        int64_t window_s;
        enum refusal refusal;
        uint32_t generation;
        bool revoked;
    } cases[] = {
        {refresh_meanwhile, 60, REFUSAL_NONE, 1, false}, /* the other tab was faster: the same successor for both */
        {refresh_meanwhile, 0, REFUSAL_REFRESH_INVALID, 1, true},
        {refresh_twice_meanwhile, 60, REFUSAL_REFRESH_INVALID, 2, true},
        {revoke_meanwhile, 60, REFUSAL_REFRESH_INVALID, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_open(&k);
        k.apps[APP_ROTA].retry_window_s = cases[i].window_s;
        raced_token = kit_install(&k, APP_ROTA).refresh;
        k.meanwhile = cases[i].meanwhile;
        assert_int_equal(kit_refresh(&k, APP_ROTA, raced_token).refusal, cases[i].refusal);
        assert_int_equal(k.grants[0].generation, cases[i].generation);
        assert_int_equal(k.grants[0].revoked_ms != 0, cases[i].revoked);
        kit_close(&k);
    }
}

/* A number that was never issued: a store that was set back. It must not revoke what it cannot judge. */
static void test_number_from_the_future(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_ROTA);
    struct kit_answer answer = kit_refresh(&k, APP_ROTA, got.refresh);
    answer = kit_refresh(&k, APP_ROTA, kit_member(&answer, "refresh_token"));
    k.grants[0].generation = 0;
    unsigned changed = k.changed;
    assert_int_equal(kit_refresh(&k, APP_ROTA, kit_member(&answer, "refresh_token")).refusal, REFUSAL_REFRESH_INVALID);
    assert_int_equal(k.changed, changed);
    kit_close(&k);
}

/* An app that is set from one way to the other keeps its grants. */
static void test_change_of_policy(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str first = kit_install(&k, APP_CONF).refresh;
    k.apps[APP_CONF].flags |= APP_ROTATE;
    struct kit_answer answer = kit_refresh(&k, APP_CONF, first);
    str second = kit_member(&answer, "refresh_token");
    assert_false(str_eq(first, second));
    k.apps[APP_CONF].flags &= ~(uint32_t)APP_ROTATE;
    answer = kit_refresh(&k, APP_CONF, second);
    assert_true(str_eq(kit_member(&answer, "refresh_token"), second));
    /* the old number within its window leads to the one that is stable now */
    answer = kit_refresh(&k, APP_CONF, first);
    assert_true(str_eq(kit_member(&answer, "refresh_token"), second));
    kit_close(&k);
}

/* The key ring moves on: an old number is still opened, its successor is made with the new key. */
static void test_key_rotation(void **state) {
    static struct kit k;
    (void)state;
    static const uint8_t third[RING_SECRET_BYTES] = {3};
    kit_open(&k);
    str first = kit_install(&k, APP_ROTA).refresh, stable = kit_install(&k, APP_CONF).refresh;
    assert_true(rc_ok(keyring_add(&k.ring, 3, 3000, third)));
    struct kit_answer answer = kit_refresh(&k, APP_ROTA, first);
    assert_int_equal(answer.refusal, REFUSAL_NONE);
    answer = kit_refresh(&k, APP_ROTA, kit_member(&answer, "refresh_token"));
    assert_int_equal(answer.refusal, REFUSAL_NONE);
    answer = kit_refresh(&k, APP_CONF, stable);
    assert_true(str_eq(kit_member(&answer, "refresh_token"), stable));
    kit_close(&k);
}

/* Uses are noted by the day. norm: F09 */
static void test_idle_limit(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.apps[APP_CONF].refresh_idle_s = 30 * 86400;
    str token = kit_install(&k, APP_CONF).refresh;
    assert_int_equal(kit_refresh(&k, APP_CONF, token).refusal, REFUSAL_NONE);
    assert_int_equal(k.changed, 1); /* today is known */
    for (int i = 0; i < 3; i++) {
        k.now_ms += 29 * DAY_MS;
        assert_int_equal(kit_refresh(&k, APP_CONF, token).refusal, REFUSAL_NONE);
        assert_int_equal(k.last_change.kind, CHANGE_GRANT_TOUCH);
        unsigned changed = k.changed;
        assert_int_equal(kit_refresh(&k, APP_CONF, token).refusal, REFUSAL_NONE);
        assert_int_equal(k.changed, changed); /* at most once a day */
    }
    int64_t used_day = k.now_ms / DAY_MS;
    k.now_ms = (used_day + 31) * DAY_MS - 1;
    assert_true(kit_is_active(&k, token));
    k.now_ms++;
    assert_false(kit_is_active(&k, token));
    assert_int_equal(kit_refresh(&k, APP_CONF, token).refusal, REFUSAL_REFRESH_INVALID);
    /* the limit is lifted, and a new one counts from the day of that change */
    k.apps[APP_CONF].refresh_idle_s = 0;
    assert_true(kit_is_active(&k, token));
    k.now_ms += 100 * DAY_MS;
    k.apps[APP_CONF].refresh_idle_s = 86400;
    k.apps[APP_CONF].updated_ms = k.now_ms;
    assert_true(kit_is_active(&k, token));
    kit_close(&k);
}

/* norm: F09 */
static void test_idle_limit_of_an_app_that_rotates(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.apps[APP_ROTA].refresh_idle_s = 86400;
    str token = kit_install(&k, APP_ROTA).refresh;
    k.now_ms += DAY_MS;
    struct kit_answer answer = kit_refresh(&k, APP_ROTA, token);
    assert_int_equal(answer.refusal, REFUSAL_NONE);
    assert_int_equal(k.grants[0].last_used_day, k.now_ms / DAY_MS);
    k.now_ms += 3 * DAY_MS;
    assert_int_equal(kit_refresh(&k, APP_ROTA, kit_member(&answer, "refresh_token")).refusal, REFUSAL_REFRESH_INVALID);
    kit_close(&k);
}

static void test_absolute_limit(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    k.apps[APP_CONF].refresh_absolute_s = 3600;
    str token = kit_install(&k, APP_CONF).refresh;
    k.now_ms += 3000 * 1000;
    struct kit_answer answer = kit_refresh(&k, APP_CONF, token);
    assert_non_null(strstr(kit_z(&k, answer.text), "\"expires_in\":600,")); /* no access token outlives its grant */
    k.now_ms += 600 * 1000;
    assert_int_equal(kit_refresh(&k, APP_CONF, token).refusal, REFUSAL_REFRESH_INVALID);
    assert_false(kit_is_active(&k, kit_member(&answer, "access_token")));
    kit_close(&k);
}

/* The refresh token keeps what was granted. norm: F07 */
static void test_narrowing(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str token = kit_install(&k, APP_CONF).refresh;
    struct kit_answer answer =
        kit_token(&k, APP_CONF, "grant_type=refresh_token&scope=crm.read&refresh_token=%.*s", STR_ARG(token));
    assert_non_null(strstr(kit_z(&k, answer.text), "\"scopes\":[\"crm.read\"],\"scope\":\"crm.read\""));
    answer = kit_introspect(&k, APP_CONF, kit_member(&answer, "access_token"));
    assert_non_null(strstr(kit_z(&k, answer.text), "\"scope\":\"crm.read\""));
    answer = kit_refresh(&k, APP_CONF, token);
    assert_non_null(strstr(kit_z(&k, answer.text), "\"scope\":\"oauth crm.read\""));
    kit_close(&k);
}

/* Scopes that are hidden by now stay with the grants that have them. */
static void test_hidden_scope(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    str token = kit_install(&k, APP_CONF).refresh;
    k.scopes[1].hidden = true;
    struct kit_answer answer =
        kit_token(&k, APP_CONF, "grant_type=refresh_token&scope=crm.read&refresh_token=%.*s", STR_ARG(token));
    assert_int_equal(answer.refusal, REFUSAL_NONE);
    kit_close(&k);
}

/* A token of the millisecond of a revocation is the later one. norm: V09 */
static void test_issue_time_after_revocation(void **state) {
    static struct kit k;
    (void)state;
    kit_open(&k);
    struct kit_tokens got = kit_install(&k, APP_CONF);
    for (int i = 0; i < 4; i++) { /* again and again in the same millisecond */
        assert_int_equal(kit_revoke(&k, APP_CONF, got.access).a.http, 200);
        assert_false(kit_is_active(&k, got.access));
        struct kit_answer answer = kit_refresh(&k, APP_CONF, got.refresh);
        got.access = kit_member(&answer, "access_token");
        assert_true(kit_is_active(&k, got.access));
        assert_non_null(strstr(kit_z(&k, answer.text), "\"expires_in\":1800,"));
    }
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_stable),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_retry_window),
        cmocka_unit_test(test_races),
        cmocka_unit_test(test_number_from_the_future),
        cmocka_unit_test(test_change_of_policy),
        cmocka_unit_test(test_key_rotation),
        cmocka_unit_test(test_idle_limit),
        cmocka_unit_test(test_idle_limit_of_an_app_that_rotates),
        cmocka_unit_test(test_absolute_limit),
        cmocka_unit_test(test_narrowing),
        cmocka_unit_test(test_hidden_scope),
        cmocka_unit_test(test_issue_time_after_revocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
