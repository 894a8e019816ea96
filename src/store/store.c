/* What the protocol rules ask and change. */
#include "store_sql.h"

#define DAY_MS            INT64_C(86400000)
#define UNINSTALL_KEEP_MS (30 * DAY_MS) /* longer than any code or access token lives */

static void plan_person(const struct ask *ask, struct db_stmt *out) {
    stmt_begin(out, ask->email.n ? SQL_ASK_PERSON_BY_EMAIL : SQL_ASK_PERSON);
    if (ask->email.n)
        stmt_text(out, ask->email);
    else
        stmt_int(out, ask->user_id);
}

static void plan_memberships(const struct ask *ask, struct db_stmt *out) {
    stmt_begin(out, SQL_ASK_MEMBERSHIPS);
    stmt_int(out, ask->user_id);
    stmt_id_range(out, ask->hub_id);
    stmt_int(out, ask->app_id);
    stmt_int(out, MEMBERSHIPS_MAX + 1); /* one more tells that there is a next page */
    stmt_int(out, (int64_t)ask->page * MEMBERSHIPS_MAX);
    stmt_text(out, ask->find);
    stmt_text(out, ask->hub_list);
}

/* The newest first, so an id that no grant reaches is the beginning. */
static void plan_connections(const struct ask *ask, struct db_stmt *out) {
    static const struct grant_id none,
        last = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    stmt_begin(out, SQL_ASK_CONNECTIONS);
    stmt_int(out, ask->user_id);
    stmt_id_range(out, ask->app_id);
    stmt_id_range(out, ask->hub_id);
    stmt_int(out, ask->now_ms);
    stmt_int(out, CONNECTIONS_MAX);
    bool from_the_first = memcmp(&ask->grant_id, &none, sizeof none) == 0;
    stmt_bytes(out, from_the_first ? last.b : ask->grant_id.b, GRANT_ID_BYTES);
}

static void plan_subject(const struct ask *ask, const struct known_subjects *known, struct db_stmt *out) {
    if (known && known_subjects_has(known, ask->user_id, ask->hub_id)) {
        stmt_begin(out, SQL_ASK_UNINSTALLED);
        stmt_int(out, ask->app_id);
        stmt_int(out, ask->hub_id);
        return;
    }
    stmt_begin(out, SQL_ASK_SUBJECT);
    stmt_int(out, ask->user_id);
    stmt_int(out, ask->hub_id);
    stmt_int(out, ask->app_id);
}

void store_plan_ask(const struct ask *ask, const struct known_subjects *known, struct db_stmt *out) {
    switch (ask->kind) {
    case ASK_GRANT:
        stmt_begin(out, known && known_subjects_pay(known) ? SQL_ASK_GRANT_ALONE : SQL_ASK_GRANT);
        stmt_bytes(out, ask->grant_id.b, GRANT_ID_BYTES);
        break;
    case ASK_SUBJECT: plan_subject(ask, known, out); break;
    case ASK_SESSION:
        stmt_begin(out, SQL_ASK_SESSION);
        stmt_bytes(out, ask->session_hash, SESSION_HASH_BYTES);
        break;
    case ASK_PERSON: plan_person(ask, out); break;
    case ASK_MEMBERSHIPS: plan_memberships(ask, out); break;
    case ASK_CONNECTIONS: plan_connections(ask, out); break;
    case ASK_REVOKED_TOKEN:
    case ASK_PASSWORD: /* never comes here */
    case ASK_KINDS:
        stmt_begin(out, SQL_ASK_REVOKED_TOKEN);
        stmt_bytes(out, ask->token_id, TOKEN_ID_BYTES);
        break;
    }
}

static void row_subject(struct row *row, struct subject *s) {
    s->user_found = row_is_there(row);
    s->user_enabled = row_int(row) == 0 && s->user_found;
    s->email = row_text(row);
    s->user_name = row_text(row);
    s->email_verified = row_int(row) != 0;
    s->user_updated_ms = row_int(row);
    s->account_found = row_is_there(row);
    s->account_enabled = row_int(row) == 0 && s->account_found;
    s->domain = row_text(row);
    s->member = row_is_there(row);
}

