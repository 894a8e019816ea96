/* key_http: one look at where an app publishes its keys, over HTTP. Blocks; for a thread of its own. */
#ifndef GRANTD_KEY_HTTP_H
#define GRANTD_KEY_HTTP_H

#include "curl_load.h"
#include "jose.h"

#include <stdatomic.h>

#define KEY_ETAG_MAX    128
#define KEY_CONTROL_MAX 256

struct key_question {
    const char *uri;
    const char *etag; /* of what we have; "": nothing */
    bool loopback;    /* addresses of loopback are allowed */
    const atomic_bool *stop;
};

struct key_reply {
    bool unchanged; /* 304 */
    struct buf body;
    char etag[KEY_ETAG_MAX];
    char cache_control[KEY_CONTROL_MAX];
};

/* Reads it: no redirects, no proxy, JOSE_JWKS_MAX bytes and KEY_HTTP_MS at most, and only from addresses of the internet, which is
 * looked at where the connection is made, so that no name can lead elsewhere. FAULT_IO with a sentence. The caller frees the body. */
#define KEY_HTTP_MS 4000L
RC key_http_get(const struct curl_library *library, const struct key_question *question, struct key_reply *out);

#endif
