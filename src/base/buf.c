#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 256

struct buf buf_on(void *memory, size_t size) {
    return (struct buf){.p = memory, .cap = size, .max = size};
}

struct buf buf_growing(size_t max) {
    return (struct buf){.max = max, .owned = true};
}

void buf_free(struct buf *b) {
    if (b->owned) free(b->p);
    *b = (struct buf){.max = b->owned ? b->max : 0, .owned = b->owned};
}

void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = false;
}

static void grow(struct buf *b, size_t need) {
    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    while (cap < need && cap <= b->max / 2) cap *= 2;
    if (cap < need || cap > b->max) cap = b->max;
    char *p = realloc(b->p, cap);
    if (!p) { /* as the arena: sizes are bounded, so this is the machine's end and not the request's */
        fputs("grantd: out of memory\n", stderr);
        abort();
    }
    b->p = p;
    b->cap = cap;
}

char *buf_reserve(struct buf *b, size_t n) {
    if (b->failed || n > b->max - b->n || b->max == 0) {
        b->failed = true;
        return NULL;
    }
    if (b->owned && (n > b->cap - b->n || !b->p)) grow(b, b->n + n);
    return b->p + b->n;
}

/* Two digits for each division. */
void buf_add_u64(struct buf *b, uint64_t v) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char digits[20];
    size_t at = sizeof digits;
    for (; v >= 100; v /= 100) memcpy(digits + (at -= 2), pairs + 2 * (v % 100), 2);
    if (v >= 10)
        memcpy(digits + (at -= 2), pairs + 2 * v, 2);
    else
        digits[--at] = (char)('0' + v);
    buf_add(b, (str){digits + at, sizeof digits - at});
}

void buf_add_i64(struct buf *b, int64_t v) {
    if (v >= 0) {
        buf_add_u64(b, (uint64_t)v);
        return;
    }
    char *p = buf_reserve(b, 2); /* sign and a digit together: half a number is never written */
    if (!p) return;
    size_t before = b->n;
    *p = '-';
    b->n++;
    buf_add_u64(b, 0 - (uint64_t)v);
    if (b->failed) b->n = before;
}

void buf_printf(struct buf *b, const char *format, ...) {
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < sizeof small) {
        buf_add(b, (str){small, (size_t)n});
    } else if (buf_reserve(b, (size_t)n)) { /* does it fit at all? */
        char *large = malloc((size_t)n + 1);
        if (large) vsnprintf(large, (size_t)n + 1, format, again);
        if (large) buf_add(b, (str){large, (size_t)n});
        b->failed = b->failed || !large;
        free(large);
    }
    va_end(again);
}

void buf_drop_front(struct buf *b, size_t n) {
    if (n == 0) return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
