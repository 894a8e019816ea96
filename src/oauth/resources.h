/* Resource indicators (RFC 8707): which APIs a grant or a token is for. Without any it is for every API of the issuer, as HubSpot's tokens are. */
#ifndef GRANTD_RESOURCES_H
#define GRANTD_RESOURCES_H

#include "json_write.h"
#include "params.h"

/* Reads `resource` parameters: each must be registered, letter by letter. Refuses the call with REFUSAL_RESOURCE and returns false
 * otherwise (RFC 8707 s2: not absolute, with a fragment, unknown). */
bool resources_read(struct oauth_call *c, const struct param_list *asked, struct resource_set *out);

/* What a token of a grant is for: what was asked for, out of what was granted; nothing asked for: all of that which is still
 * registered (RFC 8707 s2.2). A grant for every API gives tokens for any but the strict ones. Refuses as above. */
bool resources_narrow(struct oauth_call *c, const struct param_list *asked, str granted, struct resource_set *out);

/* Whether a consent to one set is one to the other as well. What is for every API is not for the strict ones. */
bool resources_cover(const struct registry *registry, const struct resource_set *granted,
                     const struct resource_set *part);

/* False when all that it was for is gone. */
bool resources_are_there(const struct registry *registry, const struct resource_set *set);

/* True when a resource server is among those that a token is for: it is bound to none, or to one of these. */
bool resources_are_of(const struct registry *registry, const struct resource_set *set, const struct app *server);

/* What the resources want of a token; TOKEN_FORMAT_OF_APP: they leave it to the app. One that verifies by itself decides. */
enum token_format resources_format(const struct registry *registry, const struct resource_set *set);

/* Member "aud": the issuer, or the first URI of each (RFC 9068 s3: an array only of several). */
void resources_write_aud(struct json *j, const struct registry *registry, str issuer, const struct resource_set *set);

/* The same, space separated, in the arena. */
str resources_join(struct arena *arena, const struct registry *registry, str issuer, const struct resource_set *set);

/* Bytes that resources_write_aud needs at most. */
size_t resources_bound(const struct registry *registry, str issuer, const struct resource_set *set);

/* The encoded set in the arena, for grants and codes; empty: none. */
str resources_encode(struct arena *arena, const struct resource_set *set);

#endif
