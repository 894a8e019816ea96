/* waitline: work that waits for its turn, first come, first served. It is bounded twice, in number and in time, and when it must get shorter
 * the oldest goes first: who has waited longest is the likeliest to have given up, and those behind still get their answer in time. The
 * clock is the caller's, and so are the links: whatever waits holds one. */
#ifndef GRANTD_WAITLINE_H
#define GRANTD_WAITLINE_H

#include <stddef.h>
#include <stdint.h>

struct wait_link {
    struct wait_link *next;
    int64_t since_ms;
};

struct waitline {
    struct wait_link *first, *last;
    size_t n;
};

/* How long it may be; a wait of 0 has no limit. */
struct waitline_limits {
    size_t n_max;
    int64_t wait_max_ms;
};

/* Joins at the end. */
void waitline_join(struct waitline *line, struct wait_link *link, int64_t now_ms);

/* Takes the oldest out; NULL: nothing waits. */
struct wait_link *waitline_take(struct waitline *line);

/* Takes the oldest out if it has to go: because more than n_max wait, or because it has waited for more than wait_max_ms. NULL: none has to.
 * To be called until it says so. */
struct wait_link *waitline_shed(struct waitline *line, const struct waitline_limits *limits, int64_t now_ms);

#endif
