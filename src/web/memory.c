/* When the buffers of a loop have more memory than they may. */
#include "h2.h"
#include "loop.h"

static size_t conn_bytes(const struct conn *c) { return c->in.cap + c->out.cap + c->writing.cap + 1; }

static size_t stream_bytes(const struct stream *s) { return s->text.cap + s->body.cap + s->answer.cap + 1; }

/* What one of them gave up; 0: there is none. */
static size_t close_writer(struct web_loop *loop) {
    if (list_is_empty(&loop->states[CONN_WRITING])) return 0;
    struct conn *c = (struct conn *)loop->states[CONN_WRITING].next;
    size_t n = conn_bytes(c);
    conn_close(c);
    return n;
}

static size_t refuse_sender(struct web_loop *loop, enum conn_state state) {
    if (list_is_empty(&loop->states[state])) return 0;
    struct conn *c = (struct conn *)loop->states[state].next;
    size_t n = conn_bytes(c);
    if (c->h2)
        conn_close(c); /* in the midst of a frame */
    else
        conn_refuse(c, 503);
    conn_turn(c);
    return n;
}

static size_t refuse_body(struct web_loop *loop) { return refuse_sender(loop, CONN_BODY); }
static size_t refuse_head(struct web_loop *loop) { return refuse_sender(loop, CONN_HEAD); }

static size_t give_up_stream(struct web_loop *loop, enum stream_state state) {
    if (list_is_empty(&loop->streams[state])) return 0;
    struct stream *s = (struct stream *)loop->streams[state].next;
    size_t n = stream_bytes(s);
    if (state == STREAM_BODY)
        stream_refuse(s, 503);
    else
        h2_expire(&s->link);
    loop_flush(loop);
    return n;
}

static size_t give_up_answer(struct web_loop *loop) { return give_up_stream(loop, STREAM_ANSWERING); }
static size_t refuse_stream_body(struct web_loop *loop) { return give_up_stream(loop, STREAM_BODY); }
static size_t give_up_stream_head(struct web_loop *loop) { return give_up_stream(loop, STREAM_HEAD); }

static size_t refuse_waiting(struct web_loop *loop) {
    if (!turns_drop_oldest(loop)) return 0;
    loop_flush(loop);
    return BYTES_BLOCK;
}

void memory_shed(struct web_loop *loop, size_t n) {
    static size_t (*const ways[])(struct web_loop * loop) = {
        close_writer, give_up_answer, refuse_body, refuse_stream_body, refuse_head, give_up_stream_head, refuse_waiting,
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (size_t got; n && (got = ways[i](loop));) n -= got < n ? got : n;
}

size_t web_loop_bytes(const struct web_loop *loop) { return loop->bytes.in_use; }
