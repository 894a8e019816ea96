/* From the frames of a stream to a request. */
#include <stdlib.h>

#include "h2.h"
#include "http_rules.h"
#include "loop.h"
#include "must_alloc.h"

/* ---- life ---- */

static void unlink_from(struct link *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    *link = (struct link){link, link};
}

static void link_last(struct link *list, struct link *link) {
    *link = (struct link){list->prev, list};
    list->prev->next = link;
    list->prev = link;
}

struct stream *stream_new(struct conn *c, int32_t id) {
    struct stream *s = must_alloc(sizeof *s);
    s->link = (struct link){&s->link, &s->link};
    s->conn = c;
    s->id = id;
    s->exchange = conn_new_exchange(c);
    s->exchange->stream = s;
    link_last(&c->h2->streams, &s->own);
    c->h2->n_streams++;
    stream_enter(s, STREAM_HEAD);
    return s;
}

void stream_count(struct stream *s) {
    struct h2 *h2 = s->conn->h2;
    size_t n = bytes_n(&s->text) + bytes_n(&s->body) + bytes_n(&s->answer);
    h2->bytes_n = h2->bytes_n - s->counted_n + n;
    s->counted_n = n;
}

void stream_enter(struct stream *s, enum stream_state state) {
    struct web_loop *loop = s->conn->loop;
    s->state = state;
    unlink_from(&s->link);
    if (!loop->stream_limit_ms[state]) return;
    s->deadline_ms = (int64_t)uv_now(&loop->uv) + loop->stream_limit_ms[state];
    link_last(&loop->streams[state], &s->link);
    deadlines_arm(loop, s->deadline_ms);
}

void stream_forget_deadline(struct stream *s) { unlink_from(&s->link); }

void stream_free(struct stream *s) {
    struct web_loop *loop = s->conn->loop;
    unlink_from(&s->link);
    unlink_from(&s->own);
    if (s->exchange) loop_give_arena(loop, s->exchange->arena);
    bytes_release(&s->text, &loop->bytes);
    bytes_release(&s->body, &loop->bytes);
    bytes_release(&s->answer, &loop->bytes);
    stream_count(s);
    free(s);
}

void stream_close(struct stream *s) {
    struct h2 *h2 = s->conn->h2;
    h2->n_streams--;
    s->closed = true;
    if (s->held_n) nghttp2_session_consume_connection(h2->session, s->held_n);
    s->held_n = 0;
    unlink_from(&s->link);
    if (s->state != STREAM_HANDLING) stream_free(s); /* else h2_respond does it: the handler reads the request */
}

/* ---- fields ---- */

static size_t head_max(const struct stream *s) { return s->conn->loop->options.limits.head_max; }

#define PARTS(...) (const str[]){__VA_ARGS__}, sizeof((const str[]){__VA_ARGS__}) / sizeof(str)

static bool add_text(struct stream *s, const str *parts, size_t n_parts) {
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++) n += parts[i].n;
    if (!bytes_make_room(&s->text, &s->conn->loop->bytes, n, head_max(s))) return false;
    char *p = s->text.p + s->text.end;
    for (size_t i = 0; i < n_parts; p += parts[i++].n) memcpy(p, parts[i].p, parts[i].n);
    bytes_advance(&s->text, n);
    stream_count(s);
    return true;
}

static void add_line(struct stream *s, str name, str value) {
    if (!add_text(s, PARTS(name, S(": "), value, S("\r\n"))) && !s->refusal) s->refusal = 431;
}

/* The request line, as soon as the first ordinary field shows that the pseudo fields are complete. nghttp2 lets no line end through; the
 * checks here do not rest on it. */
static void start_text(struct stream *s) {
    if (s->started) return;
    s->started = true;
    bool good = s->method.n && http_is_all(s->method, HTTP_TCHAR) && s->path.n && str_find(s->path, ' ') == s->path.n &&
                http_is_all(s->path, HTTP_VALUE) && (s->path.p[0] == '/' || str_eq(s->path, S("*")));
    if (!good) {
        s->refusal = 400;
        return;
    }
    if (s->path.n > s->conn->loop->options.limits.target_max) s->refusal = 414;
    good = add_text(s, PARTS(s->method, S(" "), s->path, S(" HTTP/1.1\r\n")));
    if (!good && !s->refusal) s->refusal = 431;
    if (s->authority.n) add_line(s, S("host"), s->authority);
}

/* A host beside :authority must be the same (RFC 9113 s8.3.1). */
static void take_host(struct stream *s, str value) {
    if (!s->authority.n)
        add_line(s, S("host"), value);
    else if (!str_eq_nocase(s->authority, value))
        s->refusal = 400;
}

