#include "kit_test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "client_auth.h"
#include "percent.h"
#include "random.h"
#include "screen.h"
#include "token_text.h"

/* The kit is for tests: what must hold and does not ends the program. */
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static const str redirect_uris[] = {S("https://app.example/cb")};
static const str two_uris[] = {S("https://other.example/cb?tenant=1"), S("https://other.example/second")};
static const str native_uris[] = {S("http://127.0.0.1/cb"), S("com.example.app:/cb"), S("http://[::1]:8080/cb")};

static const struct {
    const char *client_id;
    uint32_t flags;
    uint32_t grants;
    const str *uris;
    size_t n_uris;
    int32_t bound_hub_id;
} app_rows[KIT_APPS] = {
    [APP_CONF] = {"conf", 0, 7, redirect_uris, 1, 0},
    [APP_PUBL] = {"publ", APP_PUBLIC, 7, native_uris, 3, 0},
    [APP_RS] = {"rs", APP_RESOURCE_SERVER, 0, NULL, 0, 0},
    [APP_ROTA] = {"rota", APP_ROTATE, 3, redirect_uris, 1, 0},
    [APP_OTHER] = {"other", APP_PRIVATE_DISTRIBUTION, 7, two_uris, 2, 0},
    [APP_OFF] = {"off", APP_DISABLED, 7, redirect_uris, 1, 0},
    [APP_GONE] = {"gone", APP_DELETED, 7, redirect_uris, 1, 0},
    [APP_BOUND] = {"bound", 0, 4, NULL, 0, KIT_HUB},
};

static const struct scope scope_rows[KIT_SCOPES] = {
    {1, S("oauth"), S("Basic account information"), false},
    {2, S("crm.read"), S("Read"), false},
    {3, S("crm.write"), S("Write"), false},
    {4, S("files"), S("Files"), false},
    {5, S("old.hidden"), S("Old"), true},
    {300, S("never.available"), S("Never"), false},
};

static const str api_uris[] = {S("https://api.example/"), S("https://api.example")};
static const str single_uris[KIT_RESOURCES] = {
    [1] = S("https://files.example/v1"),
    [2] = S("https://strict.example/"),
    [3] = S("https://gone.example/"),
    [4] = S("urn:example:5"),
    [5] = S("urn:example:6"),
    [6] = S("urn:example:7"),
    [7] = S("urn:example:8"),
    [8] = S("urn:example:9"),
    [9] = S("urn:example:10"),
    [10] = S("urn:example:11"),
    [11] = S("urn:example:12"),
};

static void open_resources(struct kit *k) {
    for (size_t i = 0; i < KIT_RESOURCES; i++)
        k->resources[i] = (struct resource){.id = (uint16_t)(i + 1), .uris = &single_uris[i], .n_uris = 1};
    k->resources[0].uris = api_uris;
    k->resources[0].n_uris = 2;
    k->resources[1].token_format = TOKEN_FORMAT_JWT;
    k->resources[2].flags = RESOURCE_STRICT;
    k->resources[3].flags = RESOURCE_DELETED;
    k->registry.resources = k->resources;
    k->registry.n_resources = KIT_RESOURCES;
}

static void open_app(struct kit *k, size_t i) {
    struct app *app = &k->apps[i];
    uint8_t body[32];
    memset(body, (int)(0x40 + i), sizeof body);
    *app = (struct app){
        .app_id = 100 + (int32_t)i,
        .client_id = str_of(app_rows[i].client_id),
        .name = str_of(app_rows[i].client_id),
        .flags = app_rows[i].flags,
        .grants = app_rows[i].grants,
        .redirect_uris = app_rows[i].uris,
        .n_redirect_uris = app_rows[i].n_uris,
        .code_ttl_s = 60,
        .access_ttl_s = 1800,
        .retry_window_s = 60,
        .bound_hub_id = app_rows[i].bound_hub_id,
        .created_ms = KIT_NOW_MS - 86400000,
        .updated_ms = KIT_NOW_MS - 86400000,
    };
    for (uint16_t id = 1; id <= 3; id++) MUST(scope_set_add(&app->scopes, id));
    MUST(scope_set_add(&app->scopes, 5) && scope_set_add(&app->optional_scopes, 4));
    if (app_has(app, APP_PUBLIC)) return;
    char *text = arena_alloc(k->arena, TOKEN_TEXT_MAX);
    k->secrets[i] = (str){text, token_text_write(TOKEN_SECRET, (str){(char *)body, sizeof body}, text)};
    app->n_secrets = 1;
    app->secrets[0] = (struct app_secret){.secret_id = 1, .key_number = 1, .created_ms = KIT_NOW_MS};
    client_secret_hash(k->ring.by_number[1], k->secrets[i], app->secrets[0].hash);
}

