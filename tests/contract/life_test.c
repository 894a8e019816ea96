/* Opening, closing, migrating, backing up. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract.h"

static void reopen(struct world *w) {
    world_shut(w);
    world_open(w, &(struct world_options){.inline_writes = false});
}

static void test_it_is_all_there_after_a_reopen(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory does not outlive its store");
    populate(w);
    struct change insert = insert_of(0), rotate = change_of(CHANGE_GRANT_ROTATE, 0);
    rotate.generation = 1;
    apply(w, &insert);
    apply(w, &rotate);
    uint64_t before = fingerprint(w);
    for (int i = 0; i < 3; i++) reopen(w);
    assert_true(fingerprint(w) == before);
    assert_int_equal(apply(w, &rotate), OUTCOME_LOST);
}

/* Changes that nobody waits for any more are carried out, and their `done` is not called. */
static void test_close_finishes_what_waits(void **state) {
    struct world *w = *state;
    enum { N = 200 };
    struct client c;
    struct client_call *calls = test_calloc(N, sizeof *calls);
    client_open(&c, w->db);
    for (uint32_t n = 0; n < N; n++) {
        struct change insert = insert_of(n);
        client_apply(&c, &calls[n], &insert);
    }
    client_close(&c); /* without a drain */
    for (size_t n = 0; n < N; n++) {
        assert_int_equal(calls[n].done, !contract_driver->threads);
        client_call_free(&calls[n]); /* under ASan: nobody uses it any more */
    }
    test_free(calls);
    if (contract_driver->persistent) reopen(w);
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_GRANTS}).n, N);
}

static void test_migration_is_done_once(void **state) {
    struct world *w = *state;
    struct db_schema found;
    assert_rc(migrate_look(w->db, migrate_own_steps(), &found));
    assert_true(found.version == migrate_newest(migrate_own_steps()) && found.needs == 0);
    populate(w);
    uint64_t before = fingerprint(w);
    assert_rc(storage_migrate(w->db, w->arena));
    assert_true(fingerprint(w) == before);
}

static void test_an_empty_database_has_version_0(void **state) {
    struct world *w = *state;
    world_shut(w);
    struct contract_driver fresh = *contract_driver;
    assert_int_equal(mkdir(world_path(w, "empty"), 0700), 0);
    assert_rc(fresh.open(world_path(w, "empty"), &(struct world_options){.inline_writes = false}, &w->db));
    struct db_schema found = {-1, -1};
    assert_rc(w->db->driver->schema(w->db, 0, &found));
    assert_true(found.version == 0 && found.needs == 0);
    assert_fault(storage_require(w->db), DB_SCHEMA);
    assert_fault(w->db->driver->prepare(w->db, store_sql, store_sql_count), DB_SCHEMA);
    db_close(w->db);
    w->db = NULL;
    remove(world_path(w, "empty/store.db"));
    assert_int_equal(rmdir(world_path(w, "empty")), 0);
}

static void test_a_newer_schema_is_refused(void **state) {
    struct world *w = *state;
    assert_rc(w->db->driver->script(w->db, "INSERT INTO schema_versions (version) VALUES (999)"));
    assert_fault(storage_migrate(w->db, w->arena), DB_SCHEMA);
}

static void test_a_script_is_whole_or_nothing(void **state) {
    struct world *w = *state;
    const char *broken =
        "INSERT INTO keys (number, created_ms, sealed) VALUES (9, 1, ''); INSERT INTO nowhere VALUES (1)";
    assert_false(rc_ok(w->db->driver->script(w->db, broken)));
    assert_int_equal(list(w, &(struct listing){.kind = LISTING_KEYS}).n, 0);
    struct edit e = {.kind = EDIT_KEY_INSERT, .key = {1, 1, {"x", 1}, 0}};
    assert_int_equal(edit(w, &e, NULL), OUTCOME_DONE); /* and the store goes on */
}

struct writing {
    struct db *db;
    int stop;              /* atomic */
    uint32_t acknowledged; /* atomic */
    pthread_t thread;
};

static void *write_main(void *arg) {
    struct writing *wr = arg;
    struct client c;
    client_open(&c, wr->db);
    for (uint32_t n = 0; !__atomic_load_n(&wr->stop, __ATOMIC_ACQUIRE); n++) {
        struct client_call call;
        struct change insert = insert_of(n);
        client_apply(&c, &call, &insert);
        client_wait(&c);
        if (rc_ok(call.call.rc)) __atomic_store_n(&wr->acknowledged, n + 1, __ATOMIC_RELEASE);
        client_call_free(&call);
    }
    client_close(&c);
    return NULL;
}

static int last_done, last_total;

static void on_progress(void *arg, int done, int total) {
    (*(int *)arg)++;
    last_done = done;
    last_total = total;
}

static void backup_check(struct world *w, const char *path, uint32_t at_least) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct db *copy;
    struct storage_admin *admin;
    assert_rc(db_open_sqlite(&(struct db_sqlite_options){.path = path, .inline_writes = true}, &copy));
    assert_rc(storage_migrate(copy, w->arena));
    assert_rc(storage_admin_open(copy, &admin));
    struct listed rows;
    assert_rc(storage_list(admin, &(struct listing){.kind = LISTING_GRANTS, .limit = 1000000}, w->arena, &rows));
    assert_true(rows.n >= at_least);
    const struct grant *g = rows.rows; /* one moment: no grant is missing before the last */
    for (uint32_t n = 0; n < rows.n; n++) assert_true(g[n].created_ms == NOW_MS + n);
    struct change next = insert_of((uint32_t)rows.n);
    enum outcome outcome;
    assert_rc(storage_change(admin, &next, w->arena, &outcome)); /* it is a whole store */
    storage_admin_close(admin);
    db_close(copy);
}

static void test_backup_while_writing(void **state) {
    struct world *w = *state;
    if (!w->db->driver->backup) skip_because("the database has means of its own for backups");
    struct writing wr = {.db = w->db};
    assert_int_equal(pthread_create(&wr.thread, NULL, write_main, &wr), 0);
    while (__atomic_load_n(&wr.acknowledged, __ATOMIC_ACQUIRE) < 100) usleep(1000);

    const char *path = world_path(w, "copy.db");
    uint32_t before = __atomic_load_n(&wr.acknowledged, __ATOMIC_ACQUIRE);
    int steps = 0;
    assert_rc(w->db->driver->backup(w->db, path, on_progress, &steps));
    uint32_t after = __atomic_load_n(&wr.acknowledged, __ATOMIC_ACQUIRE);
    assert_true(steps > 0 && last_done == last_total);
    assert_fault(w->db->driver->backup(w->db, path, NULL, NULL), IO); /* never over a file */

    while (__atomic_load_n(&wr.acknowledged, __ATOMIC_ACQUIRE) == after) usleep(1000); /* changes go on */
    __atomic_store_n(&wr.stop, 1, __ATOMIC_RELEASE);
    pthread_join(wr.thread, NULL);
    backup_check(w, path, before);
}

int run_life(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_it_is_all_there_after_a_reopen), ROW(test_close_finishes_what_waits),
        ROW(test_migration_is_done_once),         ROW(test_an_empty_database_has_version_0),
        ROW(test_a_newer_schema_is_refused),      ROW(test_a_script_is_whole_or_nothing),
        ROW(test_backup_while_writing),
    };
    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
