/* Codes, access tokens and refresh tokens: what they carry, how they are made and opened. Each text is a token_text over
 * an envelope (code, access) or a derived token (refresh). Plaintexts are versioned and their bytes are spelled out here, so
 * that a newer program can go on reading what an older one made. */
#ifndef GRANTD_TOKENS_H
#define GRANTD_TOKENS_H

#include "oauth.h"
#include "token_text.h"

#define REDIRECT_HASH_BYTES 16

/* What an authorization code carries. */
struct code {
    struct grant_id grant_id; /* of the grant that its redemption makes */
    int32_t app_id, hub_id, user_id;
    int64_t issued_ms, expires_ms;
    int64_t auth_time_ms;
    bool redirect_uri_sent; /* in the authorization request: then it must be sent again (RFC 6749 s4.1.3) */
    bool has_challenge;
    uint8_t redirect_hash[REDIRECT_HASH_BYTES];
    uint8_t challenge[SHA256_BYTES]; /* S256 */
    str nonce;                       /* OpenID Connect; empty: none */
    unsigned id_token_claims;        /* CLAIM_BITs that the ID token was asked to carry */
    str scopes;                      /* encoded scope_set */
    str resources;                   /* encoded resource_set; empty: every API */
};

enum access_kind { ACCESS_OF_GRANT = 1, ACCESS_OF_CLIENT = 2 /* client_credentials */ };

/* What an access token carries. */
struct access_token {
    enum access_kind kind;
    struct grant_id grant_id; /* ACCESS_OF_GRANT */
    int32_t app_id, hub_id, user_id;
    int64_t issued_ms, expires_ms;
    struct scope_set scopes;
    struct resource_set resources;     /* what it is for alone; none: every API */
    bool is_bound;                     /* to a client's certificate (RFC 8705 s3) ... */
    uint8_t certificate[SHA256_BYTES]; /* ... of this thumbprint */
    uint8_t token_id[TOKEN_ID_BYTES];  /* set by access_open; names the token on the deny list */
};

/* Whether a code with these fits into TOKEN_TEXT_MAX characters. */
bool code_fits(str nonce, str scopes, str resources);

/* Seal into a token text in the arena, with the current key and the nonce of the request's random bytes. A request seals
 * at most one of the two. */
str code_seal(const struct oauth_env *env, struct arena *arena, const struct code *code);
str access_seal(const struct oauth_env *env, struct arena *arena, const struct access_token *token);

/* Open a token text. False when it is not one that was made here, whole. Expiry is for the rule to judge. Slices of
 * a code live in the arena. */
bool code_open(const struct oauth_env *env, struct arena *arena, str text, struct code *out);
bool access_open(const struct oauth_env *env, struct arena *arena, str text, struct access_token *out);

/* Refresh token number n of a grant, as text in the arena. */
str refresh_make(const struct oauth_env *env, struct arena *arena, const struct grant *grant, uint32_t n);

/* What a refresh token text claims. False when it is not well formed; nothing is proven yet (refresh_is_genuine). */
bool refresh_read(const struct oauth_env *env, str text, struct refresh_claim *out);

/* What a code keeps of the redirect URI. */
void redirect_hash(str redirect_uri, uint8_t out[REDIRECT_HASH_BYTES]);

#endif
