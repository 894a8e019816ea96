/* A batch: ops become segments, arguments go out, rows come back to the ops that they belong to. */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "db_pg.h"

#define FORMAT_TEXT   0
#define FORMAT_BINARY 1

/* One lock for what changes several rows (administration, purge), whatever node does it; "grantd" in letters. */
#define LOCK_STATEMENT "SELECT pg_advisory_xact_lock(113723323639140)"

static const struct db_sql *row_of_item(const struct lane *lane, const struct item *item) {
    return &lane->session->db->table[item->op->stmts[item->index].sql];
}

static const struct db_stmt *stmt_of(const struct item *item) { return &item->op->stmts[item->index]; }

/* ---- the order of a batch ---- */

static int compare_bytes(str a, str b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* A statement's key is its first argument. */
static int compare_keys(const struct item *a, const struct item *b) {
    const struct db_stmt *x = stmt_of(a), *y = stmt_of(b);
    if (!x->n_args || !y->n_args) return (x->n_args > y->n_args) - (x->n_args < y->n_args);
    const struct db_value *v = &x->args[0], *w = &y->args[0];
    return v->type == DB_INT ? (v->i > w->i) - (v->i < w->i) : compare_bytes(v->s, w->s);
}

/* Equal statements stand together, in the order of their keys: two nodes lock rows in the same order. */
static int compare_items(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    int sql = (stmt_of(x)->sql > stmt_of(y)->sql) - (stmt_of(x)->sql < stmt_of(y)->sql);
    if (sql) return sql;
    if (x->op->alone != y->op->alone) return x->op->alone ? 1 : -1;
    int keys = compare_keys(x, y);
    return keys ? keys : (x->place > y->place) - (x->place < y->place);
}

static void add_op(struct batch *batch, struct db_op *op) {
    for (size_t i = 0; i < op->n_stmts; i++) {
        bool last = i + 1 == op->n_stmts;
        struct item item = {.op = op, .place = (uint16_t)batch->n_items, .index = (uint8_t)i, .last = last};
        batch->items[batch->n_items++] = item;
    }
    if (!batch->deadline_ms || op->deadline_ms < batch->deadline_ms) batch->deadline_ms = op->deadline_ms;
}

static void add_segment(struct batch *batch, size_t first, size_t n) {
    batch->segments[batch->n_segments++] = (struct segment){.first = first, .n = n, .many = n > 1, .n_queries = 1};
}

/* Within one statement a row can be changed once, so of several changes of one row all but the first go behind, to be segments of
 * their own. Returns how many are left in front. */
static size_t part_repeated(struct item *items, size_t n) {
    struct item repeated[PG_ITEMS_MAX];
    size_t n_repeated = 0, n_kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (compare_keys(&items[n_kept - 1], &items[i]) == 0)
            repeated[n_repeated++] = items[i];
        else
            items[n_kept++] = items[i];
    }
    memcpy(items + n_kept, repeated, n_repeated * sizeof *items);
    return n_kept;
}

/* Segments of n items of one statement. */
static void arrange(struct lane *lane, size_t first, size_t n) {
    struct batch *batch = &lane->batch;
    struct item *items = batch->items + first;
    bool many = n > 1 && row_of_item(lane, items)->many && lane->session->db->options.batch_max > 1;
    size_t in_set = 0;
    if (many) {
        while (in_set < n && !items[in_set].op->alone) in_set++;
        if (lane->kind == LANE_WRITE && in_set > 1) in_set = part_repeated(items, in_set);
    }
    if (in_set) add_segment(batch, first, in_set);
    for (size_t i = in_set; i < n; i++) add_segment(batch, first + i, 1);
}

/* The order decides which of an op's items comes last. */
static void mark_last(struct batch *batch) {
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = &batch->items[i];
        item->last = true;
        if (item->op->n_stmts == 1) continue;
        for (size_t j = i + 1; j < batch->n_items && item->last; j++) item->last = batch->items[j].op != item->op;
    }
}

static bool is_solo(const struct lane *lane, const struct db_op *op) {
    return lane->kind == LANE_WRITE && op->n_stmts > 1;
}

