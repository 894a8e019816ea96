/* library: shared libraries that are loaded when something needs them, so that who does not need them does not carry them. */
#ifndef GRANTD_LIBRARY_H
#define GRANTD_LIBRARY_H

#include "rc.h"

struct library {
    const char *name;    /* as people call it: libpq */
    const char *file;    /* libpq.so.5 */
    const char *package; /* that has it */
    void *handle;        /* out; for the rest of the process */
    bool lacks;          /* out: a function was not found */
};

/* Loads it. FAULT_INTERNAL, with what to install, when it is not there. */
RC library_open(struct library *l);

/* Puts the address of a function into *out_function, which is a pointer to that kind of function. */
void library_find(struct library *l, const char *function, void *out_function);

/* FAULT_INTERNAL when a function was not found. */
RC library_check(const struct library *l);

#endif
