#include "front_upgrade.h"

#include "arena.h"
#include "buf.h"
#include "datadir.h"
#include "front_inherit.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX    (1u << 20)
#define FDS_MAX      1024
#define FIRST_FD     3
#define ENV_TEXT     64
#define JOIN_MAX_MS  3700000 /* the longest drain there can be, and a little */
#define JOIN_STEP_NS 1000000
#define ASK_STEP_MS  20
#define NUMBER_BYTES 12

/* ---- the program that is replaced ---- */

static RC read_command_line(struct front_upgrade *u) {
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t program_n = readlink("/proc/self/exe", u->program, sizeof u->program - 1), n = -1;
    u->words = calloc(1, WORDS_MAX + 1);
    if (!u->words) abort();
    if (fd >= 0) {
        n = read(fd, u->words, WORDS_MAX);
        close(fd);
    }
    if (n <= 0 || program_n <= 0) return rc_fail(FAULT_IO, "our own command line cannot be read: %m");
    u->words_n = (size_t)n;
    return RC_OK;
}

/* What the child needs, made before the fork: behind it nothing may allocate. */
struct child {
    char **words, **environment;
    char pid_text[ENV_TEXT], count_text[ENV_TEXT];
    char *names_text;
    int fds[FDS_MAX];
    int n_fds;
};

static void list_words(const struct front_upgrade *u, struct child *c) {
    size_t n = 0;
    for (size_t i = 0; i < u->words_n; i += strlen(u->words + i) + 1) n++;
    c->words = calloc(n + 1, sizeof(char *));
    if (!c->words) abort();
    n = 0;
    for (size_t i = 0; i < u->words_n; i += strlen(u->words + i) + 1) c->words[n++] = u->words + i;
}

/* What systemd said to this process alone. Without a pid the watchdog's question goes to whoever is the service. */
static bool is_of_this_process(const char *variable) {
    return str_starts_with(str_of(variable), S("LISTEN_")) || str_starts_with(str_of(variable), S("WATCHDOG_PID="));
}

static void list_environment(struct child *c) {
    size_t n = 0, kept = 0;
    while (environ[n]) n++;
    c->environment = calloc(n + 4, sizeof(char *));
    if (!c->environment) abort();
    for (size_t i = 0; i < n; i++)
        if (!is_of_this_process(environ[i])) c->environment[kept++] = environ[i];
    c->environment[kept++] = c->pid_text;
    c->environment[kept++] = c->count_text;
    c->environment[kept] = c->names_text;
}

static void list_sockets(const struct front_upgrade *u, struct child *c) {
    size_t room = (u->n_fds + 2) * sizeof FRONT_PIPE_NAME + ENV_TEXT;
    c->names_text = calloc(1, room);
    if (!c->names_text) abort();
    struct buf names = buf_on(c->names_text, room - 1);
    buf_add(&names, S("LISTEN_FDNAMES="));
    for (size_t i = 0; i < u->n_fds && c->n_fds < FDS_MAX - 2; i++)
        if (u->fds[i] >= 0) c->fds[c->n_fds++] = u->fds[i];
    c->fds[c->n_fds++] = u->admin_fd;
    for (int i = 0; i < c->n_fds; i++) buf_add(&names, S("listen:"));
    buf_add(&names, S(FRONT_PIPE_NAME));
    c->fds[c->n_fds++] = u->pipe[1];
    snprintf(c->count_text, sizeof c->count_text, "LISTEN_FDS=%d", c->n_fds);
}

static void free_child(struct child *c) {
    free(c->words);
    free(c->environment);
    free(c->names_text);
}

/* Between fork and exec: only what a signal handler may do. */
static void write_pid(char *text) {
    static const char label[] = "LISTEN_PID=";
    char digits[NUMBER_BYTES];
    int n = 0, pid = (int)getpid();
    size_t at = sizeof label - 1;
    memcpy(text, label, at);
    for (; pid; pid /= 10) digits[n++] = (char)('0' + pid % 10);
    while (n) text[at++] = digits[--n];
    text[at] = 0;
}

