#include "key_fetch.h"

#include "clock.h"
#include "key_address.h"
#include "key_http.h"
#include "log.h"

#include <pthread.h>
#include <stdlib.h>

#define ADDRESSES_MAX 256
#define WAITING_MAX   256 /* for one address */
#define THREADS_MAX   4
#define AGAIN_MS      10000            /* between two looks at one address */
#define STALE_MS      INT64_C(3600000) /* what was read is used this long past its time when it cannot be read again */

enum entry_state { ENTRY_IDLE, ENTRY_QUEUED, ENTRY_READING };

/* What is known of one address. */
struct entry {
    struct entry *next, *next_queued;
    char *uri;
    enum entry_state state;
    struct fetched_keys *keys; /* held; NULL: none */
    char etag[KEY_ETAG_MAX];
    int64_t fresh_until_ms, tried_ms, anew_ms; /* anew_ms: when a key was last looked for that was not among them */
    struct key_wait *waiting;
    size_t n_waiting;
};

struct key_fetch {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct entry *entries, *queue;
    size_t n_entries;
    unsigned n_threads, n_idle, holders;
    bool loopback, closed;
    atomic_bool stop;
    const struct curl_library *library; /* NULL: not loaded yet */
};

static void *must_calloc(size_t size) {
    void *p = calloc(1, size);
    if (!p) abort();
    return p;
}

void fetched_keys_release(struct fetched_keys *keys) {
    if (!keys || atomic_fetch_sub(&keys->holders, 1) != 1) return;
    jose_keys_free(keys->keys);
    free(keys);
}

static struct fetched_keys *hold(struct fetched_keys *keys) {
    if (keys) atomic_fetch_add(&keys->holders, 1);
    return keys;
}

static void free_entry(struct entry *e) {
    fetched_keys_release(e->keys);
    free(e->uri);
    free(e);
}

struct key_fetch *key_fetch_new(bool loopback) {
    struct key_fetch *f = must_calloc(sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->work, NULL);
    f->loopback = loopback;
    f->holders = 1;
    return f;
}

/* Under the lock, which it gives back; the last one frees it all. */
static void let_go(struct key_fetch *f) {
    bool last = --f->holders == 0;
    pthread_mutex_unlock(&f->lock);
    if (!last) return;
    while (f->entries) {
        struct entry *e = f->entries;
        f->entries = e->next;
        free_entry(e);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->work);
    free(f);
}

/* Under the lock. */
static void tell_waiting(struct entry *e, bool usable) {
    while (e->waiting) {
        struct key_wait *wait = e->waiting;
        e->waiting = wait->next;
        wait->found = usable ? hold(e->keys) : NULL;
        wait->done(wait);
    }
    e->n_waiting = 0;
}

void key_fetch_close(struct key_fetch *f) {
    if (!f) return;
    atomic_store(&f->stop, true);
    pthread_mutex_lock(&f->lock);
    f->closed = true;
    for (struct entry *e = f->entries; e; e = e->next) tell_waiting(e, false);
    pthread_cond_broadcast(&f->work);
    let_go(f);
}

/* ---- reading ---- */

static RC load_library(struct key_fetch *f) {
    const struct curl_library *library = NULL;
    pthread_mutex_lock(&f->lock);
    struct rc rc = f->library ? RC_OK : curl_load(&library);
    if (!f->library && rc_ok(rc)) f->library = library;
    pthread_mutex_unlock(&f->lock);
    return rc;
}

/* One look, without the lock. *out stays NULL when what we have is unchanged. */
static RC look(struct key_fetch *f, const char *uri, struct key_reply *reply, const char *etag,
               struct fetched_keys **out) {
    struct key_question question = {uri, etag, f->loopback, &f->stop};
    struct jose_keys *keys = NULL;
    TRY(load_library(f));
    TRY(key_http_get(f->library, &question, reply));
    if (reply->unchanged) return RC_OK;
    TRY(jose_keys_read(buf_str(&reply->body), &keys));
    *out = must_calloc(sizeof **out);
    (*out)->keys = keys;
    atomic_init(&(*out)->holders, 1);
    return RC_OK;
}

/* Under the lock. */
static void keep(struct entry *e, const struct key_reply *reply, struct fetched_keys *fresh, int64_t now_ms) {
    e->fresh_until_ms = now_ms + key_freshness_s(str_of(reply->cache_control)) * 1000;
    if (!fresh) return;
    fetched_keys_release(e->keys);
    e->keys = fresh;
    memcpy(e->etag, reply->etag, sizeof e->etag);
}

