/* instance: an opened grantd: options, data directory, store, keys and the current registry. `serve`, `dev` and the commands
 * that work without a server all stand on it. */
#ifndef GRANTD_INSTANCE_H
#define GRANTD_INSTANCE_H

#include "keyring.h"
#include "options.h"
#include "registry.h"
#include "settings.h"
#include "storage.h"

struct instance {
    struct options options;
    struct settings settings;
    struct arena *arena; /* lives as long as the instance */
    int lock_fd;         /* exclusive lock on the data directory; -1: none */
    struct db *db;
    struct storage_admin *admin; /* the session of administration; used by one thread */
    struct keyring *keyring;     /* immutable */
    struct registry *registry;   /* the newest; immutable, counted by registry_hold/release in publish.h */
    /* Called after registry was replaced, and returns once every loop uses the new one. NULL without a server. */
    void (*publish)(struct instance *i, void *arg);
    void *publish_arg;
};

/* Opens data directory (created with mode 0700), lock, master key (created with mode 0600 on first start), store (migrated),
 * keys (the first generation is made here) and registry. FAULT_LOCKED when a server has the directory. */
RC instance_open(const struct options *options, bool inline_writes, struct instance **out);
void instance_close(struct instance *i);

/* Reads the registry anew and publishes it. Called after every administrative change, before it is answered. */
RC instance_reload(struct instance *i);

#endif