/* The end of a row about a person in an account. False: they were left out of the question, and are not known. */
static bool read_subject(struct row *row, const struct store_answer *answer, struct subject_key key,
                         struct facts *facts) {
    bool left_out = answer->stmt->sql == SQL_ASK_GRANT_ALONE || answer->stmt->sql == SQL_ASK_UNINSTALLED;
    if (!left_out) row_subject(row, &facts->subject);
    facts->uninstalled_ms = row_int(row);
    key.version = row_int(row);
    if (left_out) return known_subjects_find(answer->known, &key, answer->arena, &facts->subject);
    if (answer->known && !row->bad) known_subjects_add(answer->known, &key, &facts->subject);
    return true;
}

static RC read_grant(const struct store_answer *answer, struct facts *facts, bool *out_again) {
    facts->grant_found = false;
    facts->grant = (struct grant){.app_id = 0};
    facts->subject = (struct subject){.user_found = false};
    facts->uninstalled_ms = 0;
    if (answer->rows->n_rows == 0) return RC_OK;
    struct row row = row_of(answer->rows, 0);
    row_grant(&row, &facts->grant);
    struct subject_key key = {.user_id = facts->grant.user_id, .hub_id = facts->grant.hub_id};
    *out_again = !read_subject(&row, answer, key, facts);
    facts->grant_found = !row.bad;
    return row_end(&row);
}

static RC read_session(const struct db_rows *rows, struct facts *facts) {
    facts->session_found = facts->person_found = rows->n_rows > 0;
    if (!facts->session_found) return RC_OK;
    struct row row = row_of(rows, 0);
    facts->session = (struct session){.user_id = row_int32(&row)};
    facts->session.auth_time_ms = row_int(&row);
    facts->session.created_ms = row_int(&row);
    facts->session.expires_ms = row_int(&row);
    facts->session.hub_ids = row_bytes(&row);
    row_user(&row, &facts->person);
    return row_end(&row);
}

static RC read_person(const struct db_rows *rows, struct facts *facts) {
    facts->person_found = rows->n_rows > 0;
    if (!facts->person_found) return RC_OK;
    struct row row = row_of(rows, 0);
    row_user(&row, &facts->person);
    return row_end(&row);
}

static RC read_memberships(const struct db_rows *rows, struct arena *arena, struct facts *facts) {
    struct membership *list = ARENA_ARRAY(arena, struct membership, rows->n_rows);
    facts->memberships = list;
    facts->more_memberships = rows->n_rows > MEMBERSHIPS_MAX;
    facts->n_memberships = facts->more_memberships ? MEMBERSHIPS_MAX : rows->n_rows;
    for (size_t i = 0; i < facts->n_memberships; i++) {
        struct row row = row_of(rows, i);
        row_account(&row, &list[i].account);
        list[i].role = row_int32(&row);
        list[i].uninstalled_ms = row_int(&row);
        TRY(row_end(&row));
    }
    return RC_OK;
}

static RC read_connections(const struct db_rows *rows, struct arena *arena, struct facts *facts) {
    struct connection *list = ARENA_ARRAY(arena, struct connection, rows->n_rows);
    facts->connections = list;
    facts->n_connections = rows->n_rows;
    for (size_t i = 0; i < rows->n_rows; i++) {
        struct row row = row_of(rows, i);
        row_grant(&row, &list[i].grant);
        list[i].account_name = row_text(&row);
        list[i].account_domain = row_text(&row);
        TRY(row_end(&row));
    }
    return RC_OK;
}

static RC read_one_subject(const struct ask *ask, const struct store_answer *answer, struct facts *facts,
                           bool *out_again) {
    /* the statement gives one row in every case: none is no answer */
    size_t n = answer->rows->n_rows;
    if (n != 1) return rc_fail(FAULT_INTERNAL, "a question got %zu answers", n);
    struct row row = row_of(answer->rows, 0);
    struct subject_key key = {.user_id = ask->user_id, .hub_id = ask->hub_id};
    *out_again = !read_subject(&row, answer, key, facts);
    return row_end(&row);
}

