/* What administration reads. */
#include "store_sql.h"

#define PAGE_ROWS 1000

/* One id when it is given, else the page behind `after`. */
static void plan_page(struct db_stmt *out, enum store_statement sql, int32_t id, int32_t after, int32_t limit) {
    stmt_begin(out, sql);
    stmt_int(out, id ? id : (int64_t)after + 1);
    stmt_int(out, id ? id : ID_MAX);
    stmt_int(out, limit);
}

static void plan_users(const struct listing *l, int32_t limit, struct db_stmt *out) {
    if (!l->email.n) {
        plan_page(out, SQL_LIST_USERS, l->user_id, l->after, limit);
        return;
    }
    stmt_begin(out, SQL_LIST_USERS_BY_EMAIL);
    stmt_text(out, l->email);
}

/* With both ids the one row of the two. */
static void plan_members(const struct listing *l, int32_t limit, struct db_stmt *out) {
    if (l->user_id) {
        stmt_begin(out, SQL_LIST_MEMBERS_OF_USER);
        stmt_int(out, l->user_id);
        stmt_int(out, l->hub_id ? l->hub_id : (int64_t)l->after + 1);
        stmt_int(out, l->hub_id ? l->hub_id : ID_MAX);
    } else {
        stmt_begin(out, SQL_LIST_MEMBERS_OF_ACCOUNT);
        stmt_int(out, l->hub_id);
        stmt_int(out, l->after);
    }
    stmt_int(out, limit);
}

/* The narrowest filter picks the statement; the others are ranges in it. */
static void plan_grants(const struct listing *l, int32_t limit, struct db_stmt *out) {
    if (l->by_grant_id) {
        stmt_begin(out, SQL_LIST_GRANT);
        stmt_bytes(out, l->grant_id.b, GRANT_ID_BYTES);
        return;
    }
    stmt_begin(out, l->user_id ? SQL_LIST_GRANTS_OF_USER : l->hub_id ? SQL_LIST_GRANTS_OF_ACCOUNT : SQL_LIST_GRANTS);
    stmt_bytes(out, l->after_grant.b, GRANT_ID_BYTES);
    stmt_id_range(out, l->app_id);
    stmt_int(out, limit);
    if (l->user_id) {
        stmt_int(out, l->user_id);
        stmt_id_range(out, l->hub_id);
    } else if (l->hub_id) {
        stmt_int(out, l->hub_id);
    }
}

void store_plan_listing(const struct listing *l, struct db_stmt *out) {
    int32_t limit = l->limit > 0 ? l->limit : PAGE_ROWS;
    switch (l->kind) {
    case LISTING_APPS: stmt_begin(out, SQL_LIST_APPS); break;
    case LISTING_SECRETS:
        stmt_begin(out, SQL_LIST_SECRETS);
        stmt_id_range(out, l->app_id);
        break;
    case LISTING_SCOPES: stmt_begin(out, SQL_LIST_SCOPES); break;
    case LISTING_RESOURCES: stmt_begin(out, SQL_LIST_RESOURCES); break;
    case LISTING_ACCOUNTS: plan_page(out, SQL_LIST_ACCOUNTS, l->hub_id, l->after, limit); break;
    case LISTING_USERS: plan_users(l, limit, out); break;
    case LISTING_MEMBERS: plan_members(l, limit, out); break;
    case LISTING_GRANTS: plan_grants(l, limit, out); break;
    case LISTING_KEYS: stmt_begin(out, SQL_LIST_KEYS); break;
    case LISTING_SIGNING_KEYS: stmt_begin(out, SQL_LIST_SIGNING_KEYS); break;
    case LISTING_SCHEMA_NEEDS:
        stmt_begin(out, SQL_LIST_SCHEMA_NEEDS);
        stmt_int(out, l->known);
        break;
    case LISTING_VERSION:
    case LISTING_KINDS: stmt_begin(out, SQL_LIST_VERSION); break;
    }
}

/* A line each. */
static size_t read_lines(struct row *row, struct arena *arena, const str **out) {
    str text = row_text(row);
    size_t n = text.n ? 1 : 0;
    for (size_t i = 0; i < text.n; i++) n += text.p[i] == '\n';
    str *lines = ARENA_ARRAY(arena, str, n);
    for (size_t i = 0; i < n; i++) lines[i] = str_take(&text, '\n');
    *out = lines;
    return n;
}

