#include "dev_seed.h"

#include "b64.h"
#include "claims.h"
#include "client_auth.h"
#include "clock.h"
#include "digest.h"
#include "pwhash.h"
#include "token_text.h"

#include <stdio.h>

#define HUB_ID  1001
#define USER_ID 2001
#define DOMAIN  S("dev-account.example.com")
#define EMAIL   S("developer@example.com")

/* The password is random and long, so a cheap hash is safe and the start stays fast. */
static const struct pwhash_cost password_cost = {1, 64};

static const struct {
    str name, title;
} scope_rows[] = {
    {S("oauth"), S("Know that it is connected to your account")},
    {S("crm.objects.contacts.read"), S("Read contacts")},
    {S("crm.objects.contacts.write"), S("Create, change and delete contacts")},
    {S("crm.objects.companies.read"), S("Read companies")},
    {S("crm.objects.companies.write"), S("Create, change and delete companies")},
};
#define SCOPE_ROWS (sizeof scope_rows / sizeof *scope_rows)

struct app_row {
    const char *key;
    str name;
    int32_t app_id;
    uint32_t flags, grants;
    str redirect_uri;
    str scopes[DEV_SCOPES_MAX], optional_scopes[DEV_SCOPES_MAX]; /* end with an empty one */
    bool
        openid; /* those of OpenID Connect may be asked for as well; they are not in what is printed, as asking for `openid` changes answers */
    str post_logout_redirect_uri;
};

static const struct app_row app_rows[DEV_APPS] = {
    {"confidential",
     S("Dev confidential app"),
     3001,
     0,
     APP_GRANT_CODE | APP_GRANT_REFRESH | APP_GRANT_CLIENT_CREDENTIALS,
     S("http://localhost:3000/oauth-callback"),
     {S("oauth"), S("crm.objects.contacts.read"), S("crm.objects.contacts.write")},
     {S("crm.objects.companies.read"), S("crm.objects.companies.write")},
     true,
     S("http://localhost:3000/signed-out")},
    {"public",
     S("Dev public app"),
     3002,
     APP_PUBLIC,
     APP_GRANT_CODE | APP_GRANT_REFRESH,
     S("http://localhost:3000/oauth-callback"),
     {S("oauth"), S("crm.objects.contacts.read")},
     {S("crm.objects.companies.read")},
     true,
     S("http://localhost:3000/signed-out")},
    {"resource_server", S("Dev resource server"), 3003, APP_RESOURCE_SERVER, 0, S(""), {S("")}, {S("")}, false, S("")},
};

struct seeding {
    struct instance *i;
    struct arena *arena;
    int64_t now_ms;
};

/* ---- derived values ---- */

/* From the master key, which stays when keys of the ring come and go. */
static void derive(const struct seeding *s, const char *what, const char *whose, uint8_t out[32]) {
    char label[64];
    int n = snprintf(label, sizeof label, "dev %s %s", what, whose);
    digest_mac(s->i->master_key, (str){label, (size_t)n}, out, 32);
}

