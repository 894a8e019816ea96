/* Scopes as text (RFC 6749 s3.3) to sets, and back. */
#ifndef GRANTD_SCOPES_H
#define GRANTD_SCOPES_H

#include "json_write.h"
#include "oauth.h"

/* Reads a `scope` parameter: every name must be known and in `allowed`, and at least one must be there. Refuses the call
 * with REFUSAL_SCOPE (and notes which one) and returns false otherwise. `new_consent`: hidden scopes cannot be asked for. */
bool scopes_read(struct oauth_call *c, str text, const struct scope_set *allowed, bool new_consent,
                 struct scope_set *out);

/* Adds what an `optional_scope` parameter asks for and the app may have; leaves the rest out silently. */
void scopes_read_optional(const struct oauth_call *c, str text, struct scope_set *out);

/* Takes what an account lacks out of `scopes`. Refuses the call with REFUSAL_SCOPE and returns false when something that the
 * app requires is among it. */
bool scopes_leave_out(struct oauth_call *c, const struct scope_set *lacked, const struct scope_set *required,
                      struct scope_set *scopes);

/* Members "scopes" (an array, as HubSpot's) and, if `joined`, "scope" (space separated, RFC 6749 s3.3). */
void scopes_write(struct json *j, const struct oauth_call *c, const struct scope_set *set, bool joined);

/* The names, space separated, in the arena. */
str scopes_join(struct arena *arena, const struct registry *registry, const struct scope_set *set);

/* Bytes that scopes_write needs at most. */
size_t scopes_bound(const struct registry *registry, const struct scope_set *set);

/* The encoded set in the arena, for grants and envelopes. */
str scopes_encode(struct arena *arena, const struct scope_set *set);

#endif
