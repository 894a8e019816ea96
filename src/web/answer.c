/* Writing answers into the output of a connection. */
#include <time.h>

#include "h2.h"
#include "http_rules.h"
#include "loop.h"

#define HEAD_BYTES_MAX 320 /* of what we write ourselves: status line, Date, Content-Length, Connection, caching */

static const struct {
    int status;
    str line;
} status_lines[] = {
#define STATUS(code, reason)                                                                                           \
    { code, S("HTTP/1.1 " #code " " reason "\r\n") }
    STATUS(200, "OK"),
    STATUS(201, "Created"),
    STATUS(202, "Accepted"),
    STATUS(204, "No Content"),
    STATUS(302, "Found"),
    STATUS(303, "See Other"),
    STATUS(304, "Not Modified"),
    STATUS(307, "Temporary Redirect"),
    STATUS(308, "Permanent Redirect"),
    STATUS(400, "Bad Request"),
    STATUS(401, "Unauthorized"),
    STATUS(403, "Forbidden"),
    STATUS(404, "Not Found"),
    STATUS(405, "Method Not Allowed"),
    STATUS(406, "Not Acceptable"),
    STATUS(408, "Request Timeout"),
    STATUS(409, "Conflict"),
    STATUS(410, "Gone"),
    STATUS(411, "Length Required"),
    STATUS(412, "Precondition Failed"),
    STATUS(413, "Content Too Large"),
    STATUS(414, "URI Too Long"),
    STATUS(415, "Unsupported Media Type"),
    STATUS(417, "Expectation Failed"),
    STATUS(422, "Unprocessable Content"),
    STATUS(429, "Too Many Requests"),
    STATUS(431, "Request Header Fields Too Large"),
    STATUS(501, "Not Implemented"),
    STATUS(502, "Bad Gateway"),
    STATUS(503, "Service Unavailable"),
    STATUS(504, "Gateway Timeout"),
    STATUS(505, "HTTP Version Not Supported"),
    STATUS(500, "Internal Server Error"), /* last: what a status that is not here becomes */
#undef STATUS
};
#define STATUS_LINES (sizeof status_lines / sizeof status_lines[0])

/* What the connection adds to a response. */
struct frame {
    bool keep_alive, http_1_0, head_only;
};

static str status_line(int status) {
    size_t i = 0;
    while (i < STATUS_LINES - 1 && status_lines[i].status != status) i++;
    return status_lines[i].line;
}

str answer_date(struct web_loop *loop) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != loop->date_s) {
        loop->date_s = now.tv_sec;
        timetext_http(loop->date_s, loop->date);
    }
    return (str){loop->date, TIMETEXT_HTTP_BYTES - 1};
}

bool answer_is_header(str name, str value) {
    return name.n && http_is_all(name, HTTP_TCHAR) && http_is_all(value, HTTP_VALUE);
}

str answer_number(uint64_t v, char out[ANSWER_NUMBER_BYTES]) {
    size_t n = ANSWER_NUMBER_BYTES;
    do out[--n] = (char)('0' + v % 10);
    while (v /= 10);
    return (str){out + n, ANSWER_NUMBER_BYTES - n};
}

static char *put(char *p, str s) {
    if (s.n) memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *put_number(char *p, uint64_t v) {
    char digits[ANSWER_NUMBER_BYTES];
    return put(p, answer_number(v, digits));
}

static char *put_header(char *p, str name, str value) {
    if (!answer_is_header(name, value)) return p;
    p = put(p, name);
    p = put(p, S(": "));
    p = put(p, value);
    return put(p, S("\r\n"));
}

static char *put_connection(char *p, const struct frame *frame) {
    if (!frame->keep_alive) return put(p, S("Connection: close\r\n"));
    return frame->http_1_0 ? put(p, S("Connection: keep-alive\r\n")) : p;
}

/* A 204 or 304 has neither body nor length (RFC 9110 s8.6). */
bool answer_may_have_body(int status) { return status != 204 && status != 304; }

static size_t answer_bytes_max(const struct web_response *r) {
    size_t n = HEAD_BYTES_MAX + r->content_type.n + r->body.n;
    for (size_t i = 0; i < r->n_headers; i++) n += r->headers[i].name.n + r->headers[i].value.n + 4;
    return n;
}

static void answer(struct conn *c, const struct web_response *r, const struct frame *frame) {
    str body = r->content_type.n ? r->body : (str){NULL, 0};
    bytes_make_room(&c->out, &c->loop->bytes, answer_bytes_max(r), SIZE_MAX / 4);
    char *start = c->out.p + c->out.end, *p = start;

    p = put(p, status_line(r->status));
    p = put_header(p, S("Date"), answer_date(c->loop));
    if (r->content_type.n) p = put_header(p, S("Content-Type"), r->content_type);
    if (answer_may_have_body(r->status)) {
        p = put(p, S("Content-Length: "));
        p = put_number(p, body.n);
        p = put(p, S("\r\n"));
    }
    if (r->no_store) p = put(p, S("Cache-Control: no-store\r\nPragma: no-cache\r\n"));
    p = put_connection(p, frame);
    for (size_t i = 0; i < r->n_headers; i++) p = put_header(p, r->headers[i].name, r->headers[i].value);
    p = put(p, S("\r\n"));
    if (answer_may_have_body(r->status) && !frame->head_only) p = put(p, body);
    bytes_advance(&c->out, (size_t)(p - start));
}

void answer_continue(struct conn *c) {
    str text = S("HTTP/1.1 100 Continue\r\n\r\n");
    bytes_make_room(&c->out, &c->loop->bytes, text.n, SIZE_MAX / 4);
    put(c->out.p + c->out.end, text);
    bytes_advance(&c->out, text.n);
}

void answer_fill_refusal(struct web_loop *loop, const struct answer_refusal *why, struct arena *arena,
                         struct web_response *out) {
    int status = why->status;
    static const struct web_header retry_after = {{"Retry-After", 11},
                                                  {AS_TEXT(WEB_RETRY_AFTER_S), sizeof AS_TEXT(WEB_RETRY_AFTER_S) - 1}};
    const struct web_options *o = &loop->options;
    *out = (struct web_response){.status = status, .close = true};
    if (status == 503) {
        out->headers = &retry_after;
        out->n_headers = 1;
    }
    if (o->refusal) o->refusal(out, why->head, arena, o->refusal_arg);
}

void answer_refuse(struct conn *c, const struct answer_refusal *why) {
    struct web_response r;
    struct frame frame = {.keep_alive = false};
    struct arena *arena = loop_take_arena(c->loop);
    answer_fill_refusal(c->loop, why, arena, &r);
    answer(c, &r, &frame);
    loop_give_arena(c->loop, arena);
}

void web_respond(struct web_exchange *x, const struct web_response *response) {
    if (x->stream) {
        h2_respond(x, response);
        return;
    }
    struct conn *c = x->conn;
    struct web_loop *loop = c->loop;
    if (c->state != CONN_GONE) {
        struct frame frame = {
            .keep_alive = x->head.keep_alive && !response->close && !loop->draining && !conn_is_used_up(c),
            .http_1_0 = x->head.minor == 0,
            .head_only = x->head.method == HTTP_HEAD,
        };
        answer(c, response, &frame);
        if (!frame.keep_alive) c->last = true;
        c->peer_last = !x->head.keep_alive && bytes_n(&c->in) == c->raw_n;
    }
    loop->n_exchanges--;
    loop_give_arena(loop, x->arena); /* x is gone */
    conn_end_exchange(c);
    loop_check_drained(loop);
}
