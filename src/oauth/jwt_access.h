/* jwt_access: access tokens as signed JWTs (RFC 9068), for apps that are set to them. The API verifies them by the published key set; introspection
 * and revocation treat them like opaque ones, because the jti carries what an opaque token carries: the grant, encrypted. */
#ifndef GRANTD_JWT_ACCESS_H
#define GRANTD_JWT_ACCESS_H

#include "tokens.h"

#define JWT_ACCESS_TYP S("at+jwt")

/* Signs the token with the current ES256 key. Empty when there is no such key, the library failed, or the text would be longer than jwt_access_max. */
str jwt_access_make(const struct oauth_env *env, struct arena *arena, const struct app *app,
                    const struct access_token *token);

/* Verifies and reads. False when it is not one that was made here, whole. Expiry is for the rule to judge. */
bool jwt_access_open(const struct oauth_env *env, struct arena *arena, str text, struct access_token *out);

/* The most characters that a token of the app may have: BOUND_TOKEN_TEXT_MAX where it names a certificate, else TOKEN_TEXT_MAX. */
size_t jwt_access_max(const struct app *app);

/* The characters of the longest token that the app could be given: all of its scopes, the longest ids. */
size_t jwt_access_longest(const struct registry *registry, str issuer, const struct jose_key *key,
                          const struct app *app);

#endif
