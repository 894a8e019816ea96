/* Who may have how much: the PROXY protocol, connections of an address, requests of a connection, requests under way. */
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_kit_test.h"

#define CLIENT "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n"
#define OTHER  "PROXY TCP4 203.0.113.8 192.0.2.1 5000 443\r\n"

static const str here[] = {S("127.0.0.1")};

static struct web_options with_balancer(void) {
    struct web_options options = options_default();
    options.proxy_protocol = here;
    options.n_proxy_protocol = COUNT(here);
    return options;
}

static void test_proxy_header(void **state) {
    (void)state;
    static const struct {
        const char *say, *want; /* NULL: closed without a word */
    } rows[] = {
        {CLIENT GET("/a"), "/a||203.0.113.7|0|0"},
        {"PROXY TCP6 2001:db8::7 2001:db8::1 5000 443\r\n" GET("/a"), "/a||2001:db8::7|0|0"},
        {"PROXY UNKNOWN\r\n" GET("/a"), "/a||127.0.0.1|0|0"},
        {GET("/a"), NULL},
        {"PROXY TCP4 nonsense\r\n" GET("/a"), NULL},
        {CLIENT CLIENT GET("/a"), "HTTP/1.1 400"},
        {CLIENT "GET /a HTTP/1.1\r\n" HOST "X-Forwarded-For: 198.51.100.1\r\n\r\n", "/a||203.0.113.7|0|0"},
    };
    struct web_options options = with_balancer();
    start_on(&options, "127.0.0.1:0");
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = dial();
        say(fd, rows[i].say);
        str heard = hear(fd, rows[i].want && strstr(rows[i].want, "|") ? "|0|0" : NULL);
        if (rows[i].want ? !strstr(heard.p, rows[i].want) : heard.n != 0) fail_msg("row %zu: %s", i, heard.p);
        close(fd);
    }
    int fd = dial();
    for (const char *p = CLIENT GET("/b"); *p; p++) {
        char byte[2] = {*p, 0};
        say(fd, byte);
    }
    assert_int_equal(count(hear(fd, "|0|0"), "/b||203.0.113.7|0|0"), 1);
    close(fd);
    stop();
}

/* A header that does not come is waited for as a handshake is. */
static void test_proxy_header_deadline(void **state) {
    (void)state;
    struct web_options options = with_balancer();
    options.handshake_deadline_ms = 300;
    start_on(&options, "127.0.0.1:0");
    int64_t begin_ms = clock_ms();
    int fd = dial();
    say(fd, "PROXY TCP4");
    assert_int_equal(hear(fd, NULL).n, 0);
    assert_true(clock_ms() - begin_ms >= 290);
    close(fd);
    stop();
}

/* From everybody else it is no header. */
static void test_proxy_header_of_strangers(void **state) {
    (void)state;
    static const str elsewhere[] = {S("192.0.2.0/24")};
    struct web_options options = with_balancer();
    options.proxy_protocol = elsewhere;
    start_on(&options, "127.0.0.1:0");
    int fd = dial();
    say(fd, CLIENT GET("/a"));
    HEARD(fd, "HTTP/1.1 400");
    close(fd);
    stop();
}

static void test_connections_per_address(void **state) {
    (void)state;
    struct web_options options = with_balancer();
    options.connections_per_address = 2;
    start_on(&options, "127.0.0.1:0");
    int fds[4];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial();
        say(fds[i], i == 3 ? OTHER GET("/a") : CLIENT GET("/a"));
        CHECK(i, count(hear(fds[i], "|0|0"), "200 OK") == (i != 2));
    }
    close(fds[0]);
    wait_for_connections(2);
    int fd = dial();
    say(fd, CLIENT GET("/a"));
    assert_int_equal(count(hear(fd, "|0|0"), "200 OK"), 1);
    close(fd);
    for (size_t i = 1; i < COUNT(fds); i++) close(fds[i]);
    stop();
}

/* Our own machine is no crowd. */
static void test_loopback_is_not_counted(void **state) {
    (void)state;
    struct web_options options = options_default();
    options.connections_per_address = 1;
    start_on(&options, "127.0.0.1:0");
    int one = dial(), two = dial();
    say(two, GET("/a"));
    assert_int_equal(count(hear(two, "|0|0"), "200 OK"), 1);
    close(one);
    close(two);
    stop();
}

static void test_requests_per_connection(void **state) {
    (void)state;
    struct web_options options = options_default();
    options.requests_per_connection = 3;
    start_on(&options, "127.0.0.1:0");
    int fd = dial();
    say(fd, GET("/1") GET("/2") GET("/3") GET("/4"));
    str heard = hear(fd, NULL);
    assert_int_equal(count(heard, "200 OK"), 3);
    assert_int_equal(count(heard, "Connection: close\r\n"), 1);
    assert_int_equal(count(heard, "/4|"), 0);
    close(fd);
    stop();
}

