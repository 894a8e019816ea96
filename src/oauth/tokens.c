#include "tokens.h"

#include "claims.h"
#include "packing.h"

#include <assert.h>

/* Versioned plaintexts. Numbers are big-endian; times are milliseconds in 6 bytes; ids have 4.
 *   code 1:   version, flags (the upper four: claims of the ID token), grant id 16, app, hub, user, issued 6, ttl_s 2, auth time 6, redirect hash 16,
 *             challenge 32 if CODE_HAS_CHALLENGE, nonce length 1, nonce, scopes (the rest)
 *   access 1: version, kind and ACCESS_IS_BOUND, grant id 16 (ACCESS_OF_GRANT), app, hub, user, issued 6, expires 6,
 *             thumbprint 32 if ACCESS_IS_BOUND, scopes (the rest)
 * Version 2 of both, made only for some resources: before the scopes stand their bytes 1, and the encoded resources. */
#define CODE_VERSION           1
#define ACCESS_VERSION         1
#define VERSION_OF_RESOURCES   2
#define ACCESS_IS_BOUND        128u
#define TIME_BYTES             PACKED_TIME_BYTES
#define CODE_REDIRECT_URI_SENT 1u
#define CODE_HAS_CHALLENGE     2u
#define CODE_CLAIMS_SHIFT      4
_Static_assert(CLAIMS <= 8 - CODE_CLAIMS_SHIFT, "a bit for each claim");
#define CODE_FIXED_BYTES                                                                                               \
    (2 + GRANT_ID_BYTES + 3 * 4 + TIME_BYTES + 2 + TIME_BYTES + REDIRECT_HASH_BYTES + SHA256_BYTES + 1)
#define CODE_PLAIN_MAX (TOKEN_BODY_MAX - ENVELOPE_OVERHEAD)
#define ACCESS_PLAIN_MAX                                                                                               \
    (2 + GRANT_ID_BYTES + 3 * 4 + 2 * TIME_BYTES + SHA256_BYTES + 1 + RESOURCE_SET_BYTES + SCOPE_SET_BYTES)
_Static_assert(CODE_FIXED_BYTES + OIDC_NONCE_MAX + SCOPE_SET_BYTES <= CODE_PLAIN_MAX,
               "the largest code without resources is a token of at most 512 characters");
_Static_assert(ACCESS_PLAIN_MAX + ENVELOPE_OVERHEAD <= TOKEN_BODY_MAX, "and so is the largest access token");
_Static_assert(CODE_TTL_MAX_S <= UINT16_MAX, "ttl_s has 2 bytes");

/* What seals which kind of text. */
struct sealed_kind {
    enum envelope_purpose purpose;
    enum token_kind text;
};
static const struct sealed_kind sealed_code = {ENVELOPE_CODE, TOKEN_CODE};
static const struct sealed_kind sealed_access = {ENVELOPE_ACCESS, TOKEN_ACCESS};

static str seal(const struct oauth_env *env, struct arena *arena, struct sealed_kind kind, const struct pen *plain) {
    uint8_t body[TOKEN_BODY_MAX];
    char *text = arena_alloc_secret(arena, TOKEN_TEXT_MAX);
    envelope_seal(env->keyring->current, kind.purpose, env->random + OAUTH_RANDOM_NONCE,
                  (str){(const char *)plain->p, plain->n}, body);
    size_t n = token_text_write(kind.text, (str){(const char *)body, plain->n + ENVELOPE_OVERHEAD}, text);
    return (str){text, n};
}

/* An opened envelope: a reader at the start of its plaintext, which lives in the arena, and its nonce. */
struct opened {
    struct reader plain;
    uint8_t nonce[ENVELOPE_NONCE_BYTES];
};

static bool unseal(const struct oauth_env *env, struct arena *arena, struct sealed_kind kind, str text,
                   struct opened *out) {
    uint8_t body[TOKEN_BODY_MAX];
    size_t body_n = 0, plain_n = 0;
    if (!token_text_read(kind.text, text, body, &body_n)) return false;
    uint8_t *plain = arena_alloc_secret(arena, TOKEN_BODY_MAX);
    if (!envelope_open(env->keyring, kind.purpose, (str){(const char *)body, body_n}, plain, &plain_n)) return false;
    memcpy(out->nonce, body + 1, ENVELOPE_NONCE_BYTES);
    out->plain = (struct reader){.rest = {(const char *)plain, plain_n}};
    return true;
}

