#include "jose_key.h"

#include "b64.h"
#include "certificate.h"

#include <jansson.h>
#include <stdlib.h>

/* A row per algorithm. A key fits by its kind and, on curves, by its curve (RFC 7518 s3.4). */
static const struct {
    str name;
    cjose_jwk_kty_t kind;
} algs[JOSE_ALGS] = {
    [JOSE_ES256] = {S("ES256"), CJOSE_JWK_KTY_EC},
    [JOSE_PS256] = {S("PS256"), CJOSE_JWK_KTY_RSA},
    [JOSE_RS256] = {S("RS256"), CJOSE_JWK_KTY_RSA},
};

str jose_alg_name(enum jose_alg alg) { return algs[alg].name; }

void jose_key_free(struct jose_key *key) {
    if (!key) return;
    cjose_jwk_release(key->jwk);
    free(key);
}

str jose_key_kid(const struct jose_key *key) { return (str){key->kid, key->kid_n}; }
enum jose_alg jose_key_alg(const struct jose_key *key) { return key->alg; }

/* ---- our own keys ---- */

static cjose_jwk_t *make_jwk(enum jose_alg alg) {
    static const uint8_t exponent[] = {1, 0, 1};
    if (algs[alg].kind == CJOSE_JWK_KTY_EC) return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    return cjose_jwk_create_RSA_random(JOSE_RSA_BITS, exponent, sizeof exponent, NULL);
}

RC jose_key_make(enum jose_alg alg, str kid, struct buf *out) {
    char name[JOSE_KID_MAX + 1] = ""; /* libcjose copies one byte more than it is told */
    memcpy(name, kid.p, kid.n <= JOSE_KID_MAX ? kid.n : 0);
    cjose_jwk_t *jwk = make_jwk(alg);
    char *text = NULL;
    if (jwk && cjose_jwk_set_kid(jwk, name, strlen(name), NULL)) text = cjose_jwk_to_json(jwk, true, NULL);
    if (text) buf_add(out, str_of(text));
    bool made = text && !buf_failed(out);
    if (text) explicit_bzero(text, strlen(text));
    cjose_get_dealloc()(text);
    cjose_jwk_release(jwk);
    return made ? RC_OK : rc_fail(FAULT_CRYPTO, "a signing key could not be made");
}

static void set_kid(struct jose_key *key) {
    str kid = str_of(cjose_jwk_get_kid(key->jwk, NULL));
    key->kid_n = kid.n <= JOSE_KID_MAX ? kid.n : 0;
    if (key->kid_n) memcpy(key->kid, kid.p, key->kid_n);
}

static void set_fingerprint(struct jose_key *key) {
    char *text = cjose_jwk_to_json(key->jwk, false, NULL);
    if (!text) abort();
    digest_sha256(str_of(text), key->fingerprint);
    cjose_get_dealloc()(text);
}

static struct jose_key *new_key(cjose_jwk_t *jwk) {
    struct jose_key *key = calloc(1, sizeof *key);
    if (!key) abort();
    key->jwk = jwk;
    set_kid(key);
    set_fingerprint(key);
    return key;
}

RC jose_key_open(enum jose_alg alg, str private_jwk, struct jose_key **out) {
    cjose_jwk_t *jwk = cjose_jwk_import(private_jwk.p, private_jwk.n, NULL);
    if (!jwk || cjose_jwk_get_kty(jwk, NULL) != algs[alg].kind) {
        cjose_jwk_release(jwk);
        return rc_fail(FAULT_KEY, "a signing key of the store is damaged");
    }
    *out = new_key(jwk);
    (*out)->alg = alg;
    (*out)->algs = JOSE_BIT(alg);
    return RC_OK;
}

/* ---- sets ---- */

static json_t *public_json(const struct jose_key *key) {
    char *text = cjose_jwk_to_json(key->jwk, false, NULL);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    cjose_get_dealloc()(text);
    if (!json) return NULL;
    json_object_set_new(json, "use", json_string("sig"));
    json_object_set_new(json, "alg", json_string(algs[key->alg].name.p));
    return json;
}

RC jose_keys_write(const struct jose_keys *keys, struct buf *out) {
    json_t *list = json_array(), *set = json_object();
    bool good = list && set;
    for (size_t i = 0; good && i < keys->n; i++) good = json_array_append_new(list, public_json(keys->keys[i])) == 0;
    json_object_set_new(set, "keys", list);
    char *text = good ? json_dumps(set, JSON_COMPACT) : NULL;
    json_decref(set);
    if (!text) return rc_fail(FAULT_CRYPTO, "the key set could not be written");
    buf_add(out, str_of(text));
    free(text);
    return buf_failed(out) ? rc_fail(FAULT_INTERNAL, "the key set is too large") : RC_OK;
}

void jose_keys_free(struct jose_keys *keys) {
    if (!keys) return;
    for (size_t i = 0; i < keys->n; i++) jose_key_free(keys->keys[i]);
    free(keys);
}

