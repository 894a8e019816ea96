/* A layer under SQLite that counts what reaches the disk and makes the n-th write or sync fail. It is the default for connections that are
 * opened while it is on. */
#ifndef GRANTD_CONTRACT_SHIM_H
#define GRANTD_CONTRACT_SHIM_H

#include <stdint.h>

enum shim_op { SHIM_WRITE, SHIM_SYNC, SHIM_OPS };

void shim_on(void);
void shim_off(void);

/* Writes or syncs so far, of files of every kind. */
uint32_t shim_count(enum shim_op op);
/* Syncs of write-ahead logs so far. */
uint32_t shim_log_syncs(void);

/* The n-th write or sync from now on fails with an SQLite code, and `more` after it as well; n = 0: none. */
void shim_fail(enum shim_op op, uint32_t n, uint32_t more, int code);

#endif
