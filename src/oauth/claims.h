/* claims: what an app hears of a person, by scope (OpenID Connect Core s5.4). The subject is the user id, the same for every app: pairwise
 * subjects (s8.1) are not offered, as the answers of the token endpoint and of introspection name the user id anyway. */
#ifndef GRANTD_CLAIMS_H
#define GRANTD_CLAIMS_H

#include "json_write.h"
#include "oauth.h"

/* The scopes that mean something to us; everything else in the catalogue is the API's. */
enum openid_scope { OPENID_SCOPE_OPENID, OPENID_SCOPE_PROFILE, OPENID_SCOPE_EMAIL, OPENID_SCOPES };
struct openid_scope_row {
    str name, title;
};
extern const struct openid_scope_row openid_scopes[OPENID_SCOPES];

enum claim {
#define CLAIM(name, wire, scope) CLAIM_##name,
#include "claims.def"
#undef CLAIM
    CLAIMS
};
#define CLAIM_BIT(claim) (1u << (claim))

struct claim_row {
    str name;
    enum openid_scope scope;
};
extern const struct claim_row claim_rows[CLAIMS];

/* The claim of a name. False: we know none. */
bool claim_named(str name, enum claim *out);

/* Whether the set has that scope. */
bool scopes_have(const struct registry *registry, const struct scope_set *set, enum openid_scope scope);

/* OpenID Connect is offered as soon as the catalogue has its scope. */
bool openid_is_offered(const struct registry *registry);

/* The claims that the scopes of a set give: CLAIM_BITs. */
unsigned claims_of_scopes(const struct registry *registry, const struct scope_set *set);

/* The text of a subject. */
str claims_subject(struct arena *arena, int32_t user_id);

/* Members for those of `claims` that are known of the person. Needs at most CLAIMS_BOUND bytes and six for every byte of its texts. */
#define CLAIMS_BOUND 256
void claims_write(struct json *j, const struct subject *person, unsigned claims);

#endif
