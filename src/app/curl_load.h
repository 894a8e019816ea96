/* curl_load: libcurl, loaded when something needs it. It brings some twenty libraries along (LDAP, Kerberos, SSH ...), which have no
 * business in the process of the server: 4 MB of memory, a quarter of its start, and what they may do wrong. */
#ifndef GRANTD_CURL_LOAD_H
#define GRANTD_CURL_LOAD_H

#include <curl/curl.h>

#include "rc.h"

/* Functions of libcurl under their own names without "curl_". */
#define CURL_FUNCTIONS(F)                                                                                              \
    F(global_init)                                                                                                     \
    F(easy_init)                                                                                                       \
    F(easy_reset)                                                                                                      \
    F(easy_setopt)                                                                                                     \
    F(easy_perform)                                                                                                    \
    F(easy_getinfo)                                                                                                    \
    F(easy_strerror)                                                                                                   \
    F(easy_cleanup)                                                                                                    \
    F(slist_append)                                                                                                    \
    F(slist_free_all)

struct curl_library {
#define F(name) __typeof__(curl_##name) *name;
    CURL_FUNCTIONS(F)
#undef F
};

/* The library, for the rest of the process; from one thread at a time. FAULT_INTERNAL when it is not installed. */
RC curl_load(const struct curl_library **out);

#endif
