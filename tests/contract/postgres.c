/* The PostgreSQL rows of the suite. TEST_POSTGRES (tests/pg/cluster.sh) is the URL of a cluster; each store is a database of its own in it, named
 * like its directory. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#define MIGRATED    "migrated"
#define DEADLINE_MS 20000 /* a busy machine is not what is tested */

static const char *cluster_url(void) {
    const char *url = getenv("TEST_POSTGRES");
    if (url) return url;
    fputs("TEST_POSTGRES is not set: run it by tests/pg/cluster.sh\n", stderr);
    exit(2);
}

/* What comes behind the last '/' but one and the rest: "/tmp/contract-a/empty" becomes "contract-a_empty". */
static void database_name(const char *dir, char *out, size_t room) {
    const char *from = strstr(dir, "contract-");
    snprintf(out, room, "%s", from ? from : dir);
    for (char *c = out; *c; c++)
        if (*c == '/') *c = '_';
}

/* The cluster's URL is postgres://USER@/DATABASE?host=DIR. */
void postgres_url(const char *dir, char *out, size_t room) {
    char name[PATH_BYTES];
    const char *url = cluster_url(), *rest = strchr(url, '?');
    database_name(dir, name, sizeof name);
    snprintf(out, room, "postgres://grantd@/%s%s", name, rest ? rest : "");
}

PGconn *postgres_connect(const char *url) {
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK) fail_msg("%s", PQerrorMessage(pg));
    return pg;
}

void postgres_run(PGconn *pg, const char *sql) {
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail_msg("%s: %s", sql, PQerrorMessage(pg));
    PQclear(result);
}

int64_t postgres_number(PGconn *pg, const char *sql) {
    PGresult *result = PQexec(pg, sql);
    if (PQntuples(result) != 1) fail_msg("%s: %s", sql, PQerrorMessage(pg));
    int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

static bool database_is_there(PGconn *pg, const char *name) {
    char sql[PATH_BYTES * 2];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_database WHERE datname = '%s'", name);
    return postgres_number(pg, sql) != 0;
}

static void create_database(PGconn *pg, const char *name, const char *template) {
    char sql[PATH_BYTES * 2];
    snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\" TEMPLATE %s STRATEGY file_copy", name, template);
    postgres_run(pg, sql);
}

/* A store that has every step of the schema behind it and nothing in it: what the worlds of the tests begin as. */
static void make_template(PGconn *pg) {
    struct db *db;
    char url[PATH_BYTES * 3];
    struct arena *arena = arena_new(1 << 16);
    create_database(pg, MIGRATED, "template0");
    postgres_url(MIGRATED, url, sizeof url);
    assert_rc(db_open_pg(&(struct db_pg_options){.url = url, .deadline_ms = DEADLINE_MS}, &db));
    assert_rc(storage_migrate(db, arena));
    db_close(db);
    arena_free(arena);
}

/* The database of a world is migrated, that of a directory within it is empty. */
static void make_database(const char *dir) {
    char name[PATH_BYTES];
    database_name(dir, name, sizeof name);
    PGconn *pg = postgres_connect(cluster_url());
    bool of_world = !strchr(name, '_'); /* mkdtemp makes letters and digits */
    if (of_world && !database_is_there(pg, MIGRATED)) make_template(pg);
    if (!database_is_there(pg, name)) create_database(pg, name, of_world ? MIGRATED : "template0");
    PQfinish(pg);
}

static RC open_with(const char *dir, const struct world_options *options, bool inline_writes, struct db **out) {
    char url[PATH_BYTES * 3];
    make_database(dir);
    postgres_url(dir, url, sizeof url);
    struct db_pg_options o = {
        .url = url,
        .inline_writes = inline_writes || options->inline_writes,
        .queue_max = options->queue_max,
        .batch_max = options->batch_max,
        .deadline_ms = DEADLINE_MS,
    };
    return db_open_pg(&o, out);
}

static RC open_loops(const char *dir, const struct world_options *options, struct db **out) {
    return open_with(dir, options, false, out);
}

static RC open_inline(const char *dir, const struct world_options *options, struct db **out) {
    return open_with(dir, options, true, out);
}

struct lock {
    PGconn *pg;
};

static struct lock *take(struct world *w) {
    char url[PATH_BYTES * 3];
    struct lock *lock = test_calloc(1, sizeof *lock);
    postgres_url(w->dir, url, sizeof url);
    lock->pg = postgres_connect(url);
    postgres_run(lock->pg, "BEGIN; LOCK TABLE grants, revoked_tokens, scopes, meta IN EXCLUSIVE MODE");
    return lock;
}

static void release(struct lock *lock) {
    PQfinish(lock->pg);
    test_free(lock);
}

const struct contract_driver contract_postgres = {"postgres", true, true, false, open_loops, take, release};
const struct contract_driver contract_postgres_inline = {"postgres, inline", true, false, false,
                                                         open_inline,        NULL, NULL};
