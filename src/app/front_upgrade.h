/* front_upgrade: another program takes the place of this one without closing a socket.
 *
 * On SIGUSR2 the program on disk is started with our arguments and our listening sockets. It checks its options and certificates, says
 * so on a pipe, and waits for the lock of the data directory. We stop taking connections, finish what is under way and end; with us goes the
 * lock, and the new one opens the store and serves. Whoever connects in between waits in the kernel's queue. When the new program ends
 * before it has spoken, nothing has happened. */
#ifndef GRANTD_FRONT_UPGRADE_H
#define GRANTD_FRONT_UPGRADE_H

#include "web.h"

struct front_upgrade {
    void (*prepared)(void *arg); /* called in the loop's thread: the new program waits for us to go */
    void *arg;
    const int *fds; /* the sockets to hand over; read when the signal comes; -1: none */
    size_t n_fds;
    int admin_fd;
    int pid; /* of the new program; 0: none */
    int pipe[2];
    char program[4096];
    char *words; /* of our command line, each with its NUL */
    size_t words_n;
};

/* Before the loop runs. It must live as long as the loop. */
RC front_upgrade_open(struct front_upgrade *u, struct web_loop *loop);
void front_upgrade_start(struct front_upgrade *u);
void front_upgrade_close(struct front_upgrade *u);

/* The other side: in a program that was started to replace another one. Tells it that we are ready to, and waits until it has left
 * the data directory. Does nothing in every other program. FAULT_LOCKED when it does not leave. */
RC front_upgrade_join(str data);

/* `grantd upgrade`: asks the server of a data directory to be replaced and waits until it is. FAULT_CONFIG when none runs, FAULT_LOCKED when it
 * goes on after wait_ms. */
RC front_upgrade_ask(str data, int64_t wait_ms);

#endif
