/* web: loops, listeners and connections on libuv. One loop per thread; an exchange belongs to the loop it came from and is answered
 * there, at once or later. */
#ifndef GRANTD_WEB_H
#define GRANTD_WEB_H

#include "arena.h"
#include "certificate_header.h"
#include "http_parse.h"
#include "rc.h"
#include "web_tls.h"

struct web_response;

/* Fills in the answer that goes with a status that web itself refuses with (413, 431, 503 ...). The status is set already. `head` is NULL when the
 * request could not be read that far. */
typedef void web_refusal(struct web_response *response, const struct http_head *head, struct arena *arena, void *arg);

/* What a 503 for want of room tells. */
#define WEB_RETRY_AFTER_S 1

struct web_options {
    struct http_limits limits;     /* 16 KiB head, 8 KiB target, 100 headers, 64 KiB body */
    int64_t header_deadline_ms;    /* absolute, from the first byte of a request; 10 s */
    int64_t body_deadline_ms;      /* absolute, from the first byte of the body; 10 s */
    int64_t handshake_deadline_ms; /* absolute, for TLS; 10 s */
    int64_t idle_deadline_ms;      /* between requests; 60 s */
    int64_t answer_deadline_ms;    /* for the peer to take our answer; 10 s */
    unsigned connections_max;      /* per loop; beyond: 503 and close */
    unsigned
        connections_per_address; /* per loop, of one IPv4 address or IPv6 /64 that is neither loopback nor a trusted proxy; 0: any */
    unsigned requests_per_connection; /* then it is closed politely; 0: any */
    unsigned
        exchanges_max; /* per loop, that wait for their answer; beyond it the one that waits longest for its turn has 503. 0: any */
    int64_t turn_wait_max_ms; /* so has one that waits longer than this for its turn; 0: any time */
    int64_t
        refused_pause_ms; /* after either the connection is not heard for so long, or until there is room. 0: until then */
    unsigned streams_max;        /* under way on one HTTP/2 connection; 0: 128 */
    size_t bytes_per_connection; /* of requests and answers that one HTTP/2 connection may have here; 0: 1 MiB */
    size_t bytes_max; /* of all buffers of the loop; beyond it what is slow is given up, the oldest first. 0: any */
    const str *proxy_protocol; /* addresses and CIDR blocks whose connections begin with a PROXY header */
    size_t n_proxy_protocol;
    const char *authority;      /* host[:port] of the issuer, for absolute-form targets; NULL: any */
    const str *trusted_proxies; /* addresses, CIDR blocks or "unix" whose X-Forwarded-* are believed */
    size_t n_trusted_proxies;
    enum certificate_style certificate_style; /* how they write the certificate of their client */
    bool trust_forwarded;                     /* it is Forwarded (RFC 7239) that they write, not X-Forwarded-* */
    web_refusal *refusal;                     /* body and headers of web's own refusals; NULL: no body */
    void *refusal_arg;
};

struct web_loop;
struct web_exchange; /* one request and its answer */

struct web_request {
    const struct http_head *head;
    str body;
    str peer; /* client address as text, after X-Forwarded-For of a trusted proxy; "unix" for Unix sockets */
    bool is_unix;
    bool is_secure; /* TLS here, or X-Forwarded-Proto: https of a trusted proxy */
    bool
        is_exposed; /* others may have read it on its way: plain TCP that comes neither from this machine nor from a trusted proxy,
                          * or a trusted proxy that says it came to it without TLS */
    str client_certificate; /* DER, of this connection or as a trusted proxy says; empty: none was shown. Anybody can make one */
    bool
        client_certificate_verified; /* it leads to client_ca, for the purpose, and is valid today; or the proxy says so */
    struct arena *arena;             /* of this exchange: lives until it is answered */
};

struct web_header {
    str name, value;
};

struct web_response {
    int status;
    str content_type;                 /* empty: none (and no body) */
    str body;                         /* lives until web_respond returns */
    const struct web_header *headers; /* further ones; one with CR, LF or NUL in it is left out */
    size_t n_headers;
    str unique; /* the name of the header that has another value in each answer, if any: HTTP/2 need not remember it */
    bool no_store; /* Cache-Control: no-store, Pragma: no-cache */
    bool close;    /* answer, then close */
};

/* Called for each complete request, in the loop's thread. It must lead to exactly one web_respond. */
typedef void web_handler(struct web_exchange *x, const struct web_request *req, void *arg);

/* Answers. Date, Content-Length and Connection are added. After this x and its arena are gone. Works (does nothing more) when the client has gone. */
void web_respond(struct web_exchange *x, const struct web_response *response);

