/* The insides of a loop, for the files of src/web. */
#ifndef GRANTD_LOOP_H
#define GRANTD_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "conn.h"
#include "crowd.h"
#include "timetext.h"

#define ARENA_POOL_MAX     64
#define ARENA_FIRST_BYTES  8192
#define LINGER_BYTES_MAX   (4u << 20) /* what a refused peer may still send before we stop listening to it */
#define LINGER_MS          2000
#define OUT_HIGH_BYTES     (64u << 10) /* answers that may wait for a peer before its next request is looked at */
#define REFUSED_MAX        256 /* connections beyond connections_max that are told so; more are closed without a word */
#define ACCEPT_PAUSE_MS    100 /* after running out of descriptors */
#define ACCEPT_MAX         64  /* connections per event: those that are open want to be served as well */
#define SCRATCH_BYTES      16384
#define FLUSH_MAX          64 /* connections whose requests are all handled before the first of them has its answer written */
#define DRAIN_GRACE_MS     20  /* what was sent before we were told to stop may still be in the kernel */
#define HAND_OVER_GRACE_MS 500 /* a connection has its next request answered, and learns that it was the last */

struct callback {
    void (*fn)(void *arg);
    void *arg;
};

struct post {
    struct post *next;
    struct callback callback;
};

/* A timer, a signal or a descriptor of the application. */
struct source {
    struct source *next;
    struct web_loop *loop;
    struct callback callback;
    union {
        uv_handle_t handle;
        uv_timer_t timer;
        uv_signal_t signal;
        uv_poll_t poll;
    } uv;
};

#define H2_PIECE_SIZES 6 /* 64 bytes to 2 KiB */

/* Pieces of memory that nghttp2 gave back (h2_memory.c). */
struct h2_pool {
    struct h2_piece *first[H2_PIECE_SIZES];
    size_t n[H2_PIECE_SIZES];
};

struct web_loop {
    uv_loop_t uv;
    struct web_options options;
    struct peer_block *trusted;
    size_t n_trusted;
    struct peer_block *balancers; /* that speak the PROXY protocol */
    size_t n_balancers;
    struct crowd crowd;

    struct listener *listeners;
    struct source *sources;
    struct link states[CONN_STATES];    /* in the order of their deadlines, since a state has one time limit */
    int64_t limit_ms[CONN_STATES];      /* 0: none */
    struct link streams[STREAM_STATES]; /* of HTTP/2, likewise */
    int64_t stream_limit_ms[STREAM_STATES];
    uv_timer_t deadline_timer;
    int64_t armed_for_ms; /* 0: not armed */
    struct conn *first_dirty, *last_dirty;
    size_t n_dirty;
    atomic_uint n_conns; /* open ones */
    size_t n_exchanges;
    struct waitline line; /* of those, the ones whose turn has not come */
    uv_check_t check;     /* the end of each round */
    int64_t refused_ms;   /* when it last refused for want of room */
    uv_idle_t idle;       /* active while somebody waits in the line */

    uv_prepare_t prepare;
    struct callback before_wait;
    uv_async_t wake_async;
    struct callback wake;
    uv_async_t post_async;
    pthread_mutex_t post_lock;
    struct post *first_post, *last_post; /* under post_lock */
    int64_t stop_asked_ms;               /* under post_lock; -1: not asked to stop */
    bool hand_over;                      /* likewise: somebody else listens on our sockets */
    uv_timer_t drain_timer;
    int64_t drain_ms;
    bool draining;     /* answers close their connections */
    bool nobody_comes; /* no new connections: the last one that ends is the end */
    bool grace_over;   /* nothing new is taken */

    struct bytes_pool bytes;
    struct h2_pool h2;
    struct tls_warm warm;
    struct arena *arenas[ARENA_POOL_MAX];
    size_t n_arenas;
    int64_t date_s;
    char date[TIMETEXT_HTTP_BYTES];
    char scratch[SCRATCH_BYTES]; /* what is read only to be thrown away */
};

/* Takes a turn on every dirty connection; to be called at the end of every event. What came for several of them is handled first, then written: whoever
 * waits for these answers is woken once, not for each of them. */
void loop_flush(struct web_loop *loop);
/* For events of which many come in one round: only when enough of them have come. The end of the round sees to the others. */
void loop_flush_in_time(struct web_loop *loop);

struct arena *loop_take_arena(struct web_loop *loop);
void loop_give_arena(struct web_loop *loop, struct arena *arena);

/* One connection or exchange less: a draining loop may be done. */
void loop_check_drained(struct web_loop *loop);

/* turns.c */
void turns_open(struct web_loop *loop);
/* Gives a request to its handler, now or when its turn comes. */
void turns_take(struct web_exchange *x);
/* Hears everybody again who was paused. */
void turns_resume_all(struct web_loop *loop);
/* Refuses the one that waits longest for its turn. False: none waits. */
bool turns_drop_oldest(struct web_loop *loop);

/* memory.c: gives up what holds at least n bytes and does not get on: first who does not take our answers, then who does not finish a request,
 * then who waits for a turn; the oldest first. */
void memory_shed(struct web_loop *loop, size_t n);

/* deadlines.c */
void conn_enter(struct conn *c, enum conn_state state);
void deadlines_open(struct web_loop *loop);
void deadlines_set(struct web_loop *loop); /* from the options */
void deadlines_arm(struct web_loop *loop, int64_t at_ms);

/* h2.c: the deadline of the loop's first stream of that state has passed. Leaves the list in any case. */
void h2_expire(struct link *first);
int64_t h2_deadline_ms(const struct link *first);

/* listen.c */
void listeners_close(struct web_loop *loop);

/* answer.c */
void answer_continue(struct conn *c);
struct answer_refusal {
    int status;
    const struct http_head *head; /* whole, or NULL */
};
void answer_refuse(struct conn *c, const struct answer_refusal *why);
/* What web itself says with a status. */
void answer_fill_refusal(struct web_loop *loop, const struct answer_refusal *why, struct arena *arena,
                         struct web_response *out);
/* The one rule that keeps a value from ending its header (response splitting). */
bool answer_is_header(str name, str value);
bool answer_may_have_body(int status);
str answer_date(struct web_loop *loop);
/* Decimal digits, somewhere in `out`. */
#define ANSWER_NUMBER_BYTES 20
str answer_number(uint64_t v, char out[ANSWER_NUMBER_BYTES]);

/* transport.c: the only file that reads and writes sockets. TLS, where it is, lies between it and the buffers of a connection. */
/* Takes over a socket. False when libuv does not want it; then it is closed. */
bool transport_open(struct conn *c, int fd);
void transport_read(struct conn *c, bool on);
/* Encrypts what has been answered, where there is TLS; `ends`: and says that it was the last. The bytes that are to go out; NULL when the connection is
 * dead. */
struct bytes *transport_seal(struct conn *c, bool ends);
/* Bytes taken at once, 0 when the peer takes none now, -1 when the connection is dead. */
ssize_t transport_write_now(struct conn *c, const char *p, size_t n);
/* Sends c->writing; conn_turn follows when it is done. False when the connection is dead. */
bool transport_write_later(struct conn *c);
void transport_end_output(struct conn *c);
/* Whether the peer has sent what we did not read: closing then would destroy our answer. */
bool transport_has_unread(const struct conn *c);
/* Whether the peer has gone for good (not: has only ended what it says). Asks the system, since nothing is read while a request is under way. */
bool transport_is_dead(const struct conn *c);
/* How large c->in may become now. */
size_t conn_in_max(const struct conn *c);

#endif