static void open_signer(struct kit *k) {
    struct buf text = buf_growing(4096);
    struct rc rc = jose_key_make(JOSE_ES256, S("ec-key"), &text);
    if (rc_ok(rc)) rc = jose_key_open(JOSE_ES256, buf_str(&text), &k->signers.keys.keys[0]);
    MUST(rc_ok(rc));
    k->signers.keys.n = 1;
    k->signers.current[JOSE_ES256] = k->signers.keys.keys[0];
    buf_free(&text);
}

void kit_open(struct kit *k) {
    static const uint8_t first[RING_SECRET_BYTES] = {1}, second[RING_SECRET_BYTES] = {2};
    MUST(crypto_start());
    memset(k, 0, sizeof *k);
    k->arena = arena_new(65536);
    k->now_ms = KIT_NOW_MS;
    k->settings = (struct settings){
        .issuer = S(KIT_ISSUER),
        .session_idle_s = 3600,
        .session_absolute_s = 86400,
        .form_ttl_s = 3600,
        .compat_v1 = true,
        .auto_approve = true,
        .auto_user_id = KIT_USER,
        .auto_hub_id = KIT_HUB,
        .code_ttl_s = 60,
        .access_ttl_s = 1800,
        .retry_window_s = 60,
    };
    struct rc rc = keyring_add(&k->ring, 1, 1000, first);
    if (rc_ok(rc)) rc = keyring_add(&k->ring, 2, 2000, second); /* the current one */
    MUST(rc_ok(rc));
    memcpy(k->scopes, scope_rows, sizeof scope_rows);
    for (size_t i = 0; i < KIT_APPS; i++) open_app(k, i);
    k->registry = (struct registry){
        .arena = k->arena, .apps = k->apps, .n_apps = KIT_APPS, .scopes = k->scopes, .n_scopes = KIT_SCOPES};
    open_resources(k);
    open_signer(k);
    registry_index(&k->registry);
}

void kit_close(struct kit *k) {
    jose_key_free(k->signers.keys.keys[0]);
    arena_free(k->arena);
    keyring_wipe(&k->ring);
}

/* ---- the model of the store ---- */

static struct grant *find_grant(struct kit *k, const struct grant_id *id) {
    for (size_t i = 0; i < k->n_grants; i++)
        if (memcmp(k->grants[i].id.b, id->b, GRANT_ID_BYTES) == 0) return &k->grants[i];
    return NULL;
}

static int64_t uninstalled_ms(const struct kit *k, int32_t app_id, int32_t hub_id) {
    for (size_t i = 0; i < k->n_uninstalls; i++)
        if (k->uninstalls[i].app_id == app_id && k->uninstalls[i].hub_id == hub_id) return k->uninstalls[i].ms;
    return 0;
}

static void answer_subject(const struct kit *k, const struct ask *who, struct facts *facts) {
    struct subject *s = &facts->subject;
    *s = (struct subject){.user_found = who->user_id == KIT_USER && !k->user_missing};
    s->account_found = who->hub_id == KIT_HUB && !k->account_missing;
    s->user_enabled = s->user_found && !k->user_disabled;
    s->account_enabled = s->account_found && !k->account_disabled;
    s->member = s->user_found && s->account_found && !k->not_a_member;
    if (s->user_found) s->email = S("ada@example.com");
    if (s->user_found) s->user_name = S("Ada");
    if (s->account_found) s->domain = S("example.com");
    facts->uninstalled_ms = uninstalled_ms(k, who->app_id, who->hub_id);
}

static void answer_ask(struct kit *k, const struct ask *ask, struct facts *facts) {
    k->asked++;
    if (ask->kind == ASK_SUBJECT) answer_subject(k, ask, facts);
    if (ask->kind == ASK_REVOKED_TOKEN) {
        facts->token_revoked = false;
        for (size_t i = 0; i < k->n_revoked; i++)
            facts->token_revoked |= memcmp(k->revoked[i], ask->token_id, TOKEN_ID_BYTES) == 0;
    }
    if (ask->kind != ASK_GRANT) return;
    const struct grant *g = find_grant(k, &ask->grant_id);
    facts->grant_found = g != NULL;
    if (!g) return;
    facts->grant = *g;
    struct ask who = {.app_id = g->app_id, .hub_id = g->hub_id, .user_id = g->user_id};
    answer_subject(k, &who, facts);
}

