/* A loop in a thread of its own, and socket clients: what web.h promises, seen from outside. */
#include "web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "rows_test.h"

#define HOST       "Host: a.example\r\n"
#define GET(path)  "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define PATIENCE_S 10
#define BIG_BYTES  (8u << 20)

/* --- the server -------------------------------------------------------------------------------------------------- */

static struct {
    struct web_loop *loop;
    pthread_t thread;
    char name[128];
    pthread_mutex_t lock;
    struct web_exchange *held[64]; /* of /later, until someone lets them go; under lock */
    size_t n_held;
    char *big;
    atomic_int ticks, handled;
} server;

static void respond_text(struct web_exchange *x, str text) {
    web_respond(x, &(struct web_response){.status = 200, .content_type = S("text/plain"), .body = text});
}

/* The body of an answer says what the handler saw. */
static void respond_seen(struct web_exchange *x, const struct web_request *req) {
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
    } else if (str_eq(req->head->path, S("/inject"))) {
        respond_injected(x);
    } else if (str_eq(req->head->path, S("/big"))) {
        respond_text(x, (str){server.big, BIG_BYTES});
    } else {
        respond_seen(x, req);
    }
}

/* In the loop's thread: answers everything that was held. */
static void answer_held(void *arg) {
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

static struct web_options options_default(void) {
    return (struct web_options){
        .limits = {.head_max = 16384, .target_max = 8192, .headers_max = 100, .body_max = 65536},
        .header_deadline_ms = 300,
        .body_deadline_ms = 300,
        .idle_deadline_ms = 600,
        .answer_deadline_ms = 300,
        .connections_max = 16,
        .authority = "a.example",
    };
}

static void start_on(const struct web_options *options, const char *address) {
    int fd;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server.big = malloc(BIG_BYTES);
    memset(server.big, 'b', BIG_BYTES);
    assert_true(rc_ok(web_loop_open(options, &server.loop)));
    assert_true(rc_ok(web_bind(str_of(address), true, &fd, server.name, sizeof server.name)));
    assert_true(rc_ok(web_listen(server.loop, fd, handle, &server)));
    close(fd);
    web_loop_on_wake(server.loop, answer_held, NULL);
    assert_true(rc_ok(web_loop_every(server.loop, 10, tick, &server.ticks)));
    assert_int_equal(pthread_create(&server.thread, NULL, run, server.loop), 0);
}

static void start(void) {
    struct web_options options = options_default();
    start_on(&options, "127.0.0.1:0");
}

static void stop_within(int64_t drain_ms) {
    web_loop_stop(server.loop, drain_ms);
    pthread_join(server.thread, NULL);
    web_loop_close(server.loop);
    pthread_mutex_destroy(&server.lock);
    free(server.big);
}

static void stop(void) { stop_within(100); }

static void nap_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

static int64_t clock_ms(void) {
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

static void wait_for_held(size_t n) {
    int64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    while (held_now() != n && clock_ms() < until_ms) nap_ms(1);
    assert_int_equal(held_now(), n);
}

static void wait_for_connections(unsigned n) {
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

static int dial(void) {
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

static void say(int fd, const char *text) {
    for (size_t n = strlen(text); n;) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        assert_true(sent > 0);
        text += sent;
        n -= (size_t)sent;
    }
}

/* Everything up to the end of the connection, or until `last` has come as the end of what is there. NULL: wait for the end. */
static str hear(int fd, const char *last) {
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

static bool is_closed(int fd) {
    char c;
    return recv(fd, &c, 1, 0) <= 0;
}

static int count(str text, const char *what) {
    int n = 0;
    for (const char *p = text.p; (p = strstr(p, what)); p++) n++;
    return n;
}

#define HEARD(fd, what) assert_non_null(strstr(hear(fd, NULL).p, what))

/* --- tests --------------------------------------------------------------------------------------------------------- */

static void test_answers(void **state) {
    (void)state;
    static const struct {
        const char *say, *last, *want, *never;
    } rows[] = {
        {GET("/a"), "|0|0", "HTTP/1.1 200 OK\r\nDate: ", "Connection"},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "|0|0", "/a|abc|127.0.0.1|0|0", NULL},
        {"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "|0|0",
         "/a|abc|", NULL},
        {"HEAD /a HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\n", "Content-Length: 17\r\n", "/a|"},
        {"GET /a HTTP/1.0\r\n\r\n", NULL, "Connection: close\r\n", "keep-alive"},
        {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "|0|0", "Connection: keep-alive\r\n", NULL},
        {"GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/b"), NULL, "Connection: close\r\n", "/b|"},
        {"POST /a HTTP/1.1\r\n" HOST "\r\n" GET("/b"), NULL, "HTTP/1.1 411 Length Required\r\n", "/b|"},
        {"GET http://A.Example/a HTTP/1.1\r\n" HOST "\r\n", "|0|0", "/a||", NULL},
        {"GET http://b.example/a HTTP/1.1\r\n" HOST "\r\n", NULL, "HTTP/1.1 400 Bad Request\r\n", "/a|"},
        {"GET /inject HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", NULL, "X-Good: a b\r\n", "X-Evil"},
        {"GET /inject HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", NULL, "HTTP/1.1 204 No Content\r\n",
         "Content-Length"},
        {"\x16\x03\x01", NULL, "HTTP/1.1 400 Bad Request\r\n", NULL},
    };
    start();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        say(fd, rows[i].say);
        str heard = hear(fd, rows[i].last);
        if (count(heard, rows[i].want) != 1 || (rows[i].never && count(heard, rows[i].never)))
            fail_msg("row %zu: %s", i, heard.p);
        close(fd);
    }
    stop();
}

/* Whatever the packets, the same answer. */
static void test_byte_by_byte(void **state) {
    (void)state;
    start();
    int fd = dial();
    const char *text = "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET("/b");
    for (const char *p = text; *p; p++) {
        assert_int_equal(send(fd, p, 1, 0), 1);
        sched_yield();
    }
    str heard = hear(fd, "/b||127.0.0.1|0|0");
    assert_int_equal(count(heard, "HTTP/1.1 200"), 2);
    assert_int_equal(count(heard, "/a|abc|"), 1);
    close(fd);
    stop();
}

static void test_pipelining_keeps_order(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, GET("/1") GET("/later") GET("/3") GET("/later") GET("/5"));
    wait_for_held(1);
    assert_int_equal(count(hear(fd, "/1||127.0.0.1|0|0"), "HTTP/1.1"), 1);
    web_loop_wake(server.loop);
    str heard = hear(fd, "/3||127.0.0.1|0|0");
    assert_int_equal(count(heard, "HTTP/1.1"), 2);
    assert_int_equal(count(heard, "later"), 1);
    wait_for_held(1);
    web_loop_post(server.loop, answer_held, NULL);
    assert_int_equal(count(hear(fd, "/5||127.0.0.1|0|0"), "HTTP/1.1"), 2);
    close(fd);
    stop();
}

