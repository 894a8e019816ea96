#include "front_inherit.h"

#include "systemd_load.h"
#include "web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SOCKETS_MAX 1024
#define NAME_BYTES  300

static struct inherited {
    int fd; /* -1: taken */
    char name[NAME_BYTES];
} * sockets;
static size_t n_sockets;
static int pipe_fd = -1;

static RC adopt(int fd, const char *name) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return rc_fail(FAULT_CONFIG, "the inherited descriptor %d is not open", fd);
    if (str_eq(str_of(name), S(FRONT_PIPE_NAME))) {
        pipe_fd = fd;
        return RC_OK;
    }
    struct inherited *s = &sockets[n_sockets++];
    s->fd = fd;
    return web_adopt(fd, s->name, sizeof s->name);
}

RC front_inherit(void) {
    char **names = NULL;
    TRY(systemd_load());
    const struct systemd_library *systemd = systemd_loaded();
    int n = systemd ? systemd->listen_fds_with_names(1, &names) : 0;
    if (n < 0 || n > SOCKETS_MAX) return rc_fail(FAULT_CONFIG, "LISTEN_FDS cannot be understood");
    sockets = n ? calloc((size_t)n, sizeof *sockets) : NULL;
    if (n && !sockets) abort();
    struct rc rc = RC_OK;
    for (int i = 0; i < n; i++) {
        if (rc_ok(rc)) rc = adopt(SD_LISTEN_FDS_START + i, names[i]);
        free(names[i]);
    }
    free(names);
    return rc;
}

int front_inherit_pipe(void) { return pipe_fd; }

int front_inherit_take(str address, char *out_name, size_t name_bytes) {
    char wanted[NAME_BYTES];
    if (!web_address_name(address, wanted, sizeof wanted)) return -1;
    for (size_t i = 0; i < n_sockets; i++) {
        int fd = sockets[i].fd;
        if (fd < 0 || !str_eq(str_of(sockets[i].name), str_of(wanted))) continue;
        sockets[i].fd = -1;
        snprintf(out_name, name_bytes, "%s", wanted);
        return fd;
    }
    return -1;
}

RC front_inherit_check(void) {
    for (size_t i = 0; i < n_sockets; i++)
        if (sockets[i].fd >= 0)
            return rc_fail(FAULT_CONFIG, "the socket %s was handed to us, but no option names it; give --listen %s",
                           sockets[i].name, sockets[i].name);
    free(sockets);
    sockets = NULL;
    n_sockets = 0;
    return RC_OK;
}
