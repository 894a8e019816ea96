/* What administration changes. */
#include "buf.h"
#include "store_sql.h"

static void add_scopes(struct db_stmt *out, const struct scope_set *set, struct arena *arena) {
    uint8_t *bytes = arena_alloc(arena, SCOPE_SET_BYTES);
    stmt_bytes(out, bytes, scope_set_encode(set, bytes));
}

/* A line each: no URI has a line end in it. */
static str join_lines(const str *lines, size_t n, struct arena *arena) {
    size_t room = n;
    for (size_t i = 0; i < n; i++) room += lines[i].n;
    struct buf b = buf_on(arena_alloc(arena, room + 1), room + 1);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_add_char(&b, '\n');
        buf_add(&b, lines[i]);
    }
    return buf_str(&b);
}

/* The arguments follow APP_COLUMNS. An update leaves client_id and created_ms as they are. */
static void plan_app(enum store_statement sql, const struct app *app, struct arena *arena, struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_int(out, app->app_id);
    stmt_text(out, app->client_id);
    stmt_text(out, app->name);
    stmt_text(out, app->developer);
    stmt_text(out, app->site_url);
    stmt_text(out, app->logo_url);
    stmt_int(out, app->flags);
    stmt_int(out, app->grants);
    stmt_text(out, join_lines(app->redirect_uris, app->n_redirect_uris, arena));
    add_scopes(out, &app->scopes, arena);
    add_scopes(out, &app->optional_scopes, arena);
    stmt_int(out, app->code_ttl_s);
    stmt_int(out, app->access_ttl_s);
    stmt_int(out, app->retry_window_s);
    stmt_int(out, app->refresh_idle_s);
    stmt_int(out, app->refresh_absolute_s);
    stmt_int(out, app->bound_hub_id);
    stmt_int(out, app->created_ms);
    stmt_int(out, app->updated_ms);
    stmt_text(out, app->jwks);
    stmt_text(out, app->jwks_uri);
    stmt_text(out, join_lines(app->post_logout_redirect_uris, app->n_post_logout_redirect_uris, arena));
    stmt_text(out, app->tls_auth);
}

static void plan_secret_add(const struct edit *e, struct db_stmt *out) {
    stmt_begin(out, SQL_SECRET_ADD);
    stmt_int(out, e->app_id);
    stmt_int(out, e->secret.key_number);
    stmt_bytes(out, e->secret.hash, MAC_BYTES);
    stmt_int(out, e->secret.created_ms);
    stmt_int(out, SECRETS_PER_APP_MAX);
}

static void plan_secret_retire(const struct edit *e, struct db_stmt *out) {
    stmt_begin(out, SQL_SECRET_RETIRE);
    stmt_int(out, e->app_id);
    stmt_int(out, e->secret.secret_id);
    stmt_int(out, e->now_ms);
}

static void plan_scope(enum store_statement sql, const struct scope *scope, struct db_stmt *out) {
    stmt_begin(out, sql);
    if (sql == SQL_SCOPE_UPDATE) stmt_int(out, scope->id);
    stmt_text(out, scope->name);
    stmt_text(out, scope->title);
    stmt_int(out, scope->hidden);
}

/* The arguments follow RESOURCE_COLUMNS behind the id. */
static void plan_resource(enum store_statement sql, const struct resource *r, struct arena *arena,
                          struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_text(out, r->name);
    stmt_text(out, join_lines(r->uris, r->n_uris, arena));
    stmt_int(out, r->flags);
    stmt_int(out, r->token_format);
    stmt_int(out, r->app_id);
    stmt_int(out, r->updated_ms);
    stmt_int(out, sql == SQL_RESOURCE_CREATE ? r->created_ms : r->id);
}

static void plan_account(enum store_statement sql, const struct account *account, struct arena *arena,
                         struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_int(out, account->hub_id);
    stmt_text(out, account->domain);
    stmt_text(out, account->name);
    stmt_int(out, account->created_ms);
    stmt_int(out, account->disabled_ms);
    add_scopes(out, &account->without_scopes, arena);
}