/* Until the other side's system has all that was said. */
static void wait_until_heard(int fd) {
    int waiting = 1;
    int64_t until_ms = clock_ms() + PATIENCE_S * 1000;
    while (ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting && clock_ms() < until_ms) nap_ms(1);
    assert_int_equal(waiting, 0);
}

static void test_overload(void **state) {
    (void)state;
    struct web_options options = options_default();
    options.exchanges_max = 2;
    start_on(&options, "127.0.0.1:0");
    int fds[] = {dial(), dial(), dial()};
    say(fds[0], GET("/later"));
    say(fds[1], GET("/later"));
    wait_for_held(2);
    say(fds[2], GET("/a"));
    str heard = hear(fds[2], "\r\n\r\n");
    assert_int_equal(count(heard, "HTTP/1.1 503"), 1);
    assert_int_equal(count(heard, "Retry-After: 1\r\n"), 1);
    assert_int_equal(count(heard, "Connection"), 0); /* it stays: the request was read to its end */
    assert_int_equal(atomic_load(&server.handled), 2);
    web_loop_wake(server.loop);
    assert_int_equal(count(hear(fds[0], "later"), "200 OK"), 1);
    assert_int_equal(count(hear(fds[1], "later"), "200 OK"), 1);
    say(fds[2], GET("/a"));
    assert_int_equal(count(hear(fds[2], "|0|0"), "200 OK"), 1);
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
    stop();
}

static int refused_once(const struct web_options *options, int fds[], size_t n) {
    start_on(options, "127.0.0.1:0");
    for (size_t i = 0; i < n; i++) {
        fds[i] = dial();
        say(fds[i], GET("/later"));
    }
    wait_for_held(n);
    int hasty = dial();
    say(hasty, GET("/a") GET("/a"));
    assert_int_equal(count(hear(hasty, "\r\n\r\n"), "HTTP/1.1 503"), 1);
    return hasty;
}

static void close_these(int fds[], size_t n, int last) {
    for (size_t i = 0; i < n; i++) close(fds[i]);
    close(last);
    stop();
}

/* Who was refused and asks again at once is not heard: another one who came later is. */
static void test_a_refused_connection_pauses(void **state) {
    (void)state;
    struct web_options options = options_default();
    int fds[4];
    options.exchanges_max = COUNT(fds);
    int hasty = refused_once(&options, fds, COUNT(fds)), other = dial();
    say(other, GET("/a"));
    assert_int_equal(count(hear(other, "\r\n\r\n"), "HTTP/1.1 503"), 1);
    assert_int_equal(poll(&(struct pollfd){.fd = hasty, .events = POLLIN}, 1, 0), 0);
    close(other);
    close_these(fds, COUNT(fds), hasty);
}

/* When its time has come it is; as nobody has let go of a place, it is refused again. */
static void test_a_pause_ends(void **state) {
    (void)state;
    struct web_options options = options_default();
    int fds[4];
    options.exchanges_max = COUNT(fds);
    options.refused_pause_ms = 50;
    int hasty = refused_once(&options, fds, COUNT(fds));
    assert_int_equal(count(hear(hasty, "\r\n\r\n"), "HTTP/1.1 503"), 1);
    assert_int_equal(atomic_load(&server.handled), COUNT(fds));
    close_these(fds, COUNT(fds), hasty);
}

/* Or when there is room. */
static void test_a_refused_connection_is_heard_when_there_is_room(void **state) {
    (void)state;
    struct web_options options = options_default();
    int fds[4];
    options.exchanges_max = COUNT(fds);
    int hasty = refused_once(&options, fds, COUNT(fds));
    web_loop_wake(server.loop);
    assert_int_equal(count(hear(hasty, "|0|0"), "200 OK"), 1);
    close_these(fds, COUNT(fds), hasty);
}

/* What was said to a paused connection before the end is still answered. */
static void test_a_paused_connection_and_the_end(void **state) {
    (void)state;
    struct web_options options = options_default();
    int fds[2];
    options.exchanges_max = COUNT(fds);
    int hasty = refused_once(&options, fds, COUNT(fds));
    web_loop_stop(server.loop, PATIENCE_S * 1000);
    assert_int_equal(count(hear(hasty, NULL), "HTTP/1.1 503"), 1);
    web_loop_wake(server.loop);
    for (size_t i = 0; i < COUNT(fds); i++) assert_int_equal(count(hear(fds[i], NULL), "200 OK"), 1);
    close_these(fds, COUNT(fds), hasty);
}

#define CROWD 12

