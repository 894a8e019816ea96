#include "worker.h"

#include "clock.h"
#include "random.h"

/* ---- requests ---- */

static void on_done(void *arg, const struct web_response *response) { web_respond(arg, response); }

static str header_value(const struct web_request *req, str name) {
    const struct http_header *h = http_find_header(req->head, name);
    return h ? h->value : (str){0};
}

static void on_request(struct web_exchange *x, const struct web_request *req, void *arg) {
    const struct worker *w = arg;
    struct run_input input = {
        .method = req->head->method,
        .path = req->head->path,
        .query = req->head->query,
        .content_type = header_value(req, S("content-type")),
        .authorization = header_value(req, S("authorization")),
        .body = req->body,
        .peer = req->peer,
    };
    run_request(&w->env, &input, req->arena, on_done, x);
}

static void copy_response(void *arg, const struct web_response *response) {
    struct web_response *out = arg;
    bool close = out->close;
    int status = out->status;
    *out = *response;
    out->close = close;
    out->status = status;
}

/* Bodies for what the front refuses by itself. */
static void on_refusal(struct web_response *response, struct arena *arena, void *arg) {
    const struct worker *w = arg;
    if (response->status == 413)
        run_refuse(&w->env, REFUSAL_TOO_LARGE, arena, copy_response, response);
    else if (response->status == 503)
        run_refuse(&w->env, REFUSAL_UNAVAILABLE, arena, copy_response, response);
}

/* ---- the store ---- */

static void wake_loop(void *arg) { web_loop_wake(((struct worker *)arg)->loop); }

static void on_wake(void *arg) { db_drain(((struct worker *)arg)->session); }

/* ---- the registry ---- */

static void take_fresh(void *arg) {
    struct worker *w = arg;
    pthread_mutex_lock(&w->crew->lock);
    if (w->fresh) {
        struct lease *old = w->env.lease;
        w->env.lease = lease_new(w->fresh);
        w->fresh = NULL;
        lease_drop(old);
        pthread_cond_broadcast(&w->crew->changed);
    }
    pthread_mutex_unlock(&w->crew->lock);
}

void worker_publish(struct worker *w, struct registry *fresh) {
    pthread_mutex_lock(&w->crew->lock);
    if (!w->gone) {
        w->fresh = fresh;
        web_loop_post(w->loop, take_fresh, w);
        while (w->fresh && !w->gone) pthread_cond_wait(&w->crew->changed, &w->crew->lock);
        w->fresh = NULL;
    }
    pthread_mutex_unlock(&w->crew->lock);
}

/* ---- life ---- */

static int64_t now_ms(void *arg) {
    (void)arg;
    return clock_now_ms();
}

static void fill_random(void *arg, void *out, size_t n) {
    (void)arg;
    random_fill(out, n);
}

RC worker_open(struct worker *w, struct crew *crew, const struct web_options *web) {
    struct web_options options = *web;
    options.refusal = on_refusal;
    options.refusal_arg = w;
    w->crew = crew;
    TRY(web_loop_open(&options, &w->loop));
    TRY(db_open_session(crew->instance->db, wake_loop, w, &w->session));
    web_loop_on_wake(w->loop, on_wake, w);
    int fd = db_session_fd(w->session);
    if (fd >= 0) TRY(web_loop_watch(w->loop, fd, on_wake, w));
    w->env = (struct run_env){
        .now_ms = now_ms,
        .random = fill_random,
        .session = w->session,
        .keyring = crew->instance->keyring,
        .lease = lease_new(crew->instance->registry),
        .settings = &crew->instance->settings,
        .limiter = crew->limiter,
    };
    return RC_OK;
}

RC worker_listen(struct worker *w, int fd) { return web_listen(w->loop, fd, on_request, w); }

static void *work(void *arg) {
    struct worker *w = arg;
    web_loop_run(w->loop);
    pthread_mutex_lock(&w->crew->lock);
    w->gone = true;
    pthread_cond_broadcast(&w->crew->changed);
    pthread_mutex_unlock(&w->crew->lock);
    w->crew->ended(w->crew->ended_arg);
    return NULL;
}

RC worker_start(struct worker *w) {
    if (pthread_create(&w->thread, NULL, work, w)) return rc_fail(FAULT_IO, "cannot start a loop thread");
    w->started = true;
    return RC_OK;
}

/* The session first: after it no answer comes for a request that was given up at the drain deadline. */
void worker_close(struct worker *w) {
    if (w->started) pthread_join(w->thread, NULL);
    db_close_session(w->session);
    web_loop_close(w->loop);
    lease_drop(w->env.lease);
}
