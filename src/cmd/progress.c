#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 30
#define BAR_MS    100
#define LINE_MS   5000

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct progress progress_begin(const char *what, const char *unit) {
    int64_t now = now_ms();
    return (struct progress){
        .what = what, .unit = unit, .terminal = isatty(STDERR_FILENO), .began_ms = now, .shown_ms = now};
}

static void show_bar(const struct progress *p, int64_t done, int64_t total, int64_t left_s) {
    char bar[BAR_CELLS + 1];
    int full = (int)(done * BAR_CELLS / total);
    for (int i = 0; i < BAR_CELLS; i++) bar[i] = i < full ? '#' : '.';
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "\r%-16s [%s] %3d %%  %lld of %lld %s, %lld s left \033[K", p->what, bar, (int)(done * 100 / total),
            (long long)done, (long long)total, p->unit, (long long)left_s);
}

void progress_show(struct progress *p, int64_t done, int64_t total) {
    int64_t now = now_ms();
    if (total <= 0 || done > total || now - p->shown_ms < (p->terminal ? BAR_MS : LINE_MS)) return;
    int64_t left_s = done ? (now - p->began_ms) * (total - done) / done / 1000 : 0;
    p->shown_ms = now;
    p->open = p->terminal;
    if (p->terminal)
        show_bar(p, done, total, left_s);
    else
        fprintf(stderr, "grantd: %s: %lld of %lld %s (%d %%)\n", p->what, (long long)done, (long long)total, p->unit,
                (int)(done * 100 / total));
}

void progress_end(struct progress *p) {
    if (p->open) fputs("\r\033[K", stderr);
    p->open = false;
}
