#include "metrics.h"

#include <stdlib.h>
#include <time.h>

struct metrics *metrics_new(void) {
    struct metrics *m = calloc(1, sizeof *m);
    if (!m) abort();
    return m;
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t metrics_begin(struct metrics *m) {
    if (!m) return 0;
    metrics_add(&m->begun, 1);
    return now_us();
}

/* 64 << n holds up to 64 * 2^n. */
size_t metrics_bucket(int64_t took_us) {
    if (took_us <= METRICS_FIRST_US) return 0;
    size_t n = (size_t)(64 - __builtin_clzll((uint64_t)took_us - 1)) - 6;
    return n < METRICS_BUCKETS ? n : METRICS_BUCKETS;
}

static void count_duration(struct metrics_route *route, int64_t took_us) {
    size_t bucket = metrics_bucket(took_us);
    if (bucket < METRICS_BUCKETS) metrics_add(&route->took[bucket], 1);
    metrics_add(&route->count, 1);
    metrics_add(&route->took_us, (uint64_t)took_us);
}

void metrics_end(struct metrics *m, const struct metrics_request *q) {
    if (!m) return;
    struct metrics_route *route = &m->routes[q->route < METRICS_ROUTES_MAX ? q->route : METRICS_ROUTES_MAX];
    size_t class = (size_t)q->status / 100 - 1;
    metrics_add(&m->ended, 1);
    if (class < METRICS_CLASSES) metrics_add(&route->by_class[class], 1);
    if (q->refusal != REFUSAL_NONE) metrics_add(&m->refusals[q->refusal], 1);
    count_duration(route, now_us() - q->begun_us);
}

void metrics_unread(struct metrics *m, int status) {
    size_t place = (size_t)(status - METRICS_STATUS_MIN);
    if (m && place < METRICS_STATUSES) metrics_add(&m->unread[place], 1);
}

void metrics_password(struct metrics *m, enum password_fact result) {
    if (m) metrics_add(&m->passwords[result], 1);
}

void metrics_store_fault(struct metrics *m, enum metrics_store_fault kind) {
    if (m) metrics_add(&m->store_faults[kind], 1);
}