static const char *text_of(const json_t *object, const char *member) {
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

/* The algorithms that somebody's public key is good for; 0: none of ours. */
static uint32_t usable_algs(const json_t *json, const cjose_jwk_t *jwk) {
    str use = str_of(text_of(json, "use")), alg = str_of(text_of(json, "alg"));
    if (use.n && !str_eq(use, S("sig"))) return 0;
    cjose_jwk_kty_t kind = cjose_jwk_get_kty(jwk, NULL);
    size_t bits = cjose_jwk_get_keysize(jwk, NULL);
    if (kind == CJOSE_JWK_KTY_EC && cjose_jwk_EC_get_curve(jwk, NULL) != CJOSE_JWK_EC_P_256) return 0;
    if (kind == CJOSE_JWK_KTY_RSA && (bits < JOSE_RSA_BITS || bits > JOSE_RSA_BITS_MAX)) return 0;
    uint32_t found = 0;
    for (unsigned i = 0; i < JOSE_ALGS; i++)
        if (algs[i].kind == kind && (alg.n == 0 || str_eq(alg, algs[i].name))) found |= JOSE_BIT(i);
    return found;
}

static bool is_secret(const json_t *json) {
    return json_object_get(json, "d") || json_object_get(json, "k") || json_object_get(json, "p");
}

/* RFC 7518 s6.2.1.2 wants the whole 32 bytes. Authlib 1.2, the one in Debian 12, leaves out leading zeros: one key in
 * 128 would be refused, and its owner could not tell why. */
static void lengthen_coordinate(json_t *json, const char *member) {
    enum { SIZE = 32 };
    uint8_t whole[SIZE] = {0}, part[SIZE];
    char text[SIZE * 4 / 3 + 2] = "";
    str given = str_of(text_of(json, member));
    size_t n = 0;
    if (given.n == 0 || given.n >= b64url_length(SIZE) || !b64url_decode(given, part, &n)) return;
    memcpy(whole + SIZE - n, part, n);
    b64url_encode(whole, SIZE, text);
    json_object_set_new(json, member, json_stringn(text, b64url_length(SIZE)));
}

/* A number of a key, at most JOSE_RSA_BITS_MAX long; empty when it is none. */
static str number_of(const json_t *json, const char *member, uint8_t out[JOSE_RSA_BITS_MAX / 8 + 2]) {
    str text = str_of(text_of(json, member));
    size_t n = 0;
    bool good = text.n <= b64url_length(JOSE_RSA_BITS_MAX / 8) && b64url_decode(text, out, &n);
    return (str){(const char *)out, good ? n : 0};
}

/* RFC 7517 s4.7: certificates may come with a key, in base64 with padding, and the first one must be of that key. Whom it names and who signed it counts for
 * nothing here: what an administrator registered is the key. */
static bool certificates_fit(const json_t *json, bool is_rsa) {
    enum { LEAF_MAX = 8192 };
    uint8_t first[JOSE_RSA_BITS_MAX / 8 + 2], second[JOSE_RSA_BITS_MAX / 8 + 2], der[LEAF_MAX];
    const json_t *chain = json_object_get(json, "x5c");
    size_t n = 0;
    if (!chain) return true;
    for (size_t i = 0; i < json_array_size(chain); i++)
        if (!json_is_string(json_array_get(chain, i))) return false;
    const char *leaf = json_string_value(json_array_get(chain, 0));
    const struct public_key key = {
        .is_rsa = is_rsa,
        .first = number_of(json, is_rsa ? "n" : "x", first),
        .second = number_of(json, is_rsa ? "e" : "y", second),
    };
    if (!leaf || strlen(leaf) > LEAF_MAX || !b64_decode(str_of(leaf), der, &n)) return false;
    return certificate_is_of_key((str){(const char *)der, n}, &key);
}

/* Adds a key if it is one for us. When the set must be refused, why; else NULL. */
static const char *add_public(struct jose_keys *keys, json_t *json) {
    if (is_secret(json)) return "it holds a secret or private key: make a new pair, and give the public half";
    if (str_eq(str_of(text_of(json, "crv")), S("P-256"))) {
        lengthen_coordinate(json, "x");
        lengthen_coordinate(json, "y");
    }
    char *text = json_dumps(json, JSON_COMPACT);
    cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), NULL) : NULL;
    free(text);
    uint32_t fitting = jwk ? usable_algs(json, jwk) : 0;
    if (!fitting) {
        cjose_jwk_release(jwk);
        return NULL;
    }
    if (!certificates_fit(json, cjose_jwk_get_kty(jwk, NULL) == CJOSE_JWK_KTY_RSA)) {
        cjose_jwk_release(jwk);
        return "the first certificate of an x5c is not one of its key (RFC 7517 s4.7): leave x5c out, or give the "
               "right one";
    }
    struct jose_key *key = new_key(jwk);
    key->algs = fitting;
    keys->keys[keys->n++] = key;
    return NULL;
}

static RC read_set(const json_t *list, struct jose_keys *keys) {
    if (!json_is_array(list)) return rc_fail(FAULT_CONFIG, "it is not a JSON Web Key Set: {\"keys\":[...]}");
    if (json_array_size(list) > JOSE_KEYS_MAX) return rc_fail(FAULT_CONFIG, "it has more than %d keys", JOSE_KEYS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *why = add_public(keys, json_array_get(list, i));
        if (why) return rc_fail(FAULT_CONFIG, "%s", why);
    }
    if (keys->n == 0)
        return rc_fail(FAULT_CONFIG, "it has no key for ES256 (P-256), PS256 or RS256 (%d to %d bits)", JOSE_RSA_BITS,
                       JOSE_RSA_BITS_MAX);
    return RC_OK;
}

RC jose_keys_read(str jwks, struct jose_keys **out) {
    struct jose_keys *keys = calloc(1, sizeof *keys);
    if (!keys) abort();
    json_t *json = jwks.n <= JOSE_JWKS_MAX ? json_loadb(jwks.p, jwks.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct rc rc = read_set(json_object_get(json, "keys"), keys);
    json_decref(json);
    if (rc_ok(rc))
        *out = keys;
    else
        jose_keys_free(keys);
    return rc;
}
