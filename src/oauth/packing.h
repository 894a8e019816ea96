/* packing: how the plaintexts of envelopes are written and read. Numbers are big-endian. */
#ifndef GRANTD_PACKING_H
#define GRANTD_PACKING_H

#include "str.h"

#define PACKED_TIME_BYTES 6 /* milliseconds */

/* Writes into a buffer that its owner made large enough. */
struct pen {
    uint8_t *p;
    size_t n;
};

static inline void put_bytes(struct pen *pen, const void *bytes, size_t n) {
    if (n) memcpy(pen->p + pen->n, bytes, n);
    pen->n += n;
}

static inline void put_uint(struct pen *pen, uint64_t value, size_t n) {
    for (size_t i = n; i > 0; i--) pen->p[pen->n++] = (uint8_t)(value >> (8 * (i - 1)));
}

/* Reads; short is sticky. */
struct reader {
    str rest;
    bool is_short;
};

static inline str get_bytes(struct reader *r, size_t n) {
    if (r->rest.n < n) {
        r->is_short = true;
        r->rest.n = 0;
        return (str){NULL, 0};
    }
    str bytes = str_head(r->rest, n);
    r->rest = str_from(r->rest, n);
    return bytes;
}

static inline void get_copy(struct reader *r, void *out, size_t n) {
    str bytes = get_bytes(r, n);
    if (bytes.n == n && n) memcpy(out, bytes.p, n);
}

static inline uint64_t get_uint(struct reader *r, size_t n) {
    str bytes = get_bytes(r, n);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.n; i++) value = value << 8 | (uint8_t)bytes.p[i];
    return value;
}

static inline int32_t get_id(struct reader *r) { return (int32_t)(get_uint(r, 4) & INT32_MAX); }

#endif