static void test_many_pipelined(void **state) {
    (void)state;
    start();
    int fd = dial();
    for (int i = 0; i < 200; i++) say(fd, GET("/a"));
    say(fd, "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(count(hear(fd, NULL), "HTTP/1.1 200"), 201);
    close(fd);
    stop();
}

/* Input that a busy connection cannot take waits in the kernel, and is not lost. */
static void test_input_waits_for_the_handler(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, GET("/later"));
    wait_for_held(1);
    for (int i = 0; i < 1000; i++) say(fd, GET("/inject"));
    say(fd, "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    nap_ms(50);
    assert_int_equal(atomic_load(&server.handled), 1);
    web_loop_wake(server.loop);
    int n = 0;
    for (str heard = hear(fd, NULL); heard.n; heard = hear(fd, NULL)) n += count(heard, "X-Good");
    assert_in_range(n, 990, 1000); /* one may lie across two reads */
    assert_int_equal(atomic_load(&server.handled), 1002);
    close(fd);
    stop();
}

/* A peer that does not read does not make us work ahead without bound, and is cut at the deadline. */
static void test_output_is_bounded(void **state) {
    (void)state;
    start();
    int fd = dial();
    for (int i = 0; i < 50; i++) say(fd, GET("/big"));
    nap_ms(100);
    assert_true(atomic_load(&server.handled) <= 3);
    wait_for_connections(0);
    close(fd);
    stop();
}

static void test_large_answer_arrives(void **state) {
    (void)state;
    start();
    int fd = dial();
    static char part[1 << 16];
    size_t n = 0;
    say(fd, GET("/big") "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (ssize_t got; (got = recv(fd, part, sizeof part, 0)) > 0;) n += (size_t)got;
    assert_in_range(n, BIG_BYTES + 200, BIG_BYTES + 500);
    close(fd);
    stop();
}

static void test_expect_continue(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_true(str_eq(hear(fd, "\r\n\r\n"), S("HTTP/1.1 100 Continue\r\n\r\n")));
    say(fd, "abc");
    assert_int_equal(count(hear(fd, "|0|0"), "/a|abc|"), 1);
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
    assert_int_equal(count(hear(fd, "|0|0"), "100 Continue"), 0);
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
    assert_true(str_starts_with(hear(fd, NULL), S("HTTP/1.1 413 ")));
    close(fd);
    stop();
}

static void test_half_close(void **state) {
    (void)state;
    static const struct {
        const char *say, *want;
        int answers;
    } rows[] = {
        {GET("/a"), "/a|", 1},
        {GET("/a") GET("/b"), "/b|", 2},
        {GET("/a") "GET /b HT", "HTTP/1.1 400", 2},
        {"", "", 0},
    };
    start();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        say(fd, rows[i].say);
        shutdown(fd, SHUT_WR);
        str heard = hear(fd, NULL);
        CHECK(i, count(heard, "HTTP/1.1 ") == rows[i].answers && strstr(heard.p, rows[i].want));
        close(fd);
    }
    int fd = dial();
    say(fd, GET("/later"));
    shutdown(fd, SHUT_WR);
    wait_for_held(1);
    web_loop_wake(server.loop);
    HEARD(fd, "later");
    close(fd);
    stop();
}

static void test_deadlines(void **state) {
    (void)state;
    static const struct {
        const char *say, *want;
        int64_t min_ms, max_ms;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHo", "HTTP/1.1 408 ", 290, 3000},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na", "HTTP/1.1 408 ", 290, 3000},
        {"\r\n", "HTTP/1.1 408 ", 290, 3000},
        {"", "", 590, 3000},
        {GET("/a"), "HTTP/1.1 200", 590, 3000},
    };
    start();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        int64_t begin_ms = clock_ms();
        say(fd, rows[i].say);
        str heard = hear(fd, NULL);
        int64_t took_ms = clock_ms() - begin_ms;
        CHECK(i, strstr(heard.p, rows[i].want) && (heard.n == 0) == (rows[i].want[0] == 0));
        if (took_ms < rows[i].min_ms || took_ms > rows[i].max_ms)
            fail_msg("row %zu took %lld ms", i, (long long)took_ms);
        close(fd);
    }
    stop();
}

