#include "loop.h"

#include <signal.h>

#include "h2.h"
#include "must_alloc.h"
#include "random.h"

static struct conn *take_dirty(struct web_loop *loop) {
    struct conn *c = loop->first_dirty;
    if (!c) return NULL;
    loop->first_dirty = c->next_dirty;
    if (!loop->first_dirty) loop->last_dirty = NULL;
    loop->n_dirty--;
    return c;
}

/* Those of a batch stay dirty until their turn, so that they are in it once. A connection that is closed meanwhile is there until the end of
 * the round. */
void loop_flush(struct web_loop *loop) {
    while (loop->first_dirty) {
        struct conn *batch[FLUSH_MAX];
        size_t n = 0;
        while (n < FLUSH_MAX && (batch[n] = take_dirty(loop))) conn_hear(batch[n++]);
        for (size_t i = 0; i < n; i++) {
            batch[i]->dirty = false;
            conn_turn(batch[i]);
        }
    }
}

void loop_flush_in_time(struct web_loop *loop) {
    if (loop->n_dirty >= FLUSH_MAX) loop_flush(loop);
}

struct arena *loop_take_arena(struct web_loop *loop) {
    return loop->n_arenas ? loop->arenas[--loop->n_arenas] : arena_new(ARENA_FIRST_BYTES);
}

void loop_give_arena(struct web_loop *loop, struct arena *arena) {
    if (loop->n_arenas == ARENA_POOL_MAX) {
        arena_free(arena);
        return;
    }
    arena_reset(arena);
    loop->arenas[loop->n_arenas++] = arena;
}

void web_set_data(struct web_exchange *x, void *data) { x->data = data; }
void *web_data(struct web_exchange *x) { return x->data; }

unsigned web_loop_connections(const struct web_loop *loop) {
    return atomic_load_explicit(&loop->n_conns, memory_order_relaxed);
}

/* --- draining ------------------------------------------------------------------------------------------------------ */

void loop_check_drained(struct web_loop *loop) {
    if (loop->nobody_comes && web_loop_connections(loop) == 0 && loop->n_exchanges == 0) uv_stop(&loop->uv);
}

static void stop_listening(struct web_loop *loop) {
    listeners_close(loop);
    loop->nobody_comes = true;
}

static void close_all(struct web_loop *loop, enum conn_state state) {
    struct link *list = &loop->states[state];
    while (!list_is_empty(list)) conn_close((struct conn *)list->next);
}

static void on_drain_deadline(uv_timer_t *timer) {
    struct web_loop *loop = timer->data;
    for (int state = 0; state < CONN_GONE; state++) close_all(loop, (enum conn_state)state);
    uv_stop(&loop->uv);
}

/* HTTP/2 says so when a connection takes nothing new: first that this will come, then which requests were the last. */
static void leave_http2(struct web_loop *loop, bool now) {
    for (int state = 0; state < CONN_GONE; state++)
        for (struct link *at = loop->states[state].next; at != &loop->states[state]; at = at->next)
            if (((struct conn *)at)->h2) h2_leave((struct conn *)at, now);
    loop_flush(loop);
}

/* What had arrived when we were told to stop has been read: from now on nothing new begins. */
static void on_grace_over(uv_timer_t *timer) {
    struct web_loop *loop = timer->data;
    int64_t left_ms = loop->drain_ms > DRAIN_GRACE_MS ? loop->drain_ms - DRAIN_GRACE_MS : 0;
    loop->grace_over = true;
    stop_listening(loop);
    leave_http2(loop, true);
    close_all(loop, CONN_IDLE);
    uv_timer_start(timer, on_drain_deadline, (uint64_t)left_ms, 0);
    loop_check_drained(loop);
}

/* This process may have slept through its grace, or all of the machine: what came meanwhile is read before somebody is left. */
static void on_grace_timer(uv_timer_t *timer) { uv_timer_start(timer, on_grace_over, 1, 0); }

static void drain(struct web_loop *loop, int64_t drain_ms, bool hand_over) {
    if (loop->draining && drain_ms >= loop->drain_ms) return;
    loop->drain_ms = drain_ms;
    if (loop->grace_over) { /* asked again, and for less */
        on_grace_over(&loop->drain_timer);
        return;
    }
    loop->draining = true;
    turns_resume_all(loop);
    leave_http2(loop, false);
    if (hand_over) stop_listening(loop);
    int64_t grace_ms = hand_over ? HAND_OVER_GRACE_MS : DRAIN_GRACE_MS;
    uv_timer_start(&loop->drain_timer, on_grace_timer, (uint64_t)(drain_ms < grace_ms ? drain_ms : grace_ms), 0);
    loop_check_drained(loop);
}

