/* Listening sockets: binding them, and accepting. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"
#include "must_alloc.h"

#define BACKLOG 1024

/* --- binding --------------------------------------------------------------------------------------------------- */

/* An address to bind, of any family. */
struct bound {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } address;
    socklen_t n;
};

static struct rc bind_fault(str address, const char *what) {
    return rc_fail(FAULT_IO, "cannot listen on %.*s: %s: %s", STR_ARG(address), what, strerror(errno));
}

static int socket_new(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

/* TCP_NODELAY passes on to the connections that are accepted. */
static int bind_tcp(const struct bound *b, bool reuse_port) {
    int fd = socket_new(b->address.any.sa_family), on = 1;
    if (fd < 0) return -1;
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
              (!reuse_port || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
              bind(fd, &b->address.any, b->n) == 0;
    if (ok) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool parse_tcp(str address, struct bound *out) {
    size_t colon = address.n;
    while (colon && address.p[colon - 1] != ':') colon--;
    uint64_t port;
    if (colon < 2 || !str_to_u64(str_from(address, colon), 65535, &port)) return false;
    str host = str_head(address, colon - 1);
    bool v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (v6) host = (str){host.p + 1, host.n - 2};
    char z[PEER_TEXT_BYTES];
    if (host.n >= sizeof z) return false;
    memcpy(z, host.p, host.n);
    z[host.n] = 0;
    *out = (struct bound){.n = v6 ? sizeof out->address.v6 : sizeof out->address.v4};
    return v6 ? uv_ip6_addr(z, (int)port, &out->address.v6) == 0 : uv_ip4_addr(z, (int)port, &out->address.v4) == 0;
}

static void print_bound(const struct bound *b, char *out, size_t out_bytes) {
    char text[PEER_TEXT_BYTES];
    if (b->address.any.sa_family == AF_UNIX) {
        snprintf(out, out_bytes, "unix:%.*s", (int)sizeof b->address.un.sun_path, b->address.un.sun_path);
        return;
    }
    bool v6 = b->address.any.sa_family == AF_INET6;
    struct peer peer = peer_of_sockaddr(&b->address.any);
    peer_print(&peer, text);
    unsigned port = ntohs(v6 ? b->address.v6.sin6_port : b->address.v4.sin_port);
    snprintf(out, out_bytes, v6 ? "[%s]:%u" : "%s:%u", text, port);
}

static RC print_socket(str address, int fd, char *out, size_t out_bytes) {
    struct bound b = {.n = sizeof b.address};
    if (getsockname(fd, &b.address.any, &b.n) != 0) return bind_fault(address, "getsockname");
    print_bound(&b, out, out_bytes);
    return RC_OK;
}

static RC bind_ip(str address, bool reuse_port, int *out_fd, char *out_name, size_t name_bytes) {
    struct bound b;
    if (!parse_tcp(address, &b))
        return rc_fail(FAULT_CONFIG, "%.*s is no ADDR:PORT, [ADDR]:PORT or unix:PATH", STR_ARG(address));
    if (reuse_port) { /* the kernel would let us share a port with a stranger of the same user */
        int probe = bind_tcp(&b, false);
        if (probe < 0) return bind_fault(address, "bind");
        close(probe);
    }
    int fd = bind_tcp(&b, reuse_port);
    if (fd < 0) return bind_fault(address, "bind");
    struct rc rc = print_socket(address, fd, out_name, name_bytes);
    if (rc_ok(rc))
        *out_fd = fd;
    else
        close(fd);
    return rc;
}

/* Removes a socket file that nobody listens on any more. False (and errno) when somebody does, or it is no socket. */
static bool remove_stale(const struct bound *b) {
    struct stat st;
    const char *path = b->address.un.sun_path;
    if (lstat(path, &st) != 0) return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket_new(AF_UNIX);
    if (fd < 0) return false;
    bool stale = connect(fd, &b->address.any, b->n) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (stale) return unlink(path) == 0;
    errno = EADDRINUSE;
    return false;
}

static RC bind_unix(str path, int *out_fd, char *out_name, size_t name_bytes) {
    struct bound b = {.n = sizeof b.address.un};
    b.address.un.sun_family = AF_UNIX;
    if (path.n == 0 || path.n >= sizeof b.address.un.sun_path || memchr(path.p, 0, path.n))
        return rc_fail(FAULT_CONFIG, "the path of a Unix socket has 1 to %zu bytes", sizeof b.address.un.sun_path - 1);
    memcpy(b.address.un.sun_path, path.p, path.n);
    if (!remove_stale(&b)) return bind_fault(path, "the file is in use");
    int fd = socket_new(AF_UNIX);
    if (fd < 0) return bind_fault(path, "socket");
    /* On Linux the file gets the mode of the socket: there is no moment at which others may connect. */
    if (fchmod(fd, 0600) != 0 || bind(fd, &b.address.any, b.n) != 0) {
        struct rc rc = bind_fault(path, "bind");
        close(fd);
        return rc;
    }
    snprintf(out_name, name_bytes, "unix:%.*s", STR_ARG(path));
    *out_fd = fd;
    return RC_OK;
}

RC web_bind(str address, bool reuse_port, int *out_fd, char *out_name, size_t name_bytes) {
    if (str_starts_with(address, S("unix:"))) return bind_unix(str_from(address, 5), out_fd, out_name, name_bytes);
    return bind_ip(address, reuse_port, out_fd, out_name, name_bytes);
}

/* --- sockets from elsewhere -------------------------------------------------------------------------------------------- */

RC web_adopt(int fd, char *out_name, size_t name_bytes) {
    int listens = 0, on = 1, flags = fcntl(fd, F_GETFL);
    struct bound b = {.n = sizeof b.address};
    socklen_t n = sizeof listens;
    bool good = flags >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens &&
                getsockname(fd, &b.address.any, &b.n) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
    int family = b.address.any.sa_family;
    if (!good || (family != AF_INET && family != AF_INET6 && family != AF_UNIX))
        return rc_fail(FAULT_CONFIG, "the inherited descriptor %d is no listening TCP or Unix socket", fd);
    if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    print_bound(&b, out_name, name_bytes);
    return RC_OK;
}

bool web_address_name(str address, char *out_name, size_t name_bytes) {
    struct bound b = {.n = 0};
    if (str_starts_with(address, S("unix:")))
        snprintf(out_name, name_bytes, "%.*s", STR_ARG(address));
    else if (parse_tcp(address, &b))
        print_bound(&b, out_name, name_bytes);
    else
        return false;
    return true;
}

/* --- accepting ------------------------------------------------------------------------------------------------- */

/* Not uv_listen: when it runs out of descriptors and its reserve is lost to another thread, it accepts and fails forever without
 * coming back to the loop. Here accepting pauses: who connects waits in the backlog, who is connected is served and leaves. */
static void on_readable(uv_poll_t *poll, int error, int events);

static void on_pause_over(uv_timer_t *timer) {
    struct listener *l = timer->data;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void pause_accepting(struct listener *l) {
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->pause, on_pause_over, ACCEPT_PAUSE_MS, 0);
}

static void take(struct listener *l, int fd, const struct sockaddr *address) {
    unsigned max = l->loop->options.connections_max;
    struct conn *c = conn_new(l, fd, address);
    if (c->state == CONN_GONE) return;
    unsigned open = web_loop_connections(l->loop);
    if (open <= max && conn_join_crowd(c)) return;
    if (open > max + REFUSED_MAX || l->tls ||
        c->awaits_proxy) /* a handshake costs more than the request it would refuse */
        conn_close(c);
    else
        conn_refuse(c, 503);
}

static bool is_out_of_resources(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_readable(uv_poll_t *poll, int error, int events) {
    struct listener *l = poll->data;
    (void)events;
    if (error) {
        pause_accepting(l);
        return;
    }
    for (int i = 0; i < ACCEPT_MAX; i++) {
        struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof address;
        int fd = accept4(l->fd, (struct sockaddr *)&address, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(l, fd, (struct sockaddr *)&address);
            continue;
        }
        if (errno == EAGAIN) break;
        if (!is_out_of_resources(errno)) continue; /* this one was lost on its way: accept(2) */
        pause_accepting(l);
        break;
    }
    loop_flush(l->loop);
}

RC web_listen(struct web_loop *loop, int fd, web_handler *handler, void *arg) {
    return web_listen_as(loop, fd, &(struct web_listening){.handler = handler, .arg = arg});
}

RC web_listen_as(struct web_loop *loop, int fd, const struct web_listening *how) {
    if (listen(fd, BACKLOG) != 0) return rc_fail(FAULT_IO, "cannot listen: %s", strerror(errno));
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return rc_fail(FAULT_IO, "no descriptor for a listener: %s", strerror(errno));

    struct listener *l = must_alloc(sizeof *l);
    int error = uv_poll_init_socket(&loop->uv, &l->poll, own);
    if (error) {
        close(own);
        free(l);
        return rc_fail(FAULT_IO, "cannot listen: %s", uv_strerror(error));
    }
    l->next = loop->listeners;
    l->loop = loop;
    l->handler = how->handler;
    l->arg = how->arg;
    l->tls = how->tls;
    l->ask_certificate = how->ask_certificate;
    l->http2 = how->http2 && !how->tls;
    l->fd = own;
    loop->listeners = l;
    uv_timer_init(&loop->uv, &l->pause);
    l->poll.data = l->pause.data = l;
    error = uv_poll_start(&l->poll, UV_READABLE, on_readable);
    return error ? rc_fail(FAULT_IO, "cannot listen: %s", uv_strerror(error)) : RC_OK;
}

void listeners_close(struct web_loop *loop) {
    for (struct listener *l = loop->listeners; l; l = l->next) {
        if (l->fd < 0) continue;
        uv_close((uv_handle_t *)&l->poll, NULL);
        uv_close((uv_handle_t *)&l->pause, NULL);
        close(l->fd);
        l->fd = -1;
    }
}
