/* front_watchdog: tells systemd that we live for as long as every loop still turns. */
#ifndef GRANTD_FRONT_WATCHDOG_H
#define GRANTD_FRONT_WATCHDOG_H

#include "web.h"

#include <stdatomic.h>

struct front_watchdog {
    struct web_loop *const *loops;
    size_t n;
    atomic_size_t silent; /* loops that have not answered yet */
};

/* Before main_loop runs; does nothing when systemd does not ask. w and loops live as long as main_loop. */
RC front_watchdog_start(struct front_watchdog *w, struct web_loop *main_loop);

#endif
