/* Requests and answers over real sockets: what web.h promises, seen from outside. */
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_kit_test.h"

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

/* Who announces its last request is not waited for; who is refused may still be sending, and must be able to read why. */
static void test_end_of_the_last_request(void **state) {
    (void)state;
    static const struct {
        const char *say;
        bool waits;
    } rows[] = {
        {"GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET /a HTTP/1.0\r\n\r\n", false},
        {"GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nmore", true},
        {"GET /a HTTP/3.0\r\n\r\n", true},
    };
    start();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        say(fd, rows[i].say);
        assert_true(hear(fd, NULL).n > 0);
        assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
        bool waits = send(fd, "x", 1, MSG_NOSIGNAL) == 1; /* else the first one was answered with a reset */
        if (waits != rows[i].waits) fail_msg("row %zu", i);
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
    static char all[50 * sizeof GET("/big")];
    for (int i = 0; i < 50; i++) memcpy(all + strlen(all), GET("/big"), sizeof GET("/big"));
    start_hasty();
    int fd = dial();
    say(fd, all);
    while (!atomic_load(&server.handled)) nap_ms(1);
    wait_for_connections(0);
    assert_in_range(atomic_load(&server.handled), 1, 3);
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

static void refusal(struct web_response *response, const struct http_head *head, struct arena *arena, void *arg) {
    response->content_type = S("text/plain");
    response->body =
        arena_printf(arena, "%s %d of %.*s", (const char *)arg, response->status, STR_ARG(head ? head->path : S("?")));
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
    HEARD(fd, "refused with 413 of /a");
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_end_of_the_last_request),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_pipelining_keeps_order),
        cmocka_unit_test(test_many_pipelined),
        cmocka_unit_test(test_input_waits_for_the_handler),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_large_answer_arrives),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_refusal_body),
        cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_untrusted_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
