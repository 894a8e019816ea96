#include "waitline.h"

#include <stdbool.h>

void waitline_join(struct waitline *line, struct wait_link *link, int64_t now_ms) {
    *link = (struct wait_link){.since_ms = now_ms};
    if (line->last)
        line->last->next = link;
    else
        line->first = link;
    line->last = link;
    line->n++;
}

struct wait_link *waitline_take(struct waitline *line) {
    struct wait_link *link = line->first;
    if (!link) return NULL;
    line->first = link->next;
    if (!line->first) line->last = NULL;
    link->next = NULL;
    line->n--;
    return link;
}

struct wait_link *waitline_shed(struct waitline *line, const struct waitline_limits *limits, int64_t now_ms) {
    if (!line->first) return NULL;
    bool late = limits->wait_max_ms && now_ms - line->first->since_ms > limits->wait_max_ms;
    return late || line->n > limits->n_max ? waitline_take(line) : NULL;
}
