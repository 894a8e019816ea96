/* Allocation that does not fail: everything here is bounded before it is allocated, so running out is the end. */
#ifndef GRANTD_MUST_ALLOC_H
#define GRANTD_MUST_ALLOC_H

#include <stdio.h>
#include <stdlib.h>

/* n zeroed bytes; frees with free(). Aborts with one line on stderr when there are none. */
static inline void *must_alloc(size_t n) {
    void *p = calloc(1, n);
    if (p) return p;
    fputs("out of memory\n", stderr);
    abort();
}

#endif
