/* store_place: a store that is named on the command line: sqlite:DIR (a data directory), sqlite:DIR/NAME.db, or postgres://... */
#ifndef GRANTD_STORE_PLACE_H
#define GRANTD_STORE_PLACE_H

#include "options.h"
#include "storage.h"

enum store_role { STORE_SOURCE, STORE_TARGET };

struct store_place {
    struct options options;
    const char *dir; /* the data directory; NULL: of a database */
    int lock_fd;     /* -1: none */
    struct db *db;
};

/* Opens a store, and takes the data directory that it lies in. A source is never created, a target is; `live`: a server may have the source.
 * FAULT_CONFIG when the name is wrong, FAULT_LOCKED when a server has it. Close it also after a fault. */
RC store_place_open(str name, enum store_role role, bool live, struct arena *arena, struct store_place *out);
void store_place_close(struct store_place *p);

/* Whether two directories have master keys, and different ones: what one store has sealed the other could not open. */
RC store_place_keys_differ(const struct store_place *a, const struct store_place *b, bool *out);

#endif
