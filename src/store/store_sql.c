#include "store_sql.h"

const struct db_sql store_sql[] = {
#define STATEMENT(name, flags, text)            {#name, text, flags, NULL},
#define STATEMENT_MANY(name, flags, text, many) {#name, text, flags, many},
#include "statements.def"
#undef STATEMENT
#undef STATEMENT_MANY
};
const size_t store_sql_count = SQL_COUNT;
_Static_assert(sizeof store_sql / sizeof store_sql[0] == SQL_COUNT, "one name for each statement");

void stmt_begin(struct db_stmt *stmt, enum store_statement sql) {
    stmt->sql = (uint16_t)sql;
    stmt->n_args = 0;
}

static void stmt_add(struct db_stmt *stmt, struct db_value value) { stmt->args[stmt->n_args++] = value; }

void stmt_int(struct db_stmt *stmt, int64_t value) { stmt_add(stmt, (struct db_value){.type = DB_INT, .i = value}); }

void stmt_int_or_null(struct db_stmt *stmt, int64_t value) {
    stmt_add(stmt, (struct db_value){.type = value ? DB_INT : DB_NULL, .i = value});
}

void stmt_text(struct db_stmt *stmt, str value) { stmt_add(stmt, (struct db_value){.type = DB_TEXT, .s = value}); }

void stmt_bytes(struct db_stmt *stmt, const void *bytes, size_t n) {
    stmt_add(stmt, (struct db_value){.type = DB_BYTES, .s = {bytes, n}});
}

void stmt_id_range(struct db_stmt *stmt, int32_t id) {
    stmt_int(stmt, id ? id : 0);
    stmt_int(stmt, id ? id : ID_MAX);
}

struct row row_of(const struct db_rows *rows, size_t index) {
    return (struct row){.values = rows->values + index * rows->n_cols, .n = rows->n_cols};
}

/* The next value; one of the wrong type, or one too many, is bad and reads as NULL. */
static struct db_value row_next(struct row *row, enum db_type type) {
    const struct db_value none = {.type = DB_NULL};
    if (row->at >= row->n) {
        row->bad = true;
        return none;
    }
    const struct db_value *v = &row->values[row->at++];
    if (v->type == type || v->type == DB_NULL) return *v;
    row->bad = true;
    return none;
}

int64_t row_int(struct row *row) { return row_next(row, DB_INT).i; }

int32_t row_int32(struct row *row) {
    int64_t v = row_int(row);
    if (v >= INT32_MIN && v <= INT32_MAX) return (int32_t)v;
    row->bad = true;
    return 0;
}

str row_text(struct row *row) { return row_next(row, DB_TEXT).s; }

str row_bytes(struct row *row) { return row_next(row, DB_BYTES).s; }

bool row_is_there(struct row *row) { return row_next(row, DB_INT).type != DB_NULL; }

void row_copy(struct row *row, uint8_t *out, size_t n) {
    str s = row_bytes(row);
    if (s.n == n)
        memcpy(out, s.p, n);
    else
        row->bad = true;
}

void row_grant(struct row *row, struct grant *out) {
    row_copy(row, out->id.b, GRANT_ID_BYTES);
    out->app_id = row_int32(row);
    out->hub_id = row_int32(row);
    out->user_id = row_int32(row);
    out->scopes = row_bytes(row);
    out->created_ms = row_int(row);
    out->expires_ms = row_int(row);
    row_copy(row, out->salt, GRANT_SALT_BYTES);
    int64_t generation = row_int(row);
    out->generation = (uint32_t)generation;
    if (generation < 0 || generation > UINT32_MAX) row->bad = true;
    out->rotated_ms = row_int(row);
    out->access_not_before_ms = row_int(row);
    out->revoked_ms = row_int(row);
    out->last_used_day = row_int32(row);
    out->auth_time_ms = row_int(row);
    out->resources = row_bytes(row);
    out->certificate = row_bytes(row);
}

void row_user(struct row *row, struct user *out) {
    out->user_id = row_int32(row);
    out->email = row_text(row);
    out->name = row_text(row);
    out->password_hash = row_text(row);
    out->created_ms = row_int(row);
    out->disabled_ms = row_int(row);
    out->sessions_not_before_ms = row_int(row);
    out->email_verified = row_int(row) != 0;
    out->updated_ms = row_int(row);
}

void row_account(struct row *row, struct account *out) {
    out->hub_id = row_int32(row);
    out->domain = row_text(row);
    out->name = row_text(row);
    out->created_ms = row_int(row);
    out->disabled_ms = row_int(row);
    row_scopes(row, &out->without_scopes);
}

void row_scopes(struct row *row, struct scope_set *out) {
    if (!scope_set_decode(row_bytes(row), out)) row->bad = true;
}

RC row_end(const struct row *row) {
    if (!row->bad && row->at == row->n) return RC_OK;
    return rc_fail(FAULT_DB_CORRUPT, "a row of %zu values cannot be read at value %zu", row->n, row->at);
}
