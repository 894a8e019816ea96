/* progress: how far something long is, on standard error: a bar on a terminal, else a line every few seconds. */
#ifndef GRANTD_PROGRESS_H
#define GRANTD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* stands before the bar */
    const char *unit; /* what is counted: "rows" */
    bool terminal, open;
    int64_t began_ms, shown_ms;
};

struct progress progress_begin(const char *what, const char *unit);

/* May be called for every row: most calls show nothing. */
void progress_show(struct progress *p, int64_t done, int64_t total);

/* Ends the line of a bar. */
void progress_end(struct progress *p);

#endif