static void build_solo(struct batch *batch, struct db_op *op) {
    add_op(batch, op);
    batch->solo = SOLO_STATEMENTS;
    batch->n_segments = 1;
    batch->segments[0] = (struct segment){.first = 0, .n = 1, .n_queries = 3}; /* BEGIN, the lock, the first change */
}

void batch_build(struct lane *lane) {
    struct batch *batch = &lane->batch;
    arena_reset(batch->arena);
    batch->n_items = batch->n_segments = batch->current = 0;
    batch->deadline_ms = 0;
    batch->solo = SOLO_NONE;
    batch->warned = false;
    if (lane->queue.first && is_solo(lane, lane->queue.first)) {
        build_solo(batch, list_take(&lane->queue));
        return;
    }
    size_t room = lane->session->db->options.batch_max;
    if (room < DB_STMTS_MAX) room = DB_STMTS_MAX;
    for (struct db_op *op; (op = lane->queue.first) && !is_solo(lane, op); add_op(batch, list_take(&lane->queue)))
        if (batch->n_items + op->n_stmts > room) break;

    qsort(batch->items, batch->n_items, sizeof *batch->items, compare_items);
    for (size_t first = 0, n; first < batch->n_items; first += n) {
        uint16_t sql = stmt_of(&batch->items[first])->sql;
        for (n = 1; first + n < batch->n_items && stmt_of(&batch->items[first + n])->sql == sql;) n++;
        arrange(lane, first, n);
    }
    mark_last(batch);
}

/* ---- arguments ---- */

struct params {
    int n;
    const char *values[DB_ARGS_MAX];
    int lengths[DB_ARGS_MAX], formats[DB_ARGS_MAX];
};

/* Numbers go as text, so that the server reads them as whatever type it gave the argument. */
static void add_value(struct params *p, const struct db_value *v, struct arena *arena) {
    int i = p->n++;
    p->formats[i] = v->type == DB_INT ? FORMAT_TEXT : FORMAT_BINARY;
    p->lengths[i] = (int)v->s.n;
    p->values[i] = NULL;
    if (v->type == DB_INT)
        p->values[i] = arena_cstr(arena, arena_printf(arena, "%lld", (long long)v->i));
    else if (v->type != DB_NULL)
        p->values[i] = v->s.n ? v->s.p : "";
}

