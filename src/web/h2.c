#include "h2.h"

#include <stdlib.h>

#include "loop.h"
#include "must_alloc.h"

#define FRAME_HEAD_BYTES 9
#define GOAWAY_BYTES     8

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *options;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- floods ---- */

/* A peer may send frames that ask nothing (PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty DATA) and take requests back, but not much more of
 * them than its answered requests and the time explain. CVE-2019-9512 and its brothers, CVE-2023-44487. */
static void add_noise(struct conn *c, int64_t n) {
    struct h2 *h2 = c->h2;
    int64_t now_ms = (int64_t)uv_now(&c->loop->uv);
    h2->noise -= (now_ms - h2->noise_at_ms) * H2_NOISE_PER_S / 1000;
    if ((now_ms - h2->noise_at_ms) * H2_NOISE_PER_S >= 1000) h2->noise_at_ms = now_ms;
    h2->noise += n;
    if (h2->noise < 0) h2->noise = 0;
    if (h2->noise > H2_NOISE_MAX) nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static bool is_noise(const nghttp2_frame_hd *frame) {
    bool ends = (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->type == NGHTTP2_DATA) return frame->length == 0 && !ends;
    return frame->type != NGHTTP2_HEADERS && frame->type != NGHTTP2_CONTINUATION;
}

/* ---- what nghttp2 calls ---- */

static struct stream *find_stream(nghttp2_session *session, int32_t id) {
    return nghttp2_session_get_stream_user_data(session, id);
}

/* A request on a stream that is no more. nghttp2 forgets streams that are closed, so it would pass over these fields. What may have been sent
 * before the peer learned that we closed the stream is no error. RFC 9113 s5.1, s5.1.1. */
static uint32_t error_of_closed(const struct h2 *h2, const nghttp2_frame_hd *frame) {
    int32_t id = frame->stream_id;
    if (frame->type != NGHTTP2_HEADERS || id > h2->last_id || id <= h2->cut_short_id ||
        nghttp2_session_find_stream(h2->session, id))
        return NGHTTP2_NO_ERROR;
    return id <= h2->skipped_id ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED;
}

/* What nghttp2 does not look at. It passes over all PRIORITY frames, since they mean nothing any more. */
static uint32_t error_of(const struct h2 *h2, const nghttp2_frame_hd *frame) {
    if (frame->stream_id == 0) return frame->type == NGHTTP2_PRIORITY ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR;
    return frame->stream_id % 2 ? error_of_closed(h2, frame) : NGHTTP2_NO_ERROR;
}

static void note_id(struct h2 *h2, int32_t id) {
    if (id > h2->last_id + 2) h2->skipped_id = id - 2;
    if (id > h2->last_id) h2->last_id = id;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *arg) {
    struct h2 *h2 = ((struct conn *)arg)->h2;
    uint32_t error = error_of(h2, frame);
    if (error) return nghttp2_session_terminate_session(session, error);
    if (is_noise(frame)) add_noise(arg, 1);
    return 0;
}

static size_t streams_max(const struct conn *c) {
    unsigned max = c->loop->options.streams_max;
    return max ? max : H2_STREAMS;
}

static size_t bytes_max(const struct conn *c) {
    size_t max = c->loop->options.bytes_per_connection;
    return max ? max : H2_BYTES;
}

/* Requests that were taken back may still be under way: they count. */
static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg) {
    struct conn *c = arg;
    c->h2->block_bytes = 0;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    note_id(c->h2, frame->hd.stream_id);
    if (c->h2->n_exchanges >= streams_max(c) || c->h2->bytes_n >= bytes_max(c))
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream_new(c, frame->hd.stream_id));
}

/* A block far beyond what we announced is an attack on our memory or time: it ends the connection. Trailers are read and forgotten. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *arg) {
    struct conn *c = arg;
    struct stream *s = find_stream(session, frame->hd.stream_id);
    (void)flags;
    c->h2->block_bytes += name_n + value_n + 32;
    if (c->h2->block_bytes > 4 * c->loop->options.limits.head_max) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (s && s->state == STREAM_HEAD)
        stream_take_field(s, (str){(const char *)name, name_n}, (str){(const char *)value, value_n});
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg) {
    struct stream *s = find_stream(session, id);
    (void)flags, (void)arg;
    if (s && s->state == STREAM_BODY)
        stream_take_body(s, (str){(const char *)data, n});
    else
        nghttp2_session_consume_connection(session, n);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg) {
    struct stream *s = find_stream(session, frame->hd.stream_id);
    (void)arg;
    if (s && frame->hd.type == NGHTTP2_RST_STREAM) s->complete = true;
    if (s && frame->hd.type == NGHTTP2_HEADERS && s->state == STREAM_HEAD) stream_end_head(s);
    bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (s && can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) stream_end_request(s);
    return 0;
}

/* The peer need not go on with a request that is answered already (RFC 9113 s8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg) {
    struct stream *s = find_stream(session, frame->hd.stream_id);
    bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    (void)arg;
    if (s && frame->hd.type == NGHTTP2_HEADERS) {
        if (!s->interim) stream_drop_fields(s);
        s->interim = false;
    }
    if (!s || s->complete || !can_end || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg) {
    struct conn *c = arg;
    struct stream *s = find_stream(session, id);
    bool answered = s && s->state == STREAM_ANSWERING && code == NGHTTP2_NO_ERROR;
    add_noise(c, answered ? -H2_NOISE_CREDIT : H2_NOISE_PER_ERROR);
    if (!(s && s->complete) && id > c->h2->cut_short_id) c->h2->cut_short_id = id;
    if (!s) return 0;
    nghttp2_session_set_stream_user_data(session, id, NULL);
    stream_close(s);
    c->renew = true;
    return 0;
}

static void prepare(void) {
    if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&options)) abort();
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_outbound_ack(options, H2_ACKS_MAX);
    nghttp2_option_set_no_closed_streams(options, 1);
}

/* ---- life ---- */

