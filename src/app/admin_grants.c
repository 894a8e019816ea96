/* Commands on grants, and the key ring. */
#include "admin_handlers.h"
#include "b64.h"
#include "liveness.h"
#include "random.h"
#include "token_text.h"

/* ---- answers ---- */

/* Why the tokens of a grant do not work, in words; whether they work is what the rules say. */
static str status_of(struct admin_call *c, const struct facts *facts) {
    const struct app *app = registry_app_by_id(c->instance->registry, facts->grant.app_id);
    const struct subject *subject = &facts->subject;
    if (facts->grant.revoked_ms) return S("revoked");
    if (facts->uninstalled_ms && facts->uninstalled_ms >= facts->grant.created_ms) return S("uninstalled");
    if (!app || app_has(app, APP_DELETED)) return S("app_deleted");
    if (app_has(app, APP_DISABLED)) return S("app_disabled");
    if (!subject->account_found || !subject->account_enabled) return S("account_disabled");
    if (!subject->user_found || !subject->user_enabled) return S("user_disabled");
    if (!subject->member) return S("not_a_member");
    struct oauth_call rule = {.env = {.now_ms = c->now_ms}, .facts = *facts};
    return grant_life(&rule, app) == LIFE_LIVE ? S("live") : S("expired");
}

/* Their first URIs; none: every API. */
static void write_resources(struct admin_call *c, const struct grant *g) {
    struct resource_set set = {0};
    if (!resource_set_decode(g->resources, &set)) set.n = 0;
    json_key(&c->json, S("resources"));
    json_open_array(&c->json);
    for (size_t i = 0; i < set.n; i++) {
        const struct resource *resource = registry_resource_by_id(c->instance->registry, set.id[i]);
        if (resource) json_str(&c->json, resource->uris[0]);
    }
    json_close_array(&c->json);
}

static void write_grant(struct admin_call *c, const struct grant *g, str status) {
    struct json *j = &c->json;
    char id[2 * GRANT_ID_BYTES];
    struct scope_set scopes = {0};
    hex_encode(g->id.b, GRANT_ID_BYTES, id);
    json_member_str(j, S("grant_id"), (str){id, sizeof id});
    json_member_int(j, S("app_id"), g->app_id);
    json_member_int(j, S("hub_id"), g->hub_id);
    json_member_int(j, S("user_id"), g->user_id);
    json_member_str(j, S("status"), status);
    if (!scope_set_decode(g->scopes, &scopes)) scopes.n = 0;
    admin_write_scopes(c, S("scopes"), &scopes);
    write_resources(c, g);
    admin_write_time(j, S("created_at"), g->created_ms);
    admin_write_time(j, S("rotated_at"), g->rotated_ms);
    admin_write_time(j, S("expires_at"), g->expires_ms);
    admin_write_time(j, S("revoked_at"), g->revoked_ms);
}

static RC ask_grant(struct admin_call *c, const struct grant_id *id, struct facts *out) {
    struct ask ask = {.kind = ASK_GRANT, .grant_id = *id};
    return storage_question(c->instance->admin, &ask, c->arena, out);
}

/* The grant of the argument, or a refusal. */
static RC find_grant(struct admin_call *c, struct facts *out) {
    struct grant_id id;
    if (!hex_decode(c->in.grant.v, id.b, GRANT_ID_BYTES)) return rc_fail(FAULT_INTERNAL, "a grant id is not hex");
    TRY(ask_grant(c, &id, out));
    if (!out->grant_found) admin_refuse(c, 404, "not_found", "there is no such grant; `grantd grant list` shows them");
    return RC_OK;
}

RC admin_do_grant_show(struct admin_call *c) {
    struct facts facts = {0};
    TRY(find_grant(c, &facts));
    if (!admin_refused(c)) write_grant(c, &facts.grant, status_of(c, &facts));
    return RC_OK;
}

/* ---- list ---- */

static RC read_filters(struct admin_call *c, struct listing *out) {
    if (c->in.app.given) {
        const struct app *app = admin_find_app(c, c->in.app.v);
        if (app) out->app_id = app->app_id;
    }
    if (c->in.user.given && !admin_refused(c)) {
        struct user user = {0};
        TRY(admin_find_user(c, c->in.user.v, &user));
        out->user_id = user.user_id;
    }
    out->hub_id = (int32_t)c->in.account.v;
    if (c->in.after.given && !hex_decode(c->in.after.v, out->after_grant.b, GRANT_ID_BYTES))
        admin_refuse(c, 400, "invalid_argument", "after must be the `next` of a page of this listing");
    return RC_OK;
}

