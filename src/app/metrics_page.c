#include "metrics_page.h"

#include "routes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE_BYTES_MAX (1u << 20)
#define MS_PER_S       1000
#define US_PER_S       1000000

enum metric {
#define METRIC(id, type, name, help) METRIC_##id,
#include "metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

static const struct family {
    enum metric_type type;
    const char *name, *help;
} families[] = {
#define METRIC(id, type, name, help) {type, name, help},
#include "metrics.def"
#undef METRIC
};

struct page {
    const struct metrics_source *from;
    struct buf out;
};

/* ---- lines ---- */

static void head(struct page *p, enum metric id) {
    static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    const struct family *f = &families[id];
    buf_printf(&p->out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, types[f->type]);
}

static void line(struct page *p, enum metric id, const char *labels, uint64_t value) {
    buf_printf(&p->out, "%s%s %llu\n", families[id].name, labels, (unsigned long long)value);
}

static void line_alone(struct page *p, enum metric id, uint64_t value) {
    head(p, id);
    line(p, id, "", value);
}

/* A number of millionths as seconds. */
static void add_seconds(struct page *p, uint64_t us) {
    buf_printf(&p->out, "%llu.%06llu\n", (unsigned long long)(us / US_PER_S), (unsigned long long)(us % US_PER_S));
}

/* ---- sums over the loops ---- */

static uint64_t read_counter(const metrics_counter *c) { return atomic_load_explicit(c, memory_order_relaxed); }

/* `at` is where the counter lies in every struct metrics. */
static uint64_t sum(const struct page *p, size_t at) {
    uint64_t total = 0;
    for (size_t i = 0; i < p->from->n_loops; i++)
        total += read_counter((const metrics_counter *)(const void *)((const char *)p->from->loops[i] + at));
    return total;
}
#define SUM(p, member) sum(p, offsetof(struct metrics, member))

/* ---- requests ---- */

/* Several rows of the table can be one endpoint; what has no route stands behind the last row. */
static const char *name_of_route(size_t n) { return n < route_count ? route_rows[n].endpoint->name : "none"; }
static size_t place_of_route(size_t n) { return n < route_count ? n : METRICS_ROUTES_MAX; }

static bool is_first_of_endpoint(size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_of(name_of_route(i)), str_of(name_of_route(n)))) return false;
    return true;
}

static uint64_t sum_endpoint(const struct page *p, size_t first, size_t at_in_route) {
    uint64_t total = 0;
    for (size_t n = first; n <= route_count; n++)
        if (str_eq(str_of(name_of_route(n)), str_of(name_of_route(first))))
            total += sum(p, offsetof(struct metrics, routes) + place_of_route(n) * sizeof(struct metrics_route) +
                                at_in_route);
    return total;
}
#define SUM_ENDPOINT(p, n, member) sum_endpoint(p, n, offsetof(struct metrics_route, member))

static void add_requests(struct page *p) {
    char labels[96];
    head(p, METRIC_REQUESTS);
    for (size_t n = 0; n <= route_count; n++) {
        if (!is_first_of_endpoint(n)) continue;
        for (int class = 0; class < METRICS_CLASSES; class ++) {
            uint64_t value =
                sum_endpoint(p, n, offsetof(struct metrics_route, by_class) + (size_t) class * sizeof(metrics_counter));
            snprintf(labels, sizeof labels, "{endpoint=\"%s\",status=\"%dxx\"}", name_of_route(n), class + 1);
            line(p, METRIC_REQUESTS, labels, value);
        }
    }
}