/* --- from other threads -------------------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *async) {
    struct web_loop *loop = async->data;
    if (loop->wake.fn) loop->wake.fn(loop->wake.arg);
    loop_flush(loop);
}

static void on_post(uv_async_t *async) {
    struct web_loop *loop = async->data;
    pthread_mutex_lock(&loop->post_lock);
    struct post *post = loop->first_post;
    int64_t stop_ms = loop->stop_asked_ms;
    bool hand_over = loop->hand_over;
    loop->first_post = loop->last_post = NULL;
    loop->stop_asked_ms = -1;
    pthread_mutex_unlock(&loop->post_lock);
    while (post) {
        struct post *next = post->next;
        post->callback.fn(post->callback.arg);
        free(post);
        post = next;
    }
    if (stop_ms >= 0) drain(loop, stop_ms, hand_over);
    loop_flush(loop);
}

static void on_prepare(uv_prepare_t *prepare) {
    struct web_loop *loop = prepare->data;
    loop_flush(loop);
    if (loop->before_wait.fn) loop->before_wait.fn(loop->before_wait.arg);
}

void web_loop_before_wait(struct web_loop *loop, void (*fn)(void *arg), void *arg) {
    loop->before_wait = (struct callback){fn, arg};
}

void web_loop_on_wake(struct web_loop *loop, void (*fn)(void *arg), void *arg) {
    loop->wake = (struct callback){fn, arg};
}

void web_loop_wake(struct web_loop *loop) { uv_async_send(&loop->wake_async); }

void web_loop_post(struct web_loop *loop, void (*fn)(void *arg), void *arg) {
    struct post *post = must_alloc(sizeof *post);
    post->callback = (struct callback){fn, arg};
    pthread_mutex_lock(&loop->post_lock);
    if (loop->last_post)
        loop->last_post->next = post;
    else
        loop->first_post = post;
    loop->last_post = post;
    pthread_mutex_unlock(&loop->post_lock);
    uv_async_send(&loop->post_async);
}

static void ask_to_stop(struct web_loop *loop, int64_t drain_ms, bool hand_over) {
    pthread_mutex_lock(&loop->post_lock);
    loop->hand_over = hand_over;
    loop->stop_asked_ms = drain_ms > 0 ? drain_ms : 0;
    pthread_mutex_unlock(&loop->post_lock);
    uv_async_send(&loop->post_async);
}

void web_loop_stop(struct web_loop *loop, int64_t drain_ms) { ask_to_stop(loop, drain_ms, false); }
void web_loop_hand_over(struct web_loop *loop, int64_t drain_ms) { ask_to_stop(loop, drain_ms, true); }

/* --- timers and signals of the application ------------------------------------------------------------------------- */

static struct source *source_new(struct web_loop *loop, void (*fn)(void *arg), void *arg) {
    struct source *source = must_alloc(sizeof *source);
    *source = (struct source){.next = loop->sources, .loop = loop, .callback = {fn, arg}};
    source->uv.handle.data = source;
    loop->sources = source;
    return source;
}

static void run_source(struct source *source) {
    source->callback.fn(source->callback.arg);
    loop_flush(source->loop);
}

static void on_source_timer(uv_timer_t *timer) { run_source(timer->data); }

static void on_source_signal(uv_signal_t *handle, int signal_number) {
    (void)signal_number;
    run_source(handle->data);
}

struct source *web_loop_alarm(struct web_loop *loop, void (*fn)(void *arg), void *arg) {
    struct source *source = source_new(loop, fn, arg);
    uv_timer_init(&loop->uv, &source->uv.timer);
    uv_unref(&source->uv.handle);
    return source;
}

