#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_sql.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = arena_new(65536);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

/* The highest n of the $n in a text. */
static unsigned highest_argument(const char *text) {
    unsigned highest = 0;
    for (str rest = str_of(text); rest.n;) {
        (void)str_take(&rest, '$');
        size_t digits = 0;
        uint64_t n = 0;
        while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') digits++;
        if (str_to_u64(str_head(rest, digits), DB_ARGS_MAX, &n) && n > highest) highest = (unsigned)n;
    }
    return highest;
}

static void check_stmt(const struct db_stmt *stmt, bool write) {
    assert_true(stmt->sql < store_sql_count);
    const struct db_sql *sql = &store_sql[stmt->sql];
    if (stmt->n_args != highest_argument(sql->text)) fail_msg("%s: %u arguments", sql->name, stmt->n_args);
    if (write != ((sql->flags & DB_WRITE) != 0)) fail_msg("%s: write", sql->name);
    for (size_t i = 0; i < stmt->n_args; i++)
        if (stmt->args[i].type != DB_INT) assert_true(stmt->args[i].i == 0 || stmt->args[i].type == DB_NULL);
}

static void test_the_table(void **state) {
    (void)state;
    assert_int_equal(highest_argument("a $2, $11 b"), 11);
    assert_int_equal(highest_argument("none"), 0);
    for (size_t i = 0; i < store_sql_count; i++) {
        const struct db_sql *sql = &store_sql[i];
        assert_true(highest_argument(sql->text) <= DB_ARGS_MAX);
        assert_true(!(sql->flags & DB_TAKER) || (sql->flags & DB_WRITE));
        assert_true(!(sql->flags & DB_OR_IGNORE) || (sql->flags & DB_TAKER)); /* else nobody would hear of it */
        assert_true(((sql->flags & DB_WRITE) == 0) == str_starts_with(str_of(sql->text), S("SELECT")));
    }
}

static void test_asks_and_changes_have_their_arguments(void **state) {
    (void)state;
    for (int kind = 0; kind < ASK_KINDS; kind++) {
        struct db_stmt stmt;
        store_plan_ask(&(struct ask){.kind = (enum ask_kind)kind}, NULL, &stmt);
        check_stmt(&stmt, false);
    }
    for (int kind = 0; kind < CHANGE_KINDS; kind++) {
        struct db_stmt stmts[DB_STMTS_MAX];
        size_t n = store_plan_change(&(struct change){.kind = (enum change_kind)kind}, stmts);
        assert_true(kind == CHANGE_NONE ? n == 0 : n >= 1 && n <= DB_STMTS_MAX);
        for (size_t i = 0; i < n; i++) check_stmt(&stmts[i], true);
    }
}

/* What sessions remember of people and accounts (known_subjects) stays true: only administration changes these, and says so. */
static void test_only_administration_changes_people(void **state) {
    (void)state;
    static const char *const tables[] = {" users", " accounts", " members", " meta"};
    struct db_stmt stmts[DB_STMTS_MAX];
    for (int kind = 0; kind <= CHANGE_KINDS; kind++) {
        size_t n = kind == CHANGE_KINDS ? store_plan_purge(1, 0, stmts)
                                        : store_plan_change(&(struct change){.kind = (enum change_kind)kind}, stmts);
        for (size_t i = 0; i < n; i++)
            for (size_t t = 0; t < COUNT(tables); t++)
                if (strstr(store_sql[stmts[i].sql].text, tables[t])) fail_msg("%s", store_sql[stmts[i].sql].name);
    }
}

static void test_listings_have_their_arguments(void **state) {
    (void)state;
    const struct listing filters[] = {
        {.limit = 1},        {.user_id = 1},        {.hub_id = 1},
        {.app_id = 1},       {.after = 7},          {.user_id = 1, .hub_id = 1},
        {.email = S("a@b")}, {.by_grant_id = true}, {.after = ID_MAX},
    };
    for (int kind = 0; kind < LISTING_KINDS; kind++) {
        for (size_t i = 0; i < COUNT(filters); i++) {
            struct db_stmt stmt;
            struct listing listing = filters[i];
            listing.kind = (enum listing_kind)kind;
            store_plan_listing(&listing, &stmt);
            check_stmt(&stmt, false);
        }
    }
}

static void test_edits_have_their_arguments(void **state) {
    (void)state;
    const struct app app = {.app_id = 1};
    const struct scope scope = {.id = 1};
    const struct resource resource = {.id = 1};
    const struct account account = {.hub_id = 1};
    const struct user user = {.user_id = 1};
    for (int kind = 0; kind < EDIT_KINDS; kind++) {
        struct db_stmt stmts[DB_STMTS_MAX];
        struct edit edit = {
            .kind = (enum edit_kind)kind, .app = &app, .scope = &scope, .account = &account, .user = &user};
        edit.resource = &resource;
        size_t n = store_plan_edit(&edit, arena, stmts);
        assert_true(n >= 2 && n <= DB_STMTS_MAX);
        for (size_t i = 0; i < n; i++) check_stmt(&stmts[i], true);
        assert_int_equal(stmts[n - 1].sql, SQL_VERSION_RAISE);
    }
}

