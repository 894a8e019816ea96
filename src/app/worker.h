/* worker: one loop thread of the server. Private to server.c and worker.c. */
#ifndef GRANTD_WORKER_H
#define GRANTD_WORKER_H

#include "instance.h"
#include "pwhash.h"
#include "run.h"

#include <pthread.h>

/* What all workers share. */
struct crew {
    struct instance *instance;
    struct limiter *limiter;
    struct throttle *throttle;
    struct pwpool *passwords;
    struct key_fetch *keys;
    bool refuse_exposed; /* secrets must not have come in clear */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*ended)(void *arg); /* called in the worker's thread as its last act */
    void *ended_arg;
};

struct worker {
    struct crew *crew;
    struct web_loop *loop;
    struct db_session *session;
    struct run_env env;
    const struct config *config; /* of the lease */
    pthread_t thread;
    bool started;
    struct snapshot *fresh; /* under the crew's lock: a snapshot that the loop has not taken over yet */
    bool gone;              /* under the crew's lock: the loop has ended */
};

/* Opens loop and session; the loop's addresses are given by worker_listen. */
RC worker_open(struct worker *w, struct crew *crew, const struct web_options *web);
/* `how` without handler and arg: they are the worker's. */
RC worker_listen(struct worker *w, int fd, const struct web_listening *how);

/* Starts the thread. */
RC worker_start(struct worker *w);

/* Gives the loop a new snapshot and returns once it uses it, or has ended. From another thread. */
void worker_publish(struct worker *w, struct snapshot *fresh);

/* Waits for the thread, if there is one. */
void worker_join(struct worker *w);

/* Waits for the thread, then closes everything. Also for a worker that was never opened (zeroed). */
void worker_close(struct worker *w);

#endif
