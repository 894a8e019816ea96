/* front_notify: what systemd wants to know (Type=notify): ready, reloading, stopping, alive. All of it does nothing without systemd. */
#ifndef GRANTD_FRONT_NOTIFY_H
#define GRANTD_FRONT_NOTIFY_H

#include <stdint.h>

void front_notify_ready(void);
void front_notify_reloading(void); /* front_notify_ready follows */
void front_notify_stopping(void);

/* Another process is the service from now on. */
void front_notify_main_pid(int pid);

/* How often systemd wants to hear front_notify_alive; 0: it does not ask. */
int64_t front_notify_period_ms(void);
void front_notify_alive(void);

#endif