static void test_purge(void **state) {
    (void)state;
    struct db_stmt stmts[DB_STMTS_MAX];
    size_t all = 0;
    for (size_t n; (n = store_plan_purge(INT64_C(10000000000), all, stmts)); all += n) {
        assert_true(n <= DB_STMTS_MAX);
        for (size_t i = 0; i < n; i++) {
            check_stmt(&stmts[i], true);
            assert_true(stmts[i].args[0].i <= INT64_C(10000000000));
            assert_non_null(strstr(store_sql[stmts[i].sql].text, " LIMIT 500)"));
        }
    }
    assert_true(all >= 5);
}

static struct db_value number(int64_t i) { return (struct db_value){.type = DB_INT, .i = i}; }
static struct db_value bytes(size_t n) { return (struct db_value){.type = DB_BYTES, .s = {"0123456789abcdefghij", n}}; }

/* One row of grants, good; what the statement of a listing gives, however many columns that are. */
static struct db_rows good_grant(struct db_value *v) {
    const struct db_value null = {.type = DB_NULL};
    const struct db_value good[] = {bytes(16), number(1),  number(2), number(3), bytes(2),  number(5),
                                    null,      bytes(16),  number(7), number(8), number(9), null,
                                    number(0), number(11), bytes(2),  bytes(32)};
    memcpy(v, good, sizeof good);
    return (struct db_rows){.n_rows = 1, .n_cols = COUNT(good), .values = v};
}

static struct rc read_grant(struct db_rows rows, struct grant *out) {
    struct row row = row_of(&rows, 0);
    *out = (struct grant){.app_id = 0};
    row_grant(&row, out);
    return row_end(&row);
}

