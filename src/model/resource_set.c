#include "resource_set.h"

bool resource_set_add(struct resource_set *set, uint16_t id) {
    size_t at = set->n;
    if (id == 0 || resource_set_has(set, id)) return id != 0;
    if (set->n >= RESOURCE_SET_MAX) return false;
    for (; at && set->id[at - 1] > id; at--) set->id[at] = set->id[at - 1];
    set->id[at] = id;
    set->n++;
    return true;
}

bool resource_set_has(const struct resource_set *set, uint16_t id) {
    for (size_t i = 0; i < set->n; i++)
        if (set->id[i] == id) return true;
    return false;
}

bool resource_set_is_subset(const struct resource_set *part, const struct resource_set *whole) {
    for (size_t i = 0; i < part->n; i++)
        if (!resource_set_has(whole, part->id[i])) return false;
    return true;
}

size_t resource_set_encode(const struct resource_set *set, uint8_t out[RESOURCE_SET_BYTES]) {
    for (size_t i = 0; i < set->n && i < RESOURCE_SET_MAX; i++) {
        out[2 * i] = (uint8_t)(set->id[i] >> 8);
        out[2 * i + 1] = (uint8_t)set->id[i];
    }
    return (size_t)set->n * 2;
}

bool resource_set_decode(str bytes, struct resource_set *out) {
    out->n = 0;
    if (bytes.n % 2 || bytes.n > RESOURCE_SET_BYTES) return false;
    for (size_t i = 0; i < bytes.n; i += 2) {
        unsigned id = (unsigned)(uint8_t)bytes.p[i] << 8 | (uint8_t)bytes.p[i + 1];
        if (id == 0 || (out->n && id <= out->id[out->n - 1])) return false;
        out->id[out->n++] = (uint16_t)id;
    }
    return true;
}
