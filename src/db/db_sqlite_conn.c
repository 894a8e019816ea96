/* One connection to SQLite: opening, compiled statements, values in and rows out. */
#include "db_sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#define BUSY_READER_MS 100 /* runs on a loop thread; only recovery and other programs make a reader wait */
#define BUSY_WRITER_MS 1000
#define CACHE_KIB      4096 /* measured: more brings the writer nothing, and administration reads everything once */

#define WAL_INDEX_BYTES 32768 /* of one block of the log's index */

static const char *const control_text[CONTROLS] = {
    [CONTROL_BEGIN_READ] = "BEGIN",   [CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE", [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",  [CONTROL_SAVEPOINT] = "SAVEPOINT op",      [CONTROL_UNDO] = "ROLLBACK TO op",
    [CONTROL_RELEASE] = "RELEASE op",
};

static enum fault fault_of(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return FAULT_DB_BUSY;
    case SQLITE_FULL: return FAULT_DB_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM: return FAULT_DB_READONLY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOLFS: return FAULT_DB_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return FAULT_DB_CORRUPT;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return FAULT_DB_CONSTRAINT;
    default: return FAULT_INTERNAL;
    }
}

struct rc conn_fault(sqlite3 *sqlite, int code, const char *what) {
    if ((code & 0xff) == SQLITE_NOMEM) { /* as everywhere: inputs are bounded, so this is the machine's end */
        fputs("grantd: out of memory\n", stderr);
        abort();
    }
    return rc_fail(fault_of(code), "%s: %s (%d)", what, sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(code), code);
}

