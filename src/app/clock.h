/* clock: the wall clock in milliseconds, guarded. Within the process time never goes back: when the machine's clock is set back, ours
 * runs at half speed until the machine has caught up, so that no dead token lives again. */
#ifndef GRANTD_CLOCK_H
#define GRANTD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_MS  2000 /* steps of the machine's clock above this are reported */
#define CLOCK_SLACK_MS 100  /* differences up to this wait */

/* Our time is the steady clock plus an offset. */
struct clock_state {
    int64_t offset_ms;
    bool slowed;      /* the machine's clock is behind ours */
    int64_t since_ms; /* steady time up to which the slow run is accounted for */
};

/* The pure step: what the machine's wall clock and steady clock say now -> our time. *step_ms gets a step that is worth a log line,
 * else 0. */
int64_t clock_advance(struct clock_state *c, int64_t wall_ms, int64_t steady_ms, int64_t *step_ms);

/* Our time now; from any thread. Logs a step once. */
int64_t clock_now_ms(void);

/* For tests of what ends by itself: time stands at this moment until it is set again; 0: it runs. From any thread. */
void clock_stand_at(int64_t ms);

#endif