/* A request that ends while we look may be in a bucket and not yet in the count. */
static void add_duration(struct page *p, size_t n) {
    const char *name = families[METRIC_DURATION].name, *endpoint = name_of_route(n);
    uint64_t below = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        below += sum_endpoint(p, n, offsetof(struct metrics_route, took) + i * sizeof(metrics_counter));
        uint64_t le_us = (uint64_t)METRICS_FIRST_US << i;
        buf_printf(&p->out, "%s_bucket{endpoint=\"%s\",le=\"%llu.%06llu\"} %llu\n", name, endpoint,
                   (unsigned long long)(le_us / US_PER_S), (unsigned long long)(le_us % US_PER_S),
                   (unsigned long long)below);
    }
    uint64_t count = SUM_ENDPOINT(p, n, count);
    if (count < below) count = below;
    buf_printf(&p->out, "%s_bucket{endpoint=\"%s\",le=\"+Inf\"} %llu\n", name, endpoint, (unsigned long long)count);
    buf_printf(&p->out, "%s_sum{endpoint=\"%s\"} ", name, endpoint);
    add_seconds(p, SUM_ENDPOINT(p, n, took_us));
    buf_printf(&p->out, "%s_count{endpoint=\"%s\"} %llu\n", name, endpoint, (unsigned long long)count);
}

static void add_durations(struct page *p) {
    head(p, METRIC_DURATION);
    for (size_t n = 0; n <= route_count; n++)
        if (is_first_of_endpoint(n)) add_duration(p, n);
}

static void add_refusals(struct page *p) {
    char labels[160];
    head(p, METRIC_REFUSALS);
    for (size_t r = REFUSAL_NONE + 1; r < REFUSAL_COUNT; r++) {
        const struct refusal_row *row = refusal_row((enum refusal)r);
        snprintf(labels, sizeof labels, "{reason=\"%.*s\",error=\"%.*s\"}", STR_ARG(row->name), STR_ARG(row->error));
        line(p, METRIC_REFUSALS, labels, sum(p, offsetof(struct metrics, refusals) + r * sizeof(metrics_counter)));
    }
}

/* Those that have happened: which ones can is web's affair. */
static void add_unread(struct page *p) {
    char labels[32];
    head(p, METRIC_UNREAD);
    for (size_t i = 0; i < METRICS_STATUSES; i++) {
        uint64_t value = sum(p, offsetof(struct metrics, unread) + i * sizeof(metrics_counter));
        snprintf(labels, sizeof labels, "{status=\"%d\"}", METRICS_STATUS_MIN + (int)i);
        if (value) line(p, METRIC_UNREAD, labels, value);
    }
}

static void add_under_way(struct page *p) {
    uint64_t ended = SUM(p, ended), begun = SUM(p, begun); /* in this order, so that there are never less than none */
    line_alone(p, METRIC_UNDER_WAY, begun > ended ? begun - ended : 0);
}

static uint64_t open_connections(const struct metrics_source *source) {
    uint64_t total = 0;
    for (size_t i = 0; source->web_loops && i < source->n_loops; i++)
        total += web_loop_connections(source->web_loops[i]);
    return total;
}

static void add_passwords(struct page *p) {
    head(p, METRIC_PASSWORDS);
    line(p, METRIC_PASSWORDS, "{result=\"right\"}", SUM(p, passwords[PASSWORD_RIGHT]));
    line(p, METRIC_PASSWORDS, "{result=\"wrong\"}", SUM(p, passwords[PASSWORD_WRONG]));
    line(p, METRIC_PASSWORDS, "{result=\"throttled\"}", SUM(p, passwords[PASSWORD_THROTTLED]));
}

/* ---- the store and the keys ---- */

static void add_batches(struct page *p) {
    const struct db_stats *stats = &p->from->instance->db->stats;
    const char *name = families[METRIC_STORE_BATCH].name;
    uint64_t below = 0, changes = atomic_load_explicit(&stats->changes, memory_order_relaxed);
    head(p, METRIC_STORE_BATCH);
    for (unsigned i = 0; i < DB_BATCH_BUCKETS; i++) {
        below += atomic_load_explicit(&stats->commits[i], memory_order_relaxed);
        if (i + 1 < DB_BATCH_BUCKETS)
            buf_printf(&p->out, "%s_bucket{le=\"%u\"} %llu\n", name, 1U << i, (unsigned long long)below);
    }
    buf_printf(&p->out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu\n%s_count %llu\n", name, (unsigned long long)below,
               name, (unsigned long long)changes, name, (unsigned long long)below);
}

