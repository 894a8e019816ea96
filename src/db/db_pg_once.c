/* What is done once, on a connection for the moment that may wait: the schema, its steps, and learning the statements. */
#include "db_pg.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* One lock for all who change the schema, and one for those who build an index; "grantd" in letters, and a number. */
#define SCHEMA_LOCK "113723323639141"
#define INDEX_LOCK  "113723323639142"

#define LOCK_WAIT_MS     500 /* requests wait behind who waits for a table; much less than their deadline */
#define LOCK_PAUSE_MS    500
#define SCRIPT_TRIES_MAX 120
#define WATCH_MS         500

static void pause_ms(int ms) { poll(NULL, 0, ms); }

RC pg_run(PGconn *pg, const char *sql, PGresult **out) {
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    struct rc rc = ok ? RC_OK : pg_fault(pg, result, "the database refused");
    if (ok && out)
        *out = result;
    else
        PQclear(result);
    return rc;
}

/* Who comes second sees what the first has done, and fails at the first statement. The deadline of requests does not hold here. */
static RC script_on(PGconn *pg, const char *sql) {
    TRY(pg_run(pg, "BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(" SCHEMA_LOCK ")", NULL));
    char lock_timeout[64];
    snprintf(lock_timeout, sizeof lock_timeout, "SET LOCAL lock_timeout = %d", LOCK_WAIT_MS);
    TRY(pg_run(pg, lock_timeout, NULL));
    TRY(pg_run(pg, sql, NULL));
    return pg_run(pg, TELL_STATEMENT "; COMMIT", NULL);
}

/* Closing the connection takes back what was not committed. */
static RC script_once(const struct pg_db *db, const char *sql) {
    PGconn *pg;
    TRY(pg_connect(db, &pg));
    struct rc rc = script_on(pg, sql);
    PQfinish(pg);
    return rc;
}

RC pg_script(struct db *base, const char *sql) {
    struct rc rc = RC_OK;
    for (int tries = 0; tries < SCRIPT_TRIES_MAX; tries++) {
        rc = script_once((struct pg_db *)base, sql);
        if (rc.fault != FAULT_DB_BUSY) return rc;
        pause_ms(LOCK_PAUSE_MS);
    }
    return rc;
}

static RC number_of(PGconn *pg, const char *sql, int64_t *out) {
    PGresult *result = NULL;
    uint64_t number = 0;
    TRY(pg_run(pg, sql, &result));
    if (PQntuples(result) == 1 && PQnfields(result) == 1)
        str_to_u64(str_of(PQgetvalue(result, 0, 0)), INT64_MAX, &number);
    PQclear(result);
    *out = (int64_t)number;
    return RC_OK;
}

/* ---- the schema ---- */

static RC schema_of(PGconn *pg, int64_t known, struct db_schema *out) {
    int64_t tables = 0;
    char sql[SCHEMA_NEEDS_BYTES];
    *out = (struct db_schema){.version = 0};
    TRY(number_of(pg, "SELECT count(*) FROM pg_class WHERE oid = to_regclass('schema_versions')", &tables));
    if (tables) TRY(number_of(pg, SCHEMA_VERSION, &out->version));
    return out->version > known ? number_of(pg, schema_needs(known, sql), &out->needs) : RC_OK;
}

RC pg_schema(struct db *base, int64_t known, struct db_schema *out) {
    PGconn *pg;
    TRY(pg_connect((struct pg_db *)base, &pg));
    struct rc rc = schema_of(pg, known, out);
    PQfinish(pg);
    return rc;
}

/* ---- an index, while others work ---- */

/* Who waits for this lock must not be in a transaction: the one who builds would wait for its end. */
static RC take_index_lock(PGconn *pg) {
    int64_t taken = 0;
    for (;;) {
        TRY(number_of(pg, "SELECT pg_try_advisory_lock(" INDEX_LOCK ")::int", &taken));
        if (taken) return RC_OK;
        pause_ms(LOCK_PAUSE_MS);
    }
}

static RC tell_progress(PGconn *pg, const struct db_progress *progress) {
    PGresult *result = NULL;
    uint64_t done = 0, total = 0;
    TRY(pg_run(pg,
               "SELECT blocks_done + tuples_done, blocks_total + tuples_total FROM pg_stat_progress_create_index"
               " WHERE datname = current_database()",
               &result));
    bool there = PQntuples(result) == 1 && str_to_u64(str_of(PQgetvalue(result, 0, 0)), INT64_MAX, &done) &&
                 str_to_u64(str_of(PQgetvalue(result, 0, 1)), INT64_MAX, &total);
    PQclear(result);
    if (there && total) progress->tell(progress->arg, (int64_t)done, (int64_t)total);
    return RC_OK;
}

