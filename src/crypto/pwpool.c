#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_start.h"
#include "pwhash.h"

struct pwpool {
    struct pwhash_cost cost;
    unsigned queue_max, n_threads;
    pthread_t *threads;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct pwjob *first, **end;
    unsigned n_waiting;
    bool closing;
};

/* The oldest of the queue; NULL: it is empty. Under the lock. */
static struct pwjob *take_oldest(struct pwpool *pool) {
    struct pwjob *job = pool->first;
    if (!job) return NULL;
    pool->first = job->next;
    if (!pool->first) pool->end = &pool->first;
    pool->n_waiting--;
    job->next = NULL;
    return job;
}

/* Waits for work; NULL when the pool closes and nothing is queued any more. */
static struct pwjob *take_job(struct pwpool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->closing) pthread_cond_wait(&pool->changed, &pool->lock);
    struct pwjob *job = take_oldest(pool);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *serve(void *arg) {
    struct pwpool *pool = arg;
    for (struct pwjob *job = take_job(pool); job; job = take_job(pool)) {
        job->ok = job->make ? rc_ok(pwhash_make(job->password, pool->cost, job->hash))
                            : pwhash_check(job->password, job->hash, pool->cost);
        job->done(job); /* the job is the caller's again: not touched after this */
    }
    return NULL;
}

/* Signals are for the thread that runs the loop: the pool's threads block them all. */
static bool start_thread(struct pwpool *pool) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&pool->threads[pool->n_threads], NULL, serve, pool) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) pool->n_threads++;
    return started;
}

struct rc pwpool_open(struct pwhash_cost cost, unsigned threads, unsigned queue_max, struct pwpool **out) {
    if (threads == 0 || queue_max == 0)
        return rc_fail(FAULT_CONFIG, "a password pool needs at least one thread and one place in its queue");
    struct pwpool *pool = calloc(1, sizeof *pool);
    if (!pool) crypto_die("out of memory");
    pool->cost = cost;
    pool->queue_max = queue_max;
    pool->end = &pool->first;
    pool->threads = calloc(threads, sizeof *pool->threads);
    if (!pool->threads) crypto_die("out of memory");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    while (pool->n_threads < threads) {
        if (start_thread(pool)) continue;
        unsigned started = pool->n_threads;
        pwpool_close(pool);
        return rc_fail(FAULT_INTERNAL, "thread %u of %u of the password pool did not start", started + 1, threads);
    }
    *out = pool;
    return RC_OK;
}

bool pwpool_submit(struct pwpool *pool, struct pwjob *job) {
    struct pwjob *oldest = NULL;
    pthread_mutex_lock(&pool->lock);
    bool taken = !pool->closing;
    if (taken) {
        if (pool->n_waiting == pool->queue_max) oldest = take_oldest(pool);
        job->next = NULL;
        *pool->end = job;
        pool->end = &job->next;
        pool->n_waiting++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (oldest) {
        oldest->dropped = true;
        oldest->done(oldest);
    }
    return taken;
}

void pwpool_close(struct pwpool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
