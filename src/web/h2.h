/* HTTP/2 (RFC 9113) on a connection. Private to src/web.
 *
 * nghttp2 speaks the protocol; here are its limits and the way from a stream to an exchange. The fields of a request are written down as
 * an HTTP/1.1 head and read by the same parser, so that both versions have the same rules: what one refuses the other refuses. */
#ifndef GRANTD_H2_H
#define GRANTD_H2_H

#include <nghttp2/nghttp2.h>

#include "conn.h"

#define H2_STREAMS         128       /* unless the options say otherwise */
#define H2_BYTES           (1 << 20) /* likewise: what one connection may have here */
#define H2_ACKS_MAX        100       /* answers to PING and SETTINGS that wait for a peer that does not read */
#define H2_NOISE_MAX       1000      /* frames that ask nothing, beyond what the answered requests explain */
#define H2_NOISE_PER_ERROR 10        /* what a stream costs that ends without its answer */
#define H2_NOISE_CREDIT    20        /* what an answered request explains */
#define H2_NOISE_PER_S     50        /* and what a second does */
#define H2_PREFACE         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct h2_pool;

struct stream {
    struct link link; /* first: of the loop's list of the state */
    struct link own;  /* of the connection's streams */
    struct conn *conn;
    int32_t id;
    enum stream_state state;
    int64_t deadline_ms;
    bool closed;   /* nobody waits for the answer any more */
    bool complete; /* the request has come to its end */
    bool started;  /* the request line is written */
    bool has_length, expects;
    int refusal; /* the status to refuse with; 0: none yet */
    str method, path, authority;
    str cookies;                   /* the crumbs, put together: RFC 9113 s8.2.3 */
    struct bytes text, body;       /* the request; live as long as the exchange */
    size_t held_n;                 /* of the body: counts against the connection's window */
    size_t counted_n;              /* bytes of text, body and answer that the connection's count knows of */
    struct web_exchange *exchange; /* NULL once it is answered */
    struct bytes answer;           /* the fields and the body that are still to be sent */
    size_t fields_n;               /* bytes of it that are fields: they must not move until the frame is written */
    bool interim;                  /* a 100 is to be sent before */
};

struct h2 {
    nghttp2_session *session;
    struct link streams;
    size_t n_streams;   /* that are not closed */
    size_t n_exchanges; /* that the handler has; their streams may be closed */
    size_t block_bytes; /* of the header block under way */
    size_t bytes_n;     /* of requests and answers of all streams */
    int64_t noise, noise_at_ms;
    bool leaving;         /* the peer was told that no new stream is taken */
    int32_t last_id;      /* of the peer's streams, the highest */
    int32_t skipped_id;   /* the highest that it passed over */
    int32_t cut_short_id; /* the highest that we ended before the peer did: frames may still be on their way */
};

/* h2.c */
void h2_open(struct conn *c);
void h2_free(struct conn *c); /* one without h2 is allowed */

/* Takes all of c->in, writes what can be written to c->out. True when only the bound of the output ended it. */
bool h2_turn(struct conn *c);

/* Ends the connection once what is under way is answered (GOAWAY). `now`: the peer's last requests are on their way no longer. */
void h2_leave(struct conn *c, bool now);

/* The connection is dead: what the handler still works on is forgotten when it is answered. */
void h2_abandon(struct conn *c);

/* h2_memory.c */
nghttp2_mem h2_memory(struct h2_pool *pool);
void h2_pool_free(struct h2_pool *pool);

/* h2_stream.c */
struct stream *stream_new(struct conn *c, int32_t id);
void stream_enter(struct stream *s, enum stream_state state);
void stream_forget_deadline(struct stream *s);
void stream_close(struct stream *s); /* frees it, or leaves that to the exchange */
void stream_take_field(struct stream *s, str name, str value);
void stream_end_head(struct stream *s);
void stream_take_body(struct stream *s, str data);
void stream_end_request(struct stream *s);
void stream_free(struct stream *s);
/* The head of a request whose body is refused; NULL when it cannot be read. */
const struct http_head *stream_read_head(struct stream *s);
/* After its buffers have changed: brings the connection's count up to date. */
void stream_count(struct stream *s);

/* h2_answer.c */
void h2_respond(struct web_exchange *x, const struct web_response *response);
void stream_refuse(struct stream *s, int status);
/* The frame with its fields is written. */
void stream_drop_fields(struct stream *s);

#endif
