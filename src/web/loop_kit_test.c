#include "loop_kit_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- the server -------------------------------------------------------------------------------------------------- */

struct kit_server server;

static void respond_text(struct web_exchange *x, str text) {
    web_respond(x, &(struct web_response){.status = 200, .content_type = S("text/plain"), .body = text});
}

/* The body of an answer says what the handler saw. */
static void respond_seen(struct web_exchange *x, const struct web_request *req) {
    if (req->client_certificate.n) {
        respond_text(x, arena_printf(req->arena, "certificate of %zu bytes, verified %d", req->client_certificate.n,
                                     req->client_certificate_verified));
        return;
    }
    respond_text(x, arena_printf(req->arena, "%.*s|%.*s|%.*s|%d|%d", STR_ARG(req->head->path), STR_ARG(req->body),
                                 STR_ARG(req->peer), req->is_unix, req->is_secure));
}

static void respond_injected(struct web_exchange *x) {
    static const struct web_header headers[] = {
        {S("X-Good"), S("a b")},        {S("X-Split"), S("a\r\nX-Evil: 1")},
        {S("X-Lf"), S("a\nX-Evil: 1")}, {S("X-Nul"), S("a\0b")},
        {S("X Space"), S("a")},         {S("X-Evil: 1\r\nX"), S("a")},
    };
    web_respond(x, &(struct web_response){.status = 204, .headers = headers, .n_headers = COUNT(headers)});
}

static void handle(struct web_exchange *x, const struct web_request *req, void *arg) {
    assert_ptr_equal(arg, &server);
    atomic_fetch_add(&server.handled, 1);
    web_set_data(x, &server);
    assert_ptr_equal(web_data(x), &server);
    if (str_eq(req->head->path, S("/later"))) {
        pthread_mutex_lock(&server.lock);
        server.held[server.n_held++] = x;
        pthread_mutex_unlock(&server.lock);
    } else if (str_eq(req->head->path, S("/gate"))) {
        sem_wait(&server.gate);
        respond_seen(x, req);
    } else if (str_eq(req->head->path, S("/slow"))) {
        nap_ms(SLOW_MS);
        respond_seen(x, req);
    } else if (str_eq(req->head->path, S("/inject"))) {
        respond_injected(x);
    } else if (str_eq(req->head->path, S("/big"))) {
        respond_text(x, (str){server.big, BIG_BYTES});
    } else {
        respond_seen(x, req);
    }
}

/* In the loop's thread: answers everything that was held. */
void answer_held(void *arg) {
    (void)arg;
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.n_held; i++) respond_text(server.held[i], S("later"));
    server.n_held = 0;
    pthread_mutex_unlock(&server.lock);
}

static void tick(void *arg) { atomic_fetch_add((atomic_int *)arg, 1); }

static void *run(void *loop) {
    web_loop_run(loop);
    return NULL;
}

struct web_options options_default(void) {
    return (struct web_options){
        .limits = {.head_max = 16384, .target_max = 8192, .headers_max = 100, .body_max = 65536},
        .header_deadline_ms = 60000,
        .body_deadline_ms = 60000,
        .handshake_deadline_ms = 60000,
        .idle_deadline_ms = 60000,
        .answer_deadline_ms = 60000,
        .connections_max = 16,
        .authority = "a.example",
    };
}

struct web_options options_hasty(void) {
    struct web_options options = options_default();
    options.header_deadline_ms = options.body_deadline_ms = options.handshake_deadline_ms = 300;
    options.answer_deadline_ms = 300;
    options.idle_deadline_ms = 600;
    return options;
}

void start_as(const struct web_options *options, const char *address, struct web_listening how) {
    int fd;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    sem_init(&server.gate, 0, 0);
    server.big = malloc(BIG_BYTES);
    memset(server.big, 'b', BIG_BYTES);
    assert_true(rc_ok(web_loop_open(options, &server.loop)));
    assert_true(rc_ok(web_bind(str_of(address), true, &fd, server.name, sizeof server.name)));
    how.handler = handle;
    how.arg = &server;
    assert_true(rc_ok(web_listen_as(server.loop, fd, &how)));
    close(fd);
    web_loop_on_wake(server.loop, answer_held, NULL);
    assert_true(rc_ok(web_loop_every(server.loop, 10, tick, &server.ticks)));
    assert_int_equal(pthread_create(&server.thread, NULL, run, server.loop), 0);
}

void start_on(const struct web_options *options, const char *address) {
    start_as(options, address, (struct web_listening){0});
}

void start(void) {
    struct web_options options = options_default();
    start_on(&options, "127.0.0.1:0");
}

void start_hasty(void) {
    struct web_options options = options_hasty();
    start_on(&options, "127.0.0.1:0");
}

void stop_within(int64_t drain_ms) {
    web_loop_stop(server.loop, drain_ms);
    pthread_join(server.thread, NULL);
    web_loop_close(server.loop);
    pthread_mutex_destroy(&server.lock);
    sem_destroy(&server.gate);
    free(server.big);
}

void stop(void) { stop_within(100); }

void nap_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

int64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t held_now(void) {
    pthread_mutex_lock(&server.lock);
    size_t n = server.n_held;
    pthread_mutex_unlock(&server.lock);
    return n;
}

void wait_for_held(size_t n) {
    int64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    while (held_now() != n && clock_ms() < until_ms) nap_ms(1);
    assert_int_equal(held_now(), n);
}

void wait_for_connections(unsigned n) {
    int64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    while (web_loop_connections(server.loop) != n && clock_ms() < until_ms) nap_ms(1);
    assert_int_equal(web_loop_connections(server.loop), n);
}

/* --- clients ----------------------------------------------------------------------------------------------------- */

static int dial_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

int dial(void) {
    str name = str_of(server.name);
    if (str_starts_with(name, S("unix:"))) return dial_unix(server.name + 5);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t port = 0;
    str_to_u64(str_from(name, str_find(name, ':') + 1), 65535, &port);
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = PATIENCE_S}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

void say(int fd, const char *text) {
    for (size_t n = strlen(text); n;) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        n -= (size_t)sent;
    }
}

/* Everything up to the end of the connection, or until `last` has come as the end of what is there. NULL: wait for the end. */
str hear(int fd, const char *last) {
    static char heard[1 << 16];
    size_t n = 0, last_n = last ? strlen(last) : 0;
    while (n < sizeof heard - 1) {
        ssize_t got = recv(fd, heard + n, sizeof heard - 1 - n, 0);
        assert_true(got >= 0 || errno == ECONNRESET);
        if (got <= 0) break;
        n += (size_t)got;
        if (last && n >= last_n && memcmp(heard + n - last_n, last, last_n) == 0) break;
    }
    heard[n] = 0;
    return (str){heard, n};
}

bool is_closed(int fd) {
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

int count(str text, const char *what) {
    int n = 0;
    for (const char *p = text.p; (p = strstr(p, what)); p++) n++;
    return n;
}
