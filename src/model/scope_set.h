/* A set of scopes: ascending ids of the scope catalogue, and their compact form (differences as base-128 numbers) that
 * grants and envelopes carry. */
#ifndef GRANTD_SCOPE_SET_H
#define GRANTD_SCOPE_SET_H

#include "bounds.h"
#include "str.h"

struct scope_set {
    uint16_t n;
    uint16_t id[SCOPE_SET_MAX]; /* ascending, no duplicates, each >= 1 */
};

/* Adds an id, keeping the order. False when the set would pass SCOPE_SET_MAX or its encoding SCOPE_SET_BYTES. */
bool scope_set_add(struct scope_set *set, uint16_t id);

bool scope_set_has(const struct scope_set *set, uint16_t id);
bool scope_set_is_subset(const struct scope_set *part, const struct scope_set *whole);
bool scope_set_equal(const struct scope_set *a, const struct scope_set *b);

/* Encodes into out (SCOPE_SET_BYTES); returns the number of bytes. */
size_t scope_set_encode(const struct scope_set *set, uint8_t out[SCOPE_SET_BYTES]);

/* False when the bytes are not what scope_set_encode writes. */
bool scope_set_decode(str bytes, struct scope_set *out);

#endif