static void write_next_grant(struct json *j, const struct grant *last) {
    char id[2 * GRANT_ID_BYTES];
    json_key(j, S("next"));
    if (last) {
        hex_encode(last->id.b, GRANT_ID_BYTES, id);
        json_str(j, (str){id, sizeof id});
    } else {
        json_nil(j);
    }
}

RC admin_do_grant_list(struct admin_call *c) {
    size_t limit = admin_page_limit(c);
    struct listing listing = {.kind = LISTING_GRANTS, .limit = (int32_t)limit + 1};
    struct listed listed = {0};
    TRY(read_filters(c, &listing));
    if (admin_refused(c)) return RC_OK;
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    const struct grant *rows = listed.rows;
    json_key(&c->json, S("grants"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n && i < limit; i++) {
        struct facts facts = {0};
        TRY(ask_grant(c, &rows[i].id, &facts));
        if (!facts.grant_found) continue; /* purged a moment ago */
        str status = status_of(c, &facts);
        if (c->in.live.v && !str_eq(status, S("live"))) continue;
        json_open(&c->json);
        write_grant(c, &rows[i], status);
        json_close(&c->json);
    }
    json_close_array(&c->json);
    write_next_grant(&c->json, listed.n > limit ? &rows[limit - 1] : NULL);
    return RC_OK;
}

/* ---- create: an installation without a browser ---- */

static RC check_subject(struct admin_call *c, const struct grant *g, int64_t *out_uninstalled_ms) {
    struct ask ask = {.kind = ASK_SUBJECT, .app_id = g->app_id, .hub_id = g->hub_id, .user_id = g->user_id};
    struct facts facts = {0};
    TRY(storage_question(c->instance->admin, &ask, c->arena, &facts));
    if (!facts.subject.account_enabled)
        admin_refuse(c, 409, "conflict", "the account is disabled; `grantd account enable` brings it back");
    if (!facts.subject.user_enabled)
        admin_refuse(c, 409, "conflict", "the user is disabled; `grantd user enable` brings them back");
    if (!facts.subject.member)
        admin_refuse(c, 409, "conflict",
                     "the user does not belong to the account; `grantd account member add` does it");
    *out_uninstalled_ms = facts.uninstalled_ms;
    return RC_OK;
}

/* The scopes of a new grant: those that were given, out of the app's, or all that it may ask for in `scope`. */
static RC choose_scopes(struct admin_call *c, const struct app *app, const struct account *account,
                        struct scope_set *out) {
    *out = app->scopes;
    if (c->in.grant_scopes.given) TRY(admin_scope_set(c, &c->in.grant_scopes, false, out));
    for (size_t i = 0; i < out->n; i++)
        if (!scope_set_has(&app->scopes, out->id[i]) && !scope_set_has(&app->optional_scopes, out->id[i]))
            admin_refuse(c, 400, "scope", "a scope is not among those of the app; `grantd app show` shows them");
    for (size_t i = 0; i < out->n; i++)
        if (scope_set_has(&account->without_scopes, out->id[i]))
            admin_refuse(c, 400, "scope", "the account lacks a scope; `grantd account show` shows which");
    if (out->n == 0) admin_refuse(c, 400, "scope", "a grant needs at least one scope; the app has none");
    return RC_OK;
}

static void choose_resources(struct admin_call *c, struct grant *out) {
    struct resource_set set = {0};
    for (size_t i = 0; i < c->in.grant_resources.n; i++) {
        const struct resource *resource = admin_find_resource(c, c->in.grant_resources.v[i]);
        if (resource) (void)resource_set_add(&set, resource->id);
    }
    uint8_t *encoded = arena_alloc(c->arena, RESOURCE_SET_BYTES);
    out->resources = (str){(const char *)encoded, resource_set_encode(&set, encoded)};
}

static void check_app(struct admin_call *c, const struct app *app) {
    if (app_has(app, APP_DISABLED))
        admin_refuse(c, 409, "conflict", "the app is disabled; `grantd app enable` brings it back");
    if (!(app->grants & APP_GRANT_REFRESH))
        admin_refuse(c, 400, "no_grant",
                     "the app may not use refresh tokens; `grantd app update --grant` changes that");
}

/* Fills who and what; refuses when the rules would not let such a grant live. */
static RC describe_grant(struct admin_call *c, struct grant *out) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    struct account account = {0};
    struct user user = {0};
    struct scope_set scopes;
    if (app) check_app(c, app);
    if (!admin_refused(c)) TRY(admin_find_account(c, c->in.account.v, &account));
    if (!admin_refused(c)) TRY(admin_find_user(c, c->in.user.v, &user));
    if (!admin_refused(c)) TRY(choose_scopes(c, app, &account, &scopes));
    if (!admin_refused(c)) choose_resources(c, out);
    if (admin_refused(c)) return RC_OK;
    uint8_t *encoded = arena_alloc(c->arena, SCOPE_SET_BYTES);
    out->scopes = (str){(const char *)encoded, scope_set_encode(&scopes, encoded)};
    out->app_id = app->app_id;
    out->hub_id = account.hub_id;
    out->user_id = user.user_id;
    out->created_ms = c->now_ms;
    int64_t uninstalled_ms = 0;
    TRY(check_subject(c, out, &uninstalled_ms));
    if (uninstalled_ms >= out->created_ms) out->created_ms = uninstalled_ms + 1;
    if (app->refresh_absolute_s) out->expires_ms = out->created_ms + app->refresh_absolute_s * 1000;
    out->last_used_day = (int32_t)(c->now_ms / 86400000);
    return RC_OK;
}

