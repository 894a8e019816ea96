/* bytes: the buffer of one direction of a connection. Its first block comes from a pool of the loop and goes back when the buffer is
 * empty, so that an idle connection has none. What was in it is wiped: requests and answers carry secrets. */
#ifndef GRANTD_BYTES_H
#define GRANTD_BYTES_H

#include "str.h"

#define BYTES_BLOCK    4096
#define BYTES_POOL_MAX 256

struct bytes_pool {
    char *blocks[BYTES_POOL_MAX]; /* free ones */
    size_t n;
    size_t in_use; /* bytes of memory that buffers have */
};

struct bytes {
    char *p;
    size_t cap, start, end; /* p[start..end) is full */
    size_t dirty;           /* p[0..dirty) was ever written to */
};

static inline size_t bytes_n(const struct bytes *b) { return b->end - b->start; }
static inline char *bytes_front(const struct bytes *b) { return b->p + b->start; }
static inline size_t bytes_room(const struct bytes *b) { return b->cap - b->end; }

/* Makes room for at least n more bytes behind the end; moves the bytes or lets the buffer grow (doubling) up to max bytes. False when that is
 * not enough. Pointers into the buffer are dead afterwards. */
bool bytes_make_room(struct bytes *b, struct bytes_pool *pool, size_t n, size_t max);

/* n bytes were written behind the end. */
void bytes_advance(struct bytes *b, size_t n);

/* Drops n bytes at the front; an empty buffer gives its memory back. */
void bytes_drop(struct bytes *b, struct bytes_pool *pool, size_t n);

/* Empties the buffer and gives its memory back. */
void bytes_release(struct bytes *b, struct bytes_pool *pool);

void bytes_pool_free(struct bytes_pool *pool);

#endif
