/* log: structured lines (JSON, one per line) on stderr. What can be logged is the table events.def. A line costs no I/O in the thread
 * that logs it: it goes into a bounded ring which a thread of its own writes out; what does not fit is counted and the count logged.
 * Never a token, a secret, or the variable part of a path. */
#ifndef GRANTD_LOG_H
#define GRANTD_LOG_H

#include "rc.h"
#include "str.h"

enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

enum event {
#define EVENT(name, level, fields, sentence) EVENT_##name,
#include "events.def"
#undef EVENT
    EVENT_COUNT
};

struct event_row {
    const char *name; /* as in the line: "SERVER_READY" */
    enum log_level level;
    const char *fields;
    const char *sentence;
};
extern const struct event_row event_rows[EVENT_COUNT];

#define LOG_LINE_MAX 1024 /* longer values are cut */

/* Lines below `level` are not logged. */
void log_set_level(enum log_level level);
bool log_level_parse(str text, enum log_level *out);

/* Starts the writer thread; before and after, lines are written at once. */
RC log_start(void);
/* Writes what is left and ends the thread. */
void log_stop(void);

/* Logs an event: LOG(EVENT_X, correlation id or NULL, one NUL-ended text per field of the row). */
#define LOG(event, correlation_id, ...)                                                                                \
    log_write((event), (correlation_id), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void log_write(enum event event, const char *correlation_id, const char *const *values);

/* Formats a line with its newline (the writer's inside, for tests); returns its bytes, at most LOG_LINE_MAX. */
size_t log_format(enum event event, int64_t time_ms, const char *correlation_id, const char *const *values,
                  char out[LOG_LINE_MAX]);

#endif