static _Noreturn void become(const struct front_upgrade *u, struct child *c) {
    sigset_t none;
    for (int i = 0; i < c->n_fds; i++) {
        c->fds[i] = fcntl(c->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + c->n_fds);
        if (c->fds[i] < 0) _exit(127);
    }
    for (int i = 0; i < c->n_fds; i++)
        if (dup2(c->fds[i], FIRST_FD + i) < 0) _exit(127);
    write_pid(c->pid_text);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(u->program, c->words, c->environment);
    _exit(127);
}

void front_upgrade_start(struct front_upgrade *u) {
    if (u->pid) {
        LOG(EVENT_UPGRADE_FAILED, NULL, "another one is under way");
        return;
    }
    struct child child = {0};
    char text[NUMBER_BYTES];
    list_words(u, &child);
    list_sockets(u, &child);
    list_environment(&child);
    pid_t pid = fork();
    if (pid == 0) become(u, &child);
    free_child(&child);
    if (pid < 0) {
        LOG(EVENT_UPGRADE_FAILED, NULL, "no process can be started");
        return;
    }
    u->pid = pid;
    snprintf(text, sizeof text, "%d", (int)pid);
    LOG(EVENT_UPGRADE_STARTED, NULL, text);
}

static void on_pipe(void *arg) {
    struct front_upgrade *u = arg;
    char byte;
    if (read(u->pipe[0], &byte, 1) == 1 && u->pid) u->prepared(u->arg);
}

static void on_child(void *arg) {
    struct front_upgrade *u = arg;
    int status;
    if (!u->pid || waitpid(u->pid, &status, WNOHANG) != u->pid) return;
    u->pid = 0;
    LOG(EVENT_UPGRADE_FAILED, NULL, "the new program has ended; this one goes on");
}

static void on_signal(void *arg) { front_upgrade_start(arg); }

RC front_upgrade_open(struct front_upgrade *u, struct web_loop *loop) {
    if (pipe2(u->pipe, O_CLOEXEC | O_NONBLOCK) < 0) return rc_fail(FAULT_IO, "no pipe: %m");
    TRY(read_command_line(u));
    TRY(web_loop_watch(loop, u->pipe[0], on_pipe, u));
    TRY(web_loop_on_signal(loop, SIGCHLD, on_child, u));
    return web_loop_on_signal(loop, SIGUSR2, on_signal, u);
}

void front_upgrade_close(struct front_upgrade *u) {
    if (u->words) close(u->pipe[0]);
    if (u->words) close(u->pipe[1]);
    free(u->words);
    u->words = NULL;
}

/* ---- the program that replaces it ---- */

RC front_upgrade_join(str data) {
    int fd = front_inherit_pipe(), lock = -1;
    if (fd < 0) return RC_OK;
    struct arena *arena = arena_new(512);
    const char *path = arena_cstr(arena, data);
    struct rc rc = write(fd, "p", 1) == 1 ? RC_OK : rc_fail(FAULT_IO, "the program that we replace has gone");
    close(fd);
    if (rc_ok(rc)) rc = datadir_lock(path, &lock);
    for (int64_t ms = 0; rc.fault == FAULT_LOCKED && ms < JOIN_MAX_MS; ms++) {
        nanosleep(&(struct timespec){.tv_nsec = JOIN_STEP_NS}, NULL);
        rc = datadir_lock(path, &lock);
    }
    if (lock >= 0) close(lock);
    arena_free(arena);
    return rc;
}

/* ---- the command ---- */

static RC ask(const char *path, int64_t wait_ms) {
    int before, now;
    TRY(datadir_holder(path, &before));
    if (kill(before, SIGUSR2)) return rc_fail(FAULT_IO, "process %d cannot be sent a signal: %m", before);
    for (int64_t ms = 0; ms < wait_ms; ms += ASK_STEP_MS) {
        nanosleep(&(struct timespec){.tv_nsec = ASK_STEP_MS * 1000000}, NULL);
        struct rc rc = datadir_holder(path, &now); /* for a moment nobody holds it */
        if (rc_ok(rc) && now != before) return RC_OK;
    }
    return rc_fail(FAULT_LOCKED, "process %d was not replaced; its log says why (UPGRADE_FAILED)", before);
}

RC front_upgrade_ask(str data, int64_t wait_ms) {
    struct arena *arena = arena_new(512);
    struct rc rc = ask(arena_cstr(arena, data), wait_ms);
    arena_free(arena);
    return rc;
}