static void put_resources(struct pen *pen, str resources) {
    if (resources.n == 0) return;
    put_uint(pen, resources.n, 1);
    put_bytes(pen, resources.p, resources.n);
}

static str get_resources(struct reader *r, uint64_t version) {
    return version == VERSION_OF_RESOURCES ? get_bytes(r, get_uint(r, 1)) : (str){NULL, 0};
}

bool code_fits(str nonce, str scopes, str resources) {
    size_t n = nonce.n + scopes.n + resources.n + (resources.n > 0);
    return CODE_FIXED_BYTES + n <= CODE_PLAIN_MAX;
}

str code_seal(const struct oauth_env *env, struct arena *arena, const struct code *code) {
    uint8_t bytes[CODE_PLAIN_MAX];
    struct pen pen = {bytes, 0};
    assert(code->nonce.n <= OIDC_NONCE_MAX && code_fits(code->nonce, code->scopes, code->resources));
    put_uint(&pen, code->resources.n ? VERSION_OF_RESOURCES : CODE_VERSION, 1);
    put_uint(&pen,
             (code->redirect_uri_sent ? CODE_REDIRECT_URI_SENT : 0) | (code->has_challenge ? CODE_HAS_CHALLENGE : 0) |
                 code->id_token_claims << CODE_CLAIMS_SHIFT,
             1);
    put_bytes(&pen, code->grant_id.b, GRANT_ID_BYTES);
    put_uint(&pen, (uint64_t)code->app_id, 4);
    put_uint(&pen, (uint64_t)code->hub_id, 4);
    put_uint(&pen, (uint64_t)code->user_id, 4);
    put_uint(&pen, (uint64_t)code->issued_ms, TIME_BYTES);
    put_uint(&pen, (uint64_t)((code->expires_ms - code->issued_ms) / 1000), 2);
    put_uint(&pen, (uint64_t)code->auth_time_ms, TIME_BYTES);
    put_bytes(&pen, code->redirect_hash, REDIRECT_HASH_BYTES);
    if (code->has_challenge) put_bytes(&pen, code->challenge, SHA256_BYTES);
    put_uint(&pen, code->nonce.n, 1);
    put_bytes(&pen, code->nonce.p, code->nonce.n);
    put_resources(&pen, code->resources);
    put_bytes(&pen, code->scopes.p, code->scopes.n);
    return seal(env, arena, sealed_code, &pen);
}

bool code_open(const struct oauth_env *env, struct arena *arena, str text, struct code *out) {
    struct opened opened;
    if (!unseal(env, arena, sealed_code, text, &opened)) return false;
    struct reader *r = &opened.plain;
    uint64_t version = get_uint(r, 1);
    if (version != CODE_VERSION && version != VERSION_OF_RESOURCES) return false;
    uint64_t flags = get_uint(r, 1);
    *out =
        (struct code){.redirect_uri_sent = flags & CODE_REDIRECT_URI_SENT, .has_challenge = flags & CODE_HAS_CHALLENGE};
    out->id_token_claims = (unsigned)flags >> CODE_CLAIMS_SHIFT;
    get_copy(r, out->grant_id.b, GRANT_ID_BYTES);
    out->app_id = get_id(r);
    out->hub_id = get_id(r);
    out->user_id = get_id(r);
    out->issued_ms = (int64_t)get_uint(r, TIME_BYTES);
    out->expires_ms = out->issued_ms + (int64_t)get_uint(r, 2) * 1000;
    out->auth_time_ms = (int64_t)get_uint(r, TIME_BYTES);
    get_copy(r, out->redirect_hash, REDIRECT_HASH_BYTES);
    if (out->has_challenge) get_copy(r, out->challenge, SHA256_BYTES);
    out->nonce = get_bytes(r, get_uint(r, 1));
    out->resources = get_resources(r, version);
    out->scopes = r->rest;
    struct scope_set scopes;
    struct resource_set resources;
    return !r->is_short && scope_set_decode(out->scopes, &scopes) && resource_set_decode(out->resources, &resources);
}

