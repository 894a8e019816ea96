#include "info.h"

#include "b64.h"
#include "client_certificate.h"
#include "resources.h"
#include "scopes.h"

/* What both kinds of token have in common. */
struct info {
    str token;
    bool is_refresh, is_of_client;
    const struct app *app;
    int32_t hub_id, user_id;
    struct scope_set scopes;
    struct resource_set resources;
    int64_t issued_ms, expires_ms;     /* expires_ms 0: no end */
    const struct access_token *access; /* NULL: a refresh token */
};

static struct info info_of(const struct oauth_call *c, const struct shown *shown) {
    if (shown->kind == SHOWN_REFRESH) {
        const struct grant *g = &c->facts.grant;
        struct info info = {
            .token = shown->text,
            .is_refresh = true,
            .app = live_app(c, g->app_id),
            .hub_id = g->hub_id,
            .resources = shown_resources(c, shown),
            .user_id = g->user_id,
            .issued_ms = g->rotated_ms ? g->rotated_ms : g->created_ms,
            .expires_ms = g->expires_ms,
        };
        if (!scope_set_decode(g->scopes, &info.scopes)) info.scopes.n = 0;
        return info;
    }
    const struct access_token *t = &shown->access;
    return (struct info){
        .token = shown->text,
        .is_of_client = t->kind == ACCESS_OF_CLIENT,
        .app = live_app(c, t->app_id),
        .hub_id = t->hub_id,
        .user_id = t->user_id,
        .scopes = t->scopes,
        .resources = t->resources,
        .issued_ms = t->issued_ms,
        .expires_ms = t->expires_ms,
        .access = t,
    };
}

#define SIGNATURE_CHARS 44 /* base64 of MAC_BYTES */

struct signatures {
    char older[SIGNATURE_CHARS], newer[SIGNATURE_CHARS];
};

/* Keyed hashes over what the signed members say: the two halves of one. Only this server can make or check them. */
static void sign(const struct oauth_call *c, const struct info *info, str scopes, struct signatures *out) {
    uint8_t mac[2 * MAC_BYTES];
    size_t room = scopes.n + 80;
    struct buf said = buf_on(arena_alloc(c->arena, room), room);
    const int64_t numbers[] = {info->app->app_id, info->hub_id, info->user_id, info->expires_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        buf_add_i64(&said, numbers[i]);
        buf_add_char(&said, '\n');
    }
    buf_add(&said, scopes);
    digest_mac(c->env.keyring->current->signature, buf_str(&said), mac, sizeof mac);
    b64_encode(mac, MAC_BYTES, out->older);
    b64_encode(mac + MAC_BYTES, MAC_BYTES, out->newer);
}

/* Numbers with a '-' between them. */
static str join_ids(struct arena *arena, int32_t one, int32_t two) {
    struct buf b = buf_on(arena_alloc(arena, 24), 24);
    buf_add_i64(&b, one);
    buf_add_char(&b, '-');
    buf_add_i64(&b, two);
    return buf_str(&b);
}

/* HubSpot's signed_access_token. Members that we have no fact for say so plainly: no trial scopes, no scope groups, one hublet. The
 * installation is named by app and account, as the ids of grants never show. */
static void write_signed(struct json *j, const struct oauth_call *c, const struct info *info) {
    str scopes = scopes_join(c->arena, c->env.registry, &info->scopes);
    char *scopes_b64 = arena_alloc(c->arena, b64_length(scopes.n));
    struct signatures signatures;
    b64_encode((const uint8_t *)scopes.p, scopes.n, scopes_b64);
    sign(c, info, scopes, &signatures);
    json_key(j, S("signed_access_token"));
    json_open(j);
    json_member_int(j, S("expiresAt"), info->expires_ms);
    json_member_str(j, S("scopes"), (str){scopes_b64, b64_length(scopes.n)});
    json_member_int(j, S("hubId"), info->hub_id);
    json_member_int(j, S("userId"), info->user_id);
    json_member_int(j, S("appId"), info->app->app_id);
    json_member_str(j, S("signature"), (str){signatures.older, SIGNATURE_CHARS});
    json_member_str(j, S("scopeToScopeGroupPks"), S(""));
    json_member_str(j, S("newSignature"), (str){signatures.newer, SIGNATURE_CHARS});
    json_member_str(j, S("hublet"), S("na1"));
    json_member_str(j, S("trialScopes"), S(""));
    json_member_str(j, S("trialScopeToScopeGroupPks"), S(""));
    json_member_bool(j, S("isUserLevel"), false);
    json_member_bool(j, S("isPrivateDistribution"), app_has(info->app, APP_PRIVATE_DISTRIBUTION));
    json_member_str(j, S("appInstallId"), join_ids(c->arena, info->app->app_id, info->hub_id));
    json_member_str(j, S("audience"),
                    resources_join(c->arena, c->env.registry, c->env.settings->issuer, &info->resources));
    json_member_int(j, S("installingUserId"), info->user_id);
    json_member_bool(j, S("isServiceAccount"), false);
    json_close(j);
}