/* Waits for the one statement that was sent; `watch` sees how far it is. */
static RC wait_for_index(PGconn *pg, PGconn *watch, const struct db_progress *progress) {
    while (PQisBusy(pg)) {
        struct pollfd readable = {.fd = PQsocket(pg), .events = POLLIN};
        int n = poll(&readable, 1, WATCH_MS);
        if (n == 0 && watch) TRY(tell_progress(watch, progress));
        if (n > 0 && !PQconsumeInput(pg)) return pg_fault(pg, NULL, "the index was not built");
    }
    PGresult *result = PQgetResult(pg);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    struct rc rc = ok ? RC_OK : pg_fault(pg, result, "the index was not built");
    PQclear(result);
    PQclear(PQgetResult(pg)); /* the NULL behind it */
    return rc;
}

static RC build_index(PGconn *pg, PGconn *watch, const struct db_index *index, const struct db_progress *progress) {
    enum { ABSENT, VALID, INVALID };
    int64_t state = ABSENT;
    char sql[INDEX_BYTES];
    TRY(pg_run(pg, "SET statement_timeout = 0", NULL));
    TRY(take_index_lock(pg));
    snprintf(sql, sizeof sql,
             "SELECT coalesce((SELECT CASE WHEN indisvalid THEN 1 ELSE 2 END FROM pg_index"
             " WHERE indexrelid = to_regclass('%s')), 0)",
             index->name);
    TRY(number_of(pg, sql, &state));
    if (state == VALID) return RC_OK;
    snprintf(sql, sizeof sql, "DROP INDEX CONCURRENTLY %s", index->name);
    if (state == INVALID) TRY(pg_run(pg, sql, NULL)); /* of somebody who was killed */
    int n = snprintf(sql, sizeof sql, "CREATE INDEX CONCURRENTLY %s ON %s", index->name, index->on);
    if (n < 0 || (size_t)n >= sizeof sql) return rc_fail(FAULT_INTERNAL, "the index %s is too long", index->name);
    if (!PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, 0)) return pg_fault(pg, NULL, index->name);
    return wait_for_index(pg, watch, progress);
}

/* A lock of the session and a build outside of transactions: nothing that a pooler in transaction mode could carry. */
RC pg_index(struct db *base, const struct db_index *index, const struct db_progress *progress) {
    const struct pg_db *db = (const struct pg_db *)base;
    PGconn *pg, *watch = NULL;
    if (db->options.pooled)
        return rc_fail(FAULT_CONFIG, "an index must be built past the pooler; run grantd migrate with a URL that leads "
                                     "to PostgreSQL itself");
    TRY(pg_connect(db, &pg));
    struct rc rc = progress ? pg_connect(db, &watch) : RC_OK;
    if (rc_ok(rc)) rc = build_index(pg, watch, index, progress);
    if (watch) PQfinish(watch);
    PQfinish(pg);
    return rc;
}

/* ---- statements ---- */

/* In one transaction, so that a pooler in transaction mode gives it one connection; nothing stays behind on that. */
static RC learn_on(struct pg_db *db, PGconn *pg) {
    TRY(pg_run(pg, "BEGIN", NULL));
    TRY(pg_prepare_all(db, pg));
    TRY(pg_learn_types(db, pg));
    TRY(pg_run(pg, "DEALLOCATE ALL", NULL));
    TRY(pg_prepare_all(db, pg));
    return pg_run(pg, "DEALLOCATE ALL; ROLLBACK", NULL);
}

RC pg_prepare(struct db *base, const struct db_sql *table, size_t n) {
    struct pg_db *db = (struct pg_db *)base;
    if (db->table == table && db->n_table == n) return RC_OK;
    if (db->table) return rc_fail(FAULT_INTERNAL, "another table of statements is in use");
    struct pg_db learnt = *db;
    PGconn *pg;
    TRY(pg_connect(db, &pg));
    learnt.table = table;
    learnt.n_table = n;
    pg_types_make(&learnt);
    struct rc rc = learn_on(&learnt, pg);
    PQfinish(pg);
    if (rc_ok(rc))
        *db = learnt;
    else
        free(learnt.types);
    return rc;
}
