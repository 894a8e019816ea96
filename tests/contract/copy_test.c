/* A whole store into another one, and back. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract.h"
#include "store_copy.h"

#define TABLES_MAX 32

static struct db_value number(int64_t i) { return (struct db_value){.type = DB_INT, .i = i}; }
static struct db_value text(const char *s) { return (struct db_value){.type = DB_TEXT, .s = str_of(s)}; }
static struct db_value bytes(const char *p, size_t n) { return (struct db_value){.type = DB_BYTES, .s = {p, n}}; }
static struct db_value nothing(void) { return (struct db_value){.type = DB_NULL}; }

static void put(struct db_bulk *b, const char *name, const struct db_value *values, size_t n) {
    for (size_t i = 0; i < store_table_count; i++)
        if (str_eq(str_of(store_tables[i].name), str_of(name))) {
            assert_int_equal(db_table_columns(&store_tables[i]), n);
            assert_rc(b->calls->put(b, &store_tables[i], values, n));
            assert_rc(b->calls->put_end(b));
            return;
        }
    fail_msg("there is no table %s", name);
}
#define PUT(b, name, ...)                                                                                              \
    put(b, name, (struct db_value[]){__VA_ARGS__}, sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

/* Rows in every table, with what is hard to carry: nothing, emptiness, zero bytes, the ends of the numbers, long and foreign text. */
static void fill(struct world *w) {
    populate(w);
    for (uint32_t n = 0; n < 200; n++) {
        struct change insert = insert_of(n);
        apply(w, &insert);
    }
    struct change revoke = change_of(CHANGE_GRANT_REVOKE, 3);
    revoke.expires_ms = NOW_MS + 5;
    apply(w, &revoke);
    struct db_bulk *b;
    static char big[70000];
    memset(big, 'x', sizeof big);
    assert_rc(db_bulk_open(w->db, DB_BULK_WRITE, &b));
    PUT(b, "keys", number(200), number(INT64_MIN), bytes("a\0b\xff", 4), number(INT64_MAX));
    PUT(b, "keys", number(201), number(-1), bytes("", 0), number(0));
    PUT(b, "signing_keys", text("kid"), number(0), number(1), number(2), bytes(big, sizeof big));
    PUT(b, "resources", number(9), text("Ünïcode \xf0\x9f\x94\x91"), text("https://a.example\nhttps://b.example"),
        number(INT64_C(1) << 40), number(1), number(0), number(1), number(2));
    PUT(b, "uninstalls", number(1), number(2147483647), number(5));
    PUT(b, "revoked_tokens", bytes("\0\0\0", 3), number(7));
    PUT(b, "sessions", bytes("hash", 4), number(1), number(2), number(3), number(4), nothing());
    PUT(b, "sessions", bytes("hasi", 4), number(1), number(2), number(3), number(4), bytes("", 0));
    PUT(b, "sessions", bytes("hasj", 4), number(1), number(2), number(3), number(4), bytes("\1\0\0\0", 4));
    PUT(b, "app_secrets", number(77), number(1), number(255), bytes(big, 32), number(1), number(INT64_MAX));
    PUT(b, "scopes", number(65535), text("''\"\\,\t\n"), text(""), number(1));
    assert_rc(b->calls->end(b, true));
}

/* A store of the driver under test, or of SQLite, in a directory of its own. */
static struct db *open_beside(struct world *w, const char *name, bool sqlite) {
    const struct world_options options = {.inline_writes = true};
    struct db *db;
    const char *dir = world_path(w, name);
    mkdir(dir, 0700);
    assert_rc((sqlite ? contract_sqlite_inline.open : contract_driver->open)(dir, &options, &db));
    return db;
}

static void remove_beside(struct world *w, const char *name) {
    const char *const files[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        str path = arena_printf(w->arena, "%s/%s", name, files[i]);
        remove(world_path(w, arena_cstr(w->arena, path)));
    }
    assert_int_equal(rmdir(world_path(w, name)), 0);
}

struct seen {
    int64_t last[COPY_PHASES], total;
};

static void on_row(void *arg, enum copy_phase phase, int64_t done, int64_t total) {
    struct seen *seen = arg;
    assert_true(done == seen->last[phase] + 1 && done <= total);
    seen->last[phase] = done;
    seen->total = total;
}

static RC count_row(void *arg, const struct db_value *values, size_t n) {
    (void)values, (void)n;
    ++*(int64_t *)arg;
    return RC_OK;
}

