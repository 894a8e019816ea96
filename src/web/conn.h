/* conn: one connection and its state. Private to src/web.
 *
 * The state of a connection is the list of its loop that it is in, and conn_enter is the only function that moves it. All work on a connection
 * happens in conn_hear and conn_turn: events only note what came (bytes, an answer) and mark the connection dirty; at the end of the event, or of
 * the round, loop_flush hears the dirty ones and takes a turn on each, so that everything a turn answers leaves in one write. */
#ifndef GRANTD_CONN_H
#define GRANTD_CONN_H

#include <uv.h>

#include "bytes.h"
#include "peer.h"
#include "proxy_header.h"
#include "tls.h"
#include "waitline.h"
#include "web.h"

enum conn_state {
    CONN_OPENING,  /* the PROXY header or the TLS handshake is not complete */
    CONN_IDLE,     /* no byte of a request yet */
    CONN_HEAD,     /* a head has begun */
    CONN_BODY,     /* the head is complete, the body is not */
    CONN_HANDLING, /* the handler has not answered; no deadline: answering is its duty */
    CONN_WRITING,  /* the peer has not taken our answers */
    CONN_PAUSED, /* its request was too much for us: it is not heard before there is room again, or before its Retry-After is over */
    CONN_LINGER, /* we have said our last, the peer may still be sending (RFC 9112 s9.6) */
    CONN_GONE,   /* closed; waits for libuv, and for the handler if it has not answered */
    CONN_STATES
};

/* In the order of a stream's life (h2.h); each has a list of the loop, in the order of its deadlines. */
enum stream_state { STREAM_HEAD, STREAM_BODY, STREAM_HANDLING, STREAM_ANSWERING, STREAM_STATES };

struct link {
    struct link *prev, *next;
};

static inline bool list_is_empty(const struct link *list) { return list->next == list; }

/* A socket to accept from, and who handles its requests. */
struct listener {
    struct listener *next;
    struct web_loop *loop;
    web_handler *handler;
    void *arg;
    struct web_tls *tls; /* NULL: plain */
    bool ask_certificate;
    bool http2; /* by prior knowledge */
    int fd;
    uv_poll_t poll;
    uv_timer_t pause;
};

struct conn {
    struct link link; /* first: a link is its connection */
    struct web_loop *loop;
    struct listener *listener;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    enum conn_state state;
    int64_t deadline_ms;
    struct conn *next_dirty;

    bool dirty, in_turn;
    bool reading;
    bool peer_ended; /* the peer has sent its last byte */
    bool last;       /* nothing after the answers under way is read as a request */
    bool peer_last;  /* the peer said so itself: it sends nothing more (RFC 9112 s9.6) */
    bool renew;      /* something was finished: the next state begins anew, even if it is the same */
    bool paused;     /* see CONN_PAUSED; what is to be written goes out first */
    bool handle_closed;
    bool trusted_peer; /* X-Forwarded-* of this peer are believed */
    bool near_peer; /* what comes in clear was not to be read by others: from this machine, or TLS up to the balancer */
    bool forwarded_tls;   /* the balancer says that its client spoke TLS */
    bool awaits_proxy;    /* the PROXY header has not come yet */
    bool counted;         /* in the crowd */
    struct tls_conn *tls; /* NULL: plain */

    struct bytes in;
    struct http_scan scan;
    size_t head_n; /* of the request under way; 0: its head is not complete */
    size_t body_n; /* body bytes that are there, decoded, right behind the head */
    size_t raw_n;  /* bytes of the request in all, known when it is complete */
    bool chunked;
    uint64_t content_length;
    struct http_chunks chunks;
    struct web_exchange *exchange;
    struct h2 *h2; /* NULL: HTTP/1 */

    struct bytes out;     /* answers that wait for the end of the turn */
    struct bytes writing; /* what libuv is sending; its memory must not move */
    uv_write_t write;
    size_t lingered_n;
    uint64_t n_requests;

    struct peer peer;
    char peer_text[PEER_TEXT_BYTES];
};

struct web_exchange {
    struct wait_link wait; /* first: a link is its exchange. For its turn, when the loop is behind */
    struct conn *conn;
    struct arena *arena;   /* holds this struct as well */
    struct stream *stream; /* NULL: HTTP/1 */
    void *data;
    struct web_request request;
    struct http_head head;
};

/* The connection of a socket that was just accepted. It owns fd. */
struct conn *conn_new(struct listener *listener, int fd, const struct sockaddr *address);

/* Frees a connection. */
void conn_free(struct conn *c);
/* The same, if its handle is closed and its exchanges are over. */
void conn_free_if_over(struct conn *c);

/* Refuses: answers `status`, closes after it. What was read and not answered is forgotten. */
void conn_refuse(struct conn *c, int status);

void conn_close(struct conn *c);
void conn_mark_dirty(struct conn *c);
/* Hands over what has come; conn_turn follows, which writes what was answered. */
void conn_hear(struct conn *c);
void conn_turn(struct conn *c);
void conn_expire(struct conn *c);
/* Hears it again. It is CONN_PAUSED. */
void conn_resume(struct conn *c);

/* An exchange of c with an arena of its own. */
struct web_exchange *conn_new_exchange(struct conn *c);
/* After this request the connection is closed. */
bool conn_is_used_up(const struct conn *c);
/* Counts it; false when its address has too many. */
bool conn_join_crowd(struct conn *c);
/* Its balancer has said who it is. */
void conn_take_peer(struct conn *c, const struct proxy_header *header);

/* Gives a request, whose head is parsed, to the handler. */
void conn_hand_over(struct web_exchange *x, str body);

/* The handler has answered; the bytes of the request are dropped. */
void conn_end_exchange(struct conn *c);

#endif
