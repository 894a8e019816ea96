#include "client_assertion.h"

#define ASSERTION_TYPE S("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
#define SKEW_S         INT64_C(30)   /* clocks may differ by this much, either way */
#define LIFE_MAX_S     INT64_C(3600) /* as long as the longest: its jti is kept until it has expired */
#define JTI_MAX        256

str assertion_client_id(struct arena *arena, const struct client_params *params) {
    struct jose_jwt jwt;
    str none = {NULL, 0};
    return jose_peek(params->client_assertion, arena, &jwt) ? jwt.sub : none;
}

/* Whom it is meant for: the issuer, or the token endpoint as most libraries say. One audience alone: what is meant for somebody else as well could
 * have been given to us by them. */
static bool audience_is_ours(const struct oauth_call *c, const struct jose_jwt *jwt) {
    return jwt->n_aud == 1 &&
           (str_eq(jwt->aud[0], c->env.settings->issuer) || str_eq(jwt->aud[0], c->env.token_endpoint));
}

/* The types that say what it is; an access token of ours that the client was given is none. */
static bool type_is_right(str typ) {
    return typ.n == 0 || str_eq_nocase(typ, S("JWT")) || str_eq_nocase(typ, S("client-authentication+jwt"));
}

/* Both edges (RFC 7523 s3, points 4 to 6). */
static bool times_are_right(const struct jose_jwt *jwt, int64_t now_s) {
    if (!jwt->has_exp || now_s >= jwt->exp_s + SKEW_S || jwt->exp_s > now_s + LIFE_MAX_S + SKEW_S) return false;
    if (jwt->has_nbf && jwt->nbf_s > now_s + SKEW_S) return false;
    return !jwt->has_iat || jwt->iat_s <= now_s + SKEW_S;
}

/* What is noted of it: the client and its jti, as one hash. */
static void use_up(struct oauth_call *c, const struct jose_jwt *jwt) {
    uint8_t hash[SHA256_BYTES];
    str label = arena_printf(c->arena, "assertion\n%.*s\n%.*s", STR_ARG(c->app->client_id), STR_ARG(jwt->jti));
    digest_sha256(label, hash);
    c->proof = (struct change){.kind = CHANGE_TOKEN_TAKE, .expires_ms = (jwt->exp_s + SKEW_S) * 1000};
    memcpy(c->proof.token_id, hash, TOKEN_ID_BYTES);
}

static bool claims_are_right(const struct oauth_call *c, const struct jose_jwt *jwt) {
    bool of_client = str_eq(jwt->iss, c->app->client_id) && str_eq(jwt->sub, c->app->client_id);
    if (!of_client || !type_is_right(jwt->typ) || !audience_is_ours(c, jwt)) return false;
    return times_are_right(jwt, c->env.now_ms / 1000) && jwt->jti.n > 0 && jwt->jti.n <= JTI_MAX;
}

/* Whether the published keys must be had first, or read anew for a key that is not among them. */
static bool must_wait(struct oauth_call *c, const struct jose_jwt *jwt) {
    if (c->app->jwks_uri.n == 0) return false;
    if (c->published == PUBLISHED_UNKNOWN) c->published = PUBLISHED_WANTED;
    if (c->published == PUBLISHED_KNOWN && !jose_keys_have(c->published_keys, jwt->kid))
        c->published = PUBLISHED_WANTED_ANEW;
    return c->published == PUBLISHED_WANTED || c->published == PUBLISHED_WANTED_ANEW;
}

/* The claims come first: what is wrong already makes us fetch nothing. */
bool assertion_proves(struct oauth_call *c, const struct client_params *params) {
    struct jose_jwt jwt;
    if (!str_eq(params->client_assertion_type, ASSERTION_TYPE)) return false;
    if (!jose_peek(params->client_assertion, c->arena, &jwt) || !claims_are_right(c, &jwt)) return false;
    if (must_wait(c, &jwt)) return false;
    const struct jose_keys *keys = c->app->jwks_uri.n ? c->published_keys : c->app->keys;
    if (!keys || !jose_verify(keys, JOSE_ANY, params->client_assertion, c->arena, &jwt)) return false;
    use_up(c, &jwt);
    return true;
}
