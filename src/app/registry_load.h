/* registry_load: the rows of apps, secrets and scopes become a registry. */
#ifndef GRANTD_REGISTRY_LOAD_H
#define GRANTD_REGISTRY_LOAD_H

#include "publish.h"
#include "storage.h"

/* Reads a counted registry (registry_release it). Reads again when an administrator changed something in between. */
RC registry_load(struct storage_admin *admin, struct registry **out);

#endif
