/* The schema moves under programs that go on. */
#include <stdio.h>

#include "contract.h"

#define NEXT      (migrate_newest(migrate_own_steps()) + 1)
#define STEPS_MAX 64

/* A step as the next release may have it. */
struct next {
    struct store_migration steps[STEPS_MAX];
    struct migrate_steps all;
};

/* This release's steps and one more. `from`: 0: the step says nothing. */
static const struct next *next_release(struct world *w, const char *sql, int64_t from, struct db_index index) {
    struct next *next = ARENA_NEW(w->arena, struct next);
    struct migrate_steps own = migrate_own_steps();
    assert_true(own.n < STEPS_MAX);
    memcpy(next->steps, own.of, own.n * sizeof *own.of);
    str record =
        from ? arena_printf(w->arena, "%s; INSERT INTO schema_versions (version, readable_from) VALUES (%lld, %lld);",
                            sql, (long long)NEXT, (long long)from)
             : arena_printf(w->arena, "%s; INSERT INTO schema_versions (version) VALUES (%lld);", sql, (long long)NEXT);
    next->steps[own.n] = (struct store_migration){NEXT, "the next", arena_cstr(w->arena, record), from, index};
    next->all = (struct migrate_steps){next->steps, own.n + 1};
    return next;
}

static const struct db_index no_index = {NULL, NULL};

/* What the next release may add while nodes of this one go on. */
#define ADDITIONS                                                                                                      \
    "ALTER TABLE grants ADD COLUMN next_a BIGINT NOT NULL DEFAULT 7; ALTER TABLE grants ADD COLUMN next_b BYTES;"      \
    "ALTER TABLE apps ADD COLUMN next_a TEXT NOT NULL DEFAULT ''; ALTER TABLE app_secrets ADD COLUMN next_a BIGINT;"   \
    "ALTER TABLE scopes ADD COLUMN next_a INT NOT NULL DEFAULT 0; ALTER TABLE accounts ADD COLUMN next_a TEXT;"        \
    "ALTER TABLE users ADD COLUMN next_a BIGINT NOT NULL DEFAULT 0; ALTER TABLE members ADD COLUMN next_a TEXT;"       \
    "ALTER TABLE sessions ADD COLUMN next_a BYTES; ALTER TABLE uninstalls ADD COLUMN next_a BIGINT;"                   \
    "ALTER TABLE revoked_tokens ADD COLUMN next_a INT; ALTER TABLE keys ADD COLUMN next_a INT NOT NULL DEFAULT 1;"     \
    "ALTER TABLE signing_keys ADD COLUMN next_a BYTES; ALTER TABLE meta ADD COLUMN next_a INT;"                        \
    "CREATE TABLE next_table (id BYTES PRIMARY KEY NOT NULL, x BIGINT NOT NULL) KEY_ORDERED"

static int64_t needs(struct world *w) {
    struct listed rows = list(w, &(struct listing){.kind = LISTING_SCHEMA_NEEDS, .known = NEXT - 1});
    assert_int_equal(rows.n, 1);
    return *(const int64_t *)rows.rows;
}

/* Everything that this release does, on a store of the next one. */
static void use_everything(struct world *w) {
    enum { N = 1000 }; /* a grant that nobody has made before */
    struct change insert = insert_of(N), rotate = change_of(CHANGE_GRANT_ROTATE, N);
    rotate.generation = 1;
    assert_int_equal(apply(w, &insert), OUTCOME_DONE);
    assert_int_equal(apply(w, &insert), OUTCOME_LOST);
    assert_int_equal(apply(w, &rotate), OUTCOME_DONE);
    assert_int_equal(apply(w, &rotate), OUTCOME_LOST);
    struct facts facts = ask_grant(w, N);
    assert_true(facts.grant_found && facts.grant.generation == 1);
    struct edit e = {.kind = EDIT_KEY_INSERT, .key = {9, 1, {"x", 1}, 0}};
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE);
    struct account account = {.domain = S("b.example"), .name = S("b")};
    assert_int_equal(edit(w, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account}, NULL), OUTCOME_DONE);
}

static void test_this_release_goes_on_behind_the_next_ones_step(void **state) {
    struct world *w = *state;
    populate(w);
    uint64_t before = fingerprint(w);
    assert_true(needs(w) == 0);
    const struct next *next = next_release(w, ADDITIONS, NEXT - 1, no_index);
    assert_rc(migrate_run(w->db, next->all, NULL, w->arena)); /* under the open sessions */
    assert_true(needs(w) == NEXT - 1);
    assert_true(fingerprint(w) == before);
    use_everything(w);
    assert_rc(storage_require(w->db));
    if (contract_driver->persistent) { /* and a node of this release starts */
        world_shut(w);
        world_open(w, &(struct world_options){.inline_writes = false});
        struct change insert = insert_of(2);
        assert_int_equal(apply(w, &insert), OUTCOME_DONE);
    }
}

