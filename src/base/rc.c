#include "rc.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
} faults[FAULT_COUNT] = {
    {"NONE", "no fault"},
#define FAULT(name, text) {#name, text},
#include "faults.def"
#undef FAULT
};

static _Thread_local char detail[240];

struct rc rc_fail(enum fault fault, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof detail, format, args) < 0) detail[0] = '\0';
    va_end(args);
    return (struct rc){(uint16_t)fault};
}

const char *rc_detail(void) { return detail; }

const char *rc_name(struct rc rc) { return rc.fault < FAULT_COUNT ? faults[rc.fault].name : "UNKNOWN"; }

const char *rc_text(struct rc rc) { return rc.fault < FAULT_COUNT ? faults[rc.fault].text : "an unknown fault"; }
