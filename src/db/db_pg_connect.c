/* Connections: made by threads that may wait, handed over ready. */
#include "db_pg.h"

#include <stdio.h>
#include <stdlib.h>

#define PARAMS_ADDED 8

static void *must_calloc(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (p) return p;
    fputs("grantd: out of memory\n", stderr);
    abort();
}

static char *copy_text(const char *text) {
    size_t n = strlen(text) + 1;
    return memcpy(must_calloc(1, n), text, n);
}

static bool is_set(const PQconninfoOption *options, const char *keyword) {
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (str_eq(str_of(o->keyword), str_of(keyword))) return o->val != NULL;
    return false;
}

/* Server settings of our connections; a pooler in transaction mode refuses them at start, and shares its connections with others. The
 * server gives up a statement when we do. One plan per statement, whatever its arguments: they all look alike. */
static void format_settings(const struct pg_db *db, char *out, size_t room) {
    snprintf(out, room, "-c statement_timeout=%lld -c plan_cache_mode=force_generic_plan -c jit=off",
             (long long)db->options.deadline_ms);
}

/* What we add where the URL says nothing. Several hosts: the one that takes changes (a failover moves it). */
static void add_defaults(struct pg_db *db, const PQconninfoOption *given, size_t n) {
    char settings[160];
    format_settings(db, settings, sizeof settings);
    bool several = false;
    for (const PQconninfoOption *o = given; o->keyword; o++)
        if (o->val && str_starts_with(str_of(o->keyword), S("host")) && strchr(o->val, ',')) several = true;
    const struct {
        const char *keyword, *value;
    } rows[PARAMS_ADDED] = {
        {"connect_timeout", "2"},
        {"tcp_user_timeout", "5000"},
        {"client_encoding", "UTF8"},
        {"fallback_application_name", "grantd"},
        {"target_session_attrs", several ? "read-write" : NULL},
        {"options", db->options.pooled ? NULL : settings},
    };
    for (size_t i = 0; i < PARAMS_ADDED; i++) {
        if (!rows[i].value || is_set(given, rows[i].keyword)) continue;
        db->keywords[n] = rows[i].keyword;
        db->values[n++] = copy_text(rows[i].value);
    }
}

RC pg_params_make(struct pg_db *db) {
    char *ignored = NULL; /* it may quote the URL, with a password in it */
    PQconninfoOption *given = PQconninfoParse(db->url, &ignored);
    PQfreemem(ignored);
    if (!given)
        return rc_fail(FAULT_CONFIG, "the URL of the store cannot be read; write postgres://USER@HOST/DATABASE");
    size_t n = 0;
    for (const PQconninfoOption *o = given; o->keyword; o++) n += o->val != NULL;
    db->keywords = must_calloc(n + PARAMS_ADDED + 1, sizeof *db->keywords);
    db->values = must_calloc(n + PARAMS_ADDED + 1, sizeof *db->values);
    n = 0;
    for (const PQconninfoOption *o = given; o->keyword; o++) {
        if (!o->val) continue;
        db->keywords[n] = o->keyword; /* a literal of libpq's */
        db->values[n++] = copy_text(o->val);
    }
    add_defaults(db, given, n);
    PQconninfoFree(given);
    return RC_OK;
}

void pg_params_free(struct pg_db *db) {
    for (size_t i = 0; db->keywords && db->keywords[i]; i++) {
        char *value = (char *)(uintptr_t)db->values[i];
        explicit_bzero(value, strlen(value));
        free(value);
    }
    free(db->keywords);
    free(db->values);
    db->keywords = NULL;
}

bool db_pg_url_is_valid(const char *url, bool *out_has_password) {
    *out_has_password = false;
    if (!rc_ok(pg_library_load())) return true; /* nobody can tell; db_open_pg says what is missing */
    char *ignored = NULL;
    PQconninfoOption *given = PQconninfoParse(url, &ignored);
    PQfreemem(ignored);
    if (!given) return false;
    *out_has_password = is_set(given, "password") || is_set(given, "sslpassword");
    PQconninfoFree(given);
    return true;
}

static void ignore_notice(void *arg, const PGresult *result) { (void)arg, (void)result; }

RC pg_connect(const struct pg_db *db, PGconn **out) {
    PGconn *pg = PQconnectdbParams(db->keywords, db->values, 0);
    if (!pg) abort();
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    if (PQstatus(pg) == CONNECTION_OK) {
        *out = pg;
        return RC_OK;
    }
    struct rc rc = pg_fault(pg, NULL, "the database cannot be reached");
    PQfinish(pg);
    return rc;
}

/* ---- statements ---- */

