/* datadir: the data directory, its lock and its master key. What lies in it is the owner's alone. */
#ifndef GRANTD_DATADIR_H
#define GRANTD_DATADIR_H

#include "keyring.h"

/* Opens the directory, creating it (mode 0700; its parent must exist). FAULT_UNSAFE when others can reach into it. */
RC datadir_open(const char *path);

/* Takes the exclusive lock file grantd.lock, which names the owner's process. FAULT_LOCKED with that pid when another has it. Close
 * *out_fd to unlock. */
RC datadir_lock(const char *path, int *out_fd);

/* Reads master.key (mode 0600). *out_found is false, and nothing is written, when there is none. FAULT_UNSAFE when others can read it, FAULT_KEY
 * when it has not exactly MASTER_KEY_BYTES. */
RC datadir_read_master_key(const char *path, uint8_t out[MASTER_KEY_BYTES], bool *out_found);

/* Makes a new master key: on disk, with its directory entry, before it returns. Never replaces one. */
RC datadir_make_master_key(const char *path, uint8_t out[MASTER_KEY_BYTES]);

/* The process that holds the lock. FAULT_CONFIG when none does. */
RC datadir_holder(const char *path, int *out_pid);

#endif
