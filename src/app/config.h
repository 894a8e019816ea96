/* config: the options in force, and what is made of them once: immutable and counted, replaced whole when they are read again. Loops reach it
 * through their snapshot, so that a request keeps what it began with. */
#ifndef GRANTD_CONFIG_H
#define GRANTD_CONFIG_H

#include "options.h"
#include "show.h"
#include "web.h"

#include <stdatomic.h>

struct config {
    atomic_uint holders;
    struct arena *arena;
    struct options options;
    struct settings settings;
    struct brand brand;
    struct web_options web; /* of the public listeners, without what belongs to a single loop */
    str admin_token;        /* empty: none is asked for */
};

/* A config with one holder. It owns the arena from now on, also when it fails; strings of the options lie there or live longer.
 * `before`: what of the settings is not said by options (the issuer of an address that was bound, dev's person) stays. */
RC config_make(const struct options *options, const struct settings *before, struct arena *arena, struct config **out);

struct config *config_hold(struct config *c); /* NULL is allowed */
void config_release(struct config *c);        /* the last one frees it; NULL is allowed */

#endif
