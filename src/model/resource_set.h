/* A set of resources (RFC 8707): ascending ids of the registered ones, and their form in grants and tokens: two bytes each. */
#ifndef GRANTD_RESOURCE_SET_H
#define GRANTD_RESOURCE_SET_H

#include "bounds.h"
#include "str.h"

struct resource_set {
    uint16_t n;
    uint16_t id[RESOURCE_SET_MAX]; /* ascending, no duplicates, each >= 1 */
};

/* Adds an id, keeping the order. False when the set is full, or the id 0. */
bool resource_set_add(struct resource_set *set, uint16_t id);

bool resource_set_has(const struct resource_set *set, uint16_t id);
bool resource_set_is_subset(const struct resource_set *part, const struct resource_set *whole);

/* Encodes into out (RESOURCE_SET_BYTES); returns the number of bytes. */
size_t resource_set_encode(const struct resource_set *set, uint8_t out[RESOURCE_SET_BYTES]);

/* False when the bytes are not what resource_set_encode writes. */
bool resource_set_decode(str bytes, struct resource_set *out);

#endif