/* Everybody asks while the loop is kept, so that all are heard in one round. The answers' statuses in the order of the questions. */
static void ask_at_once(const struct web_options *options, int statuses[CROWD]) {
    int fds[CROWD];
    start_on(options, "127.0.0.1:0");
    for (size_t i = 0; i < CROWD; i++) fds[i] = dial();
    wait_for_connections(CROWD);
    int gate = dial();
    say(gate, GET("/gate"));
    while (atomic_load(&server.handled) == 0) nap_ms(1);
    for (size_t i = 0; i < CROWD; i++) say(fds[i], "GET /slow HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (size_t i = 0; i < CROWD; i++) wait_until_heard(fds[i]);
    sem_post(&server.gate);
    for (size_t i = 0; i < CROWD; i++) {
        str heard = hear(fds[i], NULL);
        statuses[i] = count(heard, "HTTP/1.1 200") ? 200 : 0;
        if (count(heard, "HTTP/1.1 503") && count(heard, "Retry-After: 1\r\n")) statuses[i] = 503;
        close(fds[i]);
    }
    close(gate);
    stop();
}

/* The first is handled at once, if the loop is in time; then it is behind and the others wait. Four places: the last four that came have them. */
static void test_the_oldest_makes_room(void **state) {
    (void)state;
    struct web_options options = options_default();
    int statuses[CROWD];
    options.exchanges_max = 4;
    ask_at_once(&options, statuses);
    for (size_t i = 1; i < CROWD; i++) CHECK(i, statuses[i] == (i >= CROWD - 4 ? 200 : 503));
    assert_int_equal(atomic_load(&server.handled), 1 + (statuses[0] == 200) + 4);
}

/* Who waits for longer than a turn may take is told so; nobody is forgotten. */
static void test_a_turn_that_does_not_come(void **state) {
    (void)state;
    struct web_options options = options_default();
    int statuses[CROWD];
    options.turn_wait_max_ms = 2 * SLOW_MS;
    ask_at_once(&options, statuses);
    assert_int_equal(statuses[CROWD - 1], 503);
    for (size_t i = 0; i < CROWD; i++) CHECK(i, statuses[i] == 200 || statuses[i] == 503);
    options.turn_wait_max_ms = 0;
    ask_at_once(&options, statuses);
    for (size_t i = 0; i < CROWD; i++) CHECK(i, statuses[i] == 200);
}

/* Who has gone is not worked for. */
static void test_gone_while_it_waits(void **state) {
    (void)state;
    struct web_options options = options_default();
    int fds[CROWD];
    start_on(&options, "127.0.0.1:0");
    for (size_t i = 0; i < CROWD; i++) fds[i] = dial();
    wait_for_connections(CROWD);
    say(fds[0], GET("/gate"));
    while (atomic_load(&server.handled) == 0) nap_ms(1);
    const struct linger at_once = {.l_onoff = 1};
    for (size_t i = 1; i < CROWD; i++) {
        say(fds[i], GET("/slow"));
        wait_until_heard(fds[i]);
        if (i > 2) setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        if (i > 2) close(fds[i]);
    }
    sem_post(&server.gate);
    for (size_t i = 0; i < 3; i++) assert_int_equal(count(hear(fds[i], "|0|0"), "200 OK"), 1);
    wait_for_connections(3);
    assert_int_equal(atomic_load(&server.handled), 3);
    for (size_t i = 0; i < 3; i++) close(fds[i]);
    stop();
}

/* Bodies that do not come to their end: the one that began first is given up, the others go on. */
static void test_bytes_in_flight(void **state) {
    (void)state;
    static char most[60001];
    struct web_options options = options_default();
    options.bytes_max = 150000; /* a buffer of such a body has 64 KiB */
    start_on(&options, "127.0.0.1:0");
    memset(most, 'b', sizeof most - 1);
    int fds[3];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial();
        say(fds[i], "POST /a HTTP/1.1\r\n" HOST "Content-Length: 60001\r\n\r\n");
        say(fds[i], most);
    }
    str heard = hear(fds[0], NULL);
    assert_int_equal(count(heard, "HTTP/1.1 503"), 1);
    for (size_t i = 1; i < COUNT(fds); i++) {
        say(fds[i], "b");
        assert_int_equal(count(hear(fds[i], "|0|0"), "200 OK"), 1);
    }
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
    stop();
}

/* A peer that asks for much and takes nothing loses its connection, not we our memory. */
static void test_answers_that_nobody_takes(void **state) {
    (void)state;
    struct web_options options = options_default();
    options.bytes_max = BIG_BYTES / 2;
    start_on(&options, "127.0.0.1:0");
    int fd = dial();
    say(fd, GET("/big"));
    wait_for_connections(0);
    close(fd);
    stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy_header),
        cmocka_unit_test(test_proxy_header_deadline),
        cmocka_unit_test(test_proxy_header_of_strangers),
        cmocka_unit_test(test_connections_per_address),
        cmocka_unit_test(test_loopback_is_not_counted),
        cmocka_unit_test(test_requests_per_connection),
        cmocka_unit_test(test_overload),
        cmocka_unit_test(test_a_refused_connection_pauses),
        cmocka_unit_test(test_a_pause_ends),
        cmocka_unit_test(test_a_refused_connection_is_heard_when_there_is_room),
        cmocka_unit_test(test_a_paused_connection_and_the_end),
        cmocka_unit_test(test_the_oldest_makes_room),
        cmocka_unit_test(test_a_turn_that_does_not_come),
        cmocka_unit_test(test_gone_while_it_waits),
        cmocka_unit_test(test_bytes_in_flight),
        cmocka_unit_test(test_answers_that_nobody_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
