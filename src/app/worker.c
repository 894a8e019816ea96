#include "worker.h"

#include "clock.h"
#include "digest.h"
#include "log.h"
#include "random.h"

#include <stdlib.h>

/* ---- requests ---- */

static void on_done(void *arg, const struct web_response *response) { web_respond(arg, response); }

static void on_request(struct web_exchange *x, const struct web_request *req, void *arg) {
    const struct worker *w = arg;
    struct run_input input = run_input_of(req->head);
    if (req->is_exposed && w->crew->refuse_exposed) {
        run_refuse(&w->env, &(struct run_refusal){REFUSAL_INSECURE, &input}, req->arena, on_done, x);
        return;
    }
    input.body = req->body;
    input.peer = req->peer;
    input.certificate = req->client_certificate;
    input.certificate_verified = req->client_certificate_verified;
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
static void on_refusal(struct web_response *response, const struct http_head *head, struct arena *arena, void *arg) {
    const struct worker *w = arg;
    struct run_refusal why = {response->status == 413 ? REFUSAL_TOO_LARGE : REFUSAL_UNAVAILABLE, NULL};
    struct run_input input;
    if (response->status != 413 && response->status != 503) {
        metrics_unread(w->env.metrics, response->status);
        return;
    }
    if (head) {
        input = run_input_of(head);
        why.input = &input;
    }
    run_refuse(&w->env, &why, arena, copy_response, response);
}

/* ---- passwords ---- */

/* Owns what the pool's thread looks at, because a request can be given up while it waits (at the drain deadline). */
struct password_job {
    struct pwjob job;
    struct worker *worker;
    run_password_done *done;
    void *done_arg;
    char password[PASSWORD_MAX];
};

static void finish_password(void *arg) {
    struct password_job *j = arg;
    run_password_done *done = j->done;
    void *done_arg = j->done_arg;
    enum run_password verdict = j->job.dropped ? RUN_PASSWORD_DROPPED
                                : j->job.ok    ? RUN_PASSWORD_RIGHT
                                               : RUN_PASSWORD_WRONG;
    secret_wipe(j, sizeof *j);
    free(j);
    done(done_arg, verdict);
}

/* In the pool's thread, or in that of a loop whose request took this one's place. */
static void on_password_checked(struct pwjob *job) {
    struct password_job *j = job->arg;
    web_loop_post(j->worker->loop, finish_password, j);
}

static bool check_password(void *arg, str password, str hash, run_password_done *done, void *done_arg) {
    struct worker *w = arg;
    struct password_job *j = calloc(1, sizeof *j);
    if (!j) abort();
    j->worker = w;
    j->done = done;
    j->done_arg = done_arg;
    password = str_head(password, sizeof j->password);
    if (password.n) memcpy(j->password, password.p, password.n);
    if (hash.n && hash.n < sizeof j->job.hash) memcpy(j->job.hash, hash.p, hash.n);
    j->job.password = (str){j->password, password.n};
    j->job.done = on_password_checked;
    j->job.arg = j;
    if (pwpool_submit(w->crew->passwords, &j->job)) return true;
    secret_wipe(j, sizeof *j);
    free(j);
    return false;
}

/* ---- keys that apps publish ---- */

/* Owns what the reading thread looks at, as above. */
struct keys_job {
    struct key_wait wait;
    struct worker *worker;
    run_keys_done *done;
    void *done_arg;
};

static void finish_keys(void *arg) {
    struct keys_job j = *(struct keys_job *)arg;
    free(arg);
    j.done(j.done_arg, j.wait.found);
}

/* In a reading thread. */
static void on_keys_read(struct key_wait *wait) {
    struct keys_job *j = wait->arg;
    web_loop_post(j->worker->loop, finish_keys, j);
}

static void fetch_keys(void *arg, str uri, bool anew, run_keys_done *done, void *done_arg) {
    struct worker *w = arg;
    struct keys_job *j = calloc(1, sizeof *j);
    if (!j) abort();
    *j = (struct keys_job){.wait = {.done = on_keys_read, .arg = j}, .worker = w, .done = done, .done_arg = done_arg};
    if (key_fetch_ask(w->crew->keys, uri, anew, clock_now_ms(), &j->wait)) finish_keys(j);
}

/* ---- the store ---- */

static void wake_loop(void *arg) { web_loop_wake(((struct worker *)arg)->loop); }

static void end_turn(void *arg) { db_end_turn(((struct worker *)arg)->session); }

static void on_wake(void *arg) { db_drain(((struct worker *)arg)->session); }

/* ---- the snapshot ---- */

/* The options of the lease in hand. What can be wrong with them was found before they were published. */
static void use_config(struct worker *w, const struct config *config) {
    w->config = config;
    w->env.settings = &config->settings;
    w->env.brand = &config->brand;
    w->env.sign_in_limit = (uint32_t)config->options.limit_sign_in_failures;
    w->env.sign_in_address_limit = (uint32_t)config->options.limit_sign_in_address_failures;
    struct rc rc = web_loop_configure(w->loop, &config->web);
    if (!rc_ok(rc)) LOG(EVENT_OPTIONS_REFUSED, NULL, rc_detail());
}

static void take_fresh(void *arg) {
    struct worker *w = arg;
    pthread_mutex_lock(&w->crew->lock);
    if (w->fresh) {
        struct lease *old = w->env.lease;
        w->env.lease = lease_new(w->fresh);
        w->fresh = NULL;
        if (w->env.lease->snapshot->config != w->config) use_config(w, w->env.lease->snapshot->config);
        lease_drop(old);
        known_subjects_forget(w->env.subjects);
        pthread_cond_broadcast(&w->crew->changed);
    }
    pthread_mutex_unlock(&w->crew->lock);
}

void worker_publish(struct worker *w, struct snapshot *fresh) {
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

/* What is remembered is used page by page as it comes: a server without signed access tokens has none of that. */
static void *new_zeroed(size_t bytes) {
    void *p = calloc(1, bytes);
    if (!p) abort();
    return p;
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
    db_by_turns(w->session);
    web_loop_before_wait(w->loop, end_turn, w);
    web_loop_on_wake(w->loop, on_wake, w);
    int fd = db_session_fd(w->session);
    if (fd >= 0) TRY(web_loop_watch(w->loop, fd, on_wake, w));
    w->env = (struct run_env){
        .now_ms = now_ms,
        .random = fill_random,
        .session = w->session,
        .lease = lease_new(crew->instance->snapshot),
        .limiter = crew->limiter,
        .metrics = metrics_new(),
        .subjects = new_zeroed(sizeof(struct known_subjects)),
        .known = new_zeroed(sizeof(struct jose_known)),
        .throttle = crew->throttle,
        .check_password = check_password,
        .password_arg = w,
        .fetch_keys = fetch_keys,
        .keys_arg = w,
    };
    use_config(w, crew->instance->config);
    return RC_OK;
}

RC worker_listen(struct worker *w, int fd, const struct web_listening *how) {
    struct web_listening own = *how;
    own.handler = on_request;
    own.arg = w;
    return web_listen_as(w->loop, fd, &own);
}

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

void worker_join(struct worker *w) {
    if (w->started) pthread_join(w->thread, NULL);
    w->started = false;
}

/* The session first: after it no answer comes for a request that was given up at the drain deadline. */
void worker_close(struct worker *w) {
    worker_join(w);
    db_close_session(w->session);
    web_loop_close(w->loop);
    lease_drop(w->env.lease);
    free(w->env.metrics);
    free(w->env.known);
    free(w->env.subjects);
}
