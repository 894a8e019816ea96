#include "library.h"

#include <dlfcn.h>
#include <string.h>

RC library_open(struct library *l) {
    l->handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
    if (l->handle) return RC_OK;
    return rc_fail(FAULT_INTERNAL, "%s cannot be loaded (%s); install the package %s", l->name, dlerror(), l->package);
}

/* By way of its bytes: ISO C knows no cast from void * to a function. */
void library_find(struct library *l, const char *function, void *out_function) {
    void *symbol = dlsym(l->handle, function);
    memcpy(out_function, &symbol, sizeof symbol);
    if (!symbol) l->lacks = true;
}

RC library_check(const struct library *l) {
    if (!l->lacks) return RC_OK;
    return rc_fail(FAULT_INTERNAL, "%s is not the one that grantd was built for; install %s", l->name, l->package);
}
