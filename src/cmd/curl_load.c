#include "curl_load.h"

#include <dlfcn.h>
#include <string.h>

static struct curl_library library;

/* A pointer to a function by way of its bytes: ISO C knows no cast from void *. */
static bool find(void *handle, const char *name, void *out_function) {
    void *symbol = dlsym(handle, name);
    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

RC curl_load(const struct curl_library **out) {
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return rc_fail(FAULT_INTERNAL, "libcurl cannot be loaded (%s); install the package libcurl4", dlerror());
    bool whole = true;
#define F(name) whole = find(handle, "curl_" #name, &library.name) && whole;
    CURL_FUNCTIONS(F)
#undef F
    if (!whole) return rc_fail(FAULT_INTERNAL, "libcurl is not the one that grantd was built for; install libcurl4");
    *out = &library;
    return RC_OK;
}
