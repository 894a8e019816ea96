/* metrics_page: /metrics in the text format of Prometheus (version 0.0.4). */
#ifndef GRANTD_METRICS_PAGE_H
#define GRANTD_METRICS_PAGE_H

#include "instance.h"
#include "metrics.h"
#include "web.h"

/* Where the numbers come from. Everything is borrowed; the thread that owns `instance` looks. */
struct metrics_source {
    const struct instance *instance;
    const struct metrics *const *loops;
    struct web_loop *const *web_loops; /* as many; NULL: connections are not counted */
    size_t n_loops;
    bool draining;
    int64_t begun_ms, now_ms;
};

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The whole page, in the arena. */
str metrics_page(const struct metrics_source *source, struct arena *arena);

#endif