static enum outcome insert(struct kit *k, const struct grant *grant) {
    if (find_grant(k, &grant->id)) return OUTCOME_LOST;
    MUST(k->n_grants < KIT_GRANTS_MAX);
    struct grant *g = &k->grants[k->n_grants++];
    *g = *grant;
    g->scopes = arena_copy(k->arena, grant->scopes);
    g->resources = arena_copy(k->arena, grant->resources);
    return OUTCOME_DONE;
}

static enum outcome rotate(struct grant *g, const struct change *c) {
    if (!g || g->revoked_ms || g->generation + 1 != c->generation) return OUTCOME_LOST;
    g->generation = c->generation;
    g->rotated_ms = c->now_ms;
    if (g->last_used_day < c->day) g->last_used_day = c->day;
    return OUTCOME_DONE;
}

static void uninstall(struct kit *k, const struct change *c) {
    size_t i = 0;
    while (i < k->n_uninstalls && (k->uninstalls[i].app_id != c->app_id || k->uninstalls[i].hub_id != c->hub_id)) i++;
    MUST(i < KIT_UNINSTALLS_MAX);
    if (i == k->n_uninstalls) k->n_uninstalls++;
    k->uninstalls[i].app_id = c->app_id;
    k->uninstalls[i].hub_id = c->hub_id;
    if (k->uninstalls[i].ms < c->now_ms) k->uninstalls[i].ms = c->now_ms;
}

static void change_grant(struct grant *g, const struct change *c) {
    if (!g) return;
    if (c->kind == CHANGE_GRANT_REVOKE) {
        if (!g->revoked_ms) g->revoked_ms = c->now_ms;
        if (!g->expires_ms || g->expires_ms > c->expires_ms) g->expires_ms = c->expires_ms;
        if (g->access_not_before_ms < c->access_not_before_ms) g->access_not_before_ms = c->access_not_before_ms;
    }
    if (c->kind == CHANGE_GRANT_NOT_BEFORE && g->access_not_before_ms < c->now_ms) g->access_not_before_ms = c->now_ms;
    if (c->kind == CHANGE_GRANT_TOUCH && g->last_used_day < c->day) g->last_used_day = c->day;
}

static void revoke_token(struct kit *k, const struct change *c) {
    MUST(k->n_revoked < KIT_REVOKED_MAX);
    memcpy(k->revoked[k->n_revoked++], c->token_id, TOKEN_ID_BYTES);
}

static enum outcome take_token(struct kit *k, const struct change *c) {
    for (size_t i = 0; i < k->n_revoked; i++)
        if (memcmp(k->revoked[i], c->token_id, TOKEN_ID_BYTES) == 0) return OUTCOME_LOST;
    revoke_token(k, c);
    return OUTCOME_DONE;
}

/* The changes that the protocol makes; others are not of this kit. */
static enum outcome apply(struct kit *k, const struct change *c) {
    enum outcome outcome = OUTCOME_DONE;
    if (c->kind == CHANGE_GRANT_INSERT)
        outcome = insert(k, &c->grant);
    else if (c->kind == CHANGE_GRANT_ROTATE)
        outcome = rotate(find_grant(k, &c->grant_id), c);
    else if (c->kind == CHANGE_TOKEN_REVOKE)
        revoke_token(k, c);
    else if (c->kind == CHANGE_TOKEN_TAKE)
        outcome = take_token(k, c);
    else if (c->kind == CHANGE_UNINSTALL)
        uninstall(k, c);
    else {
        MUST(c->kind == CHANGE_GRANT_REVOKE || c->kind == CHANGE_GRANT_NOT_BEFORE || c->kind == CHANGE_GRANT_TOUCH);
        change_grant(find_grant(k, &c->grant_id), c);
    }
    if (outcome == OUTCOME_DONE) {
        k->changed++;
        k->last_change = *c;
    }
    return outcome;
}

/* ---- running ---- */

