#include "store_copy.h"

#include "digest.h"
#include "migrate.h"

#include <stdio.h>

#define ROW_BYTES_MAX (16 << 20)

static const uint8_t sum_key[32] = "grantd store copy"; /* no secret: it finds accidents */

struct copying {
    struct db_bulk *from, *to;
    const struct copy_watch *watch;
    const struct db_table *table;
    enum copy_phase phase;
    int64_t done, total;
    struct table_sum *sum;
    struct buf scratch;
};

/* ---- sums ---- */

static void add_number(struct buf *out, uint64_t v) {
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(v >> (56 - 8 * i));
    buf_add(out, (str){bytes, sizeof bytes});
}

/* The canonical form of a row: the table's name, then each value with its type, and its length or its number. */
static void write_row(struct buf *out, const char *name, const struct db_value *values, size_t n) {
    buf_clear(out);
    buf_add(out, (str){name, strlen(name) + 1});
    for (size_t i = 0; i < n; i++) {
        const struct db_value *v = &values[i];
        buf_add_char(out, (char)v->type);
        if (v->type == DB_NULL) continue;
        add_number(out, v->type == DB_INT ? (uint64_t)v->i : v->s.n);
        if (v->type != DB_INT) buf_add(out, v->s);
    }
}

void table_sum_add(struct table_sum *sum, const char *name, const struct db_value *values, size_t n,
                   struct buf *scratch) {
    uint64_t hash[2];
    write_row(scratch, name, values, n);
    digest_mac(sum_key, buf_str(scratch), (uint8_t *)hash, sizeof hash);
    sum->rows++;
    sum->sums[0] += hash[0];
    sum->sums[1] += hash[1];
}

static bool sums_equal(const struct table_sum *a, const struct table_sum *b) {
    return a->rows == b->rows && a->sums[0] == b->sums[0] && a->sums[1] == b->sums[1];
}

/* ---- rows ---- */

static RC take_row(void *arg, const struct db_value *values, size_t n) {
    struct copying *c = arg;
    table_sum_add(c->sum, c->table->name, values, n, &c->scratch);
    if (buf_failed(&c->scratch)) return rc_fail(FAULT_DB_CORRUPT, "%s has a row that is too long", c->table->name);
    c->done++;
    if (c->watch) c->watch->tell(c->watch->arg, c->phase, c->done, c->total);
    return c->phase == COPY_ROWS ? c->to->calls->put(c->to, c->table, values, n) : RC_OK;
}

static RC copy_tables(struct copying *c, struct table_sum *sums) {
    c->phase = COPY_ROWS;
    c->done = 0;
    for (size_t i = 0; i < store_table_count; i++) {
        c->table = &store_tables[i];
        c->sum = &sums[i];
        *c->sum = (struct table_sum){.rows = 0};
        TRY(c->from->calls->each(c->from, c->table, take_row, c));
        TRY(c->to->calls->put_end(c->to));
    }
    return RC_OK;
}

/* What arrived is read as anybody will read it, in the transaction that is kept only if it is right. */
static RC check_tables(struct copying *c, const struct table_sum *sums) {
    c->phase = COPY_CHECK;
    c->done = 0;
    for (size_t i = 0; i < store_table_count; i++) {
        struct table_sum found = {.rows = 0};
        c->table = &store_tables[i];
        c->sum = &found;
        TRY(c->to->calls->each(c->to, c->table, take_row, c));
        if (!sums_equal(&found, &sums[i]))
            return rc_fail(FAULT_DB_CORRUPT, "%s arrived with %lld rows of %lld, or with others; nothing was kept",
                           c->table->name, (long long)found.rows, (long long)sums[i].rows);
    }
    return RC_OK;
}

/* ---- before ---- */

static RC count_rows(struct copying *c) {
    char sql[DB_BULK_SQL_MAX];
    for (size_t i = 0; i < store_table_count; i++) {
        int64_t n = 0;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", store_tables[i].name);
        TRY(c->from->calls->run(c->from, sql, &n));
        c->total += n;
    }
    return RC_OK;
}

static RC check_alone(struct copying *c) {
    int64_t others = 0;
    TRY(c->from->calls->others(c->from, &others));
    if (others == 0) return RC_OK;
    return rc_fail(
        FAULT_LOCKED,
        "grantd uses the source with %lld connections; stop it, or copy this moment with --live and lose what "
        "is changed after it",
        (long long)others);
}

/* Every table is empty but meta, whose one row makes way. */
static RC make_room(struct copying *c) {
    char sql[DB_BULK_SQL_MAX];
    for (size_t i = 0; i < store_table_count; i++) {
        int64_t n = 0;
        const struct db_table *table = &store_tables[i];
        TRY(c->to->calls->hold(c->to, table));
        if (str_eq(str_of(table->name), S("meta"))) continue;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT 1) x", table->name);
        TRY(c->to->calls->run(c->to, sql, &n));
        if (n) return rc_fail(FAULT_CONFIG, "the target is not empty: it has %s; name an empty one", table->name);
    }
    return c->to->calls->run(c->to, "DELETE FROM meta", NULL);
}

/* A newer release's columns would be left behind, an older one's would be missed. */
static RC check_schema(struct db *db, const char *which) {
    struct db_schema schema;
    int64_t newest = migrate_newest(migrate_own_steps());
    TRY(db->driver->schema(db, newest, &schema));
    if (schema.version == newest) return RC_OK;
    if (schema.version == 0) return rc_fail(FAULT_DB_SCHEMA, "the %s is no store: it is empty", which);
    return rc_fail(FAULT_DB_SCHEMA, "the %s has schema %lld and this program %lld; %s", which,
                   (long long)schema.version, (long long)newest,
                   schema.version < newest ? "run grantd migrate on it" : "take a newer grantd");
}

static RC prepare_target(struct db *to) {
    struct arena *arena = arena_new(16384);
    struct rc rc = migrate_run(to, migrate_own_steps(), NULL, arena);
    arena_free(arena);
    return rc_ok(rc) ? check_schema(to, "target") : rc;
}

/* ---- all of it ---- */

static RC copy_all(struct copying *c, bool live, struct table_sum *sums) {
    if (!live) TRY(check_alone(c));
    TRY(make_room(c));
    TRY(count_rows(c));
    TRY(copy_tables(c, sums));
    return check_tables(c, sums);
}

RC store_copy(struct db *from, struct db *to, bool live, const struct copy_watch *watch, struct table_sum *sums) {
    struct copying c = {.watch = watch, .scratch = buf_growing(ROW_BYTES_MAX)};
    TRY(check_schema(from, "source"));
    TRY(prepare_target(to));
    TRY(db_bulk_open(from, DB_BULK_READ, &c.from));
    struct rc rc = db_bulk_open(to, DB_BULK_WRITE, &c.to);
    if (rc_ok(rc)) {
        rc = copy_all(&c, live, sums);
        char detail[240];
        snprintf(detail, sizeof detail, "%s", rc_detail());
        struct rc ended = c.to->calls->end(c.to, rc_ok(rc));
        rc = rc_ok(rc) ? ended : rc_fail((enum fault)rc.fault, "%s", detail);
    }
    struct rc ignored = c.from->calls->end(c.from, false);
    (void)ignored;
    buf_free(&c.scratch);
    return rc;
}