/* A trickle does not move a deadline. */
static void test_deadlines_are_absolute(void **state) {
    (void)state;
    start();
    int fd = dial();
    const char *p =
        "GET /a HTTP/1.1\r\nHost: a.example\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (char c; *p && recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0; p++) {
        assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
        nap_ms(20);
    }
    assert_int_not_equal(*p, 0);
    HEARD(fd, "HTTP/1.1 408");
    close(fd);
    stop();
}

static void test_connections_max(void **state) {
    (void)state;
    int fds[16];
    start();
    for (size_t i = 0; i < COUNT(fds); i++) fds[i] = dial();
    wait_for_connections(COUNT(fds));
    int fd = dial();
    str heard = hear(fd, NULL);
    assert_int_equal(count(heard, "HTTP/1.1 503 Service Unavailable\r\n"), 1);
    assert_int_equal(count(heard, "Retry-After: 1\r\n"), 1);
    close(fd);
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
    wait_for_connections(0);
    fd = dial();
    say(fd, GET("/a"));
    assert_int_equal(count(hear(fd, "|0|0"), "200 OK"), 1);
    close(fd);
    stop();
}

static void test_drain(void **state) {
    (void)state;
    start();
    int idle = dial(), busy = dial(), half = dial();
    say(busy, GET("/later"));
    say(half, "GET /half HTTP/1.1\r\n");
    wait_for_held(1);
    wait_for_connections(3);
    web_loop_stop(server.loop, 5000);
    assert_true(is_closed(idle));
    assert_int_equal(dial(), -1);
    say(half, HOST "\r\n");
    str heard = hear(half, NULL);
    assert_int_equal(count(heard, "/half|"), 1);
    assert_int_equal(count(heard, "Connection: close\r\n"), 1);
    web_loop_wake(server.loop);
    heard = hear(busy, NULL);
    assert_int_equal(count(heard, "later"), 1);
    assert_int_equal(count(heard, "Connection: close\r\n"), 1);
    close(idle);
    close(busy);
    close(half);
    int64_t begin_ms = clock_ms();
    stop_within(5000);
    assert_true(clock_ms() - begin_ms < 1000);
}

