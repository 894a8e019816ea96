#include "conn.h"

#include "forwarded.h"
#include "h2.h"
#include "loop.h"
#include "must_alloc.h"

/* --- requests ---------------------------------------------------------------------------------------------------- */

static str request_head(const struct conn *c) { return (str){bytes_front(&c->in), c->head_n}; }

struct web_exchange *conn_new_exchange(struct conn *c) {
    struct arena *arena = loop_take_arena(c->loop);
    struct web_exchange *x = arena_alloc(arena, sizeof *x); /* the head's 100 headers need no zeros */
    x->conn = c;
    x->arena = arena;
    x->stream = NULL;
    x->data = NULL;
    return x;
}

static int parse_head(const struct conn *c, struct web_exchange *x) {
    const struct web_options *o = &c->loop->options;
    int status = http_head_parse(&o->limits, request_head(c), &x->head);
    if (status || !x->head.absolute || !o->authority) return status;
    return str_eq_nocase(x->head.authority, str_of(o->authority)) ? 0 : 400; /* RFC 9112 s3.2.2; never a proxy */
}

/* Looks for the whole body behind the head. 1: it is there; 0: more is needed; -status. */
static int take_body(struct conn *c) {
    size_t here = bytes_n(&c->in) - c->head_n;
    if (!c->chunked) {
        if (here < c->content_length) return 0;
        c->body_n = (size_t)c->content_length;
        c->raw_n = c->head_n + c->body_n;
        return 1;
    }
    size_t raw = here - c->body_n;
    struct http_decoded decoded;
    char *data = bytes_front(&c->in) + c->head_n + c->body_n;
    int verdict = http_chunks_decode(&c->chunks, &c->loop->options.limits, data, raw, &decoded);
    if (verdict == 1) c->raw_n = c->head_n + c->body_n + decoded.used;
    c->body_n += decoded.n;
    if (verdict == 0) c->in.end -= raw - decoded.n; /* all of it was eaten; the next bytes go right behind the body */
    return verdict;
}

bool conn_is_used_up(const struct conn *c) {
    unsigned max = c->loop->options.requests_per_connection;
    return max && c->n_requests >= max;
}

void conn_hand_over(struct web_exchange *x, str body) {
    struct conn *c = x->conn;
    struct web_loop *loop = c->loop;
    x->request = (struct web_request){
        .head = &x->head,
        .body = body,
        .peer = str_of(c->peer_text),
        .is_unix = c->peer.is_unix,
        .is_secure = c->tls != NULL || c->forwarded_tls,
        .is_exposed = !c->tls && !c->near_peer,
        .arena = x->arena,
    };
    if (c->trusted_peer) {
        struct shown_certificate shown;
        if (certificate_header_read(&x->head, loop->options.certificate_style, x->arena, &shown)) {
            x->request.client_certificate = shown.der;
            x->request.client_certificate_verified = shown.verified;
        }
    } else if (c->tls && c->tls->certificate) { /* that of a proxy would not be its clients' */
        x->request.client_certificate = (str){(const char *)c->tls->certificate, (size_t)c->tls->certificate_n};
        x->request.client_certificate_verified = c->tls->verified;
    }
    if (c->trusted_peer) {
        struct peer peer = c->peer;
        struct forwarded_rules rules = {loop->trusted, loop->n_trusted, loop->options.trust_forwarded};
        char *text = arena_alloc(x->arena, PEER_TEXT_BYTES);
        forwarded_walk(&x->head, &rules, &peer);
        peer_print(&peer, text);
        x->request.peer = str_of(text);
        enum forwarded_scheme scheme = forwarded_scheme_of(&x->head, &rules);
        if (scheme == FORWARDED_SCHEME_HTTPS) x->request.is_secure = true;
        x->request.is_exposed = !c->tls && scheme == FORWARDED_SCHEME_OTHER;
    }
    c->n_requests++;
    turns_take(x);
}

static void refuse(struct conn *c, const struct answer_refusal *why) {
    answer_refuse(c, why);
    bytes_release(&c->in, &c->loop->bytes);
    c->head_n = 0;
    c->last = true;
    conn_mark_dirty(c);
}

