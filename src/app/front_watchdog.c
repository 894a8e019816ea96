#include "front_watchdog.h"

#include "front_notify.h"

static void on_answer(void *arg) { atomic_fetch_sub(&((struct front_watchdog *)arg)->silent, 1); }

/* A loop that hangs answers no question, and nobody hears that we live. */
static void on_tick(void *arg) {
    struct front_watchdog *w = arg;
    if (atomic_load(&w->silent)) return;
    front_notify_alive();
    atomic_store(&w->silent, w->n);
    for (size_t i = 0; i < w->n; i++) web_loop_post(w->loops[i], on_answer, w);
}

RC front_watchdog_start(struct front_watchdog *w, struct web_loop *main_loop) {
    int64_t period_ms = front_notify_period_ms();
    return period_ms > 0 ? web_loop_every(main_loop, period_ms, on_tick, w) : RC_OK;
}