str access_seal(const struct oauth_env *env, struct arena *arena, const struct access_token *token) {
    uint8_t bytes[ACCESS_PLAIN_MAX], scopes[SCOPE_SET_BYTES], resources[RESOURCE_SET_BYTES];
    struct pen pen = {bytes, 0};
    put_uint(&pen, token->resources.n ? VERSION_OF_RESOURCES : ACCESS_VERSION, 1);
    put_uint(&pen, token->kind | (token->is_bound ? ACCESS_IS_BOUND : 0), 1);
    if (token->kind == ACCESS_OF_GRANT) put_bytes(&pen, token->grant_id.b, GRANT_ID_BYTES);
    put_uint(&pen, (uint64_t)token->app_id, 4);
    put_uint(&pen, (uint64_t)token->hub_id, 4);
    put_uint(&pen, (uint64_t)token->user_id, 4);
    put_uint(&pen, (uint64_t)token->issued_ms, TIME_BYTES);
    put_uint(&pen, (uint64_t)token->expires_ms, TIME_BYTES);
    if (token->is_bound) put_bytes(&pen, token->certificate, SHA256_BYTES);
    put_resources(&pen, (str){(const char *)resources, resource_set_encode(&token->resources, resources)});
    put_bytes(&pen, scopes, scope_set_encode(&token->scopes, scopes));
    return seal(env, arena, sealed_access, &pen);
}

bool access_open(const struct oauth_env *env, struct arena *arena, str text, struct access_token *out) {
    struct opened opened;
    if (!unseal(env, arena, sealed_access, text, &opened)) return false;
    struct reader *r = &opened.plain;
    uint64_t version = get_uint(r, 1);
    if (version != ACCESS_VERSION && version != VERSION_OF_RESOURCES) return false;
    uint64_t flagged = get_uint(r, 1), kind = flagged & ~(uint64_t)ACCESS_IS_BOUND;
    if (kind != ACCESS_OF_GRANT && kind != ACCESS_OF_CLIENT) return false;
    *out = (struct access_token){.kind = (enum access_kind)kind, .is_bound = flagged != kind};
    memcpy(out->token_id, opened.nonce, TOKEN_ID_BYTES);
    if (out->kind == ACCESS_OF_GRANT) get_copy(r, out->grant_id.b, GRANT_ID_BYTES);
    out->app_id = get_id(r);
    out->hub_id = get_id(r);
    out->user_id = get_id(r);
    out->issued_ms = (int64_t)get_uint(r, TIME_BYTES);
    out->expires_ms = (int64_t)get_uint(r, TIME_BYTES);
    if (out->is_bound) get_copy(r, out->certificate, SHA256_BYTES);
    str resources = get_resources(r, version);
    return !r->is_short && resource_set_decode(resources, &out->resources) && scope_set_decode(r->rest, &out->scopes);
}

str refresh_make(const struct oauth_env *env, struct arena *arena, const struct grant *grant, uint32_t n) {
    uint8_t body[REFRESH_BYTES];
    char *text = arena_alloc_secret(arena, TOKEN_TEXT_MAX);
    refresh_derive(env->keyring->current, grant->id.b, n, grant->salt, body);
    return (str){text, token_text_write(TOKEN_REFRESH, (str){(const char *)body, sizeof body}, text)};
}

bool refresh_read(const struct oauth_env *env, str text, struct refresh_claim *out) {
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = 0;
    if (!token_text_read(TOKEN_REFRESH, text, body, &n)) return false;
    return refresh_open(env->keyring, (str){(const char *)body, n}, out);
}

void redirect_hash(str redirect_uri, uint8_t out[REDIRECT_HASH_BYTES]) {
    uint8_t whole[SHA256_BYTES];
    digest_sha256(redirect_uri, whole);
    memcpy(out, whole, REDIRECT_HASH_BYTES);
}