static void dispatch(struct conn *c, struct web_exchange *x) {
    c->exchange = x;
    conn_hand_over(x, (str){bytes_front(&c->in) + c->head_n, c->body_n});
}

/* The head is complete: reads what frames the body. The parsed head is not kept while the body is on its way: it is large, and its slices
 * would have to follow the buffer. Parsing it twice is cheaper. */
static void begin_body(struct conn *c, const struct web_exchange *x) {
    c->chunked = x->head.chunked;
    c->content_length = x->head.content_length;
    c->chunks = (struct http_chunks){0};
    c->body_n = 0;
    /* Nobody waits for a 100 when the body has begun or is empty (RFC 9110 s10.1.1). */
    bool waits = bytes_n(&c->in) == c->head_n && (c->chunked || c->content_length);
    if (x->head.expect_continue && waits) answer_continue(c);
}

/* That a body is too large is known from a head that is whole. */
static void refuse_request(struct conn *c, int status, const struct web_exchange *x) {
    refuse(c, &(struct answer_refusal){status, status == 413 ? &x->head : NULL});
}

/* Takes the body, and hands the request over when it is complete. Returns false when there is nothing more to do now. */
static bool take_rest(struct conn *c, struct web_exchange *x) {
    int verdict = take_body(c);
    if (verdict == 1) {
        int status = x ? 0 : parse_head(c, x = conn_new_exchange(c));
        if (status == 0) {
            dispatch(c, x);
            return true;
        }
        verdict = -status;
    }
    if (verdict == -413 && !x) {
        x = conn_new_exchange(c);
        (void)parse_head(c, x); /* it was read before */
    }
    if (verdict < 0) refuse_request(c, -verdict, x);
    if (x) loop_give_arena(c->loop, x->arena);
    return false;
}

static bool take_head(struct conn *c) {
    const struct http_limits *limits = &c->loop->options.limits;
    int n = http_head_scan(&c->scan, limits, (str){bytes_front(&c->in), bytes_n(&c->in)});
    if (n < 0) conn_refuse(c, -n);
    if (n <= 0) return false;
    c->head_n = (size_t)n;
    struct web_exchange *x = conn_new_exchange(c);
    int status = parse_head(c, x);
    if (status) {
        refuse_request(c, status, x);
        loop_give_arena(c->loop, x->arena);
        return false;
    }
    begin_body(c, x);
    return take_rest(c, x);
}

static bool may_take_request(const struct conn *c) {
    return c->state != CONN_GONE && !c->awaits_proxy && !c->last && !c->paused && !c->exchange && !c->writing.p &&
           bytes_n(&c->in) > 0;
}

/* Whether the peer begins with the preface of HTTP/2 where that is allowed. 1: it does, 0: it may still, -1: no. */
static int looks_like_http2(const struct conn *c) {
    if (!c->listener->http2 || c->awaits_proxy || c->n_requests || c->head_n || c->last) return -1;
    str preface = S(H2_PREFACE), have = {c->in.p ? bytes_front(&c->in) : "", bytes_n(&c->in)};
    if (!str_starts_with(preface, str_head(have, preface.n))) return -1;
    return have.n >= preface.n ? 1 : 0;
}

/* Takes requests off the input, one after the other. True when only the bound of the output ended it. */
static bool take_requests(struct conn *c) {
    int http2 = c->h2 ? 1 : looks_like_http2(c);
    if (http2 == 1 && !c->h2) h2_open(c);
    if (http2 == 1) return h2_turn(c);
    if (http2 == 0 && !c->peer_ended) return false;
    while (may_take_request(c)) {
        if (bytes_n(&c->out) >= OUT_HIGH_BYTES) return true;
        bool more = c->head_n ? take_rest(c, NULL) : take_head(c);
        if (!more) return false;
    }
    return false;
}

void conn_refuse(struct conn *c, int status) { refuse(c, &(struct answer_refusal){.status = status}); }

/* --- turns --------------------------------------------------------------------------------------------------------- */

static bool is_answered(const struct conn *c) { return !c->exchange && !(c->h2 && c->h2->n_streams); }