/* An argument that the text does not use is text: the server cannot find out. */
static void find_arguments(const char *text, struct arg_types *out) {
    out->n = 0;
    for (int i = 0; i < DB_ARGS_MAX; i++) out->oids[i] = PG_TEXT;
    for (const char *at = text; (at = strchr(at, '$')); at++) {
        size_t digits = 0;
        uint64_t number = 0;
        while (at[1 + digits] >= '0' && at[1 + digits] <= '9') digits++;
        if (!str_to_u64((str){at + 1, digits}, DB_ARGS_MAX, &number) || !number) continue;
        out->oids[number - 1] = 0;
        if ((int)number > out->n) out->n = (int)number;
    }
}

void pg_types_make(struct pg_db *db) {
    db->types = must_calloc(db->n_table, sizeof *db->types);
    for (size_t i = 0; i < db->n_table; i++) find_arguments(db->table[i].text, &db->types[i]);
}

static RC learn_one(PGconn *pg, size_t i, const char *name, struct arg_types *types) {
    char prepared[24];
    snprintf(prepared, sizeof prepared, "o%zu", i);
    PGresult *result = PQdescribePrepared(pg, prepared);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK && PQnparams(result) == types->n;
    for (int k = 0; ok && k < types->n; k++) {
        Oid oid = PQparamtype(result, k);
        types->oids[k] = oid == PG_INT4 || oid == PG_INT2 ? PG_INT8 : oid;
    }
    struct rc rc = ok ? RC_OK : pg_fault(pg, result, name);
    PQclear(result);
    return rc;
}

/* The bounds of a range of ids lie past the last id: as a narrow number they would be an error. */
RC pg_learn_types(struct pg_db *db, PGconn *pg) {
    for (size_t i = 0; i < db->n_table; i++) {
        const struct db_sql *row = &db->table[i];
        struct arg_types many = db->types[i];
        if (row->many) find_arguments(row->many, &many);
        if (many.n != db->types[i].n)
            return rc_fail(FAULT_DB_SCHEMA, "%s has %d arguments, and %d for many", row->name, db->types[i].n, many.n);
        TRY(learn_one(pg, i, row->name, &db->types[i]));
    }
    return RC_OK;
}

static bool send_prepare(PGconn *pg, const char *name, const char *text, const struct arg_types *types) {
    return PQsendPrepare(pg, name, text, types ? types->n : 0, types ? types->oids : NULL) == 1;
}

static bool send_all(const struct pg_db *db, PGconn *pg, size_t *out_n) {
    bool ok = true;
    char name[24];
    *out_n = 0;
    for (size_t i = 0; i < db->n_table && ok; i++) {
        snprintf(name, sizeof name, "o%zu", i);
        ok = send_prepare(pg, name, db->table[i].text, &db->types[i]);
        ++*out_n;
        if (!db->table[i].many) continue;
        snprintf(name, sizeof name, "m%zu", i);
        ok = ok && send_prepare(pg, name, db->table[i].many, NULL); /* its text says them all */
        ++*out_n;
    }
    for (size_t i = 0; i < GUARDS && ok; i++, ++*out_n) ok = send_prepare(pg, guards[i].name, guards[i].text, NULL);
    return ok && PQpipelineSync(pg) == 1;
}

/* The name of the nth statement that was sent. */
static const char *name_of(const struct pg_db *db, size_t nth) {
    for (size_t i = 0; i < db->n_table; i++) {
        size_t n = db->table[i].many ? 2 : 1;
        if (nth < n) return db->table[i].name;
        nth -= n;
    }
    return "a lock";
}

static RC take_all(const struct pg_db *db, PGconn *pg, size_t n) {
    struct rc rc = RC_OK;
    for (size_t i = 0; i < n && rc_ok(rc); i++) {
        PGresult *result = PQgetResult(pg);
        if (!result || PQresultStatus(result) != PGRES_COMMAND_OK) rc = pg_fault(pg, result, name_of(db, i));
        PQclear(result);
        PQclear(PQgetResult(pg)); /* the NULL behind each */
    }
    if (!rc_ok(rc)) return rc;
    PGresult *sync = PQgetResult(pg);
    bool ok = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return ok ? RC_OK : pg_fault(pg, NULL, "prepare");
}

/* All of them in one round trip, as one pipeline. */
RC pg_prepare_all(const struct pg_db *db, PGconn *pg) {
    size_t n = 0;
    if (!PQenterPipelineMode(pg) || !send_all(db, pg, &n)) return pg_fault(pg, NULL, "prepare");
    TRY(take_all(db, pg, n));
    return PQexitPipelineMode(pg) ? RC_OK : pg_fault(pg, NULL, "prepare");
}
