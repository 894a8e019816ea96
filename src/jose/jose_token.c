#include "jose_key.h"

#include "b64.h"

#include <jansson.h>

/* ---- signing ---- */

static cjose_header_t *make_header(const struct jose_key *key, str typ) {
    cjose_header_t *header = cjose_header_new(NULL);
    if (header && cjose_header_set(header, CJOSE_HDR_ALG, jose_alg_name(key->alg).p, NULL) &&
        cjose_header_set(header, "typ", typ.p, NULL) && cjose_header_set(header, CJOSE_HDR_KID, key->kid, NULL))
        return header;
    cjose_header_release(header);
    return NULL;
}

str jose_sign(const struct jose_key *key, str typ, str payload, struct arena *arena) {
    str token = {NULL, 0};
    const char *text = NULL;
    cjose_header_t *header = make_header(key, typ);
    cjose_jws_t *jws = header ? cjose_jws_sign(key->jwk, header, (const uint8_t *)payload.p, payload.n, NULL) : NULL;
    if (jws && cjose_jws_export(jws, &text, NULL)) {
        token.n = strlen(text);
        token.p = memcpy(arena_alloc_secret(arena, token.n), text, token.n);
    }
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

static size_t signature_bytes(const struct jose_key *key, enum jose_alg alg) {
    return alg == JOSE_ES256 ? 64 : (cjose_jwk_get_keysize(key->jwk, NULL) + 7) / 8;
}

size_t jose_signed_length(const struct jose_key *key, str typ, size_t n) {
    size_t header = S("{\"alg\":\"\",\"typ\":\"\",\"kid\":\"\"}").n + jose_alg_name(key->alg).n + typ.n + key->kid_n;
    return b64url_length(header) + b64url_length(n) + b64url_length(signature_bytes(key, key->alg)) + 2;
}

/* ---- reading ---- */

struct parts {
    str header, payload, signature;
};

static bool split(str token, struct parts *out) {
    if (token.n > JOSE_TOKEN_MAX) return false;
    size_t dots = 0;
    for (size_t i = 0; i < token.n; i++) dots += token.p[i] == '.';
    out->header = str_take(&token, '.');
    out->payload = str_take(&token, '.');
    out->signature = token;
    return dots == 2 && out->header.n && out->payload.n && out->signature.n;
}

/* One part as a JSON object; NULL when it is none, or has a member twice. The caller releases it. */
static json_t *load_part(str part, struct arena *arena) {
    uint8_t *bytes = arena_alloc_secret(arena, part.n);
    size_t n = 0;
    if (!b64url_decode(part, bytes, &n)) return NULL;
    json_t *json = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json)) return json;
    json_decref(json);
    return NULL;
}

/* A member that must be a text without NUL if it is there. */
static bool read_text(const json_t *object, const char *member, struct arena *arena, str *out) {
    const json_t *value = json_object_get(object, member);
    if (!value) return true;
    if (!json_is_string(value)) return false;
    *out = arena_copy(arena, (str){json_string_value(value), json_string_length(value)});
    return true;
}

/* NumericDate (RFC 7519 s2) may have a fraction; what is beyond all dates is none. */
static bool read_number(const json_t *object, const char *member, bool *has, int64_t *out) {
    const json_t *value = json_object_get(object, member);
    *has = value != NULL;
    if (!value) return true;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number < 1e12)) return false;
    *out = (int64_t)number;
    return true;
}

/* RFC 7519 s4.1.3: one text, or a list of them. */
static bool read_audience(const json_t *object, struct arena *arena, struct jose_jwt *out) {
    const json_t *aud = json_object_get(object, "aud");
    if (!aud) return true;
    out->aud_is_list = json_is_array(aud);
    size_t n = out->aud_is_list ? json_array_size(aud) : 1;
    str *list = ARENA_ARRAY(arena, str, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = out->aud_is_list ? json_array_get(aud, i) : aud;
        if (!json_is_string(item)) return false;
        list[i] = arena_copy(arena, (str){json_string_value(item), json_string_length(item)});
    }
    out->aud = list;
    out->n_aud = n;
    return true;
}

static bool read_header(const json_t *header, struct arena *arena, struct jose_jwt *out) {
    str alg = {NULL, 0};
    if (json_object_get(header, "crit") || json_object_get(header, "b64")) return false;
    if (!read_text(header, "alg", arena, &alg) || !read_text(header, "kid", arena, &out->kid) ||
        !read_text(header, "typ", arena, &out->typ))
        return false;
    for (unsigned i = 0; i < JOSE_ALGS; i++) {
        if (!str_eq(alg, jose_alg_name((enum jose_alg)i))) continue;
        out->alg = (enum jose_alg)i;
        return true;
    }
    return false;
}