static RC conn_exec(struct conn *c, const char *sql) {
    int code = sqlite3_exec(c->sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : conn_fault(c->sqlite, code, sql);
}

/* journal_mode answers with the mode that holds now, not with an error. */
static RC conn_use_wal(struct conn *c) {
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(c->sqlite, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(stmt);
    bool wal = code == SQLITE_ROW && str_eq(str_of((const char *)sqlite3_column_text(stmt, 0)), S("wal"));
    struct rc rc = RC_OK;
    if (code != SQLITE_ROW)
        rc = conn_fault(c->sqlite, code, "journal_mode");
    else if (!wal)
        rc = rc_fail(FAULT_DB_IO, "the file system of the store cannot hold a write-ahead log");
    sqlite3_finalize(stmt);
    return rc;
}

static RC conn_set_up(struct conn *c, const struct sqlite_db *db, enum conn_kind kind) {
    sqlite3_extended_result_codes(c->sqlite, 1);
    sqlite3_busy_timeout(c->sqlite, kind == CONN_READER ? BUSY_READER_MS : BUSY_WRITER_MS);
    sqlite3_db_config(c->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(c->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (sqlite3_db_readonly(c->sqlite, "main") == 1)
        return rc_fail(FAULT_DB_READONLY, "%s cannot be written", db->path);
    if (!db->in_memory) TRY(conn_use_wal(c));
    char pragmas[256];
    /* The writer moves the log itself, after the answers are out; a log that once grew long is cut again. No mmap: an I/O error
     * would then be a signal instead of a result. */
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF;"
             "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-%u; PRAGMA query_only=%d",
             CACHE_KIB, kind == CONN_READER);
    return conn_exec(c, pragmas);
}

RC conn_open(struct conn *c, const struct sqlite_db *db, enum conn_kind kind) {
    *c = (struct conn){.table = db->table, .n_table = db->n_table};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (db->in_memory ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(db->path, &c->sqlite, flags, NULL);
    struct rc rc = code == SQLITE_OK ? conn_set_up(c, db, kind) : conn_fault(c->sqlite, code, db->path);
    if (!rc_ok(rc)) conn_end(c);
    return rc;
}

RC conn_keep_pages(struct conn *c, unsigned kib) {
    char pragma[48];
    snprintf(pragma, sizeof pragma, "PRAGMA cache_size=-%u", kib);
    return conn_exec(c, pragma);
}

void conn_forget(struct conn *c) {
    for (size_t i = 0; c->prepared && i < c->n_table; i++) sqlite3_finalize(c->prepared[i].stmt);
    free(c->prepared);
    c->prepared = NULL;
}

void conn_end(struct conn *c) {
    conn_forget(c);
    for (size_t i = 0; i < CONTROLS; i++) sqlite3_finalize(c->control[i]);
    sqlite3_close(c->sqlite);
    *c = (struct conn){.sqlite = NULL};
}

RC conn_control(struct conn *c, enum control control) {
    sqlite3_stmt **stmt = &c->control[control];
    int code = SQLITE_OK;
    if (!*stmt) code = sqlite3_prepare_v3(c->sqlite, control_text[control], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(*stmt);
    struct rc rc = code == SQLITE_DONE ? RC_OK : conn_fault(c->sqlite, code, control_text[control]);
    sqlite3_reset(*stmt);
    return rc;
}

const volatile uint64_t *conn_wal_head(struct conn *c) {
    sqlite3_file *file = NULL;
    void volatile *head = NULL;
    int code = sqlite3_file_control(c->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || !file->pMethods || file->pMethods->iVersion < 2) return NULL;
    code = file->pMethods->xShmMap(file, 0, WAL_INDEX_BYTES, 0, &head);
    return code == SQLITE_OK ? head : NULL;
}

void conn_rollback(struct conn *c) {
    if (sqlite3_get_autocommit(c->sqlite)) return;
    struct rc rc = conn_control(c, CONTROL_ROLLBACK);
    (void)rc; /* SQLite leaves the transaction in every case */
}

/* Finds the places of $1 ... $n; SQLite numbers them as they appear in the text. */
static RC prepared_map(struct prepared *p, const char *name) {
    int n_params = sqlite3_bind_parameter_count(p->stmt);
    if (n_params > DB_ARGS_MAX) return rc_fail(FAULT_INTERNAL, "%s has too many arguments", name);
    int found = 0;
    p->n_params = 0;
    for (int i = 0; i < DB_ARGS_MAX; i++) {
        char text[8];
        snprintf(text, sizeof text, "$%d", i + 1);
        int index = sqlite3_bind_parameter_index(p->stmt, text);
        p->index[i] = (uint8_t)index;
        found += index > 0;
        if (index > 0) p->n_params = (uint8_t)(i + 1);
    }
    return found == n_params ? RC_OK
                             : rc_fail(FAULT_INTERNAL, "%s has an argument that is not $1 to $%d", name, DB_ARGS_MAX);
}

/* An INSERT that fetches its row from a SELECT, and may fail, makes SQLite keep a copy of every page it touches until it is through
 * (sqlite.org/tempfiles.html, statement journal files): a fifth of what a new grant costs. OR IGNORE cannot fail. */
static int or_ignore(struct conn *c, const char *text, sqlite3_stmt **out) {
    if (!str_starts_with(str_of(text), S("INSERT "))) return SQLITE_MISUSE;
    char *own = sqlite3_mprintf("INSERT OR IGNORE %s", text + sizeof "INSERT " - 1);
    int code = own ? sqlite3_prepare_v3(c->sqlite, own, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) : SQLITE_NOMEM;
    sqlite3_free(own);
    return code;
}

static int compile(struct conn *c, const struct db_sql *row, sqlite3_stmt **out) {
    if (row->flags & DB_OR_IGNORE) return or_ignore(c, row->text, out);
    return sqlite3_prepare_v3(c->sqlite, row->text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

RC conn_prepare(struct conn *c, size_t sql, struct prepared **out) {
    if (sql >= c->n_table) return rc_fail(FAULT_INTERNAL, "there is no statement %zu", sql);
    if (!c->prepared) c->prepared = calloc(c->n_table, sizeof *c->prepared);
    if (!c->prepared) return conn_fault(NULL, SQLITE_NOMEM, "prepare");
    struct prepared *p = &c->prepared[sql];
    *out = p;
    if (p->stmt) return RC_OK;

    const struct db_sql *row = &c->table[sql];
    int code = compile(c, row, &p->stmt);
    if (code == SQLITE_ERROR) return rc_fail(FAULT_DB_SCHEMA, "%s: %s", row->name, sqlite3_errmsg(c->sqlite));
    if (code != SQLITE_OK) return conn_fault(c->sqlite, code, row->name);
    return prepared_map(p, row->name);
}

/* SQLite takes a null pointer for NULL, so an empty value needs an address. The bytes stay valid until the op is done. */
int conn_bind(sqlite3_stmt *stmt, int index, const struct db_value *v) {
    const char *p = v->s.n ? v->s.p : "";
    switch (v->type) {
    case DB_INT: return sqlite3_bind_int64(stmt, index, v->i);
    case DB_TEXT: return sqlite3_bind_text64(stmt, index, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BYTES: return sqlite3_bind_blob64(stmt, index, p, v->s.n, SQLITE_STATIC);
    case DB_NULL: break;
    }
    return sqlite3_bind_null(stmt, index);
}

static int bind_all(const struct prepared *p, const struct db_stmt *stmt) {
    for (size_t i = 0; i < stmt->n_args && i < DB_ARGS_MAX; i++) {
        if (!p->index[i]) continue;
        int code = conn_bind(p->stmt, p->index[i], &stmt->args[i]);
        if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
}

/* A connection is one thread's and the library set up so: then the value itself may be looked at (sqlite.org/c3ref/value.html), once instead of by
 * three calls of the connection for each column. */
static struct db_value column_value(sqlite3_stmt *stmt, int column, struct arena *arena) {
    sqlite3_value *value = sqlite3_column_value(stmt, column);
    switch (sqlite3_value_type(value)) {
    case SQLITE_NULL: return (struct db_value){.type = DB_NULL};
    case SQLITE_INTEGER: return (struct db_value){.type = DB_INT, .i = sqlite3_value_int64(value)};
    case SQLITE_BLOB: {
        const char *bytes = sqlite3_value_blob(value);
        str s = {bytes, (size_t)sqlite3_value_bytes(value)};
        return (struct db_value){.type = DB_BYTES, .s = arena_copy(arena, s)};
    }
    default: { /* text; a number with a fraction becomes text, which no reader takes for an integer */
        const char *text = (const char *)sqlite3_value_text(value);
        str s = {text, (size_t)sqlite3_value_bytes(value)};
        return (struct db_value){.type = DB_TEXT, .s = arena_copy(arena, s)};
    }
    }
}

/* The arena cannot grow a piece, so the array is copied when it is full; most answers are one row. */
static void rows_make_room(struct db_rows *rows, size_t *room, struct arena *arena) {
    if (rows->n_rows < *room) return;
    *room = *room ? *room * 4 : 1;
    struct db_value *values = arena_alloc(arena, *room * rows->n_cols * sizeof *values);
    if (rows->n_rows) memcpy(values, rows->values, rows->n_rows * rows->n_cols * sizeof *values);
    rows->values = values;
}

static int step_all(sqlite3_stmt *stmt, const struct db_op *op, struct db_rows *rows) {
    size_t room = 0;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        rows_make_room(rows, &room, op_rows_arena(op));
        struct db_value *row = rows->values + rows->n_rows * rows->n_cols;
        for (size_t i = 0; i < rows->n_cols; i++) row[i] = column_value(stmt, (int)i, op->arena);
        rows->n_rows++;
    }
    return code;
}

RC conn_run(struct conn *c, struct db_op *op, size_t index, size_t *touched) {
    const struct db_stmt *stmt = &op->stmts[index];
    struct db_rows *rows = &op->rows[index];
    struct prepared *p = NULL;
    TRY(conn_prepare(c, stmt->sql, &p));
    const char *name = c->table[stmt->sql].name;
    if (stmt->n_args < p->n_params || stmt->n_args > DB_ARGS_MAX)
        return rc_fail(FAULT_INTERNAL, "%s wants %u arguments and got %u", name, p->n_params, stmt->n_args);

    *rows = (struct db_rows){.n_cols = (size_t)sqlite3_column_count(p->stmt)};
    int code = bind_all(p, stmt);
    if (code == SQLITE_OK) code = step_all(p->stmt, op, rows);
    struct rc rc = code == SQLITE_DONE ? RC_OK : conn_fault(c->sqlite, code, name);
    *touched = rows->n_cols ? rows->n_rows : (size_t)sqlite3_changes(c->sqlite);
    sqlite3_reset(p->stmt);
    return rc;
}