static void ask_and_decide(struct kit *k, const struct endpoint *endpoint, struct oauth_call *c) {
    struct ask asks[ASKS_MAX];
    for (int round = 0; endpoint->ask && round < ASK_ROUNDS_MAX; round++) {
        size_t n = endpoint->ask(c, round, asks);
        MUST(n <= ASKS_MAX);
        if (n == 0) break;
        for (size_t i = 0; i < n; i++) answer_ask(k, &asks[i], &c->facts);
    }
    if (endpoint->decide) endpoint->decide(c);
}

static void apply_outcome(struct kit *k, const struct endpoint *endpoint, struct oauth_call *c) {
    for (int tries = 0; c->change.kind != CHANGE_NONE; tries++) {
        MUST(tries < 3);
        void (*meanwhile)(struct kit *) = k->meanwhile;
        k->meanwhile = NULL;
        if (meanwhile) meanwhile(k);
        if (apply(k, &c->change) == OUTCOME_DONE) return;
        MUST(endpoint->lost);
        c->change = (struct change){.kind = CHANGE_NONE};
        endpoint->lost(c);
        if (!c->again) continue;
        c->again = false;
        c->refusal = REFUSAL_NONE;
        memset(&c->facts, 0, sizeof c->facts);
        ask_and_decide(k, endpoint, c);
    }
}

/* Predictable bytes that never repeat (splitmix64). */
static void fill_random(struct kit *k, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint64_t z = k->random_state += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        out[i] = (uint8_t)(z >> 56);
    }
}

/* What a page would show. */
static void add_screen(struct buf *b, const struct screen *s) {
    static const char *const names[] = {"error",          "sign in",    "choose account", "consent",
                                        "connected apps", "remove app", "sign out",       "signed out"};
    buf_printf(b, "page: %s\n", names[s->kind]);
    if (s->kind == SCREEN_ERROR) buf_printf(b, "%s\n", refusal_row(s->refusal)->status.p);
    if (s->app) buf_printf(b, "app: %.*s\n", STR_ARG(s->app->name));
    if (s->email.n) buf_printf(b, "email: %.*s\n", STR_ARG(s->email));
}

static str text_of(struct kit *k, const struct answer *a) {
    struct buf b = buf_growing(1 << 20);
    buf_printf(&b, "%d\n", a->http);
    if (a->location.n) buf_printf(&b, "location: %.*s\n", STR_ARG(a->location));
    if (a->www_authenticate.n) buf_printf(&b, "www-authenticate: %.*s\n", STR_ARG(a->www_authenticate));
    if (a->retry_after_s) buf_printf(&b, "retry-after: %d\n", a->retry_after_s);
    if (!a->no_store) buf_printf(&b, "may be stored\n");
    buf_add_char(&b, '\n');
    buf_add(&b, a->body);
    if (a->type == ANSWER_PAGE) add_screen(&b, a->screen);
    MUST(!buf_failed(&b));
    str text = arena_copy(k->arena, buf_str(&b));
    buf_free(&b);
    return text;
}

struct kit_answer kit_run(struct kit *k, const struct endpoint *endpoint, const struct oauth_req *req) {
    struct oauth_call *c = ARENA_NEW(k->arena, struct oauth_call);
    uint8_t *random = arena_zalloc(k->arena, OAUTH_RANDOM_PEOPLE_BYTES);
    fill_random(k, random, k->settings.auto_approve ? OAUTH_RANDOM_BYTES : OAUTH_RANDOM_PEOPLE_BYTES);
    c->env = (struct oauth_env){.now_ms = k->now_ms,
                                .registry = &k->registry,
                                .keyring = &k->ring,
                                .signers = &k->signers,
                                .known = k->known,
                                .token_endpoint = S(KIT_ISSUER "/oauth/v3/token"),
                                .settings = &k->settings,
                                .random = random,
                                .correlation_id = KIT_CORRELATION};
    c->arena = k->arena;
    c->req = *req;
    endpoint->start(c);
    while (oauth_wants_keys(c)) {
        const struct jose_keys *keys = k->published[c->published == PUBLISHED_WANTED_ANEW];
        k->fetched++;
        oauth_begin_again(c, keys);
        if (keys)
            endpoint->start(c);
        else
            oauth_refuse(c, REFUSAL_CLIENT_KEYS);
    }
    if (c->refusal == REFUSAL_NONE && c->proof.kind != CHANGE_NONE && apply(k, &c->proof) == OUTCOME_LOST)
        oauth_proof_lost(c);
    if (c->refusal == REFUSAL_NONE) {
        ask_and_decide(k, endpoint, c);
        apply_outcome(k, endpoint, c);
    }
    oauth_render(c);
    return (struct kit_answer){.refusal = c->refusal, .a = c->answer, .text = text_of(k, &c->answer)};
}