static char *put_32(char *at, uint32_t v) {
    v = htonl(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static char *put_value(char *at, const struct db_value *v) {
    if (v->type == DB_NULL) return put_32(at, UINT32_MAX);
    if (v->type == DB_INT) {
        uint64_t big = htobe64((uint64_t)v->i);
        at = put_32(at, sizeof big);
        memcpy(at, &big, sizeof big);
        return at + sizeof big;
    }
    at = put_32(at, (uint32_t)v->s.n);
    if (v->s.n) memcpy(at, v->s.p, v->s.n);
    return at + v->s.n;
}

#define ARRAY_HEAD_BYTES 20

/* The head of an array in the server's binary form: dimensions, whether it has NULLs, type; length and lower bound. Returns where its values go, each with
 * its length. */
static char *put_array_head(char *at, bool has_null, uint32_t type, size_t n) {
    at = put_32(put_32(put_32(at, 1), has_null), type);
    return put_32(put_32(at, (uint32_t)n), 1);
}

static void add_binary(struct params *p, const char *bytes, size_t n) {
    p->values[p->n] = bytes;
    p->lengths[p->n] = (int)n;
    p->formats[p->n++] = FORMAT_BINARY;
}

static void add_array(struct params *p, const struct item *items, size_t n, size_t arg, struct arena *arena) {
    size_t bytes = ARRAY_HEAD_BYTES;
    bool has_null = false;
    uint32_t type = PG_INT8;
    for (size_t i = 0; i < n; i++) {
        const struct db_value *v = &stmt_of(&items[i])->args[arg];
        bytes += 4 + (v->type == DB_INT ? 8 : v->type == DB_NULL ? 0 : v->s.n);
        has_null = has_null || v->type == DB_NULL;
        if (v->type == DB_BYTES) type = PG_BYTES;
    }
    char *array = arena_alloc(arena, bytes);
    char *at = put_array_head(array, has_null, type, n);
    for (size_t i = 0; i < n; i++) at = put_value(at, &stmt_of(&items[i])->args[arg]);
    add_binary(p, array, bytes);
}

struct query {
    char name[16];
    const char *text;
    const struct arg_types *types; /* NULL: its text says them all */
    size_t slot;                   /* of lane->prepared */
};

static struct query query_of(const struct lane *lane, const struct segment *segment) {
    const struct item *item = &lane->batch.items[segment->first];
    const struct db_sql *row = row_of_item(lane, item);
    const struct pg_db *db = lane->session->db;
    uint16_t sql = stmt_of(item)->sql;
    struct query q = {.text = segment->many ? row->many : row->text, .types = segment->many ? NULL : &db->types[sql]};
    q.slot = 2 * (size_t)sql + segment->many;
    snprintf(q.name, sizeof q.name, "%c%u", segment->many ? 'm' : 'o', sql);
    return q;
}

/* The op's own query is counted already, and comes last. */
static bool prepare_once(struct lane *lane, struct segment *segment, const struct query *q) {
    if (!lane->prepared) lane->prepared = calloc(pg_slots(lane->session->db), sizeof *lane->prepared);
    if (!lane->prepared) abort();
    if (lane->prepared[q->slot]) return true;
    lane->prepared[q->slot] = true;
    segment->prepares[segment->n_prepares].slot = q->slot;
    segment->prepares[segment->n_prepares++].nth = segment->n_queries++;
    return PQsendPrepare(lane->pg, q->name, q->text, q->types ? q->types->n : 0, q->types ? q->types->oids : NULL) == 1;
}

/* A query failed: what was to be prepared by it or behind it is not. What was prepared before it is, whatever became of the transaction. */
static void forget_prepared(struct lane *lane, const struct segment *segment) {
    for (unsigned i = 0; i < segment->n_prepares && lane->prepared; i++)
        if (segment->prepares[i].nth >= segment->n_results) lane->prepared[segment->prepares[i].slot] = false;
}

static bool send_query(struct lane *lane, struct segment *segment, const struct query *q, const struct params *p) {
    if (lane->session->db->options.pooled)
        return PQsendQueryParams(lane->pg, q->text, p->n, q->types ? q->types->oids : NULL, p->values, p->lengths,
                                 p->formats, FORMAT_BINARY) == 1;
    return prepare_once(lane, segment, q) &&
           PQsendQueryPrepared(lane->pg, q->name, p->n, p->values, p->lengths, p->formats, FORMAT_BINARY) == 1;
}

/* What several statements share is named by the last argument, of which the first 8 bytes are the number of the lock; two names may have one
 * number, and then wait for each other. */
#define GUARD_TEXT(lock) "SELECT " lock "(k) FROM unnest($1::bigint[]) AS k"
const struct guard_row guards[GUARDS] = {
    [GUARD_SHARED] = {"gs", GUARD_TEXT("pg_advisory_xact_lock_shared")},
    [GUARD_ALONE] = {"ga", GUARD_TEXT("pg_advisory_xact_lock")},
};

static void add_guarded(struct params *p, const struct item *items, size_t n, struct arena *arena) {
    size_t bytes = ARRAY_HEAD_BYTES + n * 12;
    char *array = arena_alloc(arena, bytes);
    char *at = put_array_head(array, false, PG_INT8, n);
    for (size_t i = 0; i < n; i++) {
        const struct db_stmt *stmt = stmt_of(&items[i]);
        at = put_32(at, 8);
        memcpy(at, stmt->args[stmt->n_args - 1].s.p, 8);
        at += 8;
    }
    add_binary(p, array, bytes);
}

/* A statement sees what was committed when it began. So the lock is taken by one of its own in front, in the same transaction: behind it
 * every change of what it names is over, and can be seen. */
static bool send_guard(struct lane *lane, struct segment *segment, uint32_t flags) {
    const struct item *items = &lane->batch.items[segment->first];
    enum guard guard = flags & DB_GUARDS ? GUARD_ALONE : GUARD_SHARED;
    struct params p = {.n = 0};
    add_guarded(&p, items, segment->n, lane->batch.arena);
    struct query q = {.text = guards[guard].text, .slot = 2 * lane->session->db->n_table + guard};
    snprintf(q.name, sizeof q.name, "%s", guards[guard].name);
    bool ok = send_query(lane, segment, &q, &p);
    segment->n_queries++;
    return ok;
}

static bool send_statement(struct lane *lane, struct segment *segment) {
    const struct item *items = &lane->batch.items[segment->first];
    const struct db_stmt *stmt = stmt_of(items);
    uint32_t flags = row_of_item(lane, items)->flags;
    struct params p = {.n = 0};
    if (flags & (DB_LOOKS | DB_GUARDS) && !send_guard(lane, segment, flags)) return false;
    for (size_t arg = 0; arg < stmt->n_args && arg < DB_ARGS_MAX; arg++) {
        if (segment->many)
            add_array(&p, items, segment->n, arg, lane->batch.arena);
        else
            add_value(&p, &stmt->args[arg], lane->batch.arena);
    }
    struct query q = query_of(lane, segment);
    return send_query(lane, segment, &q, &p);
}

static bool send_plain(struct lane *lane, const char *text) {
    return PQsendQueryParams(lane->pg, text, 0, NULL, NULL, NULL, NULL, FORMAT_BINARY) == 1;
}

static bool op_tells(const struct lane *lane, const struct db_op *op) {
    for (size_t i = 0; i < op->n_stmts; i++)
        if (lane->session->db->table[op->stmts[i].sql].flags & DB_TELL) return true;
    return false;
}

bool segment_send(struct lane *lane, struct segment *segment) {
    bool ok = true;
    switch (lane->batch.solo) {
    case SOLO_STATEMENTS:
        if (segment->n_queries > 1) ok = send_plain(lane, "BEGIN") && send_plain(lane, LOCK_STATEMENT);
        ok = ok && send_statement(lane, segment);
        break;
    case SOLO_COMMIT:
        if (op_tells(lane, lane->batch.items[0].op)) {
            segment->n_queries++;
            ok = send_plain(lane, TELL_STATEMENT);
        }
        ok = ok && send_plain(lane, "COMMIT");
        break;
    case SOLO_ROLLBACK: ok = send_plain(lane, "ROLLBACK"); break;
    case SOLO_NONE: ok = send_statement(lane, segment); break;
    }
    return ok && PQpipelineSync(lane->pg) == 1;
}

/* ---- rows ---- */

static int64_t read_number(const char *p, int n) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | (uint8_t)p[i];
    if (n == 2) return (int16_t)v;
    if (n == 4) return (int32_t)v;
    return (int64_t)v;
}

struct db_value pg_value(const PGresult *result, int row, int column) {
    if (PQgetisnull(result, row, column)) return (struct db_value){.type = DB_NULL};
    const char *p = PQgetvalue(result, row, column);
    int n = PQgetlength(result, row, column);
    str s = {p, (size_t)n};
    switch (PQftype(result, column)) {
    case PG_BOOL:
    case PG_INT2:
    case PG_INT4:
    case PG_INT8: return (struct db_value){.type = DB_INT, .i = read_number(p, n)};
    case PG_BYTES: return (struct db_value){.type = DB_BYTES, .s = s};
    default: return (struct db_value){.type = DB_TEXT, .s = s};
    }
}

static struct db_value read_value(const PGresult *result, int row, int column, struct arena *arena) {
    struct db_value v = pg_value(result, row, column);
    if (v.type == DB_BYTES || v.type == DB_TEXT) v.s = arena_copy(arena, v.s);
    return v;
}

static void read_row(const PGresult *result, int row, int first_column, struct db_op *op, struct db_rows *out) {
    struct db_value *values = out->values + out->n_rows++ * out->n_cols;
    for (size_t i = 0; i < out->n_cols; i++) values[i] = read_value(result, row, first_column + (int)i, op->arena);
}

static void judge(const struct lane *lane, const struct item *item, size_t touched) {
    if ((row_of_item(lane, item)->flags & DB_TAKER) && touched != 1) item->op->outcome = DB_LOST;
}

static void take_one(const struct lane *lane, const struct item *item, const PGresult *result) {
    struct db_rows *rows = &item->op->rows[item->index];
    int n_rows = PQntuples(result);
    *rows = (struct db_rows){.n_cols = (size_t)PQnfields(result)};
    if (rows->n_cols)
        rows->values = ARENA_ARRAY(op_rows_arena(item->op), struct db_value, (size_t)n_rows * rows->n_cols);
    for (int i = 0; i < n_rows; i++) read_row(result, i, 0, item->op, rows);
    uint64_t changed = 0;
    if (!rows->n_cols) str_to_u64(str_of(PQcmdTuples((PGresult *)(uintptr_t)result)), INT64_MAX, &changed);
    judge(lane, item, rows->n_cols ? rows->n_rows : (size_t)changed);
}

/* The first item of the set whose key is not less. */
static size_t find_key(const struct item *items, size_t n, str key) {
    size_t low = 0;
    while (n) {
        size_t half = n / 2;
        bool less = compare_bytes(stmt_of(&items[low + half])->args[0].s, key) < 0;
        low += less ? half + 1 : 0;
        n = less ? n - half - 1 : half;
    }
    return low;
}

struct span {
    size_t from, to;
};

/* The items that a row belongs to. */
static struct span find_items(const struct item *items, size_t n, const PGresult *result, int row) {
    str key = {PQgetvalue(result, row, 0), (size_t)PQgetlength(result, row, 0)};
    if (PQftype(result, 0) == PG_INT8) {
        int64_t place = read_number(key.p, (int)key.n);
        if (place < 1 || place > (int64_t)n) return (struct span){0, 0};
        return (struct span){(size_t)place - 1, (size_t)place};
    }
    size_t from = find_key(items, n, key), to = from;
    while (to < n && str_eq(stmt_of(&items[to])->args[0].s, key)) to++;
    return (struct span){from, to};
}

static void take_many(const struct lane *lane, const struct segment *segment, const PGresult *result) {
    const struct item *items = &lane->batch.items[segment->first];
    uint32_t counts[PG_ITEMS_MAX] = {0};
    int n_fields = PQnfields(result), n_rows = n_fields ? PQntuples(result) : 0;
    for (int row = 0; row < n_rows; row++) {
        struct span span = find_items(items, segment->n, result, row);
        for (size_t i = span.from; i < span.to; i++) counts[i]++;
    }
    for (size_t i = 0; i < segment->n; i++) {
        struct db_rows *rows = &items[i].op->rows[items[i].index];
        *rows = (struct db_rows){.n_cols = n_fields ? (size_t)n_fields - 1 : 0};
        rows->values = ARENA_ARRAY(op_rows_arena(items[i].op), struct db_value, counts[i] * rows->n_cols);
        judge(lane, &items[i], counts[i]);
    }
    for (int row = 0; row < n_rows; row++) {
        struct span span = find_items(items, segment->n, result, row);
        for (size_t i = span.from; i < span.to; i++)
            read_row(result, row, 1, items[i].op, &items[i].op->rows[items[i].index]);
    }
}

void segment_result(struct lane *lane, struct segment *segment, const PGresult *result) {
    bool of_op = ++segment->n_results == segment->n_queries && lane->batch.solo <= SOLO_STATEMENTS;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        segment->failed = true;
        forget_prepared(lane, segment);
        segment->rc = pg_fault(lane->pg, result, row_of_item(lane, &lane->batch.items[segment->first])->name);
        segment->detail = arena_copy(lane->batch.arena, str_of(rc_detail()));
    } else if (of_op && segment->many) {
        take_many(lane, segment, result);
    } else if (of_op) {
        take_one(lane, &lane->batch.items[segment->first], result);
    }
}
