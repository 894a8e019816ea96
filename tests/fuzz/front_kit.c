#include "front_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"

#define HELD_MAX 512

static const str everybody[] = {S("0.0.0.0/0")};

static struct web_loop *loops[2]; /* [1]: everybody's connections begin with a PROXY header */
static struct web_exchange *held[HELD_MAX];
static size_t n_held;
static bool answer_later;

void front_must(bool good) {
    if (!good) abort();
}

struct front_input front_read_input(const uint8_t *data, size_t size) {
    struct front_input input = {0};
    if (size == 0) return input;
    input.n_cuts = data[0] < size - 1 ? data[0] % 32 : 0;
    if (input.n_cuts > size - 1) input.n_cuts = size - 1;
    input.cuts = data + 1;
    input.bytes = (str){(const char *)data + 1 + input.n_cuts, size - 1 - input.n_cuts};
    return input;
}

/* ---- the handler ---- */

static void respond(struct web_exchange *x) {
    const struct web_request *req = &x->request;
    struct web_header header = {S("X-Query"), req->head->query};
    str text = arena_printf(req->arena, "%d %.*s %.*s %d%d%d [%.*s]", (int)req->head->method, STR_ARG(req->head->path),
                            STR_ARG(req->peer), req->is_unix, req->is_secure, req->is_exposed, STR_ARG(req->body));
    struct web_response response = {
        .status = 200, .content_type = S("text/plain"), .body = text, .headers = &header, .n_headers = 1};
    web_respond(x, &response);
}

static void check(const struct web_request *req) {
    const struct http_head *head = req->head;
    front_must(head->path.n > 0 && head->n_headers <= HTTP_HEADERS_MAX && req->body.n <= 65536);
    for (size_t i = 0; i < head->n_headers; i++) {
        str name = head->headers[i].name, value = head->headers[i].value;
        front_must(name.n > 0 && !memchr(name.p, '\n', name.n));
        front_must(value.n == 0 || (!memchr(value.p, '\n', value.n) && !memchr(value.p, '\r', value.n)));
    }
}

static void handle(struct web_exchange *x, const struct web_request *req, void *arg) {
    (void)arg;
    check(req);
    if (answer_later && n_held < HELD_MAX)
        held[n_held++] = x;
    else
        respond(x);
}

/* ---- the loop ---- */

static struct web_loop *loop_of(bool proxy) {
    struct web_options options = {
        .limits = {.head_max = 2048, .target_max = 512, .headers_max = 40, .body_max = 4096},
        .header_deadline_ms = 60000,
        .body_deadline_ms = 60000,
        .idle_deadline_ms = 60000,
        .answer_deadline_ms = 60000,
        .connections_max = 16,
        .requests_per_connection = 64,
        .authority = "a.example",
        .trusted_proxies = everybody,
        .n_trusted_proxies = 1,
        .proxy_protocol = everybody,
        .n_proxy_protocol = proxy,
    };
    if (!loops[proxy]) front_must(rc_ok(web_loop_open(&options, &loops[proxy])));
    return loops[proxy];
}

static void turn(struct web_loop *loop) { uv_run(&loop->uv, UV_RUN_NOWAIT); }

/* ---- a conversation ---- */

struct talk {
    struct web_loop *loop;
    int fd;
    char *out;
    size_t n;
    bool ended;
};

static void hear(struct talk *t) {
    turn(t->loop);
    while (!t->ended && t->n < FRONT_OUT_MAX) {
        ssize_t got = recv(t->fd, t->out + t->n, FRONT_OUT_MAX - t->n, MSG_DONTWAIT);
        if (got < 0) break;
        t->ended = got == 0;
        t->n += (size_t)got;
        turn(t->loop);
    }
}

static void say(struct talk *t, str part) {
    while (part.n && !t->ended) {
        ssize_t sent = send(t->fd, part.p, part.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        hear(t);
        if (sent < 0) return;
        part = str_from(part, (size_t)sent);
    }
}

static void let_go(struct talk *t) {
    while (n_held) {
        struct web_exchange *x = held[--n_held];
        respond(x);
        loop_flush(t->loop);
        hear(t);
    }
}

/* Dates differ from one second to the next; the lengths do not. */
static void same_dates(char *p, size_t n) {
    static const char name[] = "\r\nDate: ";
    for (size_t i = 0; i + sizeof name + 29 < n; i++)
        if (memcmp(p + i, name, sizeof name - 1) == 0) memset(p + i + sizeof name - 1, 'D', 29);
}

static void open_conn(struct web_loop *loop, const struct front_listener *how, struct talk *t) {
    static struct listener listeners[2];
    struct listener *l = &listeners[how->proxy];
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000205)}; /* 192.0.2.5 */
    int pair[2];
    front_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    *l = (struct listener){.loop = loop, .handler = handle, .http2 = how->http2, .fd = -1};
    *t = (struct talk){.loop = loop, .fd = pair[0], .out = malloc(FRONT_OUT_MAX)};
    front_must(t->out != NULL);
    conn_new(l, pair[1], (struct sockaddr *)&from);
}

/* The peer is gone: nothing of it may be left. */
static void check_empty(struct web_loop *loop) {
    for (int i = 0; i < 8; i++) turn(loop);
    for (int state = 0; state < CONN_STATES; state++) {
        struct link *list = &loop->states[state];
        while (list->next != list && state != CONN_GONE) conn_close((struct conn *)list->next);
    }
    for (int i = 0; i < 4; i++) turn(loop);
    front_must(web_loop_connections(loop) == 0 && loop->n_exchanges == 0 && loop->bytes.in_use == 0);
    front_must(!loop->first_dirty && loop->states[CONN_GONE].next == &loop->states[CONN_GONE]);
}

str front_converse(const struct front_listener *how, str bytes, const uint8_t *cuts, size_t n_cuts) {
    static char kept[FRONT_OUT_MAX];
    struct web_loop *loop = loop_of(how->proxy);
    struct talk t;
    answer_later = how->later;
    open_conn(loop, how, &t);
    for (size_t i = 0; i < n_cuts && bytes.n; i++) {
        str part = str_head(bytes, (size_t)cuts[i] + 1);
        bytes = str_from(bytes, part.n);
        say(&t, part);
    }
    say(&t, bytes);
    let_go(&t);
    shutdown(t.fd, SHUT_WR);
    for (int i = 0; i < 4; i++) hear(&t), let_go(&t);
    close(t.fd);
    memcpy(kept, t.out, t.n);
    free(t.out);
    same_dates(kept, t.n);
    check_empty(loop);
    return (str){kept, t.n};
}
