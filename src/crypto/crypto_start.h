/* Private to this folder: the parts that crypto_start brings up. */
#ifndef GRANTD_CRYPTO_START_H
#define GRANTD_CRYPTO_START_H

#include <stdbool.h>

/* Fetches the digests. Called once, before any other thread. */
bool digest_start(void);

/* Ends the process with one line: a primitive that cannot fail has failed, and no answer would be safe. */
void crypto_die(const char *what) __attribute__((noreturn));

#endif
