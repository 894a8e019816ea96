/* publish: how new apps, scopes and keys reach the loops. They stand in a snapshot, immutable and counted; every loop holds one through a lease
 * of its own, so that a request costs no shared counter. A request keeps the snapshot it began with. */
#ifndef GRANTD_PUBLISH_H
#define GRANTD_PUBLISH_H

#include "config.h"
#include "cors.h"
#include "documents.h"
#include "keys_load.h"
#include "registry.h"

#include <stdatomic.h>

struct snapshot {
    struct registry *registry;
    struct keyset *keys;
    struct documents *documents;
    struct cors_origins *origins; /* made from the registry */
    struct config *config;        /* held; NULL without a server */
    atomic_uint holders;
};

/* A snapshot with one holder; it owns all of them from now on. */
struct snapshot *snapshot_new(struct registry *registry, struct keyset *keys, struct documents *documents);

struct snapshot *snapshot_hold(struct snapshot *s);
void snapshot_release(struct snapshot *s); /* the last one frees it; NULL is allowed */

/* One loop's hold on a snapshot; used in that loop's thread only. */
struct lease {
    struct snapshot *snapshot;
    unsigned users; /* requests under way, and one for the loop while the lease is its current one */
};

/* A new lease on s (held), with one user. */
struct lease *lease_new(struct snapshot *s);
static inline struct lease *lease_take(struct lease *l) {
    l->users++;
    return l;
}
void lease_drop(struct lease *l); /* the last user releases the snapshot and frees the lease; NULL is allowed */

#endif
