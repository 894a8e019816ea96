#include "keys_load.h"

#include "bounds.h"
#include "envelope.h"
#include "migrate.h"

#include "random.h"
#include "rows_test.h"

/* Keys in a store in memory, on a clock of the test's own. */
#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)
#define T0   INT64_C(1800000000000)

static const uint8_t master[MASTER_KEY_BYTES] = {7}, other_master[MASTER_KEY_BYTES] = {8};

static struct {
    struct arena *arena;
    struct db *db;
    struct key_store store;
} world;

static int set_up(void **state) {
    (void)state;
    struct options options;
    options_init(&options);
    world.arena = arena_new(65536);
    world.store = (struct key_store){.master = master, .rules = keys_rules(&options, false)};
    struct rc rc = db_open_sqlite(&(struct db_sqlite_options){.path = ":memory:", .inline_writes = true}, &world.db);
    if (rc_ok(rc)) rc = storage_migrate(world.db, world.arena);
    if (rc_ok(rc)) rc = storage_admin_open(world.db, &world.store.admin);
    return rc_ok(rc) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    storage_admin_close(world.store.admin);
    db_close(world.db);
    arena_free(world.arena);
    return 0;
}

static bool rotate_due(int64_t now_ms) {
    bool changed;
    assert_true(rc_ok(keys_rotate_due(&world.store, now_ms, &changed)));
    return changed;
}

static struct keyset *load(int64_t now_ms) {
    struct keyset *keys = NULL;
    assert_true(rc_ok(keys_load(&world.store, now_ms, &keys)));
    return keys;
}

static size_t list(int64_t now_ms, struct key_view **out) {
    size_t n = 0;
    assert_true(rc_ok(keys_list(&world.store, now_ms, world.arena, out, &n)));
    return n;
}

/* An empty store gets a ring and a key for ES256, both used at once; RS256 only when ID tokens are served. */
static void test_first_keys(void **state) {
    (void)state;
    assert_true(rotate_due(T0));
    assert_false(rotate_due(T0));
    struct keyset *keys = load(T0);
    assert_int_equal(keys->ring.n, 1);
    assert_int_equal(keys->signers.keys.n, 1);
    assert_non_null(keys->signers.current[JOSE_ES256]);
    assert_null(keys->signers.current[JOSE_RS256]);
    keys_free(keys);
    world.store.rules.wanted[KEY_RS256] = true;
    assert_true(rotate_due(T0));
    keys = load(T0);
    assert_non_null(keys->signers.current[JOSE_RS256]);
    assert_int_equal(keys->signers.keys.n, 2);
    keys_free(keys);
}

