/* The emptiest HTTP/1.1 server there can be, on epoll and on io_uring: what another loop could bring at the very most. One thread, one constant
 * answer; the requests that one segment brings are answered by one send. For bench/loops.py only: it trusts its client. */
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY = 420, BATCH_MAX = 64, BUFFERS = 1024, BUFFER_SIZE = 8192, ENTRIES = 2048, EVENTS = 256, GROUP = 1 };
enum what { ACCEPT, RECEIVE, SEND };

static char answers[BATCH_MAX * (BODY + 256)];
static size_t answer_n;

static void must(bool good, const char *what) {
    if (good) return;
    perror(what);
    exit(1);
}

static void make_answers(void) {
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=utf-8\r\ncache-control: "
                     "no-store\r\ncontent-length: %d\r\n\r\n",
                     BODY);
    answer_n = (size_t)n + BODY;
    for (size_t i = 0; i < BATCH_MAX; i++) {
        memcpy(answers + i * answer_n, head, (size_t)n);
        memset(answers + i * answer_n + n, 'x', BODY);
    }
}

/* Prints the port. */
static int listen_somewhere(int flags) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0), on = 1;
    must(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "socket");
    must(bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 1024) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* GETs, whole in one segment: one empty line each. */
static size_t answer_size(const char *bytes, size_t n) {
    size_t found = 0;
    const char *end = bytes + n;
    while (found < BATCH_MAX && (bytes = memmem(bytes, (size_t)(end - bytes), "\r\n\r\n", 4))) {
        found++;
        bytes += 4;
    }
    return found * answer_n;
}

/* ---- epoll ---- */

static void accept_one(int poll, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= 0) epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void answer_one(int fd) {
    char bytes[BUFFER_SIZE];
    ssize_t n = read(fd, bytes, sizeof bytes);
    size_t size = n > 0 ? answer_size(bytes, (size_t)n) : 0;
    if (n <= 0 || (size && write(fd, answers, size) < 0)) close(fd);
}

static void run_epoll(void) {
    int listener = listen_somewhere(SOCK_NONBLOCK), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    must(epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
    for (;;) {
        int n = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_one(poll, listener);
            else
                answer_one(events[i].data.fd);
        }
    }
}

/* ---- io_uring: accepts and receives that go on by themselves, buffers that the kernel picks, one call per turn ---- */

struct uring {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    char *bytes;
};

static struct io_uring_sqe *next_entry(struct uring *u, enum what what, int fd) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&u->ring);
    if (!entry) {
        io_uring_submit(&u->ring);
        entry = io_uring_get_sqe(&u->ring);
    }
    must(entry, "io_uring_get_sqe");
    entry->user_data = (uint64_t)fd << 2 | what;
    return entry;
}

static void receive(struct uring *u, int fd) {
    struct io_uring_sqe *entry = next_entry(u, RECEIVE, fd);
    uint64_t data = entry->user_data;
    io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    entry->user_data = data;
}

static void give_buffer(struct uring *u, unsigned id, int at) {
    io_uring_buf_ring_add(u->buffers, u->bytes + (size_t)id * BUFFER_SIZE, BUFFER_SIZE, (unsigned short)id,
                          io_uring_buf_ring_mask(BUFFERS), at);
}

static void received(struct uring *u, const struct io_uring_cqe *event, int fd) {
    if (event->flags & IORING_CQE_F_BUFFER) {
        unsigned id = event->flags >> IORING_CQE_BUFFER_SHIFT;
        size_t size = answer_size(u->bytes + (size_t)id * BUFFER_SIZE, (size_t)event->res);
        if (size) {
            struct io_uring_sqe *entry = next_entry(u, SEND, fd);
            uint64_t data = entry->user_data;
            io_uring_prep_send(entry, fd, answers, size, 0);
            entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
            entry->user_data = data;
        }
        give_buffer(u, id, 0);
        io_uring_buf_ring_advance(u->buffers, 1);
    } else if (event->res != -ENOBUFS) {
        close(fd);
        return;
    }
    if (!(event->flags & IORING_CQE_F_MORE)) receive(u, fd);
}

static void set_up(struct uring *u) {
    struct io_uring_params params = {.flags =
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = 4 * ENTRIES};
    void *entries = NULL;
    must(io_uring_queue_init_params(ENTRIES, &u->ring, &params) == 0, "io_uring");
    must(posix_memalign(&entries, 4096, BUFFERS * sizeof(struct io_uring_buf)) == 0 &&
             (u->bytes = malloc((size_t)BUFFERS * BUFFER_SIZE)),
         "memory");
    u->buffers = entries;
    struct io_uring_buf_reg given = {.ring_addr = (uintptr_t)entries, .ring_entries = BUFFERS, .bgid = GROUP};
    must(io_uring_register_buf_ring(&u->ring, &given, 0) == 0, "io_uring_register_buf_ring");
    io_uring_buf_ring_init(u->buffers);
    for (unsigned i = 0; i < BUFFERS; i++) give_buffer(u, i, (int)i);
    io_uring_buf_ring_advance(u->buffers, BUFFERS);
}

static void run_uring(void) {
    static struct uring u;
    set_up(&u);
    int listener = listen_somewhere(0);
    io_uring_prep_multishot_accept(next_entry(&u, ACCEPT, listener), listener, NULL, NULL, 0);
    for (;;) {
        struct io_uring_cqe *event;
        unsigned head, seen = 0;
        io_uring_submit_and_wait(&u.ring, 1);
        io_uring_for_each_cqe(&u.ring, head, event) {
            enum what what = event->user_data & 3;
            if (what == RECEIVE) received(&u, event, (int)(event->user_data >> 2));
            if (what == ACCEPT && event->res >= 0) receive(&u, event->res);
            seen++;
        }
        io_uring_cq_advance(&u.ring, seen);
    }
}

int main(int argc, char **argv) {
    bool uring = argc == 2 && strcmp(argv[1], "io_uring") == 0;
    if (!uring && (argc != 2 || strcmp(argv[1], "epoll"))) return fputs("loops epoll|io_uring\n", stderr), 2;
    make_answers();
    uring ? run_uring() : run_epoll();
}