static void add_store(struct page *p) {
    int64_t waiting = atomic_load_explicit(&p->from->instance->db->stats.waiting, memory_order_relaxed);
    line_alone(p, METRIC_STORE_WAITING, waiting > 0 ? (uint64_t)waiting : 0);
    add_batches(p);
    head(p, METRIC_STORE_FAULTS);
    line(p, METRIC_STORE_FAULTS, "{kind=\"busy\"}", SUM(p, store_faults[METRICS_STORE_BUSY]));
    line(p, METRIC_STORE_FAULTS, "{kind=\"failed\"}", SUM(p, store_faults[METRICS_STORE_FAILED]));
}

static void add_age(struct page *p, const char *labels, int64_t since_ms) {
    int64_t age_ms = p->from->now_ms - since_ms;
    line(p, METRIC_KEY_AGE, labels, age_ms > 0 ? (uint64_t)(age_ms / MS_PER_S) : 0);
}

static void add_keys(struct page *p) {
    const struct keyset *keys = p->from->instance->snapshot->keys;
    head(p, METRIC_KEY_AGE);
    if (keys->ring.current) add_age(p, "{kind=\"ring\"}", keys->ring.current->created_ms);
    for (size_t i = 0; i < KEY_KINDS; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "{kind=\"%s\"}", key_kind_name((enum key_kind)i));
        if (keys->signing_since_ms[i]) add_age(p, labels, keys->signing_since_ms[i]);
    }
    head(p, METRIC_KEYS);
    line(p, METRIC_KEYS, "{kind=\"ring\"}", keys->ring.n);
    line(p, METRIC_KEYS, "{kind=\"signing\"}", keys->signers.keys.n);
}

/* ---- the process ---- */

static void add_build(struct page *p) {
    char labels[128];
    const char *store = p->from->instance->db->driver->name;
    head(p, METRIC_BUILD);
    snprintf(labels, sizeof labels, "{version=\"%s\",store=\"%s\"}", GRANTD_VERSION, store);
    line(p, METRIC_BUILD, labels, 1);
}

/* The second number of /proc/self/statm, in pages; 0 when there is no /proc. */
static uint64_t resident_bytes(void) {
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (fscanf(f, "%llu %llu", &size, &resident) != 2) resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Without ".", ".." and the one that looks. */
static uint64_t open_files(void) {
    uint64_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n > 3 ? n - 3 : 0;
}

static uint64_t cpu_us(void) {
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used)) return 0;
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * US_PER_S +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void add_process(struct page *p) {
    line_alone(p, METRIC_RSS, resident_bytes());
    head(p, METRIC_CPU);
    buf_printf(&p->out, "%s ", families[METRIC_CPU].name);
    add_seconds(p, cpu_us());
    line_alone(p, METRIC_FDS, open_files());
    line_alone(p, METRIC_START, (uint64_t)(p->from->begun_ms / MS_PER_S));
}

str metrics_page(const struct metrics_source *source, struct arena *arena) {
    struct page p = {source, buf_growing(PAGE_BYTES_MAX)};
    add_build(&p);
    line_alone(&p, METRIC_DRAINING, source->draining);
    line_alone(&p, METRIC_CONNECTIONS, open_connections(source));
    add_under_way(&p);
    add_requests(&p);
    add_durations(&p);
    add_refusals(&p);
    add_unread(&p);
    add_passwords(&p);
    add_store(&p);
    add_keys(&p);
    line_alone(&p, METRIC_REGISTRY, (uint64_t)source->instance->registry->version);
    add_process(&p);
    str page = arena_copy(arena, buf_failed(&p.out) ? (str){NULL, 0} : buf_str(&p.out));
    buf_free(&p.out);
    return page;
}