void h2_open(struct conn *c) {
    const struct http_limits *limits = &c->loop->options.limits;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)streams_max(c)},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)limits->body_max + BYTES_BLOCK},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->head_max},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    pthread_once(&once, prepare);
    nghttp2_mem memory = h2_memory(&c->loop->h2);
    struct h2 *h2 = c->h2 = must_alloc(sizeof *h2);
    h2->streams = (struct link){&h2->streams, &h2->streams};
    h2->noise_at_ms = (int64_t)uv_now(&c->loop->uv);
    if (nghttp2_session_server_new3(&h2->session, callbacks, c, options, &memory) ||
        nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, (int32_t)bytes_max(c)))
        abort(); /* no memory */
    conn_mark_dirty(c);
}

void h2_abandon(struct conn *c) {
    struct link *list = &c->h2->streams;
    for (struct link *next, *at = list->next; at != list; at = next) {
        next = at->next;
        struct stream *s = (struct stream *)((char *)at - offsetof(struct stream, own));
        if (s->closed) continue;
        nghttp2_session_set_stream_user_data(c->h2->session, s->id, NULL);
        stream_close(s);
    }
}

void h2_free(struct conn *c) {
    struct h2 *h2 = c->h2;
    if (!h2) return;
    nghttp2_session_del(h2->session);
    while (!list_is_empty(&h2->streams))
        stream_free((struct stream *)((char *)h2->streams.next - offsetof(struct stream, own)));
    free(h2);
    c->h2 = NULL;
}

/* ---- deadlines ---- */

int64_t h2_deadline_ms(const struct link *first) { return ((const struct stream *)first)->deadline_ms; }

/* A header block that does not end holds up the whole connection; a body holds up itself; a peer that takes no answer is left without. */
void h2_expire(struct link *first) {
    struct stream *s = (struct stream *)first;
    struct conn *c = s->conn;
    enum stream_state state = s->state;
    if (state == STREAM_BODY) {
        stream_refuse(s, 408);
        return;
    }
    stream_forget_deadline(s);
    if (state == STREAM_HEAD)
        nghttp2_session_terminate_session(c->h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
    else
        nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
    conn_mark_dirty(c);
}

/* ---- turns ---- */

static char *put_u32(char *p, uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) *p++ = (char)(v >> shift);
    return p;
}

/* nghttp2 cannot go on: the last frame is written by hand. */
static void die(struct conn *c, uint32_t code) {
    static const char head[FRAME_HEAD_BYTES] = {0, 0, GOAWAY_BYTES, NGHTTP2_GOAWAY, 0, 0, 0, 0, 0};
    uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(c->h2->session);
    bytes_make_room(&c->out, &c->loop->bytes, sizeof head + GOAWAY_BYTES, SIZE_MAX / 4);
    char *p = c->out.p + c->out.end;
    memcpy(p, head, sizeof head);
    put_u32(put_u32(p + sizeof head, last), code);
    bytes_advance(&c->out, sizeof head + GOAWAY_BYTES);
    h2_abandon(c);
    c->last = true;
}

static void hear(struct conn *c) {
    size_t n = bytes_n(&c->in);
    if (n == 0) return;
    ssize_t taken = nghttp2_session_mem_recv(c->h2->session, (const uint8_t *)bytes_front(&c->in), n);
    bytes_release(&c->in, &c->loop->bytes);
    if (taken >= 0) return;
    bool flood = taken == NGHTTP2_ERR_FLOODED || taken == NGHTTP2_ERR_CALLBACK_FAILURE;
    die(c, flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
}

/* True when there is more than the bound of the output. */
static bool speak(struct conn *c) {
    while (bytes_n(&c->out) < OUT_HIGH_BYTES) {
        const uint8_t *p;
        ssize_t n = nghttp2_session_mem_send(c->h2->session, &p);
        if (n < 0) die(c, NGHTTP2_INTERNAL_ERROR);
        if (n <= 0) return false;
        bytes_make_room(&c->out, &c->loop->bytes, (size_t)n, SIZE_MAX / 4);
        memcpy(c->out.p + c->out.end, p, (size_t)n);
        bytes_advance(&c->out, (size_t)n);
    }
    return nghttp2_session_want_write(c->h2->session) != 0;
}

bool h2_turn(struct conn *c) {
    if (c->state == CONN_GONE || c->writing.p || c->last) return false;
    nghttp2_session *session = c->h2->session;
    hear(c);
    if (!c->last && (c->loop->grace_over || conn_is_used_up(c))) h2_leave(c, true);
    bool more = !c->last && speak(c);
    if (!c->last && !nghttp2_session_want_read(session) && !nghttp2_session_want_write(session)) {
        h2_abandon(c);
        c->last = true;
    }
    return more;
}

void h2_leave(struct conn *c, bool now) {
    nghttp2_session *session = c->h2->session;
    conn_mark_dirty(c);
    if (c->last || c->h2->leaving) return;
    if (!now) {
        nghttp2_submit_shutdown_notice(session);
        return;
    }
    c->h2->leaving = true;
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                          NGHTTP2_NO_ERROR, NULL, 0);
}
