/* systemd_load: libsystemd, loaded when systemd has left something for it in the environment. It brings half a dozen libraries along (compression,
 * GnuTLS's arithmetic), a tenth of the memory of a server that nobody asks anything. */
#ifndef GRANTD_SYSTEMD_LOAD_H
#define GRANTD_SYSTEMD_LOAD_H

#include <systemd/sd-daemon.h>

#include "rc.h"

/* Functions of libsystemd under their own names without "sd_". */
#define SYSTEMD_FUNCTIONS(F)                                                                                           \
    F(listen_fds_with_names)                                                                                           \
    F(notify)                                                                                                          \
    F(watchdog_enabled)

struct systemd_library {
#define F(name) __typeof__(sd_##name) *name;
    SYSTEMD_FUNCTIONS(F)
#undef F
};

/* By one thread at a time; again is allowed. FAULT_INTERNAL when systemd is there and the library is not. */
RC systemd_load(void);

/* NULL: nothing was left for us, or systemd_load was not called. */
const struct systemd_library *systemd_loaded(void);

#endif