/* Writes what has been answered; the end of TLS goes with the last of it. True when all of it is out. */
static bool write_answers(struct conn *c, bool more) {
    if (c->state == CONN_GONE || c->writing.p) return false;
    bool ends = !more && (c->last || c->peer_ended) && is_answered(c);
    struct bytes *out = transport_seal(c, ends);
    size_t n = out ? bytes_n(out) : 0;
    if (out && n == 0) return true;
    ssize_t written = out ? transport_write_now(c, bytes_front(out), n) : -1;
    if (written < 0) {
        conn_close(c);
        return false;
    }
    bytes_drop(out, &c->loop->bytes, (size_t)written);
    if ((size_t)written == n) return true;
    c->writing = *out;
    *out = (struct bytes){0};
    if (!transport_write_later(c)) conn_close(c);
    return false;
}

/* The peer has our last answer. It is given time to read it: closing with unread bytes would destroy it (RFC 9112 s9.6). A peer that announced its last
 * request has sent no more of them, unless it breaks its word. */
static void finish(struct conn *c) {
    if (c->peer_ended) {
        conn_close(c);
        return;
    }
    bytes_release(&c->in, &c->loop->bytes);
    if (c->peer_last && !transport_has_unread(c)) {
        conn_close(c);
        return;
    }
    transport_end_output(c);
    conn_enter(c, CONN_LINGER);
    transport_read(c, true);
}

static enum conn_state state_now(const struct conn *c) {
    if (c->awaits_proxy || (c->tls && !c->tls->open)) return CONN_OPENING;
    if (c->writing.p) return CONN_WRITING;
    if (!is_answered(c)) return CONN_HANDLING;
    if (c->paused) return CONN_PAUSED;
    if (c->head_n) return CONN_BODY;
    return bytes_n(&c->in) ? CONN_HEAD : CONN_IDLE;
}

/* After a turn: the state that follows from what there is. A state that merely goes on keeps its deadline: deadlines are absolute. */
static void settle(struct conn *c) {
    if (c->state == CONN_GONE || c->state == CONN_LINGER) return;
    enum conn_state state = state_now(c);
    bool answered = !c->writing.p && state != CONN_HANDLING;
    if (answered && (c->last || c->peer_ended)) {
        finish(c);
        return;
    }
    if (state != c->state || c->renew) conn_enter(c, state);
    c->renew = false;
    if (!c->peer_ended) transport_read(c, !c->writing.p && !c->paused);
}

/* A peer that ends in the midst of a request gets an answer as well, if it still listens. */
static void refuse_cut_request(struct conn *c) {
    if (c->peer_ended && !c->h2 && may_take_request(c)) conn_refuse(c, 400);
}

void conn_hear(struct conn *c) {
    if (c->state == CONN_GONE || c->state == CONN_LINGER) return;
    c->in_turn = true;
    take_requests(c);
    c->in_turn = false;
}

void conn_turn(struct conn *c) {
    if (c->state == CONN_LINGER && c->peer_ended) conn_close(c);
    if (c->state == CONN_GONE || c->state == CONN_LINGER) return;
    c->in_turn = true;
    bool more;
    do {
        more = take_requests(c);
        if (!more) refuse_cut_request(c);
    } while (write_answers(c, more) && more);
    c->in_turn = false;
    settle(c);
}

void conn_mark_dirty(struct conn *c) {
    struct web_loop *loop = c->loop;
    if (c->dirty || c->in_turn || c->state == CONN_GONE) return;
    c->dirty = true;
    c->next_dirty = NULL;
    if (loop->last_dirty)
        loop->last_dirty->next_dirty = c;
    else
        loop->first_dirty = c;
    loop->last_dirty = c;
    loop->n_dirty++;
}

/* --- who it is ------------------------------------------------------------------------------------------------------ */

/* Our own machine and our proxies speak for many. */
static bool is_one_of_a_crowd(const struct conn *c) {
    return c->loop->options.connections_per_address && !c->peer.is_unix && !c->trusted_peer && !c->awaits_proxy &&
           !peer_is_loopback(&c->peer);
}

