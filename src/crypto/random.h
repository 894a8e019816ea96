/* Random bytes of a generator per thread that the kernel seeds, buffered (a call costs tens of nanoseconds). */
#ifndef GRANTD_RANDOM_H
#define GRANTD_RANDOM_H

#include "str.h"

/* Must be called once before anything else of this folder (sodium_init, digests fetched). */
bool crypto_start(void);

/* Fills out with n unpredictable bytes. Aborts the process when the kernel gives no seed. Used bytes are wiped from the buffer. */
void random_fill(void *out, size_t n);

#endif