static str first_refresh_token(struct admin_call *c, const struct grant *g) {
    uint8_t token[REFRESH_BYTES];
    refresh_derive(c->instance->keyring->current, g->id.b, g->generation + 1, g->salt, token);
    char *text = arena_alloc_secret(c->arena, TOKEN_TEXT_MAX);
    size_t n = token_text_write(TOKEN_REFRESH, (str){(const char *)token, sizeof token}, text);
    secret_wipe(token, sizeof token);
    return (str){text, n};
}

RC admin_do_grant_create(struct admin_call *c) {
    struct change change = {.kind = CHANGE_GRANT_INSERT};
    struct grant *g = &change.grant;
    enum outcome outcome = OUTCOME_DONE;
    TRY(describe_grant(c, g));
    if (admin_refused(c)) return RC_OK;
    uint8_t random[10];
    random_fill(random, sizeof random);
    random_fill(g->salt, sizeof g->salt);
    g->id = grant_id_make(g->created_ms, random);
    change.grant_id = g->id;
    change.now_ms = c->now_ms;
    TRY(storage_change(c->instance->admin, &change, c->arena, &outcome));
    if (outcome == OUTCOME_LOST) return rc_fail(FAULT_INTERNAL, "a fresh grant id was taken");
    write_grant(c, g, S("live"));
    json_member_str(&c->json, S("refresh_token"), first_refresh_token(c, g));
    return RC_OK;
}

/* ---- revoke ---- */

/* Access tokens as well, also with revocation_keep_access_tokens. The row of a revoked grant stays while a code of it could be presented
 * again (the replay must be seen), then it may be purged. */
static RC revoke(struct admin_call *c, const struct grant_id *id) {
    enum outcome outcome = OUTCOME_DONE;
    struct change change = {
        .kind = CHANGE_GRANT_REVOKE,
        .grant_id = *id,
        .now_ms = c->now_ms,
        .expires_ms = c->now_ms + (int64_t)CODE_TTL_MAX_S * 1000,
        .access_not_before_ms = c->now_ms,
    };
    return storage_change(c->instance->admin, &change, c->arena, &outcome);
}

RC admin_do_grant_revoke(struct admin_call *c) {
    struct facts facts = {0};
    TRY(find_grant(c, &facts));
    if (admin_refused(c)) return RC_OK;
    if (!facts.grant.revoked_ms) {
        TRY(revoke(c, &facts.grant.id));
        facts.grant.revoked_ms = c->now_ms;
    }
    write_grant(c, &facts.grant, S("revoked"));
    return RC_OK;
}

RC admin_do_grant_uninstall(struct admin_call *c) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    struct account account = {0};
    enum outcome outcome = OUTCOME_DONE;
    if (!admin_refused(c)) TRY(admin_find_account(c, c->in.account.v, &account));
    if (admin_refused(c)) return RC_OK;
    struct change change = {
        .kind = CHANGE_UNINSTALL, .app_id = app->app_id, .hub_id = account.hub_id, .now_ms = c->now_ms};
    TRY(storage_change(c->instance->admin, &change, c->arena, &outcome));
    json_member_int(&c->json, S("app_id"), change.app_id);
    json_member_int(&c->json, S("hub_id"), change.hub_id);
    json_member_str(&c->json, S("status"), S("uninstalled"));
    return RC_OK;
}
