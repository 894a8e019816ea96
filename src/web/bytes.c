#include "bytes.h"

#include "must_alloc.h"

static char *block_new(struct bytes_pool *pool, size_t cap) {
    pool->in_use += cap;
    if (cap == BYTES_BLOCK && pool->n) return pool->blocks[--pool->n];
    return must_alloc(cap);
}

static void block_free(struct bytes_pool *pool, const struct bytes *b) {
    if (!b->p) return;
    explicit_bzero(b->p, b->dirty);
    pool->in_use -= b->cap;
    if (b->cap == BYTES_BLOCK && pool->n < BYTES_POOL_MAX)
        pool->blocks[pool->n++] = b->p;
    else
        free(b->p);
}

static void move_to_front(struct bytes *b) {
    memmove(b->p, b->p + b->start, bytes_n(b));
    b->end -= b->start;
    b->start = 0;
}

bool bytes_make_room(struct bytes *b, struct bytes_pool *pool, size_t n, size_t max) {
    if (b->p && bytes_room(b) >= n) return true;
    size_t need = bytes_n(b) + n;
    if (need > max) return false;
    if (need <= b->cap) {
        move_to_front(b);
        return true;
    }
    struct bytes grown = {.cap = b->cap ? b->cap * 2 : BYTES_BLOCK, .end = bytes_n(b), .dirty = bytes_n(b)};
    while (grown.cap < need) grown.cap *= 2;
    if (grown.cap > max && max > BYTES_BLOCK) grown.cap = max;
    grown.p = block_new(pool, grown.cap);
    if (grown.end) memcpy(grown.p, bytes_front(b), grown.end);
    block_free(pool, b);
    *b = grown;
    return true;
}

void bytes_advance(struct bytes *b, size_t n) {
    b->end += n;
    if (b->end > b->dirty) b->dirty = b->end;
}

void bytes_drop(struct bytes *b, struct bytes_pool *pool, size_t n) {
    b->start += n;
    if (b->start == b->end) bytes_release(b, pool);
}

void bytes_release(struct bytes *b, struct bytes_pool *pool) {
    block_free(pool, b);
    *b = (struct bytes){0};
}

void bytes_pool_free(struct bytes_pool *pool) {
    while (pool->n) free(pool->blocks[--pool->n]);
}