/* A place for the handler's own state of an exchange. */
void web_set_data(struct web_exchange *x, void *data);
void *web_data(struct web_exchange *x);

/* Options are copied, the memory of authority and of the refusal's arg must live on. FAULT_CONFIG when a trusted proxy is no address.
 * Ignores SIGPIPE in the whole process. */
RC web_loop_open(const struct web_options *options, struct web_loop **out);

/* Binds "ADDR:PORT", "[ADDR]:PORT" or "unix:PATH" (mode 0600, a stale socket file is replaced). Port 0: any. `reuse_port` lets
 * each loop have its own queue; bind all of them before the first web_listen, since an address that somebody listens on is FAULT_IO
 * even then. out_name gets the address that was bound. The caller owns out_fd. */
RC web_bind(str address, bool reuse_port, int *out_fd, char *out_name, size_t name_bytes);

/* A TCP or Unix socket that listens already and came from elsewhere: makes it as web_bind would have, and writes its address as web_bind does.
 * FAULT_CONFIG when it is none. */
RC web_adopt(int fd, char *out_name, size_t name_bytes);

/* The address as web_bind and web_adopt write it. False when it is none. */
bool web_address_name(str address, char *out_name, size_t name_bytes);

/* Listens on a bound socket; the loop owns its own duplicate of fd. Call before web_loop_run. */
RC web_listen(struct web_loop *loop, int fd, web_handler *handler, void *arg);

/* What a listener speaks. */
struct web_listening {
    web_handler *handler;
    void *arg;
    struct web_tls *tls;  /* outlives the loop; NULL: plain */
    bool ask_certificate; /* of TLS clients; they need not have one */
    bool http2;           /* plain: by prior knowledge as well; with TLS web_tls_options say it */
};
RC web_listen_as(struct web_loop *loop, int fd, const struct web_listening *how);

/* Other options while the loop runs, in its thread; what belongs to the loop alone (refusal and its arg) stays. A deadline that has begun keeps the time
 * it was given, and a connection that is open is trusted or not as it was. FAULT_CONFIG when a proxy is no address: then nothing changes. */
RC web_loop_configure(struct web_loop *loop, const struct web_options *options);

/* Runs until web_loop_stop and until the last exchange has been answered or the drain deadline has passed. */
void web_loop_run(struct web_loop *loop);

/* From any thread: stop accepting, close idle connections, finish what is under way within drain_ms. */
void web_loop_stop(struct web_loop *loop, int64_t drain_ms);

/* The same when others listen on our sockets: takes no connection from now on, since it would have to leave it at once. */
void web_loop_hand_over(struct web_loop *loop, int64_t drain_ms);

/* From any thread: run fn(arg) in the loop's thread soon. */
void web_loop_post(struct web_loop *loop, void (*fn)(void *arg), void *arg);

/* fn(arg) in the loop's thread whenever it has done what there was to do and is about to wait. One per loop; set before it runs. */
void web_loop_before_wait(struct web_loop *loop, void (*fn)(void *arg), void *arg);

/* A cheap wake-up that may be given many times and is delivered once: fn(arg) in the loop's thread. One per loop; set before it runs. */
void web_loop_on_wake(struct web_loop *loop, void (*fn)(void *arg), void *arg);
void web_loop_wake(struct web_loop *loop); /* from any thread */

/* Before web_loop_run: fn every period_ms while the loop runs (it does not keep the loop alive). */
RC web_loop_every(struct web_loop *loop, int64_t period_ms, void (*fn)(void *arg), void *arg);

/* A timer that sleeps until it is told a time, in the loop's thread: then fn once, in that many milliseconds unless another time is told before.
 * It is the loop's. */
struct source;
struct source *web_loop_alarm(struct web_loop *loop, void (*fn)(void *arg), void *arg);
void web_alarm_set(struct source *alarm, int64_t in_ms);

/* Before web_loop_run: fn on a signal. */
RC web_loop_on_signal(struct web_loop *loop, int signal_number, void (*fn)(void *arg), void *arg);

/* Before web_loop_run: fn whenever fd is readable. The descriptor stays the caller's; it does not keep the loop alive. */
RC web_loop_watch(struct web_loop *loop, int fd, void (*fn)(void *arg), void *arg);

/* Frees a loop that does not run. NULL is allowed. */
void web_loop_close(struct web_loop *loop);

/* Requests that wait for their turn, and the bytes of all buffers, now; from the loop's thread. */
size_t web_loop_waiting(const struct web_loop *loop);
size_t web_loop_bytes(const struct web_loop *loop);

/* Connections open now; for limits, tests and metrics. */
unsigned web_loop_connections(const struct web_loop *loop);

#endif
