/* Passwords of people: Argon2id, in a bounded pool of threads, because one hash takes tens of milliseconds and
 * megabytes. Client secrets are random and never come here. */
#ifndef GRANTD_PWHASH_H
#define GRANTD_PWHASH_H

#include "rc.h"
#include "str.h"

#define PWHASH_TEXT_BYTES 128 /* PHC string and NUL */
#define PASSWORD_MAX      256 /* bytes; longer is refused before hashing */

struct pwhash_cost {
    uint32_t passes;     /* OWASP's first choice for Argon2id: 2 */
    uint32_t memory_kib; /* 19456 */
};

/* Hashes now, in this thread. FAULT_CRYPTO when the memory is not to be had. */
RC pwhash_make(str password, struct pwhash_cost cost, char out[PWHASH_TEXT_BYTES]);

/* Checks now, in this thread. A NULL or empty `hash` costs the same time and answers false (unknown people). */
bool pwhash_check(str password, const char *hash, struct pwhash_cost cost);

struct pwpool;
struct pwjob {
    struct pwjob *next;
    str password;                    /* the caller keeps it until done; the pool wipes nothing */
    char hash[PWHASH_TEXT_BYTES];    /* check: in; make: out */
    bool make;                       /* make a hash, else check one */
    bool ok;                         /* out */
    bool dropped;                    /* out: nothing was computed, a younger job has its place in the queue */
    void (*done)(struct pwjob *job); /* called in a pool thread; of a dropped job in the thread of the younger one */
    void *arg;
};

/* A pool of `threads` threads that holds at most `queue_max` waiting jobs. */
RC pwpool_open(struct pwhash_cost cost, unsigned threads, unsigned queue_max, struct pwpool **out);

/* When the queue is full the oldest of it is dropped: who has waited longest is the likeliest to have given up. False when the pool closes. */
bool pwpool_submit(struct pwpool *pool, struct pwjob *job);

/* Finishes what is queued, then ends the threads. NULL is allowed. */
void pwpool_close(struct pwpool *pool);

#endif
