/* keys_load: the key ring from its sealed rows; on an empty store the first generation is made here. */
#ifndef GRANTD_KEYS_LOAD_H
#define GRANTD_KEYS_LOAD_H

#include "keyring.h"
#include "storage.h"

/* The ring (keys_free it). FAULT_KEY when the master key does not open it. */
RC keys_load(struct storage_admin *admin, const uint8_t master[MASTER_KEY_BYTES], int64_t now_ms, struct keyring **out);

/* Whether the store has keys already (then a missing master key is not made anew). */
RC keys_exist(struct storage_admin *admin, bool *out);

/* Wipes and frees. NULL is allowed. */
void keys_free(struct keyring *ring);

#endif