static RC read_revoked(const struct db_rows *rows, struct facts *facts) {
    facts->token_revoked = rows->n_rows > 0;
    facts->token_denied_until_ms = 0;
    if (!facts->token_revoked) return RC_OK;
    struct row row = row_of(rows, 0);
    facts->token_denied_until_ms = row_int(&row);
    return row_end(&row);
}

RC store_read_ask(const struct ask *ask, const struct store_answer *answer, struct facts *facts, bool *out_again) {
    const struct db_rows *rows = answer->rows;
    *out_again = false;
    switch (ask->kind) {
    case ASK_GRANT: return read_grant(answer, facts, out_again);
    case ASK_SUBJECT: return read_one_subject(ask, answer, facts, out_again);
    case ASK_SESSION: return read_session(rows, facts);
    case ASK_PERSON: return read_person(rows, facts);
    case ASK_MEMBERSHIPS: return read_memberships(rows, answer->arena, facts);
    case ASK_CONNECTIONS: return read_connections(rows, answer->arena, facts);
    case ASK_REVOKED_TOKEN: return read_revoked(rows, facts);
    case ASK_PASSWORD:
    case ASK_KINDS: break;
    }
    return rc_fail(FAULT_INTERNAL, "the store was asked what it does not know");
}

static void plan_insert(const struct change *c, struct db_stmt *out) {
    const struct grant *g = &c->grant;
    stmt_begin(out, SQL_GRANT_INSERT);
    stmt_bytes(out, g->id.b, GRANT_ID_BYTES);
    stmt_int(out, g->app_id);
    stmt_int(out, g->hub_id);
    stmt_int(out, g->user_id);
    stmt_bytes(out, g->scopes.p, g->scopes.n);
    stmt_int(out, g->created_ms);
    stmt_int_or_null(out, g->expires_ms);
    stmt_bytes(out, g->salt, GRANT_SALT_BYTES);
    stmt_int(out, g->generation);
    stmt_int(out, g->rotated_ms);
    stmt_int(out, g->access_not_before_ms);
    stmt_int_or_null(out, g->revoked_ms);
    stmt_int(out, g->last_used_day);
    stmt_int(out, g->auth_time_ms);
    stmt_bytes(out, g->resources.p, g->resources.n);
    stmt_bytes(out, g->certificate.p, g->certificate.n);
    stmt_int(out,
             g->created_ms +
                 REVOKED_KEPT_MS); /* an entry that lasts until then was made when the grant was created, or later */
    stmt_bytes(out, c->token_id, TOKEN_ID_BYTES);
}

/* A change of one grant: its id, then up to three numbers. */
static void plan_update(const struct change *c, enum store_statement sql, const int64_t *numbers, size_t n,
                        struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_bytes(out, c->grant_id.b, GRANT_ID_BYTES);
    for (size_t i = 0; i < n; i++) stmt_int(out, numbers[i]);
}

static void plan_uninstall(const struct change *c, struct db_stmt *out) {
    stmt_begin(out, SQL_UNINSTALL);
    stmt_int(out, c->app_id);
    stmt_int(out, c->hub_id);
    stmt_int(out, c->now_ms);
}

static void plan_token(const struct change *c, enum store_statement sql, struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_bytes(out, c->token_id, TOKEN_ID_BYTES);
    stmt_int(out, c->expires_ms);
}

static size_t plan_session_start(const struct change *c, struct db_stmt out[DB_STMTS_MAX]) {
    static const uint8_t none[SESSION_HASH_BYTES];
    const struct session *s = &c->session;
    size_t n = 0;
    if (c->takes) plan_token(c, SQL_TOKEN_TAKE, &out[n++]);
    stmt_begin(&out[n], SQL_SESSION_INSERT);
    stmt_bytes(&out[n], s->hash, SESSION_HASH_BYTES);
    stmt_int(&out[n], s->user_id);
    stmt_int(&out[n], s->auth_time_ms);
    stmt_int(&out[n], s->created_ms);
    stmt_int(&out[n], s->expires_ms);
    stmt_bytes(&out[n++], s->hub_ids.p, s->hub_ids.n);
    if (memcmp(c->session_hash, none, sizeof none) == 0) return n;
    stmt_begin(&out[n], SQL_SESSION_DELETE);
    stmt_bytes(&out[n++], c->session_hash, SESSION_HASH_BYTES);
    return n;
}

