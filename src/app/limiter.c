#include "limiter.h"

#include "digest.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUCKETS 2048 /* a power of two */
#define WAYS    8
#define LOCKS   64 /* divides BUCKETS */

struct pair_state {
    uint64_t pair; /* 0: free */
    int64_t began_ms;
    uint32_t failures[2]; /* by counter_of */
};

struct limiter {
    uint8_t key[16];
    _Atomic uint32_t limit[2];
    _Atomic int64_t last_failure_ms;
    pthread_mutex_t locks[LOCKS];
    struct pair_state table[BUCKETS][WAYS];
};

static size_t counter_of(enum refusal_counts what) { return what == COUNTS_GRANT ? 1 : 0; }

void limiter_set_limits(struct limiter *l, struct limiter_limits limits) {
    atomic_store_explicit(&l->limit[counter_of(COUNTS_AUTH)], limits.auth, memory_order_relaxed);
    atomic_store_explicit(&l->limit[counter_of(COUNTS_GRANT)], limits.grant, memory_order_relaxed);
}

struct limiter *limiter_new(struct limiter_limits limits, const uint8_t key[16]) {
    struct limiter *l = calloc(1, sizeof *l);
    if (!l) abort();
    memcpy(l->key, key, sizeof l->key);
    limiter_set_limits(l, limits);
    atomic_init(&l->last_failure_ms, -LIMITER_WINDOW_MS);
    for (size_t i = 0; i < LOCKS; i++) pthread_mutex_init(&l->locks[i], NULL);
    return l;
}

void limiter_free(struct limiter *l) {
    if (!l) return;
    for (size_t i = 0; i < LOCKS; i++) pthread_mutex_destroy(&l->locks[i]);
    free(l);
}

/* The bytes of an address that count: all of IPv4 (also when it is mapped into IPv6), the first 64 bits of IPv6, because a
 * subscriber has a /64 to himself; anything else as it stands. */
static str address_key(str address, uint8_t out[16]) {
    char text[INET6_ADDRSTRLEN + 1];
    if (address.n == 0 || address.n >= sizeof text) return address;
    memcpy(text, address.p, address.n);
    text[address.n] = 0;
    if (inet_pton(AF_INET, text, out) == 1) return (str){(const char *)out, 4};
    if (inet_pton(AF_INET6, text, out) != 1) return address;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(out, mapped, sizeof mapped) == 0) return (str){(const char *)out + 12, 4};
    return (str){(const char *)out, 8};
}

str limiter_address(str address, struct arena *arena) {
    uint8_t bytes[16];
    return arena_copy(arena, address_key(address, bytes));
}

uint64_t limiter_pair(const struct limiter *l, str client_id, str address) {
    uint8_t bytes[16];
    str where = address_key(address, bytes);
    uint64_t parts[2] = {digest_short(l->key, client_id), digest_short(l->key, where)};
    uint64_t pair = digest_short(l->key, (str){(const char *)parts, sizeof parts});
    return pair ? pair : 1;
}

static struct pair_state *bucket_of(struct limiter *l, uint64_t pair) { return l->table[pair & (BUCKETS - 1)]; }
static pthread_mutex_t *lock_of(struct limiter *l, uint64_t pair) { return &l->locks[pair & (LOCKS - 1)]; }

/* Failures do not come in the order of their times (each has that of its request): one that is a little older than the window is
 * in it, and does not begin it anew. */
static bool is_open(const struct pair_state *s, int64_t now_ms) {
    int64_t age_ms = now_ms - s->began_ms;
    return s->pair && age_ms < LIMITER_WINDOW_MS && age_ms > -LIMITER_WINDOW_MS;
}

static struct pair_state *find(struct pair_state *bucket, uint64_t pair, int64_t now_ms) {
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].pair == pair && is_open(&bucket[i], now_ms)) return &bucket[i];
    return NULL;
}

static struct limiter_verdict judge(const struct limiter *l, const struct pair_state *s, unsigned counts,
                                    int64_t now_ms) {
    static const enum refusal_counts kinds[] = {COUNTS_AUTH, COUNTS_GRANT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t counter = counter_of(kinds[i]);
        if (!(counts & (1U << kinds[i])) || !l->limit[counter] || s->failures[counter] < l->limit[counter]) continue;
        return (struct limiter_verdict){true, l->limit[counter], s->began_ms + LIMITER_WINDOW_MS - now_ms};
    }
    return (struct limiter_verdict){0};
}

struct limiter_verdict limiter_check(struct limiter *l, uint64_t pair, unsigned counts, int64_t now_ms) {
    struct limiter_verdict verdict = {0};
    int64_t last_ms = atomic_load_explicit(&l->last_failure_ms, memory_order_relaxed);
    if (now_ms - last_ms >= LIMITER_WINDOW_MS) return verdict;
    pthread_mutex_lock(lock_of(l, pair));
    const struct pair_state *s = find(bucket_of(l, pair), pair, now_ms);
    if (s) verdict = judge(l, s, counts, now_ms);
    pthread_mutex_unlock(lock_of(l, pair));
    return verdict;
}

/* The pair's place: its own, a free or finished one, or that of the oldest. */
static struct pair_state *claim(struct pair_state *bucket, uint64_t pair, int64_t now_ms) {
    struct pair_state *s = find(bucket, pair, now_ms);
    if (s) return s;
    s = &bucket[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (!is_open(&bucket[i], now_ms)) {
            s = &bucket[i];
            break;
        }
        if (bucket[i].began_ms < s->began_ms) s = &bucket[i];
    }
    *s = (struct pair_state){.pair = pair, .began_ms = now_ms};
    return s;
}

void limiter_count(struct limiter *l, uint64_t pair, enum refusal_counts what, int64_t now_ms) {
    if (what == COUNTS_NOT) return;
    pthread_mutex_lock(lock_of(l, pair));
    struct pair_state *s = claim(bucket_of(l, pair), pair, now_ms);
    if (s->failures[counter_of(what)] < UINT32_MAX) s->failures[counter_of(what)]++;
    pthread_mutex_unlock(lock_of(l, pair));
    int64_t last_ms = atomic_load_explicit(&l->last_failure_ms, memory_order_relaxed);
    if (now_ms > last_ms) atomic_store_explicit(&l->last_failure_ms, now_ms, memory_order_relaxed);
}
