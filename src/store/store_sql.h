/* The statements by name, the columns that several of them share, and how values go in and rows come out. */
#ifndef GRANTD_STORE_SQL_H
#define GRANTD_STORE_SQL_H

#include "store.h"

enum store_statement {
#define STATEMENT(name, flags, text)            SQL_##name,
#define STATEMENT_MANY(name, flags, text, many) SQL_##name,
#include "statements.def"
#undef STATEMENT
#undef STATEMENT_MANY
    SQL_COUNT
};

/* In the order in which the arguments of a new one come. */
#define GRANT_ROW                                                                                                      \
    "id, app_id, hub_id, user_id, scopes, created_ms, expires_ms, salt, generation, rotated_ms, access_not_before_ms," \
    " revoked_ms, last_used_day, auth_time_ms, resources, certificate"

/* In the order in which the readers take them. */
#define GRANT_COLUMNS                                                                                                  \
    "g.id, g.app_id, g.hub_id, g.user_id, g.scopes, g.created_ms, g.expires_ms, g.salt, g.generation, g.rotated_ms,"   \
    " g.access_not_before_ms, g.revoked_ms, g.last_used_day, g.auth_time_ms, g.resources, g.certificate"
#define SUBJECT_COLUMNS                                                                                                \
    "u.user_id, u.disabled_ms, u.email, u.name, u.email_verified, u.updated_ms, a.hub_id, a.disabled_ms, a.domain, "   \
    "m.user_id, " CHANGING_COLUMNS
/* What is asked of a subject each time, and what tells whether the rest of it may have changed. */
#define CHANGING_COLUMNS "n.uninstalled_ms, (SELECT version FROM meta WHERE one = 1)"
#define USER_COLUMNS                                                                                                   \
    "user_id, email, name, password_hash, created_ms, disabled_ms, sessions_not_before_ms, email_verified, updated_ms"
#define PERSON_COLUMNS                                                                                                 \
    "u.user_id, u.email, u.name, u.password_hash, u.created_ms, u.disabled_ms, u.sessions_not_before_ms,"              \
    " u.email_verified, u.updated_ms"
#define APP_COLUMNS                                                                                                    \
    "app_id, client_id, name, developer, site_url, logo_url, flags, grant_types, redirect_uris, scopes,"               \
    " optional_scopes, code_ttl_s, access_ttl_s, retry_window_s, refresh_idle_s, refresh_absolute_s, bound_hub_id,"    \
    " created_ms, updated_ms, jwks, jwks_uri, post_logout_redirect_uris, tls_auth"
#define ACCOUNT_TEXT     "lower(a.name || ' ' || a.domain || ' ' || CAST(a.hub_id AS TEXT))" /* in which people search */
#define RESOURCE_COLUMNS "resource_id, name, uris, flags, token_format, app_id, updated_ms, created_ms"

#define PURGE_LIMIT " LIMIT " AS_TEXT(PURGE_ROWS)
#define OLDEST_UNINSTALLS                                                                                              \
    "(SELECT app_id, hub_id, uninstalled_ms FROM uninstalls WHERE uninstalled_ms < $1 ORDER BY "                       \
    "uninstalled_ms" PURGE_LIMIT ")"

/* Arguments, in their order. */
void stmt_begin(struct db_stmt *stmt, enum store_statement sql);
void stmt_int(struct db_stmt *stmt, int64_t value);
void stmt_int_or_null(struct db_stmt *stmt, int64_t value); /* 0 is NULL */
void stmt_text(struct db_stmt *stmt, str value);
void stmt_bytes(struct db_stmt *stmt, const void *bytes, size_t n);
void stmt_id_range(struct db_stmt *stmt, int32_t id); /* one id, or with 0 all: two arguments */

/* Values of one row, in their order. Sticky: a value of a wrong type or size sets `bad`, checked once at the end. */
struct row {
    const struct db_value *values;
    size_t n, at;
    bool bad;
};

struct row row_of(const struct db_rows *rows, size_t index);
int64_t row_int(struct row *row);   /* NULL is 0 */
int32_t row_int32(struct row *row); /* NULL is 0 */
str row_text(struct row *row);      /* NULL is empty */
str row_bytes(struct row *row);     /* NULL is empty */
bool row_is_there(struct row *row); /* takes a value and tells whether it is not NULL */
void row_copy(struct row *row, uint8_t *out, size_t n);
void row_scopes(struct row *row, struct scope_set *out); /* NULL is none */
void row_grant(struct row *row, struct grant *out);
void row_user(struct row *row, struct user *out);
void row_account(struct row *row, struct account *out);

/* FAULT_DB_CORRUPT unless every value was read and was good. */
RC row_end(const struct row *row);

#endif
