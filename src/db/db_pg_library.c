#include "db_pg_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct pg_library pg_library;
static char problem[200]; /* empty: it is loaded */

/* A pointer to a function by way of its bytes: ISO C knows no cast from void *. */
static bool find(void *handle, const char *name, void *out_function) {
    void *symbol = dlsym(handle, name);
    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void) {
    void *handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(problem, sizeof problem, "libpq cannot be loaded (%s); install the package libpq5", dlerror());
        return;
    }
    bool whole = true;
#define F(name) whole = find(handle, "PQ" #name, &pg_library.name) && whole;
    PG_FUNCTIONS(F)
#undef F
    if (!whole) snprintf(problem, sizeof problem, "libpq is not the one that grantd was built for; install libpq5");
}

RC pg_library_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return problem[0] ? rc_fail(FAULT_INTERNAL, "%s", problem) : RC_OK;
}
