#include "jose_known.h"

struct jose_fact jose_fact_of(const uint8_t *fingerprint, str token) {
    struct jose_fact fact;
    digest_mac(fingerprint, token, fact.hash, sizeof fact.hash);
    return fact;
}

/* Whoever holds tokens can choose those that meet in a set, and drives out nothing but four facts. */
static size_t set_of(const struct jose_fact *fact) {
    return (fact->hash[0] | (size_t)fact->hash[1] << 8) & (JOSE_KNOWN_SETS - 1);
}

bool jose_known_has(const struct jose_known *known, const struct jose_fact *fact) {
    const struct jose_fact *set = known->facts[set_of(fact)];
    for (size_t i = 0; i < JOSE_KNOWN_WAYS; i++)
        if (memcmp(set[i].hash, fact->hash, sizeof fact->hash) == 0) return true;
    return false;
}

void jose_known_add(struct jose_known *known, const struct jose_fact *fact) {
    struct jose_fact *set = known->facts[set_of(fact)];
    memmove(set + 1, set, (JOSE_KNOWN_WAYS - 1) * sizeof *set);
    set[0] = *fact;
}
