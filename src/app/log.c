#include "log.h"

#include "json_write.h"
#include "timetext.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define RING_LINES 256
#define FIELD_MAX  240 /* bytes of one value that are kept */

const struct event_row event_rows[EVENT_COUNT] = {
#define EVENT(name, level, fields, sentence) {#name, LEVEL_##level, fields, sentence},
#include "events.def"
#undef EVENT
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static _Atomic int threshold = LEVEL_INFO;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_t thread;
    bool running, stopping;
    size_t first, count;
    uint64_t dropped;
    size_t length[RING_LINES];
    char line[RING_LINES][LOG_LINE_MAX];
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

void log_set_level(enum log_level level) { atomic_store(&threshold, (int)level); }

bool log_level_parse(str text, enum log_level *out) {
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (!str_eq(text, str_of(level_names[i]))) continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}

size_t log_format(enum event event, int64_t time_ms, const char *correlation_id, const char *const *values,
                  char out[LOG_LINE_MAX]) {
    const struct event_row *row = &event_rows[event];
    struct buf b = buf_on(out, LOG_LINE_MAX - 3); /* room for the end of a line that was cut */
    struct json j = json_on(&b);
    char time_text[TIMETEXT_ISO_BYTES];
    timetext_iso(time_ms, time_text);
    json_open(&j);
    json_member_str(&j, S("time"), str_of(time_text));
    json_member_str(&j, S("level"), str_of(level_names[row->level]));
    json_member_str(&j, S("event"), str_of(row->name));
    json_member_str(&j, S("message"), str_of(row->sentence));
    if (correlation_id) json_member_str(&j, S("correlation_id"), str_of(correlation_id));
    size_t good = b.n; /* a value that does not fit is left out with those behind it */
    for (str fields = str_of(row->fields); fields.n && *values; values++) {
        json_member_str(&j, str_take(&fields, ' '), str_head(str_of(*values), FIELD_MAX));
        if (buf_failed(&b)) break;
        good = b.n;
    }
    memcpy(out + good, "}\n", 2);
    return good + 2;
}

static void write_out(const char *p, size_t n) {
    while (n) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done <= 0) return; /* nobody reads our log: there is nobody to tell */
        p += done;
        n -= (size_t)done;
    }
}

static int64_t wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Puts a line into the ring. False when nobody empties it: the caller writes by itself. */
static bool enqueue(const char *line, size_t n) {
    pthread_mutex_lock(&ring.lock);
    bool running = ring.running;
    if (running && ring.count == RING_LINES) {
        ring.dropped++;
    } else if (running) {
        size_t place = (ring.first + ring.count) % RING_LINES;
        memcpy(ring.line[place], line, n);
        ring.length[place] = n;
        if (ring.count++ == 0) pthread_cond_signal(&ring.filled);
    }
    pthread_mutex_unlock(&ring.lock);
    return running;
}

void log_write(enum event event, const char *correlation_id, const char *const *values) {
    if ((int)event_rows[event].level < atomic_load_explicit(&threshold, memory_order_relaxed)) return;
    char line[LOG_LINE_MAX];
    size_t n = log_format(event, wall_ms(), correlation_id, values, line);
    if (!enqueue(line, n)) write_out(line, n);
}

static void write_dropped(uint64_t dropped) {
    char line[LOG_LINE_MAX], number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)dropped);
    write_out(line, log_format(EVENT_LOG_DROPPED, wall_ms(), NULL, (const char *const[]){number, NULL}, line));
}

/* Takes one line out of the ring. False when it is empty and the writer is to end. */
static bool dequeue(char line[LOG_LINE_MAX], size_t *n, uint64_t *dropped) {
    pthread_mutex_lock(&ring.lock);
    while (ring.count == 0 && !ring.stopping) pthread_cond_wait(&ring.filled, &ring.lock);
    bool some = ring.count > 0;
    if (some) {
        *n = ring.length[ring.first];
        memcpy(line, ring.line[ring.first], *n);
        ring.first = (ring.first + 1) % RING_LINES;
        ring.count--;
    }
    *dropped = ring.count == 0 ? ring.dropped : 0;
    if (ring.count == 0) ring.dropped = 0;
    pthread_mutex_unlock(&ring.lock);
    return some;
}

static void *writer(void *arg) {
    (void)arg;
    char line[LOG_LINE_MAX];
    size_t n = 0;
    uint64_t dropped = 0;
    while (dequeue(line, &n, &dropped)) {
        write_out(line, n);
        if (dropped) write_dropped(dropped);
    }
    return NULL;
}

RC log_start(void) {
    if (pthread_create(&ring.thread, NULL, writer, NULL))
        return rc_fail(FAULT_IO, "cannot start the thread of the log");
    pthread_mutex_lock(&ring.lock);
    ring.running = true;
    ring.stopping = false;
    pthread_mutex_unlock(&ring.lock);
    return RC_OK;
}

void log_stop(void) {
    pthread_mutex_lock(&ring.lock);
    bool running = ring.running;
    ring.running = false;
    ring.stopping = true;
    pthread_cond_signal(&ring.filled);
    pthread_mutex_unlock(&ring.lock);
    if (running) pthread_join(ring.thread, NULL);
}
