/* Whole tables in and out of PostgreSQL: rows one by one as they come, and COPY in the server's binary form. */
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "db_bulk.h"
#include "db_pg.h"

#define CHUNK_BYTES    (256 << 10)
#define ROW_BYTES_MAX  (16 << 20)
#define COPY_SIGNATURE "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0" /* flags and the length of an extension are 0 */

struct pg_bulk {
    struct db_bulk base;
    PGconn *pg;
    bool copying;
    size_t n;
    Oid types[DB_COLUMNS_MAX]; /* of the table that rows are added to */
    struct buf out;
};

static struct pg_bulk *of(struct db_bulk *base) { return (struct pg_bulk *)base; }

static RC bulk_run(struct db_bulk *base, const char *sql, int64_t *out) {
    PGresult *result = NULL;
    uint64_t number = 0;
    TRY(pg_run(of(base)->pg, sql, &result));
    if (out && PQntuples(result) == 1 && PQnfields(result) == 1) {
        str_to_u64(str_of(PQgetvalue(result, 0, 0)), INT64_MAX, &number);
        *out = (int64_t)number;
    }
    PQclear(result);
    return RC_OK;
}

static RC bulk_hold(struct db_bulk *base, const struct db_table *table) {
    char sql[DB_BULK_SQL_MAX];
    snprintf(sql, sizeof sql, "LOCK TABLE %s IN EXCLUSIVE MODE", table->name);
    return bulk_run(base, sql, NULL);
}

/* ---- rows out ---- */

static RC take_row(const PGresult *result, RC (*take)(void *arg, const struct db_value *values, size_t n), void *arg) {
    struct db_value values[DB_COLUMNS_MAX];
    int n = PQnfields(result);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < n; i++) values[i] = pg_value(result, row, i);
        TRY(take(arg, values, (size_t)n));
    }
    return RC_OK;
}

/* The rest after a fault is taken and thrown away by whoever closes the connection. */
static RC each_row(struct pg_bulk *b, const char *name, RC (*take)(void *arg, const struct db_value *values, size_t n),
                   void *arg) {
    for (PGresult *result; (result = PQgetResult(b->pg));) {
        ExecStatusType status = PQresultStatus(result);
        bool ok = status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK;
        struct rc rc = ok ? take_row(result, take, arg) : pg_fault(b->pg, result, name);
        PQclear(result);
        TRY(rc);
    }
    return RC_OK;
}

static RC bulk_each(struct db_bulk *base, const struct db_table *table,
                    RC (*take)(void *arg, const struct db_value *values, size_t n), void *arg) {
    struct pg_bulk *b = of(base);
    char sql[DB_BULK_SQL_MAX];
    snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY %s", table->columns, table->name, table->key);
    bool ok = PQsendQueryParams(b->pg, sql, 0, NULL, NULL, NULL, NULL, 1) == 1 && PQsetSingleRowMode(b->pg) == 1;
    return ok ? each_row(b, table->name, take, arg) : pg_fault(b->pg, NULL, table->name);
}

/* ---- rows in ---- */

static RC send_chunk(struct pg_bulk *b) {
    if (buf_failed(&b->out)) return rc_fail(FAULT_INTERNAL, "a row has more than %d bytes", ROW_BYTES_MAX);
    bool ok = !b->out.n || PQputCopyData(b->pg, (const char *)b->out.p, (int)b->out.n) == 1;
    b->out.n = 0;
    return ok ? RC_OK : pg_fault(b->pg, NULL, "copy");
}

/* COPY's numbers must be as wide as their columns. */
static RC learn_columns(struct pg_bulk *b, const struct db_table *table) {
    char sql[DB_BULK_SQL_MAX];
    PGresult *result = NULL;
    snprintf(sql, sizeof sql, "SELECT %s FROM %s LIMIT 0", table->columns, table->name);
    TRY(pg_run(b->pg, sql, &result));
    b->n = (size_t)PQnfields(result);
    for (size_t i = 0; i < b->n && i < DB_COLUMNS_MAX; i++) b->types[i] = PQftype(result, (int)i);
    PQclear(result);
    return RC_OK;
}

