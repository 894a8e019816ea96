/* dev: `grantd dev`, a server to try things on: seeded, answering every authorization request at once, thrown away at the end unless it
 * was given a data directory. */
#ifndef GRANTD_DEV_H
#define GRANTD_DEV_H

#include "options.h"

struct dev_request {
    bool json; /* print one line of JSON when ready, else a walk-through */
    bool no_auto_approve;
    const char *temp_dir; /* where throw-away directories are made */
    struct options_source source;
};

/* Runs until it is ended by a signal. `options` gets the defaults of dev. */
RC dev_run(struct options *options, const struct dev_request *request);

#endif
