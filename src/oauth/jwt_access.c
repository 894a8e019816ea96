#include "jwt_access.h"

#include "b64.h"
#include "client_certificate.h"
#include "resources.h"
#include "scopes.h"

/* The jti: the number of the ring's generation, random bytes, and, encrypted under both and the issue time, the milliseconds of the issue time and the
 * id of the grant (of the token itself, for client_credentials). The signature covers it all, so there is no tag. */
#define JTI_RANDOM_BYTES 5
#define JTI_HEAD_BYTES   (1 + JTI_RANDOM_BYTES)
#define JTI_MASKED_BYTES (2 + GRANT_ID_BYTES)
#define JTI_BYTES        (JTI_HEAD_BYTES + JTI_MASKED_BYTES)
#define JTI_CHARS        (JTI_BYTES * 4 / 3)
_Static_assert(JTI_BYTES % 3 == 0, "no padding bits");
_Static_assert(GRANT_ID_BYTES == TOKEN_ID_BYTES, "either id has its place");

struct jti {
    uint8_t bytes[JTI_BYTES];
};

static void mask(const struct ring_key *key, int64_t issued_s, struct jti *jti) {
    uint8_t nonce[ENVELOPE_NONCE_BYTES] = {0};
    memcpy(nonce, jti->bytes, JTI_HEAD_BYTES);
    for (size_t i = 0; i < 8; i++) nonce[JTI_HEAD_BYTES + i] = (uint8_t)((uint64_t)issued_s >> (8 * i));
    envelope_mask(key, nonce, jti->bytes + JTI_HEAD_BYTES, JTI_MASKED_BYTES);
}

static struct jti make_jti(const struct oauth_env *env, const struct access_token *t) {
    struct jti jti;
    const uint8_t *random = env->random + OAUTH_RANDOM_NONCE;
    int64_t ms = t->issued_ms % 1000;
    jti.bytes[0] = env->keyring->current->number;
    memcpy(jti.bytes + 1, random, JTI_RANDOM_BYTES);
    jti.bytes[JTI_HEAD_BYTES] = (uint8_t)(ms >> 8);
    jti.bytes[JTI_HEAD_BYTES + 1] = (uint8_t)ms;
    bool of_grant = t->kind == ACCESS_OF_GRANT;
    memcpy(jti.bytes + JTI_HEAD_BYTES + 2, of_grant ? t->grant_id.b : random + JTI_RANDOM_BYTES, GRANT_ID_BYTES);
    mask(env->keyring->current, t->issued_ms / 1000, &jti);
    return jti;
}

struct claims {
    str issuer, sub, client_id, jti, scope;
    int64_t issued_s, expires_s;
    int32_t hub_id;
    struct resource_set resources;
    const struct access_token *bound; /* for cnf; NULL: not bound */
};

/* RFC 9068 s2.2. Short, because no token has more than TOKEN_TEXT_MAX characters. Without `resource` the audience is the issuer: any API of it. */
static str write_payload(const struct registry *registry, const struct claims *claims, struct arena *arena) {
    size_t bound = 512 + 6 * (claims->issuer.n + claims->client_id.n + claims->scope.n) +
                   resources_bound(registry, claims->issuer, &claims->resources);
    struct buf out = buf_on(arena_alloc(arena, bound), bound);
    struct json j = json_on(&out);
    json_open(&j);
    json_member_str(&j, S("iss"), claims->issuer);
    json_member_str(&j, S("sub"), claims->sub);
    resources_write_aud(&j, registry, claims->issuer, &claims->resources);
    json_member_str(&j, S("client_id"), claims->client_id);
    json_member_int(&j, S("iat"), claims->issued_s);
    json_member_int(&j, S("exp"), claims->expires_s);
    json_member_str(&j, S("jti"), claims->jti);
    json_member_str(&j, S("scope"), claims->scope);
    if (claims->hub_id) json_member_int(&j, S("hub_id"), claims->hub_id);
    if (claims->bound) certificate_write_cnf(&j, claims->bound);
    json_close(&j);
    return buf_str(&out);
}

/* RFC 9068 s2.2: a token that speaks of nobody has the client id for its subject. */
static str subject_of(const struct app *app, int32_t user_id, struct arena *arena) {
    return user_id ? arena_printf(arena, "%d", (int)user_id) : app->client_id;
}

str jwt_access_make(const struct oauth_env *env, struct arena *arena, const struct app *app,
                    const struct access_token *t) {
    const struct jose_key *key = env->signers->current[JOSE_ES256];
    struct jti jti = make_jti(env, t);
    char id[JTI_CHARS];
    b64url_encode(jti.bytes, JTI_BYTES, id);
    struct claims claims = {
        .issuer = env->settings->issuer,
        .sub = subject_of(app, t->user_id, arena),
        .client_id = app->client_id,
        .jti = {id, JTI_CHARS},
        .scope = scopes_join(arena, env->registry, &t->scopes),
        .issued_s = t->issued_ms / 1000,
        .expires_s = t->expires_ms / 1000,
        .hub_id = t->hub_id,
        .resources = t->resources,
        .bound = t,
    };
    str payload = write_payload(env->registry, &claims, arena);
    if (!key || jose_signed_length(key, JWT_ACCESS_TYP, payload.n) > jwt_access_max(app)) return (str){NULL, 0};
    return jose_sign(key, JWT_ACCESS_TYP, payload, arena);
}

size_t jwt_access_max(const struct app *app) {
    return app_has(app, APP_CERTIFICATE_BOUND) ? BOUND_TOKEN_TEXT_MAX : TOKEN_TEXT_MAX;
}

