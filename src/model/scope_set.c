#include "scope_set.h"

/* The compact form: for each id the difference to the one before (the first: to 0), seven bits a byte, low bits first,
 * the top bit set on all bytes but the last. One set has one form: differences are never 0 and never have a needless
 * last byte. */

static size_t number_bytes(unsigned v) { return v < 0x80 ? 1 : v < 0x4000 ? 2 : 3; }

static size_t encoded_bytes(const struct scope_set *set) {
    size_t bytes = 0;
    unsigned before = 0;
    for (size_t i = 0; i < set->n; before = set->id[i++]) bytes += number_bytes(set->id[i] - before);
    return bytes;
}

/* Index of the first id that is not below `id`. */
static size_t place_of(const struct scope_set *set, uint16_t id) {
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (set->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool stands_at(const struct scope_set *set, size_t at, uint16_t id) { return at < set->n && set->id[at] == id; }

bool scope_set_add(struct scope_set *set, uint16_t id) {
    size_t at = place_of(set, id);
    if (id == 0) return false;
    if (stands_at(set, at, id)) return true;
    if (set->n >= SCOPE_SET_MAX) return false;
    size_t behind = (set->n - at) * sizeof set->id[0];
    memmove(&set->id[at + 1], &set->id[at], behind);
    set->id[at] = id;
    set->n++;
    if (encoded_bytes(set) <= SCOPE_SET_BYTES) return true;
    set->n--;
    memmove(&set->id[at], &set->id[at + 1], behind);
    return false;
}

bool scope_set_has(const struct scope_set *set, uint16_t id) { return stands_at(set, place_of(set, id), id); }

bool scope_set_is_subset(const struct scope_set *part, const struct scope_set *whole) {
    size_t at = 0;
    for (size_t i = 0; i < part->n; i++) {
        while (at < whole->n && whole->id[at] < part->id[i]) at++;
        if (!stands_at(whole, at, part->id[i])) return false;
    }
    return true;
}

bool scope_set_equal(const struct scope_set *a, const struct scope_set *b) {
    return a->n == b->n && memcmp(a->id, b->id, a->n * sizeof a->id[0]) == 0;
}

size_t scope_set_encode(const struct scope_set *set, uint8_t out[SCOPE_SET_BYTES]) {
    size_t n = 0;
    unsigned before = 0;
    for (size_t i = 0; i < set->n; before = set->id[i++]) {
        unsigned rest = set->id[i] - before;
        for (; rest >= 0x80; rest >>= 7) out[n++] = (uint8_t)(rest | 0x80);
        out[n++] = (uint8_t)rest;
    }
    return n;
}

/* Takes one number off *rest. False when it is cut off, too long, or not in its shortest form. 0 is not a number here. */
static bool take_number(str *rest, unsigned *out) {
    unsigned v = 0;
    for (unsigned shift = 0; shift < 21 && rest->n; shift += 7) {
        uint8_t byte = (uint8_t)rest->p[0];
        *rest = str_from(*rest, 1);
        v |= (byte & 0x7Fu) << shift;
        if (byte & 0x80) continue;
        *out = v;
        return byte != 0; /* a last byte of 0 is the number 0, or needless */
    }
    return false;
}

bool scope_set_decode(str bytes, struct scope_set *out) {
    unsigned id = 0, difference;
    out->n = 0;
    if (bytes.n > SCOPE_SET_BYTES) return false;
    while (bytes.n) {
        if (!take_number(&bytes, &difference)) return false;
        id += difference;
        if (id > UINT16_MAX) return false;
        out->id[out->n++] =
            (uint16_t)id; /* at least a byte each: SCOPE_SET_BYTES bytes are at most SCOPE_SET_MAX ids */
    }
    return true;
}

_Static_assert(SCOPE_SET_BYTES <= SCOPE_SET_MAX, "scope_set_decode relies on it");
