/* Who may have how much: the PROXY protocol, connections of an address, requests of a connection, requests under way. */
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
    start_on(&options, "127.0.0.1:0");
    int64_t begin_ms = clock_ms();
    int fd = dial();
    say(fd, "PROXY TCP4");
    assert_int_equal(hear(fd, NULL).n, 0);
    assert_in_range(clock_ms() - begin_ms, 290, 3000);
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
    str heard = hear(fds[2], NULL);
    assert_int_equal(count(heard, "HTTP/1.1 503"), 1);
    assert_int_equal(count(heard, "Retry-After: 1\r\n"), 1);
    assert_int_equal(atomic_load(&server.handled), 2);
    web_loop_wake(server.loop);
    assert_int_equal(count(hear(fds[0], "later"), "200 OK"), 1);
    for (size_t i = 0; i < COUNT(fds); i++) close(fds[i]);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
