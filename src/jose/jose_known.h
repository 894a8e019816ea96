/* jose_known: signatures that were found good, as verifying one costs more than everything else in a request. A fact is "this whole token is
 * signed by this key", which no time and no revocation can change; it is kept as a keyed hash of 256 bits, so no token is kept. Bad
 * signatures are not remembered: nobody can fill the table without tokens that are good. One thread at a time. */
#ifndef GRANTD_JOSE_KNOWN_H
#define GRANTD_JOSE_KNOWN_H

#include "digest.h"

#define JOSE_KNOWN_WAYS 4    /* places that a fact can have */
#define JOSE_KNOWN_SETS 2048 /* a power of 2 */

struct jose_fact {
    uint8_t hash[MAC_BYTES];
};

/* Zeroed: nothing is known. 256 KiB, of which memory is used as facts come. A new fact takes the place of the oldest of its set. */
struct jose_known {
    struct jose_fact facts[JOSE_KNOWN_SETS][JOSE_KNOWN_WAYS];
};

/* The fact about a token and the key of this fingerprint (SHA256_BYTES). */
struct jose_fact jose_fact_of(const uint8_t *fingerprint, str token);

bool jose_known_has(const struct jose_known *known, const struct jose_fact *fact);
void jose_known_add(struct jose_known *known, const struct jose_fact *fact);

#endif