__attribute__((format(printf, 2, 0))) static str format_text(struct kit *k, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    MUST(n >= 0);
    char *text = arena_alloc(k->arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, args);
    return (str){text, (size_t)n};
}

static struct kit_answer post(struct kit *k, const struct endpoint *endpoint, str body) {
    struct oauth_req req = {
        .method = METHOD_POST, .body = body, .content_type = S("application/x-www-form-urlencoded")};
    return kit_run(k, endpoint, &req);
}

struct kit_answer kit_post(struct kit *k, const struct endpoint *endpoint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    str body = format_text(k, format, args);
    va_end(args);
    return post(k, endpoint, body);
}

str kit_credentials(struct kit *k, enum kit_app app) {
    const char *join = k->secrets[app].n ? "&client_secret=" : "";
    return arena_printf(k->arena, "client_id=%.*s%s%.*s", STR_ARG(k->apps[app].client_id), join,
                        STR_ARG(k->secrets[app]));
}

struct kit_answer kit_token(struct kit *k, enum kit_app app, const char *format, ...) {
    va_list args;
    va_start(args, format);
    str form = format_text(k, format, args), credentials = kit_credentials(k, app);
    va_end(args);
    return post(k, &endpoint_token, arena_printf(k->arena, "%.*s&%.*s", STR_ARG(credentials), STR_ARG(form)));
}

struct kit_answer kit_authorize(struct kit *k, const char *format, ...) {
    va_list args;
    va_start(args, format);
    struct oauth_req req = {.method = METHOD_GET, .query = format_text(k, format, args)};
    va_end(args);
    return kit_run(k, &endpoint_authorize, &req);
}

str kit_code(struct kit *k, enum kit_app app) {
    str uri = kit_encoded(k, k->apps[app].redirect_uris[0]);
    struct kit_answer answer = kit_authorize(k, "client_id=%.*s&redirect_uri=%.*s&scope=oauth+crm.read" KIT_PKCE,
                                             STR_ARG(k->apps[app].client_id), STR_ARG(uri));
    str code = kit_location_param(k, &answer, "code");
    MUST(code.n);
    return code;
}

str kit_redemption(struct kit *k, enum kit_app app, str code) {
    str uri = kit_encoded(k, k->apps[app].redirect_uris[0]);
    return arena_printf(k->arena, "grant_type=authorization_code&code=%.*s&redirect_uri=%.*s" KIT_PKCE_UP,
                        STR_ARG(code), STR_ARG(uri));
}

struct kit_answer kit_redeem(struct kit *k, enum kit_app app, str code) {
    return kit_token(k, app, "%.*s", STR_ARG(kit_redemption(k, app, code)));
}

struct kit_tokens kit_install(struct kit *k, enum kit_app app) {
    struct kit_tokens got = {.code = kit_code(k, app)};
    struct kit_answer answer = kit_redeem(k, app, got.code);
    MUST(answer.a.http == 200);
    got.access = kit_member(&answer, "access_token");
    got.refresh = kit_member(&answer, "refresh_token");
    return got;
}

struct kit_answer kit_refresh(struct kit *k, enum kit_app app, str token) {
    return kit_token(k, app, "grant_type=refresh_token&refresh_token=%.*s", STR_ARG(kit_encoded(k, token)));
}

static struct kit_answer show(struct kit *k, const struct endpoint *endpoint, enum kit_app app, str token) {
    return kit_post(k, endpoint, "%.*s&token=%.*s", STR_ARG(kit_credentials(k, app)), STR_ARG(kit_encoded(k, token)));
}

struct kit_answer kit_introspect(struct kit *k, enum kit_app app, str token) {
    return show(k, &endpoint_introspect, app, token);
}

struct kit_answer kit_revoke(struct kit *k, enum kit_app app, str token) {
    return show(k, &endpoint_revoke, app, token);
}

bool kit_is_active(struct kit *k, str token) {
    struct kit_answer answer = kit_introspect(k, APP_RS, token);
    MUST(answer.a.http == 200);
    bool active = str_starts_with(answer.a.body, S("{\"active\":true"));
    MUST(active || str_eq(answer.a.body, S("{\"active\":false}")));
    return active;
}

