#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db.h"

static void test_words(void **state) {
    (void)state;
    static const struct {
        const char *portable, *sqlite;
    } rows[] = {
        {"", ""},
        {"CREATE TABLE t (a INT, b BIGINT NOT NULL, c BYTES) UNORDERED;",
         "CREATE TABLE t (a INTEGER, b INTEGER NOT NULL, c BLOB) STRICT;"},
        {"t (a TEXT) KEY_ORDERED", "t (a TEXT) WITHOUT ROWID, STRICT"},
        {"INT", "INTEGER"},
        {"PRINT INTO INT_ _INT INT2 bigint", "PRINT INTO INT_ _INT INT2 bigint"}, /* whole words, as they are written */
        {"VALUES ('INT', 'it''s INT', INT)", "VALUES ('INT', 'it''s INT', INTEGER)"},
        {"'INT", "'INT"},
    };
    struct db *db;
    struct arena *arena = arena_new(4096);
    assert_true(rc_ok(db_open_sqlite(&(struct db_sqlite_options){.path = ":memory:"}, &db)));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(db_dialect(db, arena, rows[i].portable), rows[i].sqlite);
    db_close(db);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