/* The whole life: published ahead, used, retired, gone; and what was signed under each key verifies until its last token is over. */
static void test_life(void **state) {
    (void)state;
    assert_true(rotate_due(T0));
    struct keyset *first = load(T0);
    assert_int_equal(first->next_change_ms, T0 + 30 * DAY - 2 * HOUR);
    str token = jose_sign(first->signers.current[JOSE_ES256], S("JWT"), S("{}"), world.arena);
    str kid = arena_copy(world.arena, jose_key_kid(first->signers.current[JOSE_ES256]));
    keys_free(first);

    int64_t due_ms = T0 + 30 * DAY - 2 * HOUR, used_ms = T0 + 30 * DAY;
    int64_t gone_ms = used_ms + ACCESS_TTL_MAX_S * INT64_C(1000) + 60000;
    assert_false(rotate_due(due_ms - 1));
    assert_true(rotate_due(due_ms));
    static const struct {
        const char *what;
        int64_t after_due_ms;
        size_t published;
        bool first_signs, first_verifies;
    } rows[] = {
        {"ahead", 0, 2, true, true},
        {"to the last", 2 * HOUR - 1, 2, true, true},
        {"used", 2 * HOUR, 2, false, true},
        {"retired, its tokens live", 26 * HOUR + 59999, 2, false, true},
        {"gone", 26 * HOUR + 60000, 1, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_jwt jwt;
        struct keyset *keys = load(due_ms + rows[i].after_due_ms);
        CHECK(i, keys->signers.keys.n == rows[i].published);
        CHECK(i, str_eq(jose_key_kid(keys->signers.current[JOSE_ES256]), kid) == rows[i].first_signs);
        CHECK(i, jose_verify(&keys->signers.keys, JOSE_ANY, token, world.arena, &jwt) == rows[i].first_verifies);
        keys_free(keys);
    }
    struct key_view *views;
    assert_int_equal(list(gone_ms, &views), 3); /* the ring too */
    assert_true(rotate_due(gone_ms));
    assert_int_equal(list(gone_ms, &views), 2);
    assert_int_equal(views[1].state, KEY_USED);
    assert_true(views[1].retired_ms == KEY_NEVER && views[1].gone_ms == KEY_NEVER && views[1].used_ms == used_ms);
}

/* A generation of the ring opens what it made for ever, and makes nothing before its time. */
static void test_ring(void **state) {
    (void)state;
    uint8_t sealed[ENVELOPE_OVERHEAD + 16], plain[ENVELOPE_OVERHEAD + 16], nonce[ENVELOPE_NONCE_BYTES] = {1};
    size_t n = 0;
    assert_true(rotate_due(T0));
    struct keyset *keys = load(T0);
    assert_int_equal(keys->ring.current->number, 1);
    envelope_seal(keys->ring.current, ENVELOPE_ACCESS, nonce, S("hello"), sealed);
    keys_free(keys);
    assert_true(rotate_due(T0 + 90 * DAY - 2 * HOUR));
    keys = load(T0 + 90 * DAY - 1);
    assert_int_equal(keys->ring.n, 2);
    assert_int_equal(keys->ring.current->number, 1);
    keys_free(keys);
    keys = load(T0 + 90 * DAY);
    assert_int_equal(keys->ring.current->number, 2);
    assert_true(envelope_open(&keys->ring, ENVELOPE_ACCESS, (str){(char *)sealed, ENVELOPE_OVERHEAD + 5}, plain, &n));
    keys_free(keys);
}

/* Twenty years: the ring fills up and then stays as it is. */
static void test_ring_fills_up(void **state) {
    (void)state;
    for (int i = 0; i < 80; i++) (void)rotate_due(T0 + i * 90 * DAY);
    struct keyset *keys = load(T0 + 80 * 90 * DAY);
    assert_int_equal(keys->ring.n, RING_MAX);
    keys_free(keys);
    bool made = true;
    assert_int_equal(keys_rotate(&world.store, KEY_RING, T0, T0, &made).fault, FAULT_KEY);
    assert_false(made);
}

static void test_by_hand(void **state) {
    (void)state;
    bool made = false;
    struct key_view *views;
    assert_true(rotate_due(T0));
    assert_true(rc_ok(keys_rotate(&world.store, KEY_ES256, T0 + DAY, T0 + DAY + 2 * HOUR, &made)) && made);
    assert_true(rc_ok(keys_rotate(&world.store, KEY_ES256, T0 + DAY, T0 + DAY + 2 * HOUR, &made)) && !made);
    assert_int_equal(list(T0 + DAY, &views), 3);
    assert_true(views[1].state == KEY_USED && views[2].state == KEY_NEXT && views[2].used_ms == T0 + DAY + 2 * HOUR);
    /* in a hurry: beside the one that waits */
    assert_true(rc_ok(keys_rotate(&world.store, KEY_ES256, T0 + DAY, T0 + DAY, &made)) && made);
    struct keyset *keys = load(T0 + DAY);
    assert_true(keys->signers.current[JOSE_ES256] == keys->signers.keys.keys[1]);
    assert_int_equal(keys->signers.keys.n, 3);
    keys_free(keys);
}

/* Two nodes that rotate in the same moment end with one key: the second one's insert says that the first was faster. */
static void test_two_nodes(void **state) {
    (void)state;
    struct key_view *views;
    assert_true(rotate_due(T0));
    for (int i = 0; i < 5; i++) (void)rotate_due(T0 + 30 * DAY - HOUR);
    assert_int_equal(list(T0 + 30 * DAY, &views), 3);
    uint8_t sealed[64] = {0};
    struct edit late = {.kind = EDIT_SIGNING_KEY_INSERT, .seen_ms = T0};
    late.signing_key = (struct sealed_signing_key){.kid = S("late"),
                                                   .alg = JOSE_ES256,
                                                   .created_ms = T0,
                                                   .used_ms = T0 + 31 * DAY,
                                                   .sealed = {(char *)sealed, 64}};
    enum outcome outcome;
    int32_t id;
    assert_true(rc_ok(storage_edit(world.store.admin, &late, world.arena, &outcome, &id)));
    assert_int_equal(outcome, OUTCOME_LOST);
}

/* What is stored opens with this master key only, and no row can stand in for another. */
static void test_sealed(void **state) {
    (void)state;
    assert_true(rotate_due(T0));
    struct keyset *keys = NULL;
    struct key_store other = world.store;
    other.master = other_master;
    assert_int_equal(keys_load(&other, T0, &keys).fault, FAULT_KEY);
    struct listing listing = {.kind = LISTING_SIGNING_KEYS};
    struct listed rows;
    assert_true(rc_ok(storage_list(world.store.admin, &listing, world.arena, &rows)));
    assert_int_equal(rows.n, 1);
    const struct sealed_signing_key *row = rows.rows;
    assert_null(memmem(row->sealed.p, row->sealed.n, "\"d\"", 3));
    struct edit copy = {.kind = EDIT_SIGNING_KEY_INSERT, .signing_key = *row, .seen_ms = KEY_NEVER};
    copy.signing_key.kid = S("copied");
    copy.signing_key.used_ms++;
    enum outcome outcome;
    int32_t id;
    assert_true(rc_ok(storage_edit(world.store.admin, &copy, world.arena, &outcome, &id)) && outcome == OUTCOME_DONE);
    assert_int_equal(keys_load(&world.store, T0, &keys).fault, FAULT_KEY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ring_fills_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sealed, set_up, tear_down),
    };
    return crypto_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