static RC start_copy(struct pg_bulk *b, const struct db_table *table) {
    char sql[DB_BULK_SQL_MAX];
    TRY(learn_columns(b, table));
    snprintf(sql, sizeof sql, "COPY %s (%s) FROM STDIN (FORMAT binary)", table->name, table->columns);
    PGresult *result = PQexec(b->pg, sql);
    b->copying = PQresultStatus(result) == PGRES_COPY_IN;
    struct rc rc = b->copying ? RC_OK : pg_fault(b->pg, result, table->name);
    PQclear(result);
    b->out.n = 0;
    buf_add(&b->out, (str){COPY_SIGNATURE, sizeof COPY_SIGNATURE - 1});
    return rc;
}

static void add_number(struct buf *out, uint64_t v, int bytes) {
    while (bytes--) buf_add_char(out, (char)(v >> bytes * 8));
}

static int width_of(Oid type) { return type == PG_INT2 ? 2 : type == PG_INT4 ? 4 : 8; }

static void add_value(struct buf *out, const struct db_value *v, Oid type) {
    int width = width_of(type);
    switch (v->type) {
    case DB_NULL: add_number(out, UINT32_MAX, 4); break;
    case DB_INT:
        add_number(out, (uint64_t)width, 4);
        add_number(out, (uint64_t)v->i, width);
        break;
    case DB_TEXT:
    case DB_BYTES:
        add_number(out, v->s.n, 4);
        buf_add(out, v->s);
        break;
    }
}

static RC bulk_put(struct db_bulk *base, const struct db_table *table, const struct db_value *values, size_t n) {
    struct pg_bulk *b = of(base);
    if (!b->copying) TRY(start_copy(b, table));
    if (n != b->n) return rc_fail(FAULT_INTERNAL, "%s has %zu columns and got %zu", table->name, b->n, n);
    add_number(&b->out, n, 2);
    for (size_t i = 0; i < n; i++) add_value(&b->out, &values[i], b->types[i]);
    return b->out.n < CHUNK_BYTES && !buf_failed(&b->out) ? RC_OK : send_chunk(b);
}

static RC bulk_put_end(struct db_bulk *base) {
    struct pg_bulk *b = of(base);
    if (!b->copying) return RC_OK;
    b->copying = false;
    add_number(&b->out, UINT16_MAX, 2); /* the end */
    TRY(send_chunk(b));
    if (PQputCopyEnd(b->pg, NULL) != 1) return pg_fault(b->pg, NULL, "copy");
    PGresult *result = PQgetResult(b->pg);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    struct rc rc = ok ? RC_OK : pg_fault(b->pg, result, "copy");
    PQclear(result);
    PQclear(PQgetResult(b->pg)); /* the NULL behind it */
    return rc;
}

/* ---- life ---- */

static RC bulk_others(struct db_bulk *base, int64_t *out) {
    return bulk_run(base,
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND application_name = 'grantd' AND pid <> pg_backend_pid()",
                    out);
}

/* The planner should know at once what came. */
static RC bulk_end(struct db_bulk *base, bool keep) {
    struct pg_bulk *b = of(base);
    struct rc rc = keep ? bulk_put_end(base) : RC_OK;
    if (keep && rc_ok(rc)) rc = bulk_run(base, "ANALYZE", NULL);
    if (keep && rc_ok(rc)) rc = bulk_run(base, "COMMIT", NULL);
    PQfinish(b->pg); /* takes back what was not committed */
    buf_free(&b->out);
    free(b);
    return rc;
}

static const struct db_bulk_calls calls = {bulk_hold,    bulk_run,    bulk_each, bulk_put,
                                           bulk_put_end, bulk_others, bulk_end};

RC pg_bulk(struct db *base, enum db_bulk_kind kind, struct db_bulk **out) {
    PGconn *pg;
    TRY(pg_connect((struct pg_db *)base, &pg));
    const char *begin = kind == DB_BULK_READ ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN";
    struct rc rc = pg_run(pg, begin, NULL);
    if (rc_ok(rc)) rc = pg_run(pg, "SET LOCAL statement_timeout = 0", NULL);
    if (rc_ok(rc)) rc = pg_run(pg, "SELECT 1", NULL); /* the moment */
    if (!rc_ok(rc)) {
        PQfinish(pg);
        return rc;
    }
    struct pg_bulk *b = calloc(1, sizeof *b);
    if (!b) abort();
    *b = (struct pg_bulk){.base.calls = &calls, .pg = pg, .out = buf_growing(ROW_BYTES_MAX)};
    *out = &b->base;
    return RC_OK;
}
