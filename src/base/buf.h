/* buf: an append-only byte builder with a maximum. It is sticky: after an overflow appends do nothing and
 * buf_failed() is true, so a caller checks once, at the end. */
#ifndef GRANTD_BUF_H
#define GRANTD_BUF_H

#include "str.h"

struct buf {
    char *p;
    size_t n, cap, max;
    bool failed;
    bool owned; /* p came from malloc: it grows up to max, buf_free frees it */
};

/* A buf over the caller's memory of `size` bytes; it never grows. */
struct buf buf_on(void *memory, size_t size);

/* A buf that allocates when it is first written to and grows by doubling up to `max` bytes. Free it with buf_free. */
struct buf buf_growing(size_t max);

/* Frees what the buf owns and makes it empty; its memory is not wiped. */
void buf_free(struct buf *b);

/* Empties the buf, keeps its memory, forgets a failure. */
void buf_clear(struct buf *b);

void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes to be written in place; NULL (and failed) when there is none. Follow with buf_advance. */
char *buf_reserve(struct buf *b, size_t n);
static inline void buf_advance(struct buf *b, size_t n) { b->n += n; }

/* The usual case of buf_reserve in line: answers are made of many small pieces. */
static inline char *buf_room(struct buf *b, size_t n) {
    return !b->failed && b->p && n <= b->cap - b->n ? b->p + b->n : buf_reserve(b, n);
}

static inline void buf_add(struct buf *b, str s) {
    char *p = s.n ? buf_room(b, s.n) : NULL;
    if (!p) return;
    memcpy(p, s.p, s.n);
    b->n += s.n;
}

static inline void buf_add_char(struct buf *b, char c) {
    char *p = buf_room(b, 1);
    if (!p) return;
    *p = c;
    b->n++;
}

/* Drops the first n bytes (n <= b->n). */
void buf_drop_front(struct buf *b, size_t n);

static inline str buf_str(const struct buf *b) { return (str){b->p, b->n}; }
static inline bool buf_failed(const struct buf *b) { return b->failed; }

#endif