static bool is_usable(const struct entry *e, int64_t now_ms) {
    return e->keys && now_ms < e->fresh_until_ms + STALE_MS;
}

/* Under the lock, which it gives back for the look itself. The address stays: nobody frees it while it is read. */
static void read_entry(struct key_fetch *f, struct entry *e) {
    struct fetched_keys *fresh = NULL;
    struct key_reply reply = {.unchanged = false};
    char etag[KEY_ETAG_MAX];
    memcpy(etag, e->etag, sizeof etag);
    e->state = ENTRY_READING;
    pthread_mutex_unlock(&f->lock);
    struct rc rc = look(f, e->uri, &reply, etag, &fresh);
    if (!rc_ok(rc) && !atomic_load(&f->stop)) LOG(EVENT_CLIENT_KEYS_FAILED, NULL, e->uri, rc_detail());
    buf_free(&reply.body);
    pthread_mutex_lock(&f->lock);
    int64_t now_ms = clock_now_ms();
    if (rc_ok(rc)) keep(e, &reply, fresh, now_ms);
    e->tried_ms = now_ms;
    e->state = ENTRY_IDLE;
    tell_waiting(e, is_usable(e, now_ms));
}

static void *run_thread(void *arg) {
    struct key_fetch *f = arg;
    pthread_mutex_lock(&f->lock);
    while (!f->closed) {
        struct entry *e = f->queue;
        if (e) {
            f->queue = e->next_queued;
            read_entry(f, e);
            continue;
        }
        f->n_idle++;
        pthread_cond_wait(&f->work, &f->lock);
        f->n_idle--;
    }
    let_go(f);
    return NULL;
}

/* ---- asking; all under the lock ---- */

static bool start_thread(struct key_fetch *f) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_thread, f)) return f->n_threads > 0;
    pthread_detach(thread);
    f->n_threads++;
    f->holders++;
    return true;
}

static bool enqueue(struct key_fetch *f, struct entry *e) {
    if (f->n_idle == 0 && f->n_threads < THREADS_MAX && !start_thread(f)) return false;
    struct entry **end = &f->queue;
    while (*end) end = &(*end)->next_queued;
    e->next_queued = NULL;
    *end = e;
    e->state = ENTRY_QUEUED;
    pthread_cond_signal(&f->work);
    return true;
}

/* Makes room by forgetting the one that was read the longest ago. */
static bool forget_one(struct key_fetch *f) {
    struct entry **oldest = NULL;
    for (struct entry **e = &f->entries; *e; e = &(*e)->next)
        if ((*e)->state == ENTRY_IDLE && (!oldest || (*e)->tried_ms < (*oldest)->tried_ms)) oldest = e;
    if (!oldest) return false;
    struct entry *gone = *oldest;
    *oldest = gone->next;
    free_entry(gone);
    f->n_entries--;
    return true;
}

static struct entry *find_entry(struct key_fetch *f, str uri) {
    for (struct entry *e = f->entries; e; e = e->next)
        if (str_eq(str_of(e->uri), uri)) return e;
    if (f->n_entries >= ADDRESSES_MAX && !forget_one(f)) return NULL;
    struct entry *e = must_calloc(sizeof *e);
    e->uri = must_calloc(uri.n + 1);
    memcpy(e->uri, uri.p, uri.n);
    e->next = f->entries;
    f->entries = e;
    f->n_entries++;
    return e;
}

/* Whether there is anything to wait for. */
static bool must_read(const struct entry *e, bool anew, int64_t now_ms) {
    if (!anew && e->keys && now_ms < e->fresh_until_ms) return false;
    if (e->state != ENTRY_IDLE) return true;
    int64_t before_ms = anew && e->keys ? e->anew_ms : e->tried_ms;
    return before_ms == 0 || now_ms >= before_ms + AGAIN_MS || now_ms < before_ms;
}

bool key_fetch_ask(struct key_fetch *f, str uri, bool anew, int64_t now_ms, struct key_wait *wait) {
    bool waits = false;
    wait->found = NULL;
    pthread_mutex_lock(&f->lock);
    struct entry *e = f->closed ? NULL : find_entry(f, uri);
    if (e && !must_read(e, anew, now_ms)) {
        wait->found = is_usable(e, now_ms) ? hold(e->keys) : NULL;
    } else if (e && e->n_waiting < WAITING_MAX && (e->state != ENTRY_IDLE || enqueue(f, e))) {
        wait->next = e->waiting;
        e->waiting = wait;
        e->n_waiting++;
        if (anew) e->anew_ms = now_ms;
        waits = true;
    }
    pthread_mutex_unlock(&f->lock);
    return !waits;
}
