/* Whole tables in and out of SQLite. */
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "db_bulk.h"
#include "db_sqlite.h"

#define CACHE "PRAGMA cache_size = -131072" /* the indexes of many rows grow in memory */

struct sqlite_bulk {
    struct db_bulk base;
    struct conn conn;
    sqlite3_stmt *insert; /* of the table that rows are added to */
};

static struct sqlite_bulk *of(struct db_bulk *base) { return (struct sqlite_bulk *)base; }

/* The transaction has the whole file. */
static RC bulk_hold(struct db_bulk *base, const struct db_table *table) {
    (void)base, (void)table;
    return RC_OK;
}

static RC compile(struct sqlite_bulk *b, const char *sql, const char *what, sqlite3_stmt **out) {
    int code = sqlite3_prepare_v2(b->conn.sqlite, sql, -1, out, NULL);
    return code == SQLITE_OK ? RC_OK : conn_fault(b->conn.sqlite, code, what);
}

static RC bulk_run(struct db_bulk *base, const char *sql, int64_t *out) {
    struct sqlite_bulk *b = of(base);
    sqlite3_stmt *stmt = NULL;
    TRY(compile(b, sql, "bulk", &stmt));
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && out) *out = sqlite3_column_int64(stmt, 0);
    struct rc rc = code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : conn_fault(b->conn.sqlite, code, "bulk");
    sqlite3_finalize(stmt);
    return rc;
}

static struct db_value value_of(sqlite3_stmt *stmt, int column) {
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL: return (struct db_value){.type = DB_NULL};
    case SQLITE_INTEGER: return (struct db_value){.type = DB_INT, .i = sqlite3_column_int64(stmt, column)};
    case SQLITE_BLOB: {
        const char *bytes = sqlite3_column_blob(stmt, column);
        return (struct db_value){.type = DB_BYTES, .s = {bytes, (size_t)sqlite3_column_bytes(stmt, column)}};
    }
    default: {
        const char *text = (const char *)sqlite3_column_text(stmt, column);
        return (struct db_value){.type = DB_TEXT, .s = {text, (size_t)sqlite3_column_bytes(stmt, column)}};
    }
    }
}

static RC each_row(struct sqlite_bulk *b, sqlite3_stmt *stmt, const char *name,
                   RC (*take)(void *arg, const struct db_value *values, size_t n), void *arg) {
    struct db_value values[DB_COLUMNS_MAX];
    int n = sqlite3_column_count(stmt), code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++) values[i] = value_of(stmt, i);
        TRY(take(arg, values, (size_t)n));
    }
    return code == SQLITE_DONE ? RC_OK : conn_fault(b->conn.sqlite, code, name);
}

static RC bulk_each(struct db_bulk *base, const struct db_table *table,
                    RC (*take)(void *arg, const struct db_value *values, size_t n), void *arg) {
    struct sqlite_bulk *b = of(base);
    sqlite3_stmt *stmt = NULL;
    char sql[DB_BULK_SQL_MAX];
    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY %s", table->columns, table->name, table->key);
    TRY(compile(b, sql, table->name, &stmt));
    struct rc rc = each_row(b, stmt, table->name, take, arg);
    sqlite3_finalize(stmt);
    return rc;
}

static RC start_insert(struct sqlite_bulk *b, const struct db_table *table) {
    char text[DB_BULK_SQL_MAX];
    struct buf sql = buf_on(text, sizeof text - 1);
    buf_printf(&sql, "INSERT INTO %s (%s) VALUES (?", table->name, table->columns);
    for (size_t i = 1; i < db_table_columns(table); i++) buf_add(&sql, S(", ?"));
    buf_add_char(&sql, ')');
    if (buf_failed(&sql)) return rc_fail(FAULT_INTERNAL, "%s has too many columns", table->name);
    text[sql.n] = '\0';
    return compile(b, text, table->name, &b->insert);
}

static RC bulk_put(struct db_bulk *base, const struct db_table *table, const struct db_value *values, size_t n) {
    struct sqlite_bulk *b = of(base);
    if (!b->insert) TRY(start_insert(b, table));
    int code = SQLITE_OK;
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) code = conn_bind(b->insert, (int)i + 1, &values[i]);
    if (code == SQLITE_OK) code = sqlite3_step(b->insert);
    struct rc rc = code == SQLITE_DONE ? RC_OK : conn_fault(b->conn.sqlite, code, table->name);
    sqlite3_reset(b->insert);
    return rc;
}

static RC bulk_put_end(struct db_bulk *base) {
    struct sqlite_bulk *b = of(base);
    sqlite3_finalize(b->insert);
    b->insert = NULL;
    return RC_OK;
}

/* Who has the data directory is not ours to see. */
static RC bulk_others(struct db_bulk *base, int64_t *out) {
    (void)base;
    *out = 0;
    return RC_OK;
}

static RC bulk_end(struct db_bulk *base, bool keep) {
    struct sqlite_bulk *b = of(base);
    struct rc rc = bulk_put_end(base);
    if (keep) rc = conn_control(&b->conn, CONTROL_COMMIT);
    conn_rollback(&b->conn);
    conn_end(&b->conn);
    free(b);
    return rc;
}

static const struct db_bulk_calls calls = {bulk_hold,    bulk_run,    bulk_each, bulk_put,
                                           bulk_put_end, bulk_others, bulk_end};

/* A reader's moment is that of its first read. */
static RC begin(struct sqlite_bulk *b, enum db_bulk_kind kind) {
    int64_t ignored;
    if (kind == DB_BULK_READ) {
        TRY(conn_control(&b->conn, CONTROL_BEGIN_READ));
        return bulk_run(&b->base, "SELECT count(*) FROM sqlite_schema", &ignored);
    }
    TRY(bulk_run(&b->base, CACHE, NULL));
    return conn_control(&b->conn, CONTROL_BEGIN_WRITE);
}

RC sqlite_bulk(struct db *base, enum db_bulk_kind kind, struct db_bulk **out) {
    const struct sqlite_db *db = (const struct sqlite_db *)base;
    if (db->in_memory) return rc_fail(FAULT_CONFIG, "a store in memory has one connection");
    struct sqlite_bulk *b = calloc(1, sizeof *b);
    if (!b) return conn_fault(NULL, SQLITE_NOMEM, "bulk");
    b->base.calls = &calls;
    struct rc rc = conn_open(&b->conn, db, kind == DB_BULK_READ ? CONN_READER : CONN_WRITER);
    if (!rc_ok(rc)) {
        free(b);
        return rc;
    }
    rc = begin(b, kind);
    if (rc_ok(rc))
        *out = &b->base;
    else
        conn_end(&b->conn), free(b);
    return rc;
}
