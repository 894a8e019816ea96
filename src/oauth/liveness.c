#include "liveness.h"

#include "jwt_access.h"
#include "packing.h"
#include "resources.h"

int32_t day_of(int64_t time_ms) { return (int32_t)(time_ms / DAY_MS); }

const struct app *live_app(const struct oauth_call *c, int32_t app_id) {
    const struct app *app = registry_app_by_id(c->env.registry, app_id);
    return app && !app_has(app, APP_DISABLED | APP_DELETED) ? app : NULL;
}

enum life subject_life(const struct facts *facts, int64_t consent_ms) {
    const struct subject *s = &facts->subject;
    if (facts->uninstalled_ms && consent_ms <= facts->uninstalled_ms) return LIFE_HUB_GONE;
    if (!s->account_found || !s->account_enabled) return LIFE_HUB_GONE;
    if (!s->user_found || !s->user_enabled || !s->member) return LIFE_USER_GONE;
    return LIFE_LIVE;
}

void removal_mark(int32_t user_id, int32_t app_id, int32_t hub_id, uint8_t out[TOKEN_ID_BYTES]) {
    static const char label[] = "removal";
    uint8_t text[sizeof label + 12], hash[SHA256_BYTES];
    struct pen pen = {text, 0};
    put_bytes(&pen, label, sizeof label);
    put_uint(&pen, (uint32_t)user_id, 4);
    put_uint(&pen, (uint32_t)app_id, 4);
    put_uint(&pen, (uint32_t)hub_id, 4);
    digest_sha256((str){(const char *)text, pen.n}, hash);
    memcpy(out, hash, TOKEN_ID_BYTES);
}

bool is_removed(const struct facts *facts, int64_t consent_ms) {
    return facts->token_revoked && consent_ms <= facts->token_denied_until_ms - REVOKED_KEPT_MS;
}

/* The idle limit counts from the end of the day of the last use, as uses are noted by the day; and at the earliest from the day
 * when the app was last changed, so that a limit that is new does not end grants whose use nobody noted before. */
static bool grant_is_idle(const struct oauth_call *c, const struct app *app) {
    if (!app->refresh_idle_s) return false;
    int32_t changed_day = day_of(app->updated_ms), day = c->facts.grant.last_used_day;
    int64_t counted_from_ms = ((day > changed_day ? day : changed_day) + INT64_C(1)) * DAY_MS;
    return c->env.now_ms >= counted_from_ms + app->refresh_idle_s * 1000;
}

bool grant_row_is_live(const struct oauth_call *c, const struct app *app) {
    const struct grant *g = &c->facts.grant;
    if (!c->facts.grant_found || g->revoked_ms) return false;
    if (g->expires_ms && c->env.now_ms >= g->expires_ms) return false;
    return !grant_is_idle(c, app);
}

enum life grant_life(const struct oauth_call *c, const struct app *app) {
    if (!grant_row_is_live(c, app)) return LIFE_DEAD;
    return subject_life(&c->facts, c->facts.grant.created_ms);
}

void shown_open(const struct oauth_call *c, str text, struct shown *out) {
    enum token_kind kind;
    *out = (struct shown){.kind = SHOWN_NOTHING, .text = text};
    if (!token_text_kind(text, &kind)) {
        bool is_jwt = str_find(text, '.') < text.n;
        if (is_jwt && jwt_access_open(&c->env, c->arena, text, &out->access)) out->kind = SHOWN_ACCESS;
        return;
    }
    if (kind == TOKEN_ACCESS && access_open(&c->env, c->arena, text, &out->access)) out->kind = SHOWN_ACCESS;
    if (kind == TOKEN_REFRESH && refresh_read(&c->env, text, &out->claim)) out->kind = SHOWN_REFRESH;
}

static struct ask ask_grant(const uint8_t id[GRANT_ID_BYTES]) {
    struct ask ask = {.kind = ASK_GRANT};
    memcpy(ask.grant_id.b, id, GRANT_ID_BYTES);
    return ask;
}

size_t shown_ask(const struct shown *shown, struct ask out[ASKS_MAX]) {
    if (shown->kind == SHOWN_NOTHING) return 0;
    if (shown->kind == SHOWN_REFRESH) {
        out[0] = ask_grant(shown->claim.grant_id);
        return 1;
    }
    const struct access_token *t = &shown->access;
    if (t->kind == ACCESS_OF_GRANT) {
        out[0] = ask_grant(t->grant_id.b);
        return 1;
    }
    out[0] = (struct ask){.kind = ASK_REVOKED_TOKEN};
    memcpy(out[0].token_id, t->token_id, TOKEN_ID_BYTES);
    if (!t->hub_id) return 1;
    out[1] = (struct ask){.kind = ASK_SUBJECT, .app_id = t->app_id, .hub_id = t->hub_id};
    return 2;
}

bool shown_is_genuine(const struct oauth_call *c, const struct shown *shown, int32_t *out_app_id) {
    switch (shown->kind) {
    case SHOWN_ACCESS: *out_app_id = shown->access.app_id; return true;
    case SHOWN_REFRESH:
        *out_app_id = c->facts.grant.app_id;
        return c->facts.grant_found && refresh_is_genuine(&shown->claim, c->facts.grant.salt);
    case SHOWN_NOTHING: break;
    }
    return false;
}

/* A token of client_credentials: the deny list, and the account if it is bound to one. */
static bool client_token_is_live(const struct oauth_call *c, const struct access_token *t) {
    if (c->facts.token_revoked) return false;
    return !t->hub_id || subject_life(&c->facts, t->issued_ms) != LIFE_HUB_GONE;
}

/* Access tokens do not care for the idle limit of refresh tokens. With `revocation.keep_access_tokens` they outlive the revocation of
 * their grant, but no other death. */
static bool grant_token_is_live(const struct oauth_call *c, const struct access_token *t) {
    const struct grant *g = &c->facts.grant;
    if (!c->facts.grant_found || t->issued_ms <= g->access_not_before_ms) return false;
    if (g->revoked_ms && !c->env.settings->revocation_keep_access_tokens) return false;
    if (g->expires_ms && c->env.now_ms >= g->expires_ms) return false;
    return subject_life(&c->facts, g->created_ms) == LIFE_LIVE;
}

static bool refresh_is_live(const struct oauth_call *c, const struct shown *shown, const struct app *app) {
    return grant_life(c, app) == LIFE_LIVE && shown->claim.n == c->facts.grant.generation + 1;
}

struct resource_set shown_resources(const struct oauth_call *c, const struct shown *shown) {
    struct resource_set set = {0};
    if (shown->kind == SHOWN_ACCESS) return shown->access.resources;
    if (!resource_set_decode(c->facts.grant.resources, &set)) set.n = 0;
    return set;
}

bool shown_is_live(const struct oauth_call *c, const struct shown *shown) {
    int32_t app_id = 0;
    if (!shown_is_genuine(c, shown, &app_id)) return false;
    const struct app *app = live_app(c, app_id);
    struct resource_set resources = shown_resources(c, shown);
    if (!app || !resources_are_there(c->env.registry, &resources)) return false;
    if (shown->kind == SHOWN_REFRESH) return refresh_is_live(c, shown, app);
    const struct access_token *t = &shown->access;
    if (c->env.now_ms >= t->expires_ms) return false;
    return t->kind == ACCESS_OF_GRANT ? grant_token_is_live(c, t) : client_token_is_live(c, t);
}
