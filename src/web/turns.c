/* Whose turn it is. A request is handled as soon as it is complete, unless the loop is behind: then requests wait in a line, and each round of
 * the loop hears everybody before it works on for a while. So what comes is known early, and what is too much is refused early and cheaply, the
 * oldest first, while the rest is answered in time. */
#include <time.h>

#include "h2.h"
#include "loop.h"

#define QUIET_MS 20 /* without a refusal: then it was a burst, and it is over */
#define ROUND_MS 10 /* of work in one round before others are heard: the resolution of the coarse clock is 1 to 4 ms */

/* The clock of uv_now, but of this very moment, and for a tenth of its price. */
static int64_t moment_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_behind(const struct web_loop *loop) {
    return loop->line.n || moment_ms() - (int64_t)uv_now(&loop->uv) >= ROUND_MS;
}

static bool is_gone(const struct web_exchange *x) {
    const struct conn *c = x->conn;
    return c->state == CONN_GONE || (x->stream && x->stream->closed) || transport_is_dead(c);
}

/* Before anything is done for it, so that those under way are finished in time. It was read to its end, so the connection can stay: to open another one
 * would cost both sides more than the refusal. Who asks again at once is not heard: to refuse all that can be asked would be all that we do. */
static void refuse(struct web_exchange *x) {
    struct web_response r;
    answer_fill_refusal(x->conn->loop, &(struct answer_refusal){503, &x->head}, x->arena, &r);
    r.close = false;
    x->conn->paused = !x->stream;
    x->conn->loop->refused_ms = moment_ms();
    web_respond(x, &r);
}

static void handle(struct web_exchange *x) {
    const struct listener *l = x->conn->listener;
    l->handler(x, &x->request, l->arg);
}

/* The handler has the others; of them none can be taken back. */
static struct waitline_limits limits_now(const struct web_loop *loop) {
    const struct web_options *o = &loop->options;
    size_t handled = loop->n_exchanges - loop->line.n;
    size_t room = o->exchanges_max > handled ? o->exchanges_max - handled : 0;
    return (struct waitline_limits){o->exchanges_max ? room : SIZE_MAX, o->turn_wait_max_ms};
}

static void shed(struct web_loop *loop) {
    for (;;) {
        struct waitline_limits limits = limits_now(loop);
        struct wait_link *link = waitline_shed(&loop->line, &limits, moment_ms());
        if (!link) return;
        refuse((struct web_exchange *)link);
    }
}

static struct conn *first_paused(struct web_loop *loop) {
    struct link *list = &loop->states[CONN_PAUSED];
    return list_is_empty(list) ? NULL : (struct conn *)list->next;
}

void turns_resume_all(struct web_loop *loop) {
    for (struct conn *c; (c = first_paused(loop));) conn_resume(c);
}

/* How many of those who were paused can be heard: what they will ask must not be too much again. */
static size_t room_for_paused(const struct web_loop *loop) {
    size_t half = loop->options.exchanges_max / 2;
    if (loop->line.n) return 0;
    if (!half) return FLUSH_MAX;
    return loop->n_exchanges < half ? half - loop->n_exchanges : 0;
}

/* Hears those who were paused before their time when the burst is over. While it lasts, room is what those have made who are about to ask again. */
static void resume(struct web_loop *loop) {
    if (!first_paused(loop)) return;
    int64_t quiet_ms = loop->refused_ms + QUIET_MS;
    if (moment_ms() < quiet_ms) {
        deadlines_arm(loop, quiet_ms);
        return;
    }
    size_t room = room_for_paused(loop);
    for (struct conn *c; room && (c = first_paused(loop)); room--) conn_resume(c);
    loop_flush(loop);
}

bool turns_drop_oldest(struct web_loop *loop) {
    struct wait_link *link = waitline_take(&loop->line);
    if (link) refuse((struct web_exchange *)link);
    return link != NULL;
}

static void on_idle(uv_idle_t *idle) { (void)idle; /* while it is there the loop does not sleep */ }

/* Nobody hears the answer: it is only let go. */
static void let_go(struct web_exchange *x) { web_respond(x, &(struct web_response){.status = 503, .close = true}); }

static void serve(struct web_loop *loop) {
    int64_t until_ms = moment_ms() + ROUND_MS;
    shed(loop);
    while (loop->line.n && moment_ms() < until_ms) {
        struct web_exchange *x = (struct web_exchange *)waitline_take(&loop->line);
        (is_gone(x) ? let_go : handle)(x);
        loop_flush_in_time(loop);
    }
    loop_flush(loop);
    if (loop->line.n == 0) uv_idle_stop(&loop->idle);
}

/* After the events of a round. What the round has closed gives its memory back behind us. */
static void on_check(uv_check_t *check) {
    struct web_loop *loop = check->data;
    size_t max = loop->options.bytes_max;
    loop_flush(loop);
    if (loop->line.n) serve(loop);
    resume(loop);
    if (max && loop->bytes.in_use > max) memory_shed(loop, loop->bytes.in_use - max);
}

static void wait_for_turn(struct web_exchange *x) {
    struct web_loop *loop = x->conn->loop;
    waitline_join(&loop->line, &x->wait, moment_ms());
    shed(loop);
    if (loop->line.n) uv_idle_start(&loop->idle, on_idle);
}

void turns_take(struct web_exchange *x) {
    struct web_loop *loop = x->conn->loop;
    unsigned max = loop->options.exchanges_max;
    loop->n_exchanges++;
    if (is_behind(loop) || (max && loop->n_exchanges > max))
        wait_for_turn(x);
    else
        handle(x);
}

void turns_open(struct web_loop *loop) {
    uv_idle_init(&loop->uv, &loop->idle);
    uv_check_init(&loop->uv, &loop->check);
    loop->check.data = loop;
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->check);
}

size_t web_loop_waiting(const struct web_loop *loop) { return loop->line.n; }
