/* The life of connections: deadlines, limits, drains and peers that go. */
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "loop_kit_test.h"

static void test_deadlines(void **state) {
    (void)state;
    static const struct {
        const char *say, *want;
        int64_t min_ms;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHo", "HTTP/1.1 408 ", 290},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na", "HTTP/1.1 408 ", 290},
        {"\r\n", "HTTP/1.1 408 ", 290},
        {"", "", 590},
        {GET("/a"), "HTTP/1.1 200", 590},
    };
    start_hasty();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        int64_t begin_ms = clock_ms();
        say(fd, rows[i].say);
        str heard = hear(fd, NULL);
        int64_t took_ms = clock_ms() - begin_ms;
        CHECK(i, strstr(heard.p, rows[i].want) && (heard.n == 0) == (rows[i].want[0] == 0));
        if (took_ms < rows[i].min_ms) fail_msg("row %zu took %lld ms", i, (long long)took_ms);
        close(fd);
    }
    stop();
}

/* A trickle does not move a deadline. */
static void test_deadlines_are_absolute(void **state) {
    (void)state;
    start_hasty();
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
    stop_within(600000); /* long before that */
}

/* Somebody's request arrives while the whole process sleeps, for longer than the grace of a drain: it is answered all the same. */
static struct sleeper {
    int fd;
    bool slept_in_time; /* the grace had not passed before */
} sleeper;

static void sleep_through_the_grace(void *arg) {
    struct sleeper *s = arg;
    s->slept_in_time = uv_timer_get_due_in(&server.loop->drain_timer) > 1;
    say(s->fd, GET("/slept"));
    nap_ms(DRAIN_GRACE_MS * 2);
}

static void after_the_drain_began(void *arg) { web_loop_post(server.loop, sleep_through_the_grace, arg); }

static void begin_to_drain(void *arg) {
    web_loop_stop(server.loop, 5000);
    web_loop_post(server.loop, after_the_drain_began, arg);
}

static void test_sleeping_through_the_grace(void **state) {
    (void)state;
    do {
        start();
        sleeper.fd = dial();
        wait_for_connections(1);
        web_loop_post(server.loop, begin_to_drain, &sleeper);
        str heard = hear(sleeper.fd, NULL);
        close(sleeper.fd);
        stop_within(5000);
        if (sleeper.slept_in_time) assert_int_equal(count(heard, "/slept|"), 1);
    } while (!sleeper.slept_in_time); /* a machine so busy that the grace was over before: again */
}

static void test_drain_deadline(void **state) {
    (void)state;
    start();
    int fd = dial();
    say(fd, GET("/later"));
    wait_for_held(1);
    int64_t begin_ms = clock_ms();
    stop_within(200);
    assert_true(clock_ms() - begin_ms >= 190);
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

static void ring(void *arg) { ++*(int *)arg; }
static void stop_loop(void *arg) { web_loop_stop(arg, 0); }

/* A time that is told later takes the place of the earlier one, and an alarm rings once. */
static void test_alarms(void **state) {
    (void)state;
    struct web_options options = {.header_deadline_ms = 1000};
    struct web_loop *loop;
    int rings = 0;
    assert_true(rc_ok(web_loop_open(&options, &loop)));
    struct source *alarm = web_loop_alarm(loop, ring, &rings);
    web_alarm_set(alarm, 600000);
    web_alarm_set(alarm, 1);
    web_alarm_set(web_loop_alarm(loop, stop_loop, loop), 30);
    web_loop_run(loop);
    assert_int_equal(rings, 1);
    web_loop_close(loop);
}

static void test_ticks(void **state) {
    (void)state;
    int64_t begin_ms = clock_ms();
    start();
    while (atomic_load(&server.ticks) < 5) nap_ms(1);
    stop();
    assert_in_range(clock_ms() - begin_ms, 50, PATIENCE_S * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_deadlines_are_absolute),
        cmocka_unit_test(test_connections_max),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_sleeping_through_the_grace),
        cmocka_unit_test(test_drain_deadline),
        cmocka_unit_test(test_client_goes_before_the_answer),
        cmocka_unit_test(test_lingering_close),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
