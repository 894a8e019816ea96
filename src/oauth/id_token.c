#include "id_token.h"

#include "b64.h"
#include "claims.h"

#define ID_TOKEN_TYP S("JWT")

static const enum jose_alg algs[] = {JOSE_RS256, JOSE_ES256};
#define ALG_COUNT (sizeof algs / sizeof algs[0])

size_t oauth_list_id_token_algs(str out[OAUTH_LIST_MAX]) {
    for (size_t i = 0; i < ALG_COUNT; i++) out[i] = jose_alg_name(algs[i]);
    return ALG_COUNT;
}

void at_hash(str access_text, char out[AT_HASH_CHARS]) {
    uint8_t hash[SHA256_BYTES];
    digest_sha256(access_text, hash);
    b64url_encode(hash, sizeof hash / 2, out);
}

/* One audience, so there is no azp (s2). The session does not know whether the person signed in by a password here or by the company's own sign-in,
 * so no amr is said, and the acr claims no level of assurance. */
static str write_payload(const struct oauth_call *c, const struct id_token *t) {
    const struct access_token *access = t->access;
    const struct subject *person = &c->facts.subject;
    str issuer = c->env.settings->issuer;
    char hash[AT_HASH_CHARS];
    size_t texts = issuer.n + c->app->client_id.n + t->nonce.n + person->email.n + person->user_name.n;
    struct buf out =
        buf_on(arena_alloc_secret(c->arena, 512 + CLAIMS_BOUND + 6 * texts), 512 + CLAIMS_BOUND + 6 * texts);
    struct json j = json_on(&out);
    at_hash(t->access_text, hash);
    json_open(&j);
    json_member_str(&j, S("iss"), issuer);
    json_member_str(&j, S("sub"), claims_subject(c->arena, access->user_id));
    json_member_str(&j, S("aud"), c->app->client_id);
    json_member_int(&j, S("exp"), access->expires_ms / 1000);
    json_member_int(&j, S("iat"), access->issued_ms / 1000);
    json_member_int(&j, S("auth_time"), t->auth_time_ms / 1000);
    json_member_str(&j, S("acr"), ID_TOKEN_ACR);
    if (t->nonce.n) json_member_str(&j, S("nonce"), t->nonce);
    json_member_str(&j, S("at_hash"), (str){hash, sizeof hash});
    claims_write(&j, person, t->claims);
    json_close(&j);
    return buf_str(&out);
}

str id_token_make(const struct oauth_call *c, const struct id_token *t) {
    enum jose_alg alg = app_has(c->app, APP_ID_TOKEN_ES256) ? JOSE_ES256 : JOSE_RS256;
    const struct jose_key *key = c->env.signers->current[alg];
    return key ? jose_sign(key, ID_TOKEN_TYP, write_payload(c, t), c->arena) : (str){NULL, 0};
}

bool id_token_hint_read(const struct oauth_call *c, str text, struct id_token_hint *out) {
    struct jose_jwt jwt;
    uint64_t user_id = 0;
    uint32_t allowed = 0;
    for (size_t i = 0; i < ALG_COUNT; i++) allowed |= JOSE_BIT(algs[i]);
    if (!jose_verify(&c->env.signers->keys, allowed, text, c->arena, &jwt)) return false;
    bool ours = str_eq(jwt.typ, ID_TOKEN_TYP) && str_eq(jwt.iss, c->env.settings->issuer) && jwt.n_aud == 1;
    if (!ours || !str_to_u64(jwt.sub, ID_MAX, &user_id)) return false;
    out->user_id = (int32_t)user_id;
    out->app = registry_app_by_client_id(c->env.registry, jwt.aud[0]);
    return true;
}