/* Of a person with the longest ids, or of the app itself. */
size_t jwt_access_longest(const struct registry *registry, str issuer, const struct jose_key *key,
                          const struct app *app) {
    struct arena *arena = arena_new(4096);
    char jti[JTI_CHARS];
    memset(jti, 'A', sizeof jti);
    struct scope_set all = app->scopes;
    for (size_t i = 0; i < app->optional_scopes.n; i++) (void)scope_set_add(&all, app->optional_scopes.id[i]);
    struct access_token bound = {.is_bound = app_has(app, APP_CERTIFICATE_BOUND)};
    struct claims claims = {
        .issuer = issuer,
        .client_id = app->client_id,
        .bound = &bound,
        .jti = {jti, JTI_CHARS},
        .scope = scopes_join(arena, registry, &all),
        .issued_s = INT64_C(9999999999),
        .expires_s = INT64_C(9999999999),
    };
    size_t longest = 0;
    if (app->grants & APP_GRANT_CODE) {
        claims.sub = S("2147483647");
        claims.hub_id = ID_MAX;
        longest = write_payload(registry, &claims, arena).n;
    }
    if (app->grants & APP_GRANT_CLIENT_CREDENTIALS) {
        claims.sub = app->client_id;
        claims.hub_id = app->bound_hub_id;
        size_t n = write_payload(registry, &claims, arena).n;
        if (n > longest) longest = n;
    }
    arena_free(arena);
    return jose_signed_length(key, JWT_ACCESS_TYP, longest);
}

/* ---- opening ---- */

static bool open_jti(const struct oauth_env *env, const struct jose_jwt *jwt, struct jti *out) {
    uint8_t bytes[JTI_BYTES];
    size_t n = 0;
    if (jwt->jti.n != JTI_CHARS || !b64url_decode(jwt->jti, bytes, &n)) return false;
    memcpy(out->bytes, bytes, JTI_BYTES);
    const struct ring_key *key = env->keyring->by_number[out->bytes[0]];
    if (key) mask(key, jwt->iat_s, out);
    return key != NULL;
}

/* Who it speaks of. The subject of a token of client_credentials is the client id, which no person has. */
static bool read_subject(const struct jose_jwt *jwt, const struct app *app, const struct jti *jti,
                         struct access_token *out) {
    uint64_t user_id = 0;
    const uint8_t *id = jti->bytes + JTI_HEAD_BYTES + 2;
    bool of_client = str_eq(jwt->sub, app->client_id);
    out->kind = of_client ? ACCESS_OF_CLIENT : ACCESS_OF_GRANT;
    memcpy(of_client ? out->token_id : out->grant_id.b, id, GRANT_ID_BYTES);
    if (!of_client && !str_to_u64(jwt->sub, ID_MAX, &user_id)) return false;
    out->user_id = (int32_t)user_id;
    return true;
}

static void read_scopes(const struct registry *registry, str text, struct scope_set *out) {
    while (text.n) {
        const struct scope *scope = registry_scope_by_name(registry, str_take(&text, ' '));
        if (scope) (void)scope_set_add(out, scope->id);
    }
}

/* Those that it names and that are still registered; false when none of them is: then it is good for nothing. */
static bool read_audience(const struct oauth_env *env, const struct jose_jwt *jwt, struct resource_set *out) {
    for (size_t i = 0; i < jwt->n_aud; i++) {
        const struct resource *resource = registry_resource_by_uri(env->registry, jwt->aud[i]);
        if (resource) (void)resource_set_add(out, resource->id);
    }
    return out->n > 0 || (jwt->n_aud == 1 && str_eq(jwt->aud[0], env->settings->issuer));
}

/* A token that is bound stays so. */
static bool read_binding(const struct jose_jwt *jwt, struct access_token *out) {
    size_t n = 0;
    out->is_bound = jwt->cnf_x5t.n > 0;
    if (!out->is_bound) return true;
    return jwt->cnf_x5t.n == b64url_length(SHA256_BYTES) && b64url_decode(jwt->cnf_x5t, out->certificate, &n) &&
           n == SHA256_BYTES;
}

bool jwt_access_open(const struct oauth_env *env, struct arena *arena, str text, struct access_token *out) {
    struct jose_jwt jwt;
    struct jti jti;
    const struct jose_verifier ours = {&env->signers->keys, JOSE_BIT(JOSE_ES256), env->known};
    if (text.n > BOUND_TOKEN_TEXT_MAX || !jose_verify_again(&ours, text, arena, &jwt)) return false;
    if (!str_eq(jwt.typ, JWT_ACCESS_TYP) || !str_eq(jwt.iss, env->settings->issuer) || !jwt.has_iat || !jwt.has_exp)
        return false;
    const struct app *app = registry_app_by_client_id(env->registry, jwt.client_id);
    if (!app || !open_jti(env, &jwt, &jti)) return false;
    const uint8_t *ms = jti.bytes + JTI_HEAD_BYTES;
    *out = (struct access_token){
        .app_id = app->app_id,
        .hub_id = (int32_t)jwt.hub_id,
        .issued_ms = jwt.iat_s * 1000 + (ms[0] << 8 | ms[1]),
        .expires_ms = jwt.exp_s * 1000,
    };
    read_scopes(env->registry, jwt.scope, &out->scopes);
    if (!read_binding(&jwt, out)) return false;
    return read_audience(env, &jwt, &out->resources) && read_subject(&jwt, app, &jti, out);
}
