/* The PostgreSQL rows of the suite. TEST_POSTGRES (tests/pg/cluster.sh) is the URL of a cluster; each store is a database of its own in it, named
 * like its directory. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

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

static void make_database(const char *dir) {
    char name[PATH_BYTES], sql[PATH_BYTES * 2];
    database_name(dir, name, sizeof name);
    PGconn *pg = postgres_connect(cluster_url());
    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_database WHERE datname = '%s'", name);
    bool there = postgres_number(pg, sql) != 0;
    snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\"", name);
    if (!there) postgres_run(pg, sql);
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
        .deadline_ms = 20000, /* a busy machine is not what is tested */
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
