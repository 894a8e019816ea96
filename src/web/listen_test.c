/* Binding and accepting. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loop_kit_test.h"

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

/* Without descriptors the loop neither spins nor dies, and serves again when there are some. */
static void test_no_descriptors(void **state) {
    (void)state;
    start_hasty(); /* those who were kept waiting are idle then */
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
        cmocka_unit_test(test_unix_socket),    cmocka_unit_test(test_bind),
        cmocka_unit_test(test_reuse_port),     cmocka_unit_test(test_bad_proxy_is_refused),
        cmocka_unit_test(test_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