static int64_t rows_of(struct db *db) {
    struct db_bulk *b;
    int64_t n = 0;
    assert_rc(db_bulk_open(db, DB_BULK_READ, &b));
    for (size_t i = 0; i < store_table_count; i++) assert_rc(b->calls->each(b, &store_tables[i], count_row, &n));
    assert_rc(b->calls->end(b, false));
    return n;
}

static void test_the_tables_are_those_of_the_database(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory has one connection");
    bool sqlite = str_eq(str_of(w->db->driver->name), S("sqlite"));
    struct db_bulk *b;
    int64_t n = 0;
    char sql[256];
    assert_rc(db_bulk_open(w->db, DB_BULK_READ, &b));
    assert_rc(b->calls->run(b,
                            sqlite
                                ? "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                                : "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
                            &n));
    assert_int_equal(n, store_table_count + 1); /* schema_versions */
    for (size_t i = 0; i < store_table_count; i++) {
        snprintf(sql, sizeof sql,
                 sqlite ? "SELECT count(*) FROM pragma_table_info('%s')"
                        : "SELECT count(*) FROM information_schema.columns WHERE table_name = '%s'",
                 store_tables[i].name);
        assert_rc(b->calls->run(b, sql, &n));
        if ((size_t)n != db_table_columns(&store_tables[i]))
            fail_msg("tables.def misses columns of %s", store_tables[i].name);
    }
    assert_rc(b->calls->end(b, false));
}

static void test_there_and_back(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory has one connection");
    struct table_sum sums[TABLES_MAX], again[TABLES_MAX];
    struct seen seen = {.total = 0};
    const struct copy_watch watch = {on_row, &seen};
    fill(w);
    uint64_t before = fingerprint(w);
    struct db *there = open_beside(w, "there", true), *back = open_beside(w, "back", false);
    assert_rc(store_copy(w->db, there, true, &watch, sums));
    assert_true(seen.total > 200 && seen.last[COPY_ROWS] == seen.total && seen.last[COPY_CHECK] == seen.total);
    assert_true(rows_of(there) == seen.total);
    for (size_t i = 0; i < store_table_count; i++)
        if (sums[i].rows == 0) fail_msg("nothing was in %s", store_tables[i].name);
    assert_rc(store_copy(there, back, true, NULL, again));
    assert_memory_equal(sums, again, store_table_count * sizeof *sums);

    /* and it is a store that serves */
    struct db *own = w->db;
    storage_admin_close(w->admin);
    w->db = back;
    assert_rc(storage_migrate(back, w->arena));
    assert_rc(storage_admin_open(back, &w->admin));
    assert_true(fingerprint(w) == before);
    struct change insert = insert_of(900), again_insert = insert_of(1);
    assert_int_equal(apply(w, &insert), OUTCOME_DONE);
    assert_int_equal(apply(w, &again_insert), OUTCOME_LOST);
    storage_admin_close(w->admin);
    w->db = own;
    assert_rc(storage_admin_open(own, &w->admin));
    db_close(there);
    db_close(back);
    remove_beside(w, "there");
    remove_beside(w, "back");
}

static void test_what_is_refused(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory has one connection");
    struct table_sum sums[TABLES_MAX];
    struct db *empty = open_beside(w, "there", true), *other = open_beside(w, "back", false);
    assert_fault(store_copy(empty, other, true, NULL, sums), DB_SCHEMA); /* no store at all */
    fill(w);
    assert_rc(storage_migrate(other, w->arena));
    assert_rc(other->driver->script(other, "INSERT INTO uninstalls (app_id, hub_id, uninstalled_ms) VALUES (1, 1, 1)"));
    assert_fault(store_copy(w->db, other, true, NULL, sums), CONFIG);
    assert_non_null(strstr(rc_detail(), "not empty: it has uninstalls"));
    assert_int_equal(rows_of(other), 2); /* as it was */
    assert_rc(w->db->driver->script(w->db, "INSERT INTO schema_versions (version, readable_from) VALUES (999, 1)"));
    assert_fault(store_copy(w->db, empty, true, NULL, sums), DB_SCHEMA); /* columns of it would stay behind */
    assert_fault(store_copy(empty, w->db, true, NULL, sums), DB_SCHEMA);
    db_close(empty);
    db_close(other);
    remove_beside(w, "there");
    remove_beside(w, "back");
}

