/* rc: the result of something that a machine can fail at (a FAULT). What the protocol says no to is a refusal and is
 * never an rc. Faults are logged once, by the program; libraries are silent. */
#ifndef GRANTD_RC_H
#define GRANTD_RC_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
    FAULT_NONE = 0,
#define FAULT(name, text) FAULT_##name,
#include "faults.def"
#undef FAULT
    FAULT_COUNT
};

struct rc {
    uint16_t fault; /* enum fault */
};

#define RC    __attribute__((warn_unused_result)) struct rc
#define RC_OK ((struct rc){FAULT_NONE})
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        struct rc rc_try_ = (call);                                                                                    \
        if (rc_try_.fault) return rc_try_;                                                                             \
    } while (0)

static inline bool rc_ok(struct rc rc) { return rc.fault == FAULT_NONE; }

/* Makes a fault with a detail for the log or for the person at the command line (at most 239 bytes are kept, per
 * thread, until the next rc_fail of that thread). The detail must not hold a secret. */
struct rc rc_fail(enum fault fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The detail of this thread's last rc_fail. */
const char *rc_detail(void);

/* The name of a fault ("DB_BUSY") and its general sentence. */
const char *rc_name(struct rc rc);
const char *rc_text(struct rc rc);

#endif