static void read_app(struct row *row, struct arena *arena, void *out) {
    struct app *app = out;
    app->app_id = row_int32(row);
    app->client_id = row_text(row);
    app->name = row_text(row);
    app->developer = row_text(row);
    app->site_url = row_text(row);
    app->logo_url = row_text(row);
    app->flags = (uint32_t)row_int(row);
    app->grants = (uint32_t)row_int(row);
    app->n_redirect_uris = read_lines(row, arena, &app->redirect_uris);
    row_scopes(row, &app->scopes);
    row_scopes(row, &app->optional_scopes);
    app->code_ttl_s = row_int(row);
    app->access_ttl_s = row_int(row);
    app->retry_window_s = row_int(row);
    app->refresh_idle_s = row_int(row);
    app->refresh_absolute_s = row_int(row);
    app->bound_hub_id = row_int32(row);
    app->created_ms = row_int(row);
    app->updated_ms = row_int(row);
    app->jwks = row_text(row);
    app->jwks_uri = row_text(row);
    app->n_post_logout_redirect_uris = read_lines(row, arena, &app->post_logout_redirect_uris);
    app->tls_auth = row_text(row);
}

static void read_secret(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    struct listed_secret *listed = out;
    listed->app_id = row_int32(row);
    listed->secret.secret_id = row_int32(row);
    listed->secret.key_number = (uint8_t)row_int(row);
    row_copy(row, listed->secret.hash, MAC_BYTES);
    listed->secret.created_ms = row_int(row);
    listed->secret.retired_ms = row_int(row);
}

static void read_scope(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    struct scope *scope = out;
    scope->id = (uint16_t)row_int(row);
    scope->name = row_text(row);
    scope->title = row_text(row);
    scope->hidden = row_int(row) != 0;
}

static void read_resource(struct row *row, struct arena *arena, void *out) {
    struct resource *resource = out;
    resource->id = (uint16_t)row_int(row);
    resource->name = row_text(row);
    resource->n_uris = read_lines(row, arena, &resource->uris);
    resource->flags = (uint32_t)row_int(row);
    resource->token_format = row_int32(row);
    resource->app_id = row_int32(row);
    resource->updated_ms = row_int(row);
    resource->created_ms = row_int(row);
}

static void read_account(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    row_account(row, out);
}

static void read_user(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    row_user(row, out);
}

static void read_member(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    struct member *member = out;
    member->user_id = row_int32(row);
    member->hub_id = row_int32(row);
    member->role = row_int32(row);
}

static void read_listed_grant(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    row_grant(row, out);
}

static void read_key(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    struct sealed_key *key = out;
    key->number = (uint8_t)row_int(row);
    key->created_ms = row_int(row);
    key->used_ms = row_int(row);
    key->sealed = row_bytes(row);
}

static void read_signing_key(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    struct sealed_signing_key *key = out;
    key->kid = row_text(row);
    key->alg = row_int32(row);
    key->created_ms = row_int(row);
    key->used_ms = row_int(row);
    key->sealed = row_bytes(row);
}

static void read_version(struct row *row, struct arena *arena, void *out) {
    (void)arena;
    *(int64_t *)out = row_int(row);
}

static const struct {
    size_t bytes;
    void (*read)(struct row *row, struct arena *arena, void *out);
} readers[LISTING_KINDS] = {
    [LISTING_APPS] = {sizeof(struct app), read_app},
    [LISTING_SECRETS] = {sizeof(struct listed_secret), read_secret},
    [LISTING_SCOPES] = {sizeof(struct scope), read_scope},
    [LISTING_RESOURCES] = {sizeof(struct resource), read_resource},
    [LISTING_ACCOUNTS] = {sizeof(struct account), read_account},
    [LISTING_USERS] = {sizeof(struct user), read_user},
    [LISTING_MEMBERS] = {sizeof(struct member), read_member},
    [LISTING_GRANTS] = {sizeof(struct grant), read_listed_grant},
    [LISTING_KEYS] = {sizeof(struct sealed_key), read_key},
    [LISTING_SIGNING_KEYS] = {sizeof(struct sealed_signing_key), read_signing_key},
    [LISTING_VERSION] = {sizeof(int64_t), read_version},
    [LISTING_SCHEMA_NEEDS] = {sizeof(int64_t), read_version},
};

RC store_read_listing(const struct listing *listing, const struct db_rows *rows, struct arena *arena,
                      struct listed *out) {
    size_t bytes = readers[listing->kind].bytes;
    uint8_t *read = arena_zalloc(arena, rows->n_rows * bytes);
    *out = (struct listed){.n = 0, .rows = read};
    for (size_t i = 0; i < rows->n_rows; i++) {
        struct row row = row_of(rows, i);
        readers[listing->kind].read(&row, arena, read + i * bytes);
        TRY(row_end(&row));
    }
    out->n = rows->n_rows;
    return RC_OK;
}
