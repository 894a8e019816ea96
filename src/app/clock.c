#include "clock.h"

#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* Behind the machine: jump to it. Ahead of it: the first look only notes the time, the next ones give back half of what has passed. */
int64_t clock_advance(struct clock_state *c, int64_t wall_ms, int64_t steady_ms, int64_t *step_ms) {
    int64_t gap_ms = wall_ms - steady_ms - c->offset_ms;
    *step_ms = 0;
    if (gap_ms >= 0) {
        if (gap_ms > CLOCK_STEP_MS) *step_ms = gap_ms;
        c->offset_ms += gap_ms;
        c->slowed = false;
    } else if (!c->slowed) {
        if (gap_ms < -CLOCK_STEP_MS) *step_ms = gap_ms;
        c->slowed = true;
        c->since_ms = steady_ms;
    } else {
        int64_t back_ms = (steady_ms - c->since_ms) / 2;
        if (back_ms > -gap_ms) back_ms = -gap_ms;
        c->offset_ms -= back_ms;
        c->since_ms += back_ms * 2;
        c->slowed = back_ms + gap_ms < 0;
    }
    return steady_ms + c->offset_ms;
}

static int64_t read_ms(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool started;
static struct clock_state state;
static _Atomic int64_t offset_ms; /* of state, for the way without the lock */
static _Atomic int64_t stands_ms; /* 0: it runs */

void clock_stand_at(int64_t ms) { atomic_store_explicit(&stands_ms, ms, memory_order_relaxed); }

/* Both clocks at one moment: a thread that is put to sleep between the two readings reads again. */
static void read_both(int64_t *wall_ms, int64_t *steady_ms) {
    int64_t before_ms;
    do {
        before_ms = read_ms(CLOCK_BOOTTIME);
        *wall_ms = read_ms(CLOCK_REALTIME);
        *steady_ms = read_ms(CLOCK_BOOTTIME);
    } while (*steady_ms - before_ms > 1);
}

static int64_t advance_locked(void) {
    int64_t step_ms = 0, wall_ms, steady_ms;
    pthread_mutex_lock(&lock);
    read_both(&wall_ms, &steady_ms);
    if (!started) state.offset_ms = wall_ms - steady_ms;
    started = true;
    int64_t now_ms = clock_advance(&state, wall_ms, steady_ms, &step_ms);
    atomic_store_explicit(&offset_ms, state.offset_ms, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    if (step_ms) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)step_ms);
        LOG(EVENT_CLOCK_STEPPED, NULL, text);
    }
    return now_ms;
}

int64_t clock_now_ms(void) {
    int64_t at_ms = atomic_load_explicit(&stands_ms, memory_order_relaxed);
    if (at_ms) return at_ms;
    int64_t steady_ms = read_ms(CLOCK_BOOTTIME), wall_ms = read_ms(CLOCK_REALTIME);
    int64_t offset = atomic_load_explicit(&offset_ms, memory_order_relaxed);
    int64_t gap_ms = wall_ms - steady_ms - offset;
    if (gap_ms >= -CLOCK_SLACK_MS && gap_ms <= CLOCK_SLACK_MS) return steady_ms + offset;
    return advance_locked();
}
