/* The bytes of a connection, in and out, over TCP or a Unix socket, with or without TLS: the only file that reads and writes sockets. */
#include "loop.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* While a handler looks at a request its bytes must not move. */
size_t conn_in_max(const struct conn *c) {
    const struct http_limits *limits = &c->loop->options.limits;
    return c->exchange ? 0 : limits->head_max + limits->body_max + BYTES_BLOCK;
}

/* Ciphertext is decrypted at once, out of a buffer that all connections share. */
static bool takes_ciphertext(const struct conn *c) {
    return c->tls && !c->awaits_proxy && !c->tls->stalled && !c->tls->failed;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
    struct conn *c = handle->data;
    (void)suggested;
    if (c->state == CONN_LINGER || takes_ciphertext(c)) {
        *out = uv_buf_init(c->loop->scratch, SCRATCH_BYTES);
        return;
    }
    bool room = (!c->tls || c->awaits_proxy) && bytes_make_room(&c->in, &c->loop->bytes, 1, conn_in_max(c));
    *out = room ? uv_buf_init(c->in.p + c->in.end, (unsigned)bytes_room(&c->in)) : uv_buf_init(NULL, 0);
}

/* What comes behind the header is the client's, encrypted or not. */
static void take_header(struct conn *c) {
    struct proxy_header header;
    int n = proxy_header_parse((str){bytes_front(&c->in), bytes_n(&c->in)}, &header);
    if (n == 0) return;
    if (n < 0) {
        conn_close(c);
        return;
    }
    c->awaits_proxy = false;
    c->renew = !c->tls;
    bytes_drop(&c->in, &c->loop->bytes, (size_t)n);
    conn_take_peer(c, &header);
    if (c->state == CONN_GONE || !c->tls || !c->in.p) return;
    struct bytes rest = c->in;
    c->in = (struct bytes){0};
    tls_take(c, (str){bytes_front(&rest), bytes_n(&rest)});
    bytes_release(&rest, &c->loop->bytes);
}

static void take_bytes(struct conn *c, size_t n) {
    if (c->awaits_proxy && c->state != CONN_LINGER) {
        bytes_advance(&c->in, n);
        conn_mark_dirty(c);
        take_header(c);
        return;
    }
    if (c->state != CONN_LINGER && c->tls) {
        tls_take(c, (str){c->loop->scratch, n});
        return;
    }
    if (c->state != CONN_LINGER) {
        bytes_advance(&c->in, n);
        conn_mark_dirty(c);
        return;
    }
    c->lingered_n += n;
    if (c->lingered_n > LINGER_BYTES_MAX) conn_close(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct conn *c = stream->data;
    (void)buf;
    if (n > 0) take_bytes(c, (size_t)n);
    if (n == UV_EOF) {
        c->reading = false;
        c->peer_ended = true;
        conn_mark_dirty(c);
    } else if (n == UV_ENOBUFS) {
        transport_read(c, false); /* conn_turn reads on when there is room again */
    } else if (n < 0) {
        conn_close(c);
    }
    if (c->in.p && bytes_n(&c->in) == 0) bytes_release(&c->in, &c->loop->bytes);
    loop_flush_in_time(c->loop);
}

bool transport_open(struct conn *c, int fd) {
    int error;
    c->write.data = c;
    if (c->peer.is_unix) {
        uv_pipe_init(&c->loop->uv, &c->uv.pipe, 0);
        error = uv_pipe_open(&c->uv.pipe, fd);
    } else {
        uv_tcp_init(&c->loop->uv, &c->uv.tcp);
        error = uv_tcp_open(&c->uv.tcp, fd);
    }
    c->uv.handle.data = c;
    if (error) close(fd);
    return error == 0;
}

void transport_read(struct conn *c, bool on) {
    if (on && c->tls && c->tls->stalled) tls_take_more(c);
    if (on && c->tls && c->tls->stalled) on = false;
    if (c->reading == on) return;
    c->reading = on;
    if (!on)
        uv_read_stop(&c->uv.stream);
    else if (uv_read_start(&c->uv.stream, on_alloc, on_read) != 0)
        conn_close(c);
}

struct bytes *transport_seal(struct conn *c, bool ends) {
    if (!c->tls) return &c->out;
    if (!tls_seal(c)) return NULL;
    if (ends) tls_end_output(c);
    return &c->tls->out;
}

ssize_t transport_write_now(struct conn *c, const char *p, size_t n) {
    union {
        const char *from;
        char *to;
    } bytes = {.from = p}; /* libuv's buffers are not const; it only reads */
    uv_buf_t buf = uv_buf_init(bytes.to, (unsigned)n);
    int written = uv_try_write(&c->uv.stream, &buf, 1);
    if (written == UV_EAGAIN) return 0;
    return written < 0 ? -1 : written;
}

static void on_written(uv_write_t *write, int error) {
    struct conn *c = write->data;
    struct web_loop *loop = c->loop;
    bytes_release(&c->writing, &loop->bytes);
    if (error) {
        conn_close(c);
        return;
    }
    c->renew = true;
    conn_mark_dirty(c);
    loop_flush(loop);
}

bool transport_write_later(struct conn *c) {
    uv_buf_t buf = uv_buf_init(bytes_front(&c->writing), (unsigned)bytes_n(&c->writing));
    return uv_write(&c->write, &c->uv.stream, &buf, 1, on_written) == 0;
}

bool transport_is_dead(const struct conn *c) {
    struct pollfd asked = {.fd = -1};
    return uv_fileno(&c->uv.handle, &asked.fd) == 0 && poll(&asked, 1, 0) > 0 && (asked.revents & POLLERR);
}

void transport_end_output(struct conn *c) {
    uv_os_fd_t fd;
    if (uv_fileno(&c->uv.handle, &fd) == 0) shutdown(fd, SHUT_WR);
}

bool transport_has_unread(const struct conn *c) {
    uv_os_fd_t fd;
    int n = 0;
    return uv_fileno(&c->uv.handle, &fd) != 0 || ioctl(fd, FIONREAD, &n) != 0 || n > 0;
}