static void test_rows_are_not_trusted(void **state) {
    (void)state;
    struct db_value v[32];
    struct grant g;
    assert_int_equal(read_grant(good_grant(v), &g).fault, FAULT_NONE);
    assert_true(g.app_id == 1 && g.hub_id == 2 && g.expires_ms == 0 && g.revoked_ms == 0 && g.auth_time_ms == 11);
    const struct {
        size_t column;
        struct db_value value;
    } cases[] = {
        {0, bytes(15)},
        {0, {.type = DB_NULL}},
        {0, number(1)},
        {1, bytes(4)},
        {1, number(INT64_C(1) << 31)},
        {2, number(INT64_MIN)},
        {4, {.type = DB_TEXT, .s = S("x")}},
        {7, bytes(17)},
        {8, number(-1)},
        {8, number(INT64_C(1) << 32)},
        {11, bytes(1)},
        {14, number(1)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct db_rows rows = good_grant(v);
        v[cases[i].column] = cases[i].value;
        if (read_grant(rows, &g).fault != FAULT_DB_CORRUPT) fail_msg("row %zu was read", i);
    }
    struct db_rows rows = good_grant(v);
    rows.n_cols--;
    assert_int_equal(read_grant(rows, &g).fault, FAULT_DB_CORRUPT);
}

static void test_a_damaged_row_is_not_found_nor_missing(void **state) {
    (void)state;
    struct db_value v[32];
    struct facts facts = {.grant_found = true};
    struct db_rows rows = good_grant(v); /* the columns of the subject are missing */
    const struct ask ask = {.kind = ASK_GRANT}, subject = {.kind = ASK_SUBJECT};
    struct db_stmt stmt;
    const struct store_answer answer = {&stmt, &rows, NULL, arena};
    bool again = true;
    store_plan_ask(&ask, NULL, &stmt);
    assert_int_equal(store_read_ask(&ask, &answer, &facts, &again).fault, FAULT_DB_CORRUPT);
    assert_false(facts.grant_found);
    rows.n_rows = 0;
    assert_int_equal(store_read_ask(&ask, &answer, &facts, &again).fault, FAULT_NONE);
    assert_false(facts.grant_found || again);
    store_plan_ask(&subject, NULL, &stmt);
    assert_int_equal(store_read_ask(&subject, &answer, &facts, &again).fault, FAULT_INTERNAL);
}

/* What is known is left out of the question; what is not known any more is asked for. */
static void test_what_is_known_is_not_asked_for(void **state) {
    (void)state;
    static struct known_subjects known;
    const struct ask ask = {.kind = ASK_GRANT};
    const struct ask subject = {.kind = ASK_SUBJECT, .user_id = 7, .hub_id = 9, .app_id = 1};
    const struct subject_key key = {1, 7, 9};
    struct db_value v[32];
    struct db_rows rows = good_grant(v);
    v[2] = number(9), v[3] = number(7);
    v[rows.n_cols] = (struct db_value){.type = DB_NULL}; /* uninstalled_ms */
    v[rows.n_cols + 1] = number(1);                      /* the version */
    rows.n_cols += 2;
    struct db_stmt stmt;
    struct facts facts = {.grant_found = false};
    const struct store_answer answer = {&stmt, &rows, &known, arena};
    bool again = true;

    store_plan_ask(&ask, &known, &stmt);
    assert_int_equal(stmt.sql, SQL_ASK_GRANT);
    store_plan_ask(&subject, &known, &stmt);
    assert_int_equal(stmt.sql, SQL_ASK_SUBJECT);
    for (int i = 0; i < 8; i++)
        known_subjects_add(&known, &key, &(struct subject){.user_found = true, .email = S("a@b.c")});
    store_plan_ask(&subject, &known, &stmt);
    assert_int_equal(stmt.sql, SQL_ASK_UNINSTALLED);
    check_stmt(&stmt, false);
    store_plan_ask(&ask, &known, &stmt);
    assert_int_equal(stmt.sql, SQL_ASK_GRANT_ALONE);
    check_stmt(&stmt, false);
    assert_true(rc_ok(store_read_ask(&ask, &answer, &facts, &again)));
    assert_true(facts.grant_found && !again && facts.subject.user_found);
    assert_true(str_eq(facts.subject.email, S("a@b.c")));

    v[rows.n_cols - 1] = number(2); /* administration has changed something */
    assert_true(rc_ok(store_read_ask(&ask, &answer, &facts, &again)));
    assert_true(again);
    store_plan_ask(&subject, &known, &stmt);
    assert_int_equal(stmt.sql, SQL_ASK_SUBJECT);
}

static void test_an_edit_without_rows_has_no_id(void **state) {
    (void)state;
    struct db_value id = number(1001);
    assert_int_equal(store_edit_id(&(struct db_rows){.n_rows = 0}), 0);
    assert_int_equal(store_edit_id(&(struct db_rows){.n_rows = 1, .n_cols = 1, .values = &id}), 1001);
}

static void test_migrations_are_numbered(void **state) {
    (void)state;
    for (size_t i = 0; i < store_migration_count; i++) {
        const struct store_migration *m = &store_migrations[i];
        assert_true(m->version == (int64_t)i + 1);
        assert_true(m->readable_from >= 1 && m->readable_from <= m->version);
        str record = m->version < STORE_READABLE_SINCE
                         ? arena_printf(arena, "INTO schema_versions (version) VALUES (%d);", (int)i + 1)
                         : arena_printf(arena, "INTO schema_versions (version, readable_from) VALUES (%d, %d);",
                                        (int)i + 1, (int)m->readable_from);
        str sql = str_of(m->sql);
        assert_true(str_eq(str_from(sql, sql.n - record.n), record)); /* at its end */
    }
}

/* The text from `from` to the next of `end`. */
static str part(const char *from, char end) { return str_head(str_of(from), str_find(str_of(from), end)); }

/* A step that nodes of the release before survive adds; what it adds to a table is NULL or has a default. */
static void test_steps_leave_older_nodes_alone(void **state) {
    (void)state;
    static const char *const harmful[] = {"DROP ", "RENAME ", "ALTER COLUMN", "SET NOT NULL", "DELETE ", "UPDATE "};
    for (size_t i = 0; i < store_migration_count; i++) {
        const struct store_migration *m = &store_migrations[i];
        if (m->readable_from == m->version) continue;
        for (size_t k = 0; k < COUNT(harmful); k++) assert_null(strstr(m->sql, harmful[k]));
        for (const char *at = m->sql; (at = strstr(at, " ADD COLUMN ")); at++) {
            str column = part(at, ';');
            bool null = !strstr(arena_cstr(arena, column), "NOT NULL");
            assert_true(null || strstr(arena_cstr(arena, column), " DEFAULT "));
        }
    }
}

/* Columns that a newer release adds must not come into the rows or the inserts of this one. */
static void test_statements_name_their_columns(void **state) {
    (void)state;
    for (size_t i = 0; i < store_sql_count; i++) {
        const char *texts[] = {store_sql[i].text, store_sql[i].many};
        for (size_t k = 0; k < COUNT(texts) && texts[k]; k++) {
            const char *star = strstr(texts[k], "SELECT *"), *into = strstr(texts[k], "INSERT INTO ");
            assert_true(!star || str_starts_with(str_of(star), S("SELECT * FROM unnest(")));
            assert_null(strstr(texts[k], "RETURNING *"));
            assert_null(strstr(texts[k], ".*"));
            if (into) assert_non_null(strstr(arena_cstr(arena, part(into, ')')), " ("));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_asks_and_changes_have_their_arguments),
        cmocka_unit_test(test_only_administration_changes_people),
        cmocka_unit_test(test_listings_have_their_arguments),
        cmocka_unit_test(test_edits_have_their_arguments),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_rows_are_not_trusted),
        cmocka_unit_test(test_a_damaged_row_is_not_found_nor_missing),
        cmocka_unit_test(test_what_is_known_is_not_asked_for),
        cmocka_unit_test(test_an_edit_without_rows_has_no_id),
        cmocka_unit_test(test_migrations_are_numbered),
        cmocka_unit_test(test_steps_leave_older_nodes_alone),
        cmocka_unit_test(test_statements_name_their_columns),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
