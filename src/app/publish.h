/* publish: how a new registry reaches the loops. A registry is counted; every loop holds one through a lease of its own, so that a
 * request costs no shared counter. A request keeps the registry it began with. */
#ifndef GRANTD_PUBLISH_H
#define GRANTD_PUBLISH_H

#include "registry.h"

/* Gives a registry its count (1) and the index. The arena becomes the registry's. Returns the counted registry. */
struct registry *registry_counted(const struct registry *r);

struct registry *registry_hold(struct registry *r);
void registry_release(struct registry *r); /* the last one frees it; NULL is allowed */

/* One loop's hold on a registry; used in that loop's thread only. */
struct lease {
    struct registry *registry;
    unsigned users; /* requests under way, and one for the loop while the lease is its current one */
};

/* A new lease on r (held), with one user. */
struct lease *lease_new(struct registry *r);
static inline struct lease *lease_take(struct lease *l) {
    l->users++;
    return l;
}
void lease_drop(struct lease *l); /* the last user releases the registry and frees the lease; NULL is allowed */

#endif
