/* arena: memory of one request (or one start-up), freed at once. Allocation never fails: out of memory aborts the
 * process with one line on stderr, because inputs are bounded before anything is allocated. */
#ifndef GRANTD_ARENA_H
#define GRANTD_ARENA_H

#include "str.h"

struct arena;

/* A new arena whose first block has `first_bytes`. The caller owns it. */
struct arena *arena_new(size_t first_bytes);

/* Frees the arena and all of its memory. NULL is allowed. */
void arena_free(struct arena *a);

/* Forgets every allocation, keeps the first block for the next use. Memory of arena_alloc_secret, and everything
 * allocated after it, is overwritten with zeros. Under ASan the memory is poisoned until it is handed out again. */
void arena_reset(struct arena *a);

/* n bytes aligned for any type, not zeroed. n = 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* count elements of `size` bytes, zeroed. A product that does not fit aborts like any other lack of memory. */
void *arena_zalloc_array(struct arena *a, size_t size, size_t count)
    __attribute__((malloc, alloc_size(2, 3), returns_nonnull));

/* n bytes that will be overwritten at reset and free. For secrets, tokens and codes in clear. */
void *arena_alloc_secret(struct arena *a, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* A copy of s in the arena. */
str arena_copy(struct arena *a, str s);
str arena_lower(struct arena *a, str s); /* a copy with ASCII letters in lower case */

/* A NUL-ended copy of s, for library calls. s holds no NUL (the caller checked). */
char *arena_cstr(struct arena *a, str s) __attribute__((returns_nonnull));

/* printf into the arena. */
str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull(2)));

/* Bytes handed out since the last reset; for tests and limits. */
size_t arena_used(const struct arena *a);

#define ARENA_NEW(a, type)          ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_zalloc_array((a), sizeof(type), (count)))

#endif
