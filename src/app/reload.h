/* reload: the options file and the certificates are read again while requests are served (SIGHUP, `grantd reload`). All is checked before
 * anything is changed; when one thing is wrong, all stays as it was and the log says what would have changed. */
#ifndef GRANTD_RELOAD_H
#define GRANTD_RELOAD_H

#include "front_tls.h"
#include "instance.h"
#include "limiter.h"

struct reload {
    struct instance *instance;
    struct front_tls *tls; /* NULL: none */
    struct limiter *limiter;
    const struct options_source *source; /* NULL: only the certificates are read again */
};

/* What came of it. */
struct reload_report {
    bool refused;
    str reason; /* of a refusal */
    struct option_change changes[OPTION_ROWS];
    size_t n;
    struct rc tls; /* of the certificates, which are read also when the options are refused */
};

/* In the thread that owns the instance. Strings of the report lie in the arena. Logs what came of it. */
void reload_run(const struct reload *r, struct arena *arena, struct reload_report *out);

#endif