void web_alarm_set(struct source *alarm, int64_t in_ms) {
    uv_timer_start(&alarm->uv.timer, on_source_timer, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

RC web_loop_every(struct web_loop *loop, int64_t period_ms, void (*fn)(void *arg), void *arg) {
    struct source *source = web_loop_alarm(loop, fn, arg);
    int error = uv_timer_start(&source->uv.timer, on_source_timer, (uint64_t)period_ms, (uint64_t)period_ms);
    return error ? rc_fail(FAULT_INTERNAL, "timer: %s", uv_strerror(error)) : RC_OK;
}

RC web_loop_on_signal(struct web_loop *loop, int signal_number, void (*fn)(void *arg), void *arg) {
    struct source *source = source_new(loop, fn, arg);
    uv_signal_init(&loop->uv, &source->uv.signal);
    uv_unref(&source->uv.handle);
    int error = uv_signal_start(&source->uv.signal, on_source_signal, signal_number);
    return error ? rc_fail(FAULT_IO, "signal %d: %s", signal_number, uv_strerror(error)) : RC_OK;
}

static void on_source_readable(uv_poll_t *handle, int status, int events) {
    (void)status, (void)events; /* the reader finds out what is wrong with its descriptor */
    run_source(handle->data);
}

RC web_loop_watch(struct web_loop *loop, int fd, void (*fn)(void *arg), void *arg) {
    struct source *source = source_new(loop, fn, arg);
    int error = uv_poll_init(&loop->uv, &source->uv.poll, fd);
    if (error) {
        loop->sources = source->next;
        free(source);
        return rc_fail(FAULT_IO, "descriptor %d: %s", fd, uv_strerror(error));
    }
    source->uv.handle.data = source;
    uv_unref(&source->uv.handle);
    error = uv_poll_start(&source->uv.poll, UV_READABLE, on_source_readable);
    return error ? rc_fail(FAULT_IO, "descriptor %d: %s", fd, uv_strerror(error)) : RC_OK;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static RC parse_blocks(const str *texts, size_t n, struct peer_block **out, size_t *out_n) {
    *out = must_alloc((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        if (!peer_block_parse(texts[i], &(*out)[i]))
            return rc_fail(FAULT_CONFIG, "the proxy %.*s is no address or CIDR block", STR_ARG(texts[i]));
    *out_n = n;
    return RC_OK;
}

/* Takes the options; when a proxy is no address all stays as it was. */
static RC set_options(struct web_loop *loop, const struct web_options *o) {
    struct peer_block *trusted = NULL, *balancers = NULL;
    size_t n_trusted = 0, n_balancers = 0;
    struct rc rc = parse_blocks(o->trusted_proxies, o->n_trusted_proxies, &trusted, &n_trusted);
    if (rc_ok(rc)) rc = parse_blocks(o->proxy_protocol, o->n_proxy_protocol, &balancers, &n_balancers);
    if (!rc_ok(rc)) {
        free(trusted);
        free(balancers);
        return rc;
    }
    free(loop->trusted);
    free(loop->balancers);
    loop->options = *o;
    loop->trusted = trusted;
    loop->n_trusted = n_trusted;
    loop->balancers = balancers;
    loop->n_balancers = n_balancers;
    return RC_OK;
}

RC web_loop_configure(struct web_loop *loop, const struct web_options *options) {
    struct web_options fresh = *options;
    fresh.refusal = loop->options.refusal;
    fresh.refusal_arg = loop->options.refusal_arg;
    TRY(set_options(loop, &fresh));
    deadlines_set(loop);
    return RC_OK;
}

/* A peer that has gone is an error of the write, not the end of the process. */
static void ignore_sigpipe(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

RC web_loop_open(const struct web_options *options, struct web_loop **out) {
    struct web_loop *loop = must_alloc(sizeof *loop);
    struct rc rc = set_options(loop, options);
    random_fill(loop->crowd.key, sizeof loop->crowd.key);
    int error = rc_ok(rc) ? uv_loop_init(&loop->uv) : 0;
    if (error) rc = rc_fail(FAULT_IO, "event loop: %s", uv_strerror(error));
    if (!rc_ok(rc)) {
        free(loop->trusted);
        free(loop->balancers);
        free(loop);
        return rc;
    }
    ignore_sigpipe();
    pthread_mutex_init(&loop->post_lock, NULL);
    loop->stop_asked_ms = -1;
    deadlines_open(loop);
    turns_open(loop);
    uv_timer_init(&loop->uv, &loop->drain_timer);
    error = uv_async_init(&loop->uv, &loop->wake_async, on_wake);
    if (!error) error = uv_async_init(&loop->uv, &loop->post_async, on_post);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_unref((uv_handle_t *)&loop->prepare);
    loop->prepare.data = loop->drain_timer.data = loop->wake_async.data = loop->post_async.data = loop;
    if (error) {
        web_loop_close(loop);
        return rc_fail(FAULT_IO, "event loop: %s", uv_strerror(error));
    }
    *out = loop;
    return RC_OK;
}

void web_loop_run(struct web_loop *loop) { uv_run(&loop->uv, UV_RUN_DEFAULT); }

static void close_handle(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* Exchanges that nobody answered any more: their connections are gone. */
static void abandon_exchanges(struct web_loop *loop) {
    struct link *gone = &loop->states[CONN_GONE];
    while (!list_is_empty(gone)) {
        struct conn *c = (struct conn *)gone->next;
        if (c->exchange) arena_free(c->exchange->arena);
        conn_free(c);
    }
}

static void free_lists(struct web_loop *loop) {
    for (struct listener *next, *l = loop->listeners; l; l = next) {
        next = l->next;
        free(l);
    }
    for (struct source *next, *s = loop->sources; s; s = next) {
        next = s->next;
        free(s);
    }
    for (struct post *next, *p = loop->first_post; p; p = next) {
        next = p->next;
        free(p);
    }
}

void web_loop_close(struct web_loop *loop) {
    if (!loop) return;
    for (int state = 0; state < CONN_GONE; state++) close_all(loop, (enum conn_state)state);
    listeners_close(loop);
    uv_walk(&loop->uv, close_handle, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) continue; /* once more when a uv_stop is left over */
    abandon_exchanges(loop);
    uv_loop_close(&loop->uv);
    free_lists(loop);
    while (loop->n_arenas) arena_free(loop->arenas[--loop->n_arenas]);
    bytes_pool_free(&loop->bytes);
    h2_pool_free(&loop->h2);
    pthread_mutex_destroy(&loop->post_lock);
    free(loop->balancers);
    free(loop->trusted);
    free(loop);
}
