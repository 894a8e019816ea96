#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define RED_ZONE_BYTES 16 /* stays poisoned between two allocations, so that an overrun is seen */
/* Through the empty asm, so that gcc does not take poisoning fresh memory for reading it. */
static void poison(void *p, size_t n) {
    __asm__("" : "+r"(p));
    __asan_poison_memory_region(p, n);
}
static void unpoison(void *p, size_t n) { __asan_unpoison_memory_region(p, n); }
#else
#define RED_ZONE_BYTES 0
static void poison(void *p, size_t n) { (void)p, (void)n; }
static void unpoison(void *p, size_t n) { (void)p, (void)n; }
#endif

#define ALIGN          (alignof(max_align_t))
#define NEXT_BLOCK_MIN 4096
#define NOT_SECRET     SIZE_MAX

struct block {
    struct block *next;
    size_t cap, used;
    size_t secret_from; /* offset that wiping begins at; NOT_SECRET: nothing to wipe */
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct block *first, *last;
    size_t handed_out;
    bool holds_secret;
};

static void __attribute__((noreturn)) die_of_hunger(void) {
    fputs("grantd: out of memory\n", stderr);
    abort();
}

static struct block *block_new(size_t cap, size_t secret_from) {
    struct block *b = cap < SIZE_MAX / 2 ? malloc(sizeof *b + cap) : NULL;
    if (!b) die_of_hunger();
    *b = (struct block){.cap = cap, .secret_from = secret_from};
    poison(b->data, cap);
    return b;
}

static void block_clean(struct block *b) {
    if (b->secret_from < b->used) {
        unpoison(b->data, b->cap);
        explicit_bzero(b->data + b->secret_from, b->used - b->secret_from);
    }
    b->used = 0;
    b->secret_from = NOT_SECRET;
    poison(b->data, b->cap);
}

static void block_free(struct block *b) {
    block_clean(b);
    unpoison(b->data, b->cap);
    free(b);
}

struct arena *arena_new(size_t first_bytes) {
    struct arena *a = malloc(sizeof *a);
    if (!a) die_of_hunger();
    struct block *first = block_new(first_bytes, NOT_SECRET);
    *a = (struct arena){.first = first, .last = first};
    return a;
}

static void free_after(struct block *b) {
    for (struct block *next, *at = b->next; at; at = next) {
        next = at->next;
        block_free(at);
    }
    b->next = NULL;
}

void arena_free(struct arena *a) {
    if (!a) return;
    free_after(a->first);
    block_free(a->first);
    free(a);
}

void arena_reset(struct arena *a) {
    free_after(a->first);
    block_clean(a->first);
    *a = (struct arena){.first = a->first, .last = a->first};
}

/* Blocks double, so that the number of blocks stays small whatever is asked for. */
static void add_block(struct arena *a, size_t room) {
    size_t cap = a->last->cap < SIZE_MAX / 4 ? a->last->cap * 2 : room;
    if (cap < NEXT_BLOCK_MIN) cap = NEXT_BLOCK_MIN;
    if (cap < room) cap = room;
    a->last->next = block_new(cap, a->holds_secret ? 0 : NOT_SECRET);
    a->last = a->last->next;
}

void *arena_alloc(struct arena *a, size_t n) {
    if (n > SIZE_MAX / 4) die_of_hunger();
    size_t room = ((n ? n : 1) + RED_ZONE_BYTES + ALIGN - 1) & ~(ALIGN - 1);
    if (room > a->last->cap - a->last->used) add_block(a, room);
    void *p = a->last->data + a->last->used;
    a->last->used += room;
    a->handed_out += n;
    unpoison(p, n);
    return p;
}

void *arena_zalloc(struct arena *a, size_t n) {
    void *p = arena_alloc(a, n);
    memset(p, 0, n);
    return p;
}

void *arena_zalloc_array(struct arena *a, size_t size, size_t count) {
    size_t n;
    if (__builtin_mul_overflow(size, count, &n)) die_of_hunger();
    return arena_zalloc(a, n);
}

void *arena_alloc_secret(struct arena *a, size_t n) {
    if (!a->holds_secret) {
        a->holds_secret = true;
        a->last->secret_from = a->last->used;
    }
    return arena_alloc(a, n);
}

str arena_lower(struct arena *a, str s) {
    char *p = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) p[i] = char_lower(s.p[i]);
    p[s.n] = 0;
    return (str){p, s.n};
}

str arena_copy(struct arena *a, str s) {
    if (s.n == 0) return S("");
    char *p = arena_alloc(a, s.n);
    memcpy(p, s.p, s.n);
    return (str){p, s.n};
}

char *arena_cstr(struct arena *a, str s) {
    char *p = arena_alloc(a, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

str arena_printf(struct arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) n = 0;
    char *p = arena_alloc(a, (size_t)n + 1);
    p[0] = '\0';
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return (str){p, (size_t)n};
}

size_t arena_used(const struct arena *a) { return a->handed_out; }