/* How the presenter proves that it is his (RFC 7800 s3.1). */
static bool read_confirmation(const json_t *object, struct arena *arena, struct jose_jwt *out) {
    const json_t *cnf = json_object_get(object, "cnf");
    return !cnf || (json_is_object(cnf) && read_text(cnf, "x5t#S256", arena, &out->cnf_x5t));
}

static bool read_claims(const json_t *claims, struct arena *arena, struct jose_jwt *out) {
    bool ignored;
    return read_text(claims, "iss", arena, &out->iss) && read_text(claims, "sub", arena, &out->sub) &&
           read_text(claims, "jti", arena, &out->jti) && read_text(claims, "client_id", arena, &out->client_id) &&
           read_text(claims, "scope", arena, &out->scope) && read_audience(claims, arena, out) &&
           read_confirmation(claims, arena, out) && read_number(claims, "exp", &out->has_exp, &out->exp_s) &&
           read_number(claims, "iat", &out->has_iat, &out->iat_s) &&
           read_number(claims, "nbf", &out->has_nbf, &out->nbf_s) &&
           read_number(claims, "hub_id", &ignored, &out->hub_id);
}

static bool read_part(str part, struct arena *arena,
                      bool (*read)(const json_t *json, struct arena *arena, struct jose_jwt *out),
                      struct jose_jwt *out) {
    json_t *json = load_part(part, arena);
    bool good = json && read(json, arena, out);
    json_decref(json);
    return good;
}

bool jose_peek(str token, struct arena *arena, struct jose_jwt *out) {
    struct parts parts;
    *out = (struct jose_jwt){.n_aud = 0};
    return split(token, &parts) && read_part(parts.header, arena, read_header, out) &&
           read_part(parts.payload, arena, read_claims, out);
}

/* ---- verifying ---- */

/* A token that names its key is tried with keys of that name, and with those that have none. libcjose takes signatures that are longer
 * than they can be, so the length is ours to look at. */
static bool fits(const struct jose_key *key, const struct jose_jwt *jwt, size_t signature_n) {
    if (!(key->algs & JOSE_BIT(jwt->alg)) || signature_n != signature_bytes(key, jwt->alg)) return false;
    return jwt->kid.n == 0 || key->kid_n == 0 || str_eq(jwt->kid, jose_key_kid(key));
}

static bool is_signed_by(const struct jose_key *key, str token) {
    cjose_jws_t *jws = cjose_jws_import(token.p, token.n, NULL);
    bool good = jws && cjose_jws_verify(jws, key->jwk, NULL);
    cjose_jws_release(jws);
    return good;
}

static bool is_known_or_signed(struct jose_known *known, const struct jose_key *key, str token) {
    if (!known) return is_signed_by(key, token);
    struct jose_fact fact = jose_fact_of(key->fingerprint, token);
    if (jose_known_has(known, &fact)) return true;
    if (!is_signed_by(key, token)) return false;
    jose_known_add(known, &fact);
    return true;
}

bool jose_verify_again(const struct jose_verifier *by, str token, struct arena *arena, struct jose_jwt *out) {
    const struct jose_keys *keys = by->keys;
    struct parts parts;
    *out = (struct jose_jwt){.n_aud = 0};
    if (!split(token, &parts) || !read_part(parts.header, arena, read_header, out)) return false;
    if (!(by->algs & JOSE_BIT(out->alg))) return false;
    uint8_t *signature = arena_alloc(arena, parts.signature.n);
    size_t n = 0;
    if (!b64url_decode(parts.signature, signature, &n)) return false; /* one text per signature */
    for (size_t i = 0; i < keys->n; i++)
        if (fits(keys->keys[i], out, n) && is_known_or_signed(by->known, keys->keys[i], token))
            return read_part(parts.payload, arena, read_claims, out);
    return false;
}

bool jose_verify(const struct jose_keys *keys, uint32_t algs, str token, struct arena *arena, struct jose_jwt *out) {
    const struct jose_verifier by = {keys, algs, NULL};
    return jose_verify_again(&by, token, arena, out);
}

bool jose_keys_have(const struct jose_keys *keys, str kid) {
    for (size_t i = 0; i < keys->n; i++)
        if (kid.n == 0 || keys->keys[i]->kid_n == 0 || str_eq(kid, jose_key_kid(keys->keys[i]))) return true;
    return false;
}
