#include "curl_load.h"

#include "library.h"

static struct curl_library functions;

RC curl_load(const struct curl_library **out) {
    struct library libcurl = {.name = "libcurl", .file = "libcurl.so.4", .package = "libcurl4"};
    TRY(library_open(&libcurl));
#define F(name) library_find(&libcurl, "curl_" #name, &functions.name);
    CURL_FUNCTIONS(F)
#undef F
    *out = &functions;
    TRY(library_check(&libcurl));
    if (functions.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) return RC_OK;
    return rc_fail(FAULT_INTERNAL, "libcurl could not be started");
}
