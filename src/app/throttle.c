#include "throttle.h"

#include "digest.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS    2048 /* a power of two */
#define WAYS       8
#define LOCKS      64 /* divides BUCKETS */
#define FREE_TRIES 3  /* failures that delay nothing */

struct tries {
    uint64_t key; /* 0: free */
    int64_t began_ms, last_ms;
    uint32_t n;
};

struct throttle {
    uint8_t key[16];
    pthread_mutex_t locks[LOCKS];
    struct tries table[BUCKETS][WAYS];
};

struct throttle *throttle_new(const uint8_t key[16]) {
    struct throttle *t = calloc(1, sizeof *t);
    if (!t) abort();
    memcpy(t->key, key, sizeof t->key);
    for (size_t i = 0; i < LOCKS; i++) pthread_mutex_init(&t->locks[i], NULL);
    return t;
}

void throttle_free(struct throttle *t) {
    if (!t) return;
    for (size_t i = 0; i < LOCKS; i++) pthread_mutex_destroy(&t->locks[i]);
    free(t);
}

uint64_t throttle_key(const struct throttle *t, str label, str name) {
    uint64_t parts[2] = {digest_short(t->key, label), digest_short(t->key, name)};
    uint64_t key = digest_short(t->key, (str){(const char *)parts, sizeof parts});
    return key ? key : 1;
}

static pthread_mutex_t *lock_of(struct throttle *t, uint64_t key) { return &t->locks[key & (LOCKS - 1)]; }
static struct tries *bucket_of(struct throttle *t, uint64_t key) { return t->table[key & (BUCKETS - 1)]; }

/* Tries do not come in the order of their times (each has that of its request): one that is a little older than the window is
 * in it, and does not begin it anew. */
static bool is_open(const struct tries *s, int64_t now_ms) {
    int64_t age_ms = now_ms - s->began_ms;
    return s->key && age_ms < THROTTLE_WINDOW_MS && age_ms > -THROTTLE_WINDOW_MS;
}

static struct tries *find(struct tries *bucket, uint64_t key) {
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].key == key) return &bucket[i];
    return NULL;
}

/* The key's own place with its window begun anew if it is over; else a free one, or that of the key that was quiet longest. */
static struct tries *claim(struct tries *bucket, uint64_t key, int64_t now_ms) {
    struct tries *s = find(bucket, key);
    if (s && is_open(s, now_ms)) return s;
    for (size_t i = 0; i < WAYS && !s; i++)
        if (!is_open(&bucket[i], now_ms)) s = &bucket[i];
    for (size_t i = 0; i < WAYS && (!s || is_open(s, now_ms)); i++)
        if (!s || bucket[i].last_ms < s->last_ms) s = &bucket[i];
    *s = (struct tries){.key = key, .began_ms = now_ms};
    return s;
}

/* 1, 2, 4 ... seconds. */
static int64_t delay_ms(const struct tries *s) {
    if (s->n < FREE_TRIES) return 0;
    uint32_t doublings = s->n - FREE_TRIES < 9 ? s->n - FREE_TRIES : 9;
    return INT64_C(1000) << doublings;
}

static int64_t wait_ms(const struct tries *s, uint32_t limit, bool grows, int64_t now_ms) {
    int64_t window_ms = s->began_ms + THROTTLE_WINDOW_MS - now_ms;
    if (s->n >= limit) return window_ms;
    int64_t delay = grows ? delay_ms(s) : 0;
    int64_t next_ms = delay ? s->last_ms + delay - now_ms : 0;
    if (next_ms > window_ms) next_ms = window_ms;
    return next_ms > 0 ? next_ms : 0;
}

int64_t throttle_take(struct throttle *t, uint64_t key, uint32_t limit, bool grows, int64_t now_ms) {
    if (limit == 0) return 0;
    pthread_mutex_lock(lock_of(t, key));
    struct tries *s = claim(bucket_of(t, key), key, now_ms);
    int64_t wait = wait_ms(s, limit, grows, now_ms);
    if (wait == 0) {
        s->n++;
        if (now_ms > s->last_ms) s->last_ms = now_ms;
    }
    pthread_mutex_unlock(lock_of(t, key));
    return wait;
}

void throttle_give_back(struct throttle *t, uint64_t key) {
    pthread_mutex_lock(lock_of(t, key));
    struct tries *s = find(bucket_of(t, key), key);
    if (s && s->n) s->n--;
    pthread_mutex_unlock(lock_of(t, key));
}
