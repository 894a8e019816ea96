/* Commands on client secrets. */
#include "admin_secrets.h"

#include "admin_handlers.h"
#include "random.h"
#include "token_text.h"

#define CLIENT_SECRET_BYTES 32

RC secret_make(struct admin_call *c, int32_t app_id, struct new_secret *out) {
    const struct ring_key *key = c->instance->keyring->current;
    uint8_t random[CLIENT_SECRET_BYTES];
    random_fill(random, sizeof random);
    char *text = arena_alloc_secret(c->arena, TOKEN_TEXT_MAX);
    size_t n = token_text_write(TOKEN_SECRET, (str){(const char *)random, sizeof random}, text);
    secret_wipe(random, sizeof random);
    struct edit edit = {.kind = EDIT_SECRET_ADD, .app_id = app_id, .now_ms = c->now_ms};
    edit.secret.key_number = key->number;
    edit.secret.created_ms = c->now_ms;
    digest_mac(key->secret_hash, (str){text, n}, edit.secret.hash, MAC_BYTES);
    out->text = (str){text, n};
    return admin_edit(c, &edit, "the app has two live secrets; retire one first (`grantd app secret list` shows them)",
                      &out->secret_id);
}

void secret_write(struct admin_call *c, const struct new_secret *secret) {
    json_member_int(&c->json, S("secret_id"), secret->secret_id);
    json_member_str(&c->json, S("client_secret"), secret->text);
}

RC admin_do_secret_add(struct admin_call *c) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    if (!app) return RC_OK;
    if (app_has(app, APP_PUBLIC)) {
        admin_refuse(c, 400, "public_app", "a public app has no secret");
        return RC_OK;
    }
    if (app_has_keys(app)) {
        admin_refuse(
            c, 400, "has_keys",
            "the app proves itself by its keys; a secret would not be taken (`--jwks ''` goes back to secrets)");
        return RC_OK;
    }
    int32_t app_id = app->app_id;
    str client_id = arena_copy(c->arena, app->client_id);
    struct new_secret secret = {0};
    TRY(secret_make(c, app_id, &secret));
    json_member_int(&c->json, S("app_id"), app_id);
    json_member_str(&c->json, S("client_id"), client_id);
    secret_write(c, &secret);
    return RC_OK;
}

static void write_secret(struct json *j, const struct app_secret *secret) {
    json_member_int(j, S("secret_id"), secret->secret_id);
    json_member_str(j, S("status"), secret->retired_ms ? S("retired") : S("live"));
    admin_write_time(j, S("created_at"), secret->created_ms);
    admin_write_time(j, S("retired_at"), secret->retired_ms);
}

static RC list_secrets(struct admin_call *c, int32_t app_id, struct listed *out) {
    struct listing listing = {.kind = LISTING_SECRETS, .app_id = app_id};
    return storage_list(c->instance->admin, &listing, c->arena, out);
}

RC admin_do_secret_list(struct admin_call *c) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    if (!app) return RC_OK;
    struct listed listed = {0};
    TRY(list_secrets(c, app->app_id, &listed));
    const struct listed_secret *rows = listed.rows;
    json_key(&c->json, S("secrets"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n; i++) {
        json_open(&c->json);
        write_secret(&c->json, &rows[i].secret);
        json_close(&c->json);
    }
    json_close_array(&c->json);
    return RC_OK;
}

/* 404 when the app has no such secret, 409 when it is retired already. */
static RC check_live(struct admin_call *c, int32_t app_id, int32_t secret_id) {
    struct listed listed = {0};
    TRY(list_secrets(c, app_id, &listed));
    const struct listed_secret *rows = listed.rows;
    for (size_t i = 0; i < listed.n; i++) {
        if (rows[i].secret.secret_id != secret_id) continue;
        if (rows[i].secret.retired_ms) admin_refuse(c, 409, "conflict", "the secret is retired already");
        return RC_OK;
    }
    admin_refuse(c, 404, "not_found", "the app has no secret %d; `grantd app secret list` shows them", secret_id);
    return RC_OK;
}

RC admin_do_secret_retire(struct admin_call *c) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    if (!app) return RC_OK;
    struct edit edit = {.kind = EDIT_SECRET_RETIRE, .app_id = app->app_id, .now_ms = c->now_ms};
    edit.secret.secret_id = (int32_t)c->in.secret_id.v;
    edit.secret.retired_ms = c->now_ms;
    TRY(check_live(c, edit.app_id, edit.secret.secret_id));
    if (admin_refused(c)) return RC_OK;
    TRY(admin_edit(c, &edit, "the secret is retired already", NULL));
    json_member_int(&c->json, S("app_id"), edit.app_id);
    json_member_int(&c->json, S("secret_id"), edit.secret.secret_id);
    json_member_str(&c->json, S("status"), S("retired"));
    return RC_OK;
}
