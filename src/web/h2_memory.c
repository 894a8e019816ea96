/* Memory of nghttp2: a request takes and gives back a dozen small pieces, which a loop keeps for the next one. Only one thread has the sessions of a
 * loop. What a piece held is wiped when it comes back: fields of requests carry secrets. */
#include <stdalign.h>
#include <stdlib.h>

#include "h2.h"
#include "loop.h"

#define PIECE_MIN  64
#define PIECE_MAX  ((size_t)PIECE_MIN << (H2_PIECE_SIZES - 1))
#define KEPT_MAX   256 /* of each size */
#define NOT_POOLED H2_PIECE_SIZES

/* A sanitizer is to see who reads what was given back. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEP false
#else
#define KEEP true
#endif

/* Stands before what nghttp2 gets. */
struct h2_piece {
    alignas(max_align_t) struct h2_piece *next; /* while it is kept */
    size_t size;                                /* which one of the sizes */
    size_t n;                                   /* bytes that were asked for */
};

static size_t size_of(size_t n) {
    size_t size = 0;
    if (n > PIECE_MAX) return NOT_POOLED;
    while (((size_t)PIECE_MIN << size) < n) size++;
    return size;
}

static void *take(size_t n, void *arg) {
    struct h2_pool *pool = arg;
    size_t size = size_of(n);
    struct h2_piece *piece = size < NOT_POOLED ? pool->first[size] : NULL;
    if (piece) {
        pool->first[size] = piece->next;
        pool->n[size]--;
    } else if (n < SIZE_MAX / 2) {
        piece = malloc(sizeof *piece + (size < NOT_POOLED ? (size_t)PIECE_MIN << size : n));
    }
    if (!piece) return NULL;
    piece->size = size;
    piece->n = n;
    return piece + 1;
}

static void give(void *p, void *arg) {
    struct h2_pool *pool = arg;
    if (!p) return;
    struct h2_piece *piece = (struct h2_piece *)p - 1;
    explicit_bzero(p, piece->n);
    if (!KEEP || piece->size == NOT_POOLED || pool->n[piece->size] == KEPT_MAX) {
        free(piece);
        return;
    }
    piece->next = pool->first[piece->size];
    pool->first[piece->size] = piece;
    pool->n[piece->size]++;
}

static void *take_zeroed(size_t count, size_t each, void *arg) {
    if (each && count > SIZE_MAX / 2 / each) return NULL;
    void *p = take(count * each, arg);
    return p ? memset(p, 0, count * each) : NULL;
}

static void *take_again(void *p, size_t n, void *arg) {
    void *fresh = take(n, arg);
    if (!fresh || !p) return fresh;
    const struct h2_piece *old = (const struct h2_piece *)p - 1;
    memcpy(fresh, p, old->n < n ? old->n : n);
    give(p, arg);
    return fresh;
}

nghttp2_mem h2_memory(struct h2_pool *pool) { return (nghttp2_mem){pool, take, give, take_zeroed, take_again}; }

void h2_pool_free(struct h2_pool *pool) {
    for (size_t size = 0; size < H2_PIECE_SIZES; size++) {
        for (struct h2_piece *next, *piece = pool->first[size]; piece; piece = next) {
            next = piece->next;
            free(piece);
        }
    }
}