static void test_drain_deadline(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, GET("/later"));
    wait_for_held(1);
    int64_t begin_ms = clock_ms();
    stop_within(200);
    assert_in_range(clock_ms() - begin_ms, 190, 1000);
    assert_true(is_closed(fd));
    close(fd);
}

static void test_client_goes_before_the_answer(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, GET("/later"));
    wait_for_held(1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd); /* a reset */
    wait_for_connections(0);
    web_loop_wake(server.loop);
    wait_for_held(0);
    stop();
}

/* The client that goes on sending after a refusal still reads it: no reset destroys the answer. */
static void test_lingering_close(void **state) {
    (void)state;
    start();
    int fd = dial();
    static char body[200001];
    memset(body, 'x', sizeof body - 1);
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n");
    say(fd, body);
    HEARD(fd, "HTTP/1.1 413 Content Too Large\r\n");
    close(fd);
    wait_for_connections(0);
    stop();
}

static void refusal(struct web_response *response, struct arena *arena, void *arg) {
    response->content_type = S("text/plain");
    response->body = arena_printf(arena, "%s %d", (const char *)arg, response->status);
}

static void test_refusal_body(void **state) {
    (void)state;
    struct web_options options = options_default();
    static char text[] = "refused with";
    options.refusal = refusal;
    options.refusal_arg = text;
    start_on(&options, "127.0.0.1:0");
    int fd = dial();
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n");
    HEARD(fd, "refused with 413");
    close(fd);
    stop();
}

static void test_forwarded(void **state) {
    (void)state;
    static const struct {
        const char *headers, *want;
    } rows[] = {
        {"", "/a||127.0.0.1|0|0"},
        {"X-Forwarded-For: 9.9.9.9, 203.0.113.7, 10.1.2.3\r\nX-Forwarded-Proto: https\r\n", "/a||203.0.113.7|0|1"},
        {"X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: http\r\n", "/a||2001:db8::1|0|0"},
        {"X-Forwarded-For: evil\r\n", "/a||127.0.0.1|0|0"},
    };
    static const str trusted[] = {S("127.0.0.1"), S("10.0.0.0/8")};
    struct web_options options = options_default();
    options.trusted_proxies = trusted;
    options.n_trusted_proxies = COUNT(trusted);
    start_on(&options, "127.0.0.1:0");
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        say(fd, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n");
        say(fd, rows[i].headers);
        say(fd, "\r\n");
        str heard = hear(fd, NULL);
        if (!strstr(heard.p, rows[i].want)) fail_msg("row %zu: %s", i, heard.p);
        close(fd);
    }
    stop();
}

static void test_untrusted_forwarded(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, "GET /a HTTP/1.1\r\n" HOST "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n");
    assert_int_equal(count(hear(fd, "|0"), "/a||127.0.0.1|0|0"), 1);
    close(fd);
    stop();
}

