/* dev_print: what `grantd dev` says when it is ready. */
#ifndef GRANTD_DEV_PRINT_H
#define GRANTD_DEV_PRINT_H

#include "dev_seed.h"

#include <stdio.h>

struct dev_facts {
    str issuer;
    const char *admin; /* "ADDR:PORT" or "unix:PATH" */
    str data;
    const struct dev_seed *seed;
    bool compat_v1, auto_approve;
};

/* Exactly one line of JSON. */
void dev_print_json(const struct dev_facts *facts, FILE *out);

/* A walk-through with lines to copy. */
void dev_print_text(const struct dev_facts *facts, FILE *out);

#endif