static void test_a_step_that_says_nothing_is_for_its_own_release(void **state) {
    struct world *w = *state;
    const struct next *next = next_release(w, "CREATE TABLE next_table (id INT PRIMARY KEY) UNORDERED", 0, no_index);
    assert_rc(migrate_run(w->db, next->all, NULL, w->arena));
    assert_true(needs(w) == NEXT);
    assert_fault(storage_migrate(w->db, w->arena), DB_SCHEMA);
    assert_fault(storage_require(w->db), DB_SCHEMA);
    assert_non_null(strstr(rc_detail(), "start a newer grantd"));
    struct db_schema found;
    assert_rc(migrate_look(w->db, next->all, &found)); /* the next release itself is fine */
    assert_true(found.version == NEXT && found.needs == 0);
}

/* The one that wants most counts, whatever the ones behind it say. */
static void test_the_strictest_of_several_steps_counts(void **state) {
    struct world *w = *state;
    const struct next *strict = next_release(w, "CREATE TABLE a (id INT PRIMARY KEY) UNORDERED", NEXT, no_index);
    assert_rc(migrate_run(w->db, strict->all, NULL, w->arena));
    str later = arena_printf(w->arena, "INSERT INTO schema_versions (version, readable_from) VALUES (%lld, %lld)",
                             (long long)NEXT + 1, (long long)NEXT - 1);
    assert_rc(w->db->driver->script(w->db, arena_cstr(w->arena, later)));
    struct db_schema found;
    assert_fault(migrate_look(w->db, migrate_own_steps(), &found), DB_SCHEMA);
    assert_rc(migrate_look(w->db, strict->all, &found));
    assert_true(found.version == NEXT + 1 && found.needs == NEXT - 1);
}

struct seen {
    int64_t begun, ended;
    int progress;
};

static void on_begin(void *arg, const struct store_migration *step) { ((struct seen *)arg)->begun = step->version; }
static void on_end(void *arg, const struct store_migration *step) { ((struct seen *)arg)->ended = step->version; }
static void on_progress(void *arg, int64_t done, int64_t total) {
    ((struct seen *)arg)->progress++;
    assert_true(done >= 0 && total > 0);
}

static void test_an_index_is_built_once(void **state) {
    struct world *w = *state;
    struct seen seen = {0};
    const struct migrate_watch watch = {on_begin, on_progress, on_end, &seen};
    for (uint32_t n = 0; n < 50; n++) {
        struct change insert = insert_of(n);
        apply(w, &insert);
    }
    const struct next *next = next_release(w, "UPDATE meta SET version = version", NEXT - 1,
                                           (struct db_index){"next_index", "grants (app_id, created_ms)"});
    const struct store_migration *last = &next->steps[next->all.n - 1];
    assert_rc(w->db->driver->index(w->db, &last->index, NULL)); /* as somebody did who was then killed */
    assert_rc(migrate_run(w->db, next->all, &watch, w->arena));
    assert_true(seen.begun == NEXT && seen.ended == NEXT);
    seen = (struct seen){0};
    assert_rc(migrate_run(w->db, next->all, &watch, w->arena)); /* nothing is left to do */
    assert_true(seen.begun == 0 && seen.ended == 0);
    assert_rc(w->db->driver->script(w->db, "DROP INDEX next_index")); /* it was there */
    use_everything(w);
}

static void test_a_step_that_fails_is_told_by_its_name(void **state) {
    struct world *w = *state;
    const struct next *next = next_release(w, "INSERT INTO nowhere VALUES (1)", NEXT, no_index);
    struct rc rc = migrate_run(w->db, next->all, NULL, w->arena);
    assert_false(rc_ok(rc));
    assert_true(str_starts_with(str_of(rc_detail()), S("the next: ")));
    struct db_schema found;
    assert_rc(migrate_look(w->db, next->all, &found));
    assert_true(found.version == NEXT - 1);
    next = next_release(w, "UPDATE meta SET version = version", NEXT, (struct db_index){"i", "nowhere (x)"});
    assert_false(rc_ok(migrate_run(w->db, next->all, NULL, w->arena)));
}

int run_migrate(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_this_release_goes_on_behind_the_next_ones_step),
        ROW(test_a_step_that_says_nothing_is_for_its_own_release),
        ROW(test_the_strictest_of_several_steps_counts),
        ROW(test_an_index_is_built_once),
        ROW(test_a_step_that_fails_is_told_by_its_name),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
