#include "front_notify.h"

#include "systemd_load.h"

#include <stdio.h>
#include <time.h>

#define TEXT_BYTES 64

static void notify(const char *text) {
    const struct systemd_library *systemd = systemd_loaded();
    if (systemd) systemd->notify(0, text);
}

void front_notify_ready(void) { notify("READY=1"); }

/* Type=notify-reload wants the moment as well. */
void front_notify_reloading(void) {
    struct timespec now;
    char text[TEXT_BYTES];
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify(text);
}

void front_notify_stopping(void) { notify("STOPPING=1"); }

void front_notify_main_pid(int pid) {
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "MAINPID=%d", pid);
    notify(text);
}

/* Thrice in its time: one late answer is no reason to be killed. After an upgrade the pid that systemd named is not ours. */
int64_t front_notify_period_ms(void) {
    const struct systemd_library *systemd = systemd_loaded();
    uint64_t limit_us = 0;
    return systemd && systemd->watchdog_enabled(0, &limit_us) > 0 ? (int64_t)(limit_us / 3000) : 0;
}

void front_notify_alive(void) { notify("WATCHDOG=1"); }