bool conn_join_crowd(struct conn *c) {
    if (!is_one_of_a_crowd(c)) return true;
    c->counted = true;
    return crowd_enter(&c->loop->crowd, &c->peer) <= c->loop->options.connections_per_address;
}

void conn_take_peer(struct conn *c, const struct proxy_header *header) {
    if (header->has_peer) {
        struct web_loop *loop = c->loop;
        c->peer = header->peer;
        c->trusted_peer = c->trusted_peer || peer_is_in(&c->peer, loop->trusted, loop->n_trusted);
        c->forwarded_tls = header->is_secure;
        c->near_peer = c->near_peer || header->is_secure;
        peer_print(&c->peer, c->peer_text);
    }
    if (!conn_join_crowd(c)) conn_close(c);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

struct conn *conn_new(struct listener *listener, int fd, const struct sockaddr *address) {
    struct conn *c = must_alloc(sizeof *c);
    struct web_loop *loop = listener->loop;
    c->link = (struct link){&c->link, &c->link};
    c->loop = loop;
    c->listener = listener;
    c->peer = peer_of_sockaddr(address);
    c->trusted_peer = peer_is_in(&c->peer, loop->trusted, loop->n_trusted);
    peer_print(&c->peer, c->peer_text);
    atomic_fetch_add_explicit(&loop->n_conns, 1, memory_order_relaxed);
    c->awaits_proxy = peer_is_in(&c->peer, loop->balancers, loop->n_balancers);
    c->near_peer = c->peer.is_unix || peer_is_loopback(&c->peer);
    conn_enter(c, listener->tls || c->awaits_proxy ? CONN_OPENING : CONN_IDLE);
    bool good = transport_open(c, fd) && (!listener->tls || tls_conn_open(c));
    if (good)
        transport_read(c, true);
    else
        conn_close(c);
    return c;
}

void conn_free(struct conn *c) {
    c->link.prev->next = c->link.next;
    c->link.next->prev = c->link.prev;
    bytes_release(&c->in, &c->loop->bytes);
    bytes_release(&c->out, &c->loop->bytes);
    bytes_release(&c->writing, &c->loop->bytes);
    h2_free(c);
    tls_conn_free(c);
    free(c);
}

void conn_free_if_over(struct conn *c) {
    if (c->handle_closed && !c->exchange && (!c->h2 || c->h2->n_exchanges == 0)) conn_free(c);
}

static void on_closed(uv_handle_t *handle) {
    struct conn *c = handle->data;
    c->handle_closed = true;
    conn_free_if_over(c);
}

void conn_close(struct conn *c) {
    if (c->state == CONN_GONE) return;
    conn_enter(c, CONN_GONE);
    if (c->counted) crowd_leave(&c->loop->crowd, &c->peer);
    atomic_fetch_sub_explicit(&c->loop->n_conns, 1, memory_order_relaxed);
    if (c->h2) h2_abandon(c);
    uv_close(&c->uv.handle, on_closed);
    loop_check_drained(c->loop);
}

void conn_resume(struct conn *c) {
    c->paused = false;
    conn_enter(c, CONN_IDLE);
    conn_mark_dirty(c);
}

/* A deadline has passed. Leaves the state in any case. */
void conn_expire(struct conn *c) {
    if (c->state == CONN_PAUSED) {
        conn_resume(c);
        return;
    }
    bool waits_for_request = c->state == CONN_HEAD || c->state == CONN_BODY;
    if (c->h2 && c->state == CONN_IDLE) {
        h2_leave(c, true);
        conn_turn(c);
        if (c->state == CONN_IDLE) conn_close(c);
        return;
    }
    if (!waits_for_request) {
        conn_close(c);
        return;
    }
    conn_refuse(c, 408);
    conn_turn(c);
}

void conn_end_exchange(struct conn *c) {
    c->exchange = NULL;
    if (c->state == CONN_GONE) {
        conn_free_if_over(c);
        return;
    }
    bytes_drop(&c->in, &c->loop->bytes, c->raw_n);
    c->scan = (struct http_scan){0};
    c->head_n = c->raw_n = 0;
    c->renew = true;
    conn_mark_dirty(c);
}