static void test_unix_socket(void **state) {
    (void)state;
    char folder[] = "/tmp/web_test_XXXXXX", address[128];
    assert_non_null(mkdtemp(folder));
    snprintf(address, sizeof address, "unix:%s/s", folder);
    struct web_options options = options_default();
    for (int round = 0; round < 2; round++) { /* the second finds the file of the first */
        start_on(&options, address);
        struct stat st;
        assert_int_equal(stat(address + 5, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        int other;
        char name[128];
        struct rc rc = web_bind(str_of(address), false, &other, name, sizeof name);
        assert_int_equal(rc.fault, FAULT_IO); /* somebody listens */
        int fd = dial();
        say(fd, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        HEARD(fd, "/a||unix|1|0");
        close(fd);
        stop();
    }
    unlink(address + 5);
    int plain = open(address + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(plain);
    char name[128];
    struct rc rc = web_bind(str_of(address), false, &plain, name, sizeof name);
    assert_int_equal(rc.fault, FAULT_IO);
    assert_int_equal(access(address + 5, F_OK), 0); /* a file that is no socket stays */
    unlink(address + 5);
    rmdir(folder);
}

static void test_bind(void **state) {
    (void)state;
    static const struct {
        str address;
        int fault;
    } rows[] = {
        {S("127.0.0.1:0"), FAULT_NONE},
        {S("[::1]:0"), FAULT_NONE},
        {S("127.0.0.1"), FAULT_CONFIG},
        {S(":80"), FAULT_CONFIG},
        {S("localhost:0"), FAULT_CONFIG},
        {S("127.0.0.1:65536"), FAULT_CONFIG},
        {S("[::1:0"), FAULT_CONFIG},
        {S("::1:0"), FAULT_CONFIG},
        {S("127.0.0.1:"), FAULT_CONFIG},
        {S("unix:"), FAULT_CONFIG},
        {S(""), FAULT_CONFIG},
        {S("192.0.2.1:0"), FAULT_IO},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[128];
        int fd;
        struct rc rc = web_bind(rows[i].address, false, &fd, name, sizeof name);
        CHECK(i, rc.fault == rows[i].fault);
        if (rc_ok(rc)) close(fd);
    }
}

/* Loops may share a port with one another, but never with a stranger. */
static void test_reuse_port(void **state) {
    (void)state;
    int fds[2], other;
    char name[128], name_2[128];
    assert_true(rc_ok(web_bind(S("127.0.0.1:0"), true, &fds[0], name, sizeof name)));
    assert_true(rc_ok(web_bind(str_of(name), true, &fds[1], name_2, sizeof name_2)));
    assert_string_equal(name, name_2);
    assert_int_equal(listen(fds[0], 1), 0);
    struct rc rc = web_bind(str_of(name), true, &other, name_2, sizeof name_2);
    assert_int_equal(rc.fault, FAULT_IO);
    close(fds[0]);
    close(fds[1]);
}

static void test_bad_proxy_is_refused(void **state) {
    (void)state;
    static const str bad[] = {S("10.0.0.0/33")};
    struct web_options options = options_default();
    struct web_loop *loop;
    options.trusted_proxies = bad;
    options.n_trusted_proxies = 1;
    struct rc rc = web_loop_open(&options, &loop);
    assert_int_equal(rc.fault, FAULT_CONFIG);
}

static void test_ticks(void **state) {
    (void)state;
    int64_t begin_ms = clock_ms();
    start();
    while (atomic_load(&server.ticks) < 5) nap_ms(1);
    stop();
    assert_in_range(clock_ms() - begin_ms, 50, PATIENCE_S * 1000);
}

/* Without descriptors the loop neither spins nor dies, and serves again when there are some. */
static void test_no_descriptors(void **state) {
    (void)state;
    start();
    int first = dial(), blocked[4];
    say(first, GET("/a"));
    hear(first, "|0|0");
    struct rlimit old, none;
    getrlimit(RLIMIT_NOFILE, &old);
    for (size_t i = 0; i < COUNT(blocked); i++) {
        blocked[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    none = (struct rlimit){(rlim_t)first, old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t port = 0;
    str name = str_of(server.name);
    str_to_u64(str_from(name, str_find(name, ':') + 1), 65535, &port);
    address.sin_port = htons((uint16_t)port);
    struct timespec begin, end;
    clockid_t clock;
    pthread_getcpuclockid(server.thread, &clock);
    clock_gettime(clock, &begin);
    for (size_t i = 0; i < COUNT(blocked); i++)
        assert_int_equal(connect(blocked[i], (struct sockaddr *)&address, sizeof address), 0);
    nap_ms(200);
    clock_gettime(clock, &end);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < 50);
    for (size_t i = 0; i < COUNT(blocked); i++) {
        assert_true(is_closed(blocked[i]));
        close(blocked[i]);
    }
    int fd = dial();
    say(fd, GET("/a"));
    assert_int_equal(count(hear(fd, "|0|0"), "200 OK"), 1);
    close(fd);
    close(first);
    stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_pipelining_keeps_order),
        cmocka_unit_test(test_many_pipelined),
        cmocka_unit_test(test_input_waits_for_the_handler),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_large_answer_arrives),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_deadlines_are_absolute),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_deadline),
        cmocka_unit_test(test_client_goes_before_the_answer),
        cmocka_unit_test(test_lingering_close),
        cmocka_unit_test(test_refusal_body),
        cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_untrusted_forwarded),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_reuse_port),
        cmocka_unit_test(test_bad_proxy_is_refused),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
