/* registry_load: the rows of apps, secrets and scopes become a registry. */
#ifndef GRANTD_REGISTRY_LOAD_H
#define GRANTD_REGISTRY_LOAD_H

#include "registry.h"
#include "storage.h"

/* Reads a registry, indexed, in an arena of its own: registry_free it. Reads again when an administrator changed something in between. */
RC registry_load(struct storage_admin *admin, struct registry **out);
void registry_free(struct registry *registry); /* NULL is allowed */

#endif