/* Whoever is killed before the end has changed nothing. */
static void test_it_is_whole_or_not_at_all(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory has one connection");
    struct db *to = open_beside(w, "back", false);
    struct db_bulk *b;
    assert_rc(storage_migrate(to, w->arena));
    assert_rc(db_bulk_open(to, DB_BULK_WRITE, &b));
    PUT(b, "uninstalls", number(1), number(2), number(5));
    assert_rc(b->calls->end(b, false));
    assert_int_equal(rows_of(to), 1);
    assert_rc(db_bulk_open(to, DB_BULK_WRITE, &b));
    for (size_t i = 0; i < store_table_count; i++) { /* a row begun, and not ended */
        if (!str_eq(str_of(store_tables[i].name), S("revoked_tokens"))) continue;
        assert_rc(b->calls->put(b, &store_tables[i], (struct db_value[]){bytes("x", 1), number(1)}, 2));
    }
    assert_rc(b->calls->end(b, false));
    assert_int_equal(rows_of(to), 1);
    assert_rc(db_bulk_open(to, DB_BULK_WRITE, &b)); /* a value that the table refuses */
    struct rc rc = RC_OK;
    for (size_t i = 0; i < store_table_count; i++) {
        if (!str_eq(str_of(store_tables[i].name), S("uninstalls"))) continue;
        rc = b->calls->put(b, &store_tables[i], (struct db_value[]){number(1), nothing(), number(1)}, 3);
        if (rc_ok(rc)) rc = b->calls->put_end(b);
    }
    assert_int_equal(rc.fault, FAULT_DB_CONSTRAINT);
    rc = b->calls->end(b, false);
    assert_int_equal(rows_of(to), 1);
    db_close(to);
    remove_beside(w, "back");
}

/* What others change meanwhile is not in the copy, and does not break it. */
static void test_it_is_of_one_moment(void **state) {
    struct world *w = *state;
    if (!contract_driver->persistent) skip_because("memory has one connection");
    struct db_bulk *b;
    struct change insert = insert_of(1), more = insert_of(2);
    int64_t n = 0;
    apply(w, &insert);
    assert_rc(db_bulk_open(w->db, DB_BULK_READ, &b));
    apply(w, &more);
    assert_rc(b->calls->run(b, "SELECT count(*) FROM grants", &n));
    assert_int_equal(n, 1);
    assert_rc(b->calls->end(b, false));
}

/* Two rows that are exchanged in their order are the same; one bit, a type or a table more is not. */
static void test_sums(void **state) {
    (void)state;
    struct buf scratch = buf_growing(1 << 20);
    const struct db_value rows[][2] = {
        {number(1), text("a")},        {number(2), text("b")}, {number(1), bytes("a", 1)}, {number(1), nothing()},
        {number(1), text("")},         {text("a"), number(1)}, {number(257), text("a")},   {number(-1), text("a")},
        {text("\0\0\0\0"), text("a")}, {nothing(), nothing()},
    };
    struct table_sum forth = {0}, back = {0}, twice = {0}, each[12] = {{0}};
    table_sum_add(&forth, "t", rows[0], 2, &scratch);
    table_sum_add(&forth, "t", rows[1], 2, &scratch);
    table_sum_add(&back, "t", rows[1], 2, &scratch);
    table_sum_add(&back, "t", rows[0], 2, &scratch);
    assert_memory_equal(&forth, &back, sizeof forth);
    for (int i = 0; i < 2; i++) table_sum_add(&twice, "t", rows[0], 2, &scratch);
    assert_memory_not_equal(twice.sums, forth.sums, sizeof forth.sums);
    enum { N = sizeof rows / sizeof rows[0] };
    for (size_t i = 0; i < N; i++) table_sum_add(&each[i], "t", rows[i], 2, &scratch);
    table_sum_add(&each[N], "u", rows[0], 2, &scratch);
    table_sum_add(&each[N + 1], "t", rows[0], 1, &scratch);
    for (size_t i = 0; i < N + 2; i++)
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(each[i].sums, each[k].sums, sizeof each[i].sums);
    buf_free(&scratch);
}

int run_copy(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_the_tables_are_those_of_the_database),
        ROW(test_there_and_back),
        ROW(test_what_is_refused),
        ROW(test_it_is_whole_or_not_at_all),
        ROW(test_it_is_of_one_moment),
        ROW(test_sums),
    };
    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