static void plan_user(enum store_statement sql, const struct user *user, struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_int(out, user->user_id);
    stmt_text(out, user->email);
    stmt_text(out, user->name);
    stmt_text(out, user->password_hash);
    stmt_int(out, user->created_ms);
    stmt_int(out, user->disabled_ms);
    stmt_int(out, user->sessions_not_before_ms);
    stmt_int(out, user->email_verified);
    stmt_int(out, user->updated_ms);
}

static void plan_member(enum store_statement sql, const struct member *member, struct db_stmt *out) {
    stmt_begin(out, sql);
    stmt_int(out, member->user_id);
    stmt_int(out, member->hub_id);
    if (sql == SQL_MEMBER_PUT) stmt_int(out, member->role);
}

static void plan_key(const struct sealed_key *key, struct db_stmt *out) {
    stmt_begin(out, SQL_KEY_INSERT);
    stmt_int(out, key->number);
    stmt_int(out, key->created_ms);
    stmt_int(out, key->used_ms);
    stmt_bytes(out, key->sealed.p, key->sealed.n);
}

static void plan_signing_key(const struct edit *e, struct db_stmt *out) {
    const struct sealed_signing_key *key = &e->signing_key;
    stmt_begin(out, SQL_SIGNING_KEY_INSERT);
    stmt_text(out, key->kid);
    stmt_int(out, key->alg);
    stmt_int(out, key->created_ms);
    stmt_int(out, key->used_ms);
    stmt_bytes(out, key->sealed.p, key->sealed.n);
    stmt_int(out, e->seen_ms);
}

static void plan_signing_key_delete(str kid, struct db_stmt *out) {
    stmt_begin(out, SQL_SIGNING_KEY_DELETE);
    stmt_text(out, kid);
}

size_t store_plan_edit(const struct edit *e, struct arena *arena, struct db_stmt out[DB_STMTS_MAX]) {
    switch (e->kind) {
    case EDIT_APP_CREATE: plan_app(SQL_APP_CREATE, e->app, arena, out); break;
    case EDIT_APP_UPDATE: plan_app(SQL_APP_UPDATE, e->app, arena, out); break;
    case EDIT_SECRET_ADD: plan_secret_add(e, out); break;
    case EDIT_SECRET_RETIRE: plan_secret_retire(e, out); break;
    case EDIT_SCOPE_CREATE: plan_scope(SQL_SCOPE_CREATE, e->scope, out); break;
    case EDIT_SCOPE_UPDATE: plan_scope(SQL_SCOPE_UPDATE, e->scope, out); break;
    case EDIT_RESOURCE_CREATE: plan_resource(SQL_RESOURCE_CREATE, e->resource, arena, out); break;
    case EDIT_RESOURCE_UPDATE: plan_resource(SQL_RESOURCE_UPDATE, e->resource, arena, out); break;
    case EDIT_ACCOUNT_CREATE: plan_account(SQL_ACCOUNT_CREATE, e->account, arena, out); break;
    case EDIT_ACCOUNT_UPDATE: plan_account(SQL_ACCOUNT_UPDATE, e->account, arena, out); break;
    case EDIT_USER_CREATE: plan_user(SQL_USER_CREATE, e->user, out); break;
    case EDIT_USER_UPDATE: plan_user(SQL_USER_UPDATE, e->user, out); break;
    case EDIT_MEMBER_PUT: plan_member(SQL_MEMBER_PUT, &e->member, out); break;
    case EDIT_MEMBER_DELETE: plan_member(SQL_MEMBER_DELETE, &e->member, out); break;
    case EDIT_KEY_INSERT: plan_key(&e->key, out); break;
    case EDIT_KEY_DELETE:
        stmt_begin(out, SQL_KEY_DELETE);
        stmt_int(out, e->key.number);
        break;
    case EDIT_SIGNING_KEY_INSERT: plan_signing_key(e, out); break;
    case EDIT_SIGNING_KEY_DELETE: plan_signing_key_delete(e->signing_key.kid, out); break;
    case EDIT_KINDS: return 0;
    }
    stmt_begin(&out[1], SQL_VERSION_RAISE);
    return 2;
}

int32_t store_edit_id(const struct db_rows *rows) { return rows->n_rows ? (int32_t)rows->values[0].i : 0; }
