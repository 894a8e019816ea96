/* From a response to the frames of a stream. */
#include "h2.h"
#include "http_rules.h"
#include "loop.h"

#define OWN_FIELDS       6   /* status, date, content-type, content-length, cache-control, pragma */
#define OWN_FIELDS_BYTES 160 /* of those, without the value of the content type */

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                           nghttp2_data_source *source, void *arg) {
    struct stream *s = source->ptr;
    struct conn *c = arg;
    size_t have = bytes_n(&s->answer), n = have < room ? have : room;
    (void)session, (void)id;
    if (n) memcpy(out, bytes_front(&s->answer), n);
    if (n == have) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (n) bytes_drop(&s->answer, &c->loop->bytes, n);
    stream_count(s);
    return (ssize_t)n;
}

/* The fields of an answer. Names (in lower case, as HTTP/2 wants them) and values stand in front of the body in s->answer until the frame is
 * written, so that nghttp2 needs no copies. */
struct fields {
    nghttp2_nv *list;
    size_t n;
    uint8_t *p; /* where the next one goes */
};

static uint8_t *put(uint8_t *p, str s) {
    if (s.n) memcpy(p, s.p, s.n);
    return p + s.n;
}

static void put_field(struct fields *f, str name, str value, bool unique) {
    unsigned flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    if (unique) flags |= NGHTTP2_NV_FLAG_NO_INDEX;
    f->list[f->n++] = (nghttp2_nv){f->p, f->p + name.n, name.n, value.n, (uint8_t)flags};
    http_lower(name, (char *)f->p);
    f->p = put(f->p + name.n, value);
}

static void add(struct fields *f, str name, str value) {
    if (answer_is_header(name, value)) put_field(f, name, value, false);
}

static size_t fields_bytes_max(const struct web_response *r) {
    size_t n = OWN_FIELDS_BYTES + r->content_type.n;
    for (size_t i = 0; i < r->n_headers; i++) n += r->headers[i].name.n + r->headers[i].value.n;
    return n;
}

static void add_all(struct fields *f, struct stream *s, const struct web_response *r, size_t length) {
    char digits[ANSWER_NUMBER_BYTES];
    put_field(f, S(":status"), answer_number((uint64_t)r->status, digits), false);
    add(f, S("date"), answer_date(s->conn->loop));
    if (r->content_type.n) add(f, S("content-type"), r->content_type);
    if (answer_may_have_body(r->status)) add(f, S("content-length"), answer_number(length, digits));
    if (r->no_store) add(f, S("cache-control"), S("no-store"));
    if (r->no_store) add(f, S("pragma"), S("no-cache"));
    for (size_t i = 0; i < r->n_headers; i++) {
        const struct web_header *h = &r->headers[i];
        if (answer_is_header(h->name, h->value)) put_field(f, h->name, h->value, str_eq(h->name, r->unique));
    }
}

static void submit(struct stream *s, const struct web_response *r, struct arena *arena, bool head_only) {
    str body = r->content_type.n ? r->body : (str){NULL, 0};
    bool has_data = answer_may_have_body(r->status) && !head_only && body.n;
    size_t room = fields_bytes_max(r) + (has_data ? body.n : 0);
    bytes_make_room(&s->answer, &s->conn->loop->bytes, room, SIZE_MAX / 4);
    uint8_t *start = (uint8_t *)s->answer.p + s->answer.end;
    struct fields f = {arena_alloc(arena, (r->n_headers + OWN_FIELDS) * sizeof(nghttp2_nv)), 0, start};
    add_all(&f, s, r, body.n);
    s->fields_n = (size_t)(f.p - start);
    if (has_data) f.p = put(f.p, body);
    bytes_advance(&s->answer, (size_t)(f.p - start));
    stream_count(s);
    nghttp2_data_provider data = {.source.ptr = s, .read_callback = read_answer};
    nghttp2_submit_response(s->conn->h2->session, s->id, f.list, f.n, has_data ? &data : NULL);
    stream_enter(s, STREAM_ANSWERING);
}

void stream_drop_fields(struct stream *s) {
    if (s->fields_n) bytes_drop(&s->answer, &s->conn->loop->bytes, s->fields_n);
    s->fields_n = 0;
    stream_count(s);
}

/* The request is not needed any more: its memory is wiped, its share of the window is given back. */
static void drop_request(struct stream *s) {
    struct conn *c = s->conn;
    loop_give_arena(c->loop, s->exchange->arena);
    s->exchange = NULL;
    bytes_release(&s->text, &c->loop->bytes);
    bytes_release(&s->body, &c->loop->bytes);
    if (s->held_n) nghttp2_session_consume_connection(c->h2->session, s->held_n);
    s->held_n = 0;
    stream_count(s);
}

void stream_refuse(struct stream *s, int status) {
    struct web_response r;
    struct answer_refusal why = {status, status == 413 ? stream_read_head(s) : NULL};
    answer_fill_refusal(s->conn->loop, &why, s->exchange->arena, &r);
    submit(s, &r, s->exchange->arena, str_eq(s->method, S("HEAD")));
    drop_request(s);
    conn_mark_dirty(s->conn);
}

void h2_respond(struct web_exchange *x, const struct web_response *response) {
    struct stream *s = x->stream;
    struct conn *c = s->conn;
    struct web_loop *loop = c->loop;
    if (!s->closed) submit(s, response, x->arena, x->head.method == HTTP_HEAD);
    loop->n_exchanges--;
    c->h2->n_exchanges--;
    drop_request(s); /* x is gone */
    if (s->closed) stream_free(s);
    if (c->state == CONN_GONE)
        conn_free_if_over(c);
    else
        conn_mark_dirty(c);
    loop_check_drained(loop);
}