/* A uuid, as HubSpot's client ids are. */
static str derive_client_id(const struct seeding *s, const char *app_key) {
    uint8_t bytes[32];
    char hex[32];
    derive(s, "client_id", app_key, bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    hex_encode(bytes, 16, hex);
    return arena_printf(s->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static str derive_client_secret(const struct seeding *s, const char *app_key) {
    uint8_t bytes[32];
    char *text = arena_alloc_secret(s->arena, TOKEN_TEXT_MAX);
    derive(s, "client_secret", app_key, bytes);
    size_t n = token_text_write(TOKEN_SECRET, (str){(const char *)bytes, sizeof bytes}, text);
    secret_wipe(bytes, sizeof bytes);
    return (str){text, n};
}

static str derive_password(const struct seeding *s) {
    uint8_t bytes[32];
    char *text = arena_alloc_secret(s->arena, b64url_length(15));
    derive(s, "password", "user", bytes);
    b64url_encode(bytes, 15, text);
    secret_wipe(bytes, sizeof bytes);
    return (str){text, b64url_length(15)};
}

/* ---- rows ---- */

/* What is there already ends LOST and stays as it is. */
static RC edit(const struct seeding *s, const struct edit *edit) {
    enum outcome ignored;
    int32_t id;
    return storage_edit(s->i->admin, edit, s->arena, &ignored, &id);
}

static RC list(const struct seeding *s, struct listing listing, struct listed *out) {
    return storage_list(s->i->admin, &listing, s->arena, out);
}

static RC make_scope(const struct seeding *s, str name, str title) {
    struct scope scope = {.name = name, .title = title};
    if (registry_scope_by_name(s->i->registry, name)) return RC_OK;
    return edit(s, &(struct edit){.kind = EDIT_SCOPE_CREATE, .scope = &scope, .now_ms = s->now_ms});
}

static RC make_scopes(const struct seeding *s) {
    for (size_t i = 0; i < SCOPE_ROWS; i++) TRY(make_scope(s, scope_rows[i].name, scope_rows[i].title));
    for (size_t i = 0; i < OPENID_SCOPES; i++) TRY(make_scope(s, openid_scopes[i].name, openid_scopes[i].title));
    return RC_OK;
}

static RC make_account(const struct seeding *s) {
    struct account account = {.hub_id = HUB_ID, .domain = DOMAIN, .name = S("Dev account"), .created_ms = s->now_ms};
    return edit(s, &(struct edit){.kind = EDIT_ACCOUNT_CREATE, .account = &account, .now_ms = s->now_ms});
}

static RC make_user(const struct seeding *s, str password) {
    struct listed found;
    char hash[PWHASH_TEXT_BYTES];
    TRY(list(s, (struct listing){.kind = LISTING_USERS, .user_id = USER_ID}, &found));
    if (found.n) return RC_OK;
    TRY(pwhash_make(password, password_cost, hash));
    struct user user = {.user_id = USER_ID,
                        .email = EMAIL,
                        .name = S("Dev person"),
                        .password_hash = str_of(hash),
                        .created_ms = s->now_ms,
                        .updated_ms = s->now_ms};
    struct edit member = {.kind = EDIT_MEMBER_PUT, .member = {USER_ID, HUB_ID, MEMBER_INSTALLER}, .now_ms = s->now_ms};
    TRY(edit(s, &(struct edit){.kind = EDIT_USER_CREATE, .user = &user, .now_ms = s->now_ms}));
    return edit(s, &member);
}

static struct scope_set scope_set_of(const struct registry *r, const str *names) {
    struct scope_set set = {0};
    for (; names->n; names++) {
        const struct scope *scope = registry_scope_by_name(r, *names);
        if (scope) scope_set_add(&set, scope->id);
    }
    return set;
}

static void add_openid(const struct registry *r, struct scope_set *set) {
    for (size_t i = 0; i < OPENID_SCOPES; i++) {
        const struct scope *scope = registry_scope_by_name(r, openid_scopes[i].name);
        if (scope) scope_set_add(set, scope->id);
    }
}

static RC make_app_row(const struct seeding *s, const struct app_row *row, str client_id) {
    const struct settings *defaults = &s->i->settings;
    struct app app = {
        .app_id = row->app_id,
        .client_id = client_id,
        .name = row->name,
        .flags = row->flags,
        .grants = row->grants,
        .redirect_uris = &row->redirect_uri,
        .n_redirect_uris = row->redirect_uri.n ? 1 : 0,
        .post_logout_redirect_uris = &row->post_logout_redirect_uri,
        .n_post_logout_redirect_uris = row->post_logout_redirect_uri.n ? 1 : 0,
        .scopes = scope_set_of(s->i->registry, row->scopes),
        .optional_scopes = scope_set_of(s->i->registry, row->optional_scopes),
        .code_ttl_s = defaults->code_ttl_s,
        .access_ttl_s = defaults->access_ttl_s,
        .retry_window_s = defaults->retry_window_s,
        .created_ms = s->now_ms,
        .updated_ms = s->now_ms,
    };
    if (row->openid) add_openid(s->i->registry, &app.scopes);
    return edit(s, &(struct edit){.kind = EDIT_APP_CREATE, .app = &app, .now_ms = s->now_ms});
}

/* Those that went with a key of the ring (`grantd key remove`). */
static RC retire_lost_secrets(const struct seeding *s, const struct listed *found, bool *out_any) {
    const struct listed_secret *rows = found->rows;
    *out_any = false;
    for (size_t i = 0; i < found->n; i++) {
        struct edit retire = {.kind = EDIT_SECRET_RETIRE, .app_id = rows[i].app_id, .now_ms = s->now_ms};
        const struct app_secret *secret = &rows[i].secret;
        retire.secret.secret_id = secret->secret_id;
        if (secret->retired_ms || s->i->keyring->by_number[secret->key_number]) continue;
        TRY(edit(s, &retire));
        *out_any = true;
    }
    return RC_OK;
}

/* One secret, unless the app ever had one that its owner took away. */
static RC make_app_secret(const struct seeding *s, int32_t app_id, str client_secret) {
    struct listed found;
    bool lost = false;
    TRY(list(s, (struct listing){.kind = LISTING_SECRETS, .app_id = app_id}, &found));
    TRY(retire_lost_secrets(s, &found, &lost));
    if (found.n && !lost) return RC_OK;
    const struct ring_key *key = s->i->keyring->current;
    struct edit add = {.kind = EDIT_SECRET_ADD, .app_id = app_id, .now_ms = s->now_ms};
    add.secret.key_number = key->number;
    add.secret.created_ms = s->now_ms;
    client_secret_hash(key, client_secret, add.secret.hash);
    return edit(s, &add);
}

static RC make_app(const struct seeding *s, const struct app_row *row, struct dev_app *out) {
    *out = (struct dev_app){
        .key = row->key,
        .app_id = row->app_id,
        .client_id = derive_client_id(s, row->key),
        .redirect_uri = row->redirect_uri,
    };
    while (row->scopes[out->n_scopes].n) {
        out->scopes[out->n_scopes] = row->scopes[out->n_scopes];
        out->n_scopes++;
    }
    if (!registry_app_by_id(s->i->registry, row->app_id)) TRY(make_app_row(s, row, out->client_id));
    if (row->flags & APP_PUBLIC) return RC_OK;
    out->client_secret = derive_client_secret(s, row->key);
    return make_app_secret(s, row->app_id, out->client_secret);
}

RC dev_seed(struct instance *i, struct dev_seed *out) {
    struct seeding s = {i, i->arena, clock_now_ms()};
    *out = (struct dev_seed){HUB_ID, USER_ID, DOMAIN, EMAIL, derive_password(&s), {{0}}};
    TRY(make_scopes(&s));
    TRY(make_account(&s));
    TRY(make_user(&s, out->password));
    TRY(instance_reload(i)); /* the apps below name scopes by their ids */
    for (size_t a = 0; a < DEV_APPS; a++) TRY(make_app(&s, &app_rows[a], &out->apps[a]));
    return instance_reload(i);
}
