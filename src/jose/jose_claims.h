/* jose_claims: the `claims` parameter of OpenID Connect (Core s5.5), which is JSON. */
#ifndef GRANTD_JOSE_CLAIMS_H
#define GRANTD_JOSE_CLAIMS_H

#include "arena.h"

#define JOSE_CLAIMS_MAX   4096 /* bytes of the parameter */
#define JOSE_CLAIMS_DEPTH 8    /* objects and lists in one another */

/* One claim that is asked for. Texts live in the arena. */
struct jose_claim {
    bool of_id_token; /* for the ID token, else for userinfo */
    bool is_essential;
    str name;
    str value; /* that it must have, if that was sent as a text; empty: any */
};

/* Reads the parameter. Members that are not known are passed over. False when it is too long or deep, is not an object of JSON, has a member twice, or the
 * request for a claim is neither null nor an object. */
bool jose_claims_read(str json, struct arena *arena, struct jose_claim **out, size_t *out_n);

#endif
