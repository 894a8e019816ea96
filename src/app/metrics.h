/* metrics: what the loops count. Each loop has counters of its own, which it alone writes, without locks; who looks adds them up. Metrics that
 * NULL stands for are not kept. */
#ifndef GRANTD_METRICS_H
#define GRANTD_METRICS_H

#include <stdatomic.h>

#include "oauth.h"
#include "rc.h"

#define METRICS_ROUTES_MAX 64 /* rows of the table of routes; the last one counts what has no route */
#define METRICS_CLASSES    5  /* 1xx to 5xx */
#define METRICS_BUCKETS    18 /* of durations: 64 us, 128 us, ... 8.4 s; what took longer is in the count only */
#define METRICS_FIRST_US   64
#define METRICS_STATUS_MIN 400
#define METRICS_STATUSES   120

typedef _Atomic uint64_t metrics_counter;

struct metrics_route {
    metrics_counter by_class[METRICS_CLASSES];
    metrics_counter took[METRICS_BUCKETS]; /* each duration in one of them */
    metrics_counter count, took_us;
};

enum metrics_store_fault { METRICS_STORE_BUSY, METRICS_STORE_FAILED, METRICS_STORE_FAULTS };

struct metrics {
    metrics_counter begun, ended;
    struct metrics_route routes[METRICS_ROUTES_MAX + 1];
    metrics_counter refusals[REFUSAL_COUNT];
    metrics_counter unread[METRICS_STATUSES];
    metrics_counter passwords[PASSWORD_THROTTLED + 1];
    metrics_counter store_faults[METRICS_STORE_FAULTS];
};

struct metrics *metrics_new(void); /* zeros; the caller frees it */

/* A request begins; what comes back is its time for metrics_end. */
int64_t metrics_begin(struct metrics *m);

struct metrics_request {
    size_t route; /* the place in route_rows; METRICS_NO_ROUTE: none */
    int status;
    enum refusal refusal; /* REFUSAL_NONE: it was not refused */
    int64_t begun_us;
};
#define METRICS_NO_ROUTE ((size_t)-1)
void metrics_end(struct metrics *m, const struct metrics_request *q);

/* What web refused by itself, with that status. */
void metrics_unread(struct metrics *m, int status);
void metrics_password(struct metrics *m, enum password_fact result);
void metrics_store_fault(struct metrics *m, enum metrics_store_fault kind);

/* The bucket of a duration; METRICS_BUCKETS when it took longer than the last one holds. */
size_t metrics_bucket(int64_t took_us);

/* One more, by the only thread that writes it. */
static inline void metrics_add(metrics_counter *c, uint64_t n) {
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