/* The mark comes first: who inserts a grant has seen it, or its grant is there to be revoked. */
static size_t plan_grants_revoke(const struct change *c, struct db_stmt out[DB_STMTS_MAX]) {
    size_t n = 0;
    if (c->takes) {
        stmt_begin(out, SQL_TOKEN_MARK);
        stmt_int(out, c->expires_ms);
        stmt_bytes(out, c->token_id, TOKEN_ID_BYTES);
        n = 1;
    }
    stmt_begin(&out[n], SQL_GRANTS_REVOKE);
    stmt_int(&out[n], c->user_id);
    stmt_id_range(&out[n], c->app_id);
    stmt_id_range(&out[n], c->hub_id);
    stmt_int(&out[n], c->now_ms);
    stmt_int(&out[n], c->expires_ms);
    return n + 1;
}

size_t store_plan_change(const struct change *c, struct db_stmt out[DB_STMTS_MAX]) {
    switch (c->kind) {
    case CHANGE_GRANT_INSERT: plan_insert(c, out); return 1;
    case CHANGE_GRANT_ROTATE:
        plan_update(c, SQL_GRANT_ROTATE, (int64_t[]){c->generation, c->now_ms, c->day}, 3, out);
        return 1;
    case CHANGE_GRANT_REVOKE:
        plan_update(c, SQL_GRANT_REVOKE, (int64_t[]){c->now_ms, c->expires_ms, c->access_not_before_ms}, 3, out);
        return 1;
    case CHANGE_GRANT_NOT_BEFORE: plan_update(c, SQL_GRANT_NOT_BEFORE, &c->now_ms, 1, out); return 1;
    case CHANGE_GRANT_TOUCH: plan_update(c, SQL_GRANT_TOUCH, (int64_t[]){c->day}, 1, out); return 1;
    case CHANGE_TOKEN_REVOKE: plan_token(c, SQL_TOKEN_REVOKE, out); return 1;
    case CHANGE_TOKEN_TAKE: plan_token(c, SQL_TOKEN_TAKE, out); return 1;
    case CHANGE_UNINSTALL: plan_uninstall(c, out); return 1;
    case CHANGE_SESSION_START: return plan_session_start(c, out);
    case CHANGE_SESSION_EXTEND:
        stmt_begin(out, SQL_SESSION_EXTEND);
        stmt_bytes(out, c->session.hash, SESSION_HASH_BYTES);
        stmt_int(out, c->expires_ms);
        return 1;
    case CHANGE_SESSION_END:
        stmt_begin(out, SQL_SESSION_DELETE);
        stmt_bytes(out, c->session_hash, SESSION_HASH_BYTES);
        return 1;
    case CHANGE_GRANTS_REVOKE: return plan_grants_revoke(c, out);
    case CHANGE_NONE:
    case CHANGE_KINDS: break;
    }
    return 0;
}

size_t store_plan_purge(int64_t now_ms, size_t first, struct db_stmt out[DB_STMTS_MAX]) {
    const struct {
        enum store_statement sql;
        int64_t before_ms;
    } rows[] = {
        {SQL_PURGE_GRANTS, now_ms},
        {SQL_PURGE_TOKENS, now_ms},
        {SQL_PURGE_UNINSTALLED, now_ms - UNINSTALL_KEEP_MS},
        {SQL_PURGE_UNINSTALLS, now_ms - UNINSTALL_KEEP_MS},
        {SQL_PURGE_SESSIONS, now_ms},
    };
    size_t n = 0;
    for (size_t i = first; i < sizeof rows / sizeof rows[0] && n < DB_STMTS_MAX; i++, n++) {
        stmt_begin(&out[n], rows[i].sql);
        stmt_int(&out[n], rows[i].before_ms);
    }
    return n;
}