/* Who and where; a token of client_credentials speaks of nobody, and of an account only when it is bound to one. */
static void write_subject(struct json *j, const struct oauth_call *c, const struct info *info) {
    const struct subject *s = &c->facts.subject;
    if (info->hub_id) json_member_int(j, S("hub_id"), info->hub_id);
    if (info->hub_id && s->domain.n) json_member_str(j, S("hub_domain"), s->domain);
    if (info->user_id) json_member_int(j, S("user_id"), info->user_id);
    if (info->user_id && s->email.n) json_member_str(j, S("user"), s->email);
}

static void write_end(struct json *j, const struct oauth_call *c, const struct info *info) {
    if (info->is_refresh) return;
    json_member_int(j, S("expires_in"), (info->expires_ms - c->env.now_ms) / 1000);
    json_member_bool(j, S("is_private_distribution"), app_has(info->app, APP_PRIVATE_DISTRIBUTION));
    if (!info->is_of_client) write_signed(j, c, info);
}

/* RFC 7662 s2.2. The subject of an app's own token is its client id, which no person has. */
static void write_rfc7662(struct json *j, const struct oauth_call *c, const struct info *info) {
    str issuer = c->env.settings->issuer;
    json_member_int(j, S("iat"), info->issued_ms / 1000);
    if (info->expires_ms) json_member_int(j, S("exp"), info->expires_ms / 1000);
    char digits[12];
    struct buf number = buf_on(digits, sizeof digits);
    buf_add_i64(&number, info->user_id);
    json_member_str(j, S("sub"), info->user_id ? buf_str(&number) : info->app->client_id);
    resources_write_aud(j, c->env.registry, issuer, &info->resources);
    json_member_str(j, S("iss"), issuer);
    if (info->user_id && c->facts.subject.email.n) json_member_str(j, S("username"), c->facts.subject.email);
    if (info->access) certificate_write_cnf(j, info->access);
}

static str token_use(const struct info *info) {
    if (info->is_refresh) return S("refresh_token");
    return info->is_of_client ? S("client_credentials") : S("access_token");
}

void info_answer(struct oauth_call *c, const struct shown *shown, enum info_style style) {
    struct info info = info_of(c, shown);
    const struct subject *s = &c->facts.subject;
    size_t bound = 4096 + 2 * scopes_bound(c->env.registry, &info.scopes) + 6 * (2 * s->email.n + s->domain.n) +
                   6 * (3 * c->env.settings->issuer.n) +
                   2 * resources_bound(c->env.registry, c->env.settings->issuer, &info.resources);
    struct buf out = buf_on(arena_alloc_secret(c->arena, bound), bound);
    struct json j = json_on(&out);
    bool v3 = style == INFO_V3;
    json_open(&j);
    if (v3) json_member_bool(&j, S("active"), true);
    json_member_str(&j, S("token"), info.token);
    json_member_str(&j, S("token_type"), v3 ? S("Bearer") : info.is_refresh ? S("refresh") : S("access"));
    if (v3) json_member_str(&j, S("token_use"), token_use(&info));
    if (v3 || info.is_refresh) json_member_str(&j, S("client_id"), info.app->client_id);
    if (v3 || !info.is_refresh) json_member_int(&j, S("app_id"), info.app->app_id);
    write_subject(&j, c, &info);
    scopes_write(&j, c, &info.scopes, v3);
    write_end(&j, c, &info);
    if (v3) write_rfc7662(&j, c, &info);
    json_close(&j);
    c->answer = (struct answer){.http = 200, .type = ANSWER_JSON, .body = buf_str(&out), .no_store = true};
}
