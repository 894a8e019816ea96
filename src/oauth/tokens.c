#include "tokens.h"

#include "packing.h"

#include <assert.h>

/* Versioned plaintexts. Numbers are big-endian; times are milliseconds in 6 bytes; ids have 4.
 *   code 1:   version, flags, grant id 16, app, hub, user, issued 6, ttl_s 2, auth time 6, redirect hash 16,
 *             challenge 32 if CODE_HAS_CHALLENGE, nonce length 1, nonce, scopes (the rest)
 *   access 1: version, kind, grant id 16 (ACCESS_OF_GRANT), app, hub, user, issued 6, expires 6, scopes (the rest) */
#define CODE_VERSION           1
#define ACCESS_VERSION         1
#define TIME_BYTES             PACKED_TIME_BYTES
#define CODE_REDIRECT_URI_SENT 1u
#define CODE_HAS_CHALLENGE     2u
#define CODE_PLAIN_MAX                                                                                                 \
    (2 + GRANT_ID_BYTES + 3 * 4 + TIME_BYTES + 2 + TIME_BYTES + REDIRECT_HASH_BYTES + SHA256_BYTES + 1 +               \
     OIDC_NONCE_MAX + SCOPE_SET_BYTES)
#define ACCESS_PLAIN_MAX (2 + GRANT_ID_BYTES + 3 * 4 + 2 * TIME_BYTES + SCOPE_SET_BYTES)
_Static_assert(CODE_PLAIN_MAX + ENVELOPE_OVERHEAD <= TOKEN_BODY_MAX,
               "the largest code is a token of at most 512 characters");
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

str code_seal(const struct oauth_env *env, struct arena *arena, const struct code *code) {
    uint8_t bytes[CODE_PLAIN_MAX];
    struct pen pen = {bytes, 0};
    assert(code->nonce.n <= OIDC_NONCE_MAX && code->scopes.n <= SCOPE_SET_BYTES);
    put_uint(&pen, CODE_VERSION, 1);
    put_uint(&pen,
             (code->redirect_uri_sent ? CODE_REDIRECT_URI_SENT : 0) | (code->has_challenge ? CODE_HAS_CHALLENGE : 0),
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
    put_bytes(&pen, code->scopes.p, code->scopes.n);
    return seal(env, arena, sealed_code, &pen);
}

bool code_open(const struct oauth_env *env, struct arena *arena, str text, struct code *out) {
    struct opened opened;
    if (!unseal(env, arena, sealed_code, text, &opened)) return false;
    struct reader *r = &opened.plain;
    if (get_uint(r, 1) != CODE_VERSION) return false;
    uint64_t flags = get_uint(r, 1);
    *out =
        (struct code){.redirect_uri_sent = flags & CODE_REDIRECT_URI_SENT, .has_challenge = flags & CODE_HAS_CHALLENGE};
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
    out->scopes = r->rest;
    struct scope_set scopes;
    return !r->is_short && scope_set_decode(out->scopes, &scopes);
}

str access_seal(const struct oauth_env *env, struct arena *arena, const struct access_token *token) {
    uint8_t bytes[ACCESS_PLAIN_MAX], scopes[SCOPE_SET_BYTES];
    struct pen pen = {bytes, 0};
    put_uint(&pen, ACCESS_VERSION, 1);
    put_uint(&pen, token->kind, 1);
    if (token->kind == ACCESS_OF_GRANT) put_bytes(&pen, token->grant_id.b, GRANT_ID_BYTES);
    put_uint(&pen, (uint64_t)token->app_id, 4);
    put_uint(&pen, (uint64_t)token->hub_id, 4);
    put_uint(&pen, (uint64_t)token->user_id, 4);
    put_uint(&pen, (uint64_t)token->issued_ms, TIME_BYTES);
    put_uint(&pen, (uint64_t)token->expires_ms, TIME_BYTES);
    put_bytes(&pen, scopes, scope_set_encode(&token->scopes, scopes));
    return seal(env, arena, sealed_access, &pen);
}

bool access_open(const struct oauth_env *env, struct arena *arena, str text, struct access_token *out) {
    struct opened opened;
    if (!unseal(env, arena, sealed_access, text, &opened)) return false;
    struct reader *r = &opened.plain;
    if (get_uint(r, 1) != ACCESS_VERSION) return false;
    uint64_t kind = get_uint(r, 1);
    if (kind != ACCESS_OF_GRANT && kind != ACCESS_OF_CLIENT) return false;
    *out = (struct access_token){.kind = (enum access_kind)kind};
    memcpy(out->token_id, opened.nonce, TOKEN_ID_BYTES);
    if (out->kind == ACCESS_OF_GRANT) get_copy(r, out->grant_id.b, GRANT_ID_BYTES);
    out->app_id = get_id(r);
    out->hub_id = get_id(r);
    out->user_id = get_id(r);
    out->issued_ms = (int64_t)get_uint(r, TIME_BYTES);
    out->expires_ms = (int64_t)get_uint(r, TIME_BYTES);
    return !r->is_short && scope_set_decode(r->rest, &out->scopes);
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