static void take_cookie(struct stream *s, str value) {
    struct arena *arena = s->exchange->arena;
    if (s->cookies.n + value.n > head_max(s))
        s->refusal = 431;
    else if (s->cookies.n)
        s->cookies = arena_printf(arena, "%.*s; %.*s", STR_ARG(s->cookies), STR_ARG(value));
    else
        s->cookies = arena_copy(arena, value);
}

static void take_length(struct stream *s, str value) {
    uint64_t n;
    s->has_length = true;
    if (str_to_u64(value, UINT64_MAX, &n) && n > s->conn->loop->options.limits.body_max) s->refusal = 413;
    add_line(s, S("content-length"), value);
}

static void take_pseudo(struct stream *s, str name, str value) {
    const struct {
        str name;
        str *to;
    } known[] = {{S(":method"), &s->method}, {S(":path"), &s->path}, {S(":authority"), &s->authority}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(name, known[i].name)) *known[i].to = arena_copy(s->exchange->arena, value);
}

void stream_take_field(struct stream *s, str name, str value) {
    if (s->refusal && s->refusal != 413) return; /* of a body that is too large the rest of the head counts */
    if (value.n > head_max(s)) {
        s->refusal = 431;
        return;
    }
    if (name.n && name.p[0] == ':') {
        take_pseudo(s, name, value);
        return;
    }
    start_text(s);
    if (!http_is_all(value, HTTP_VALUE) || !http_is_all(name, HTTP_TCHAR))
        s->refusal = 400;
    else if (str_eq(name, S("host")))
        take_host(s, value);
    else if (str_eq(name, S("cookie")))
        take_cookie(s, value);
    else if (str_eq(name, S("content-length")))
        take_length(s, value);
    else if (str_eq(name, S("expect")) && str_eq_nocase(value, S("100-continue")))
        s->expects = true;
    else
        add_line(s, name, value);
}

void stream_end_head(struct stream *s) {
    static const char status[] = ":status", hundred[] = "100";
    start_text(s);
    if (s->cookies.n) add_line(s, S("cookie"), s->cookies);
    if (s->refusal) {
        stream_refuse(s, s->refusal);
        return;
    }
    stream_enter(s, STREAM_BODY);
    nghttp2_nv nv = {(uint8_t *)(uintptr_t)status, (uint8_t *)(uintptr_t)hundred, sizeof status - 1, sizeof hundred - 1,
                     NGHTTP2_NV_FLAG_NONE};
    s->interim = s->expects;
    if (s->expects) nghttp2_submit_headers(s->conn->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, &nv, 1, NULL);
}

void stream_take_body(struct stream *s, str data) {
    struct web_loop *loop = s->conn->loop;
    if (!bytes_make_room(&s->body, &loop->bytes, data.n, loop->options.limits.body_max)) {
        nghttp2_session_consume_connection(s->conn->h2->session, data.n);
        stream_refuse(s, 413);
        return;
    }
    memcpy(s->body.p + s->body.end, data.p, data.n);
    bytes_advance(&s->body, data.n);
    s->held_n += data.n;
    stream_count(s);
}

const struct http_head *stream_read_head(struct stream *s) {
    struct http_head *head = &s->exchange->head;
    if (!s->started || !add_text(s, PARTS(S("\r\n")))) return NULL;
    str text = {bytes_front(&s->text), bytes_n(&s->text)};
    int status = http_head_parse(&s->conn->loop->options.limits, text, head);
    return status == 0 || status == 411 || status == 413 ? head : NULL; /* those are about the body */
}

/* All is there. The length that HTTP/2 does not ask for is added, since the rules of HTTP/1.1 do. */
void stream_end_request(struct stream *s) {
    struct conn *c = s->conn;
    struct web_exchange *x = s->exchange;
    char length[ANSWER_NUMBER_BYTES];
    s->complete = true;
    if (s->state != STREAM_BODY) return;
    str body = {s->body.p ? bytes_front(&s->body) : "", bytes_n(&s->body)};
    if (!s->has_length) add_line(s, S("content-length"), answer_number(body.n, length));
    if (!add_text(s, PARTS(S("\r\n")))) s->refusal = 431;
    str text = {bytes_front(&s->text), bytes_n(&s->text)};
    int status = s->refusal ? s->refusal : http_head_parse(&c->loop->options.limits, text, &x->head);
    if (status) {
        stream_refuse(s, status);
        return;
    }
    stream_enter(s, STREAM_HANDLING);
    c->h2->n_exchanges++;
    conn_hand_over(x, body);
}
