/* instance: an opened grantd: options, data directory, store, keys and the current registry. `serve`, `dev` and the commands
 * that work without a server all stand on it. */
#ifndef GRANTD_INSTANCE_H
#define GRANTD_INSTANCE_H

#include "options.h"
#include "publish.h"
#include "settings.h"
#include "storage.h"

struct reload;

struct instance {
    struct options options; /* of the config, where there is one; a command may still complete both before it is made */
    struct settings settings;
    struct config *config; /* held; NULL without a server */
    struct reload *reload; /* reads options again; NULL without a server */
    struct arena *arena;   /* lives as long as the instance */
    int lock_fd;           /* exclusive lock on the data directory; -1: none */
    struct db *db;
    struct storage_admin *admin; /* the session of administration; used by one thread */
    uint8_t master_key[MASTER_KEY_BYTES];
    struct snapshot *snapshot;       /* the newest apps, scopes and keys; immutable, held */
    const struct registry *registry; /* of the snapshot */
    const struct keyring *keyring;   /* of the snapshot */
    /* Called after the snapshot was replaced, and returns once every loop uses the new one. NULL without a server. */
    void (*publish)(struct instance *i, void *arg);
    void *publish_arg;
};

/* Opens data directory (created with mode 0700), lock, master key (created with mode 0600 on first start), store (migrated),
 * keys (the first generation is made here) and registry. FAULT_LOCKED when a server has the directory. */
RC instance_open(const struct options *options, bool inline_writes, struct instance **out);
void instance_close(struct instance *i);

/* Reads apps, scopes and keys anew and publishes them. Called after every administrative change, before it is answered. */
RC instance_reload(struct instance *i);

/* New options and a snapshot with them; `commit` (may be NULL) is called when nothing else can fail any more. When something fails all stays as it
 * was. Takes the config over in any case. */
RC instance_take_config(struct instance *i, struct config *config, RC (*commit)(void *arg), void *arg);

/* The keys, by the rules that the options and the newest registry give. */
struct key_store instance_key_store(const struct instance *i);

/* Rotates what is due at now_ms, and publishes keys whose time has come. To be called often; mostly it does nothing. */
RC instance_keep_keys(struct instance *i, int64_t now_ms);

#endif
