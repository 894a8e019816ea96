/* From a response to the frames of a stream. */
#include <stdio.h>

#include "h2.h"
#include "http_rules.h"
#include "loop.h"

#define OWN_FIELDS 6 /* status, date, content-type, content-length, cache-control, pragma */

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

struct fields {
    nghttp2_nv *list;
    size_t n;
};

/* nghttp2's fields are not const; it copies them. */
static void add_with(struct fields *f, str name, str value, nghttp2_nv_flag flags) {
    if (!answer_is_header(name, value)) return;
    f->list[f->n++] =
        (nghttp2_nv){(uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.n, value.n, (uint8_t)flags};
}

static void add(struct fields *f, str name, str value) { add_with(f, name, value, NGHTTP2_NV_FLAG_NONE); }

static void keep_answer(struct stream *s, str body) {
    bytes_make_room(&s->answer, &s->conn->loop->bytes, body.n, SIZE_MAX / 4);
    memcpy(s->answer.p + s->answer.end, body.p, body.n);
    bytes_advance(&s->answer, body.n);
    stream_count(s);
}

static void submit(struct stream *s, const struct web_response *r, struct arena *arena, bool head_only) {
    struct conn *c = s->conn;
    struct fields f = {arena_alloc(arena, (r->n_headers + OWN_FIELDS) * sizeof(nghttp2_nv)), 0};
    char status[12], length[24];
    str body = r->content_type.n ? r->body : (str){NULL, 0};
    int status_n = snprintf(status, sizeof status, "%03d", r->status);
    int length_n = snprintf(length, sizeof length, "%zu", body.n);
    f.list[f.n++] =
        (nghttp2_nv){(uint8_t *)(uintptr_t) ":status", (uint8_t *)status, 7, (size_t)status_n, NGHTTP2_NV_FLAG_NONE};
    add(&f, S("date"), answer_date(c->loop));
    if (r->content_type.n) add(&f, S("content-type"), r->content_type);
    if (answer_may_have_body(r->status)) add(&f, S("content-length"), (str){length, (size_t)length_n});
    if (r->no_store) add(&f, S("cache-control"), S("no-store"));
    if (r->no_store) add(&f, S("pragma"), S("no-cache"));
    for (size_t i = 0; i < r->n_headers; i++) {
        const struct web_header *h = &r->headers[i];
        add_with(&f, h->name, h->value, str_eq(h->name, r->unique) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE);
    }
    bool has_data = answer_may_have_body(r->status) && !head_only && body.n;
    nghttp2_data_provider data = {.source.ptr = s, .read_callback = read_answer};
    if (has_data) keep_answer(s, body);
    nghttp2_submit_response(c->h2->session, s->id, f.list, f.n, has_data ? &data : NULL);
    stream_enter(s, STREAM_ANSWERING);
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
