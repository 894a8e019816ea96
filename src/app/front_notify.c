#include "front_notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

void front_notify_ready(void) { sd_notify(0, "READY=1"); }

/* Type=notify-reload wants the moment as well. */
void front_notify_reloading(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void front_notify_stopping(void) { sd_notify(0, "STOPPING=1"); }

void front_notify_main_pid(int pid) { sd_notifyf(0, "MAINPID=%d", pid); }

/* Thrice in its time: one late answer is no reason to be killed. After an upgrade the pid that systemd named is not ours. */
int64_t front_notify_period_ms(void) {
    uint64_t limit_us = 0;
    return sd_watchdog_enabled(0, &limit_us) > 0 ? (int64_t)(limit_us / 3000) : 0;
}

void front_notify_alive(void) { sd_notify(0, "WATCHDOG=1"); }