/* ---- templates ---- */

static str bare_code(struct kit *k) {
    struct kit_answer answer = kit_authorize(k, "client_id=conf&scope=oauth");
    return kit_location_param(k, &answer, "code");
}

static str client_token(struct kit *k) {
    struct kit_answer answer = kit_token(k, APP_CONF, "grant_type=client_credentials&scope=oauth");
    return kit_member(&answer, "access_token");
}

static str expansion(struct kit *k, char letter) {
    switch (letter) {
    case 'C': return kit_credentials(k, APP_CONF);
    case 'O': return kit_credentials(k, APP_OTHER);
    case 'P': return kit_credentials(k, APP_PUBL);
    case 'R': return kit_credentials(k, APP_RS);
    case 'T': return kit_credentials(k, APP_ROTA);
    case 's': return k->secrets[APP_CONF];
    case 'c': return kit_code(k, APP_CONF);
    case 'n': return bare_code(k);
    case 'p': return kit_code(k, APP_PUBL);
    case 'o': return kit_code(k, APP_OTHER);
    case 'u': return kit_encoded(k, redirect_uris[0]);
    case 'w': return kit_encoded(k, native_uris[0]);
    case 'v': return S(KIT_VERIFIER);
    case 'a': return kit_install(k, APP_CONF).access;
    case 'r': return kit_install(k, APP_CONF).refresh;
    case 'b': return kit_install(k, APP_OTHER).access;
    case 'l': return kit_install(k, APP_OTHER).refresh;
    case 'q': return kit_install(k, APP_PUBL).refresh;
    case 't': return kit_install(k, APP_ROTA).refresh;
    case 'm': return client_token(k);
    case '$': return S("$");
    default: MUST(false);
    }
}

str kit_expand(struct kit *k, const char *template) {
    struct buf b = buf_growing(1 << 20);
    str rest = str_of(template);
    while (rest.n) {
        buf_add(&b, str_take(&rest, '$'));
        if (rest.n == 0) break;
        buf_add(&b, expansion(k, rest.p[0]));
        rest = str_from(rest, 1);
    }
    MUST(!buf_failed(&b));
    str text = arena_copy(k->arena, buf_str(&b));
    buf_free(&b);
    return text;
}

/* ---- looking at answers ---- */

static str after(str text, str mark) {
    for (size_t i = 0; i + mark.n <= text.n; i++)
        if (memcmp(text.p + i, mark.p, mark.n) == 0) return str_from(text, i + mark.n);
    return (str){NULL, 0};
}

str kit_member(const struct kit_answer *answer, const char *name) {
    char mark[64];
    int n = snprintf(mark, sizeof mark, "\"%s\":\"", name);
    str rest = after(answer->a.body, (str){mark, (size_t)n});
    return str_take(&rest, '"');
}

str kit_location_param(struct kit *k, const struct kit_answer *answer, const char *name) {
    str rest = str_from(answer->a.location, str_find(answer->a.location, '?') + 1);
    while (rest.n) {
        str value = str_take(&rest, '&');
        if (!str_eq(str_take(&value, '='), str_of(name))) continue;
        char *decoded = arena_alloc(k->arena, value.n);
        size_t n = 0;
        MUST(percent_decode(value, PERCENT_URI, decoded, &n));
        return (str){decoded, n};
    }
    return (str){NULL, 0};
}

str kit_masked(struct kit *k, str text) {
    struct buf b = buf_on(arena_alloc(k->arena, text.n + 1), text.n + 1);
    for (size_t i = 0; i < text.n;) {
        enum token_kind kind;
        str rest = str_from(text, i);
        if (!token_text_kind(rest, &kind) || rest.n < 20) {
            buf_add_char(&b, text.p[i++]);
            continue;
        }
        buf_add(&b, token_prefix(kind));
        buf_add_char(&b, '*');
        while (i < text.n && (str_is_all((str){text.p + i, 1}, 'U'))) i++;
    }
    return buf_str(&b);
}

str kit_encoded(struct kit *k, str text) {
    size_t room = 3 * text.n + 1;
    struct buf b = buf_on(arena_alloc(k->arena, room), room);
    percent_encode(&b, text);
    return buf_str(&b);
}

const char *kit_z(struct kit *k, str text) { return arena_cstr(k->arena, text); }
