/* cors: which pages of other sites may read an answer (Fetch s3.2; RFC 9700 s2.6). Decided by path and Origin alone, before anything can
 * fail, so that a refusal can be read wherever a success can. Cookies are never taken into account: no answer allows credentials. */
#ifndef GRANTD_CORS_H
#define GRANTD_CORS_H

#include "arena.h"
#include "registry.h"
#include "web.h"

/* The policy of a path, a column of the table of routes. */
enum cors_policy {
    CORS_NOBODY = 0, /* people's pages, APIs, administration */
    CORS_APPS,       /* pages on the origins to which a public app redirects */
    CORS_ANYBODY,    /* what is published anyway */
};

/* The origins of all public apps that are enabled. */
struct cors_origins;
struct cors_origins *cors_origins_new(const struct registry *registry);
void cors_origins_free(struct cors_origins *origins); /* NULL is allowed */
bool cors_origins_have(const struct cors_origins *origins, str origin);

struct cors_request {
    enum cors_policy policy;
    str origin; /* header value; empty: none */
};

/* The headers of every answer of the path. Returns their number. */
#define CORS_HEADERS_MAX 3
size_t cors_write_headers(const struct cors_origins *origins, const struct cors_request *request,
                          struct web_header out[CORS_HEADERS_MAX]);

/* The further headers of the answer to a preflight; `methods` as in Allow. None when the page may not ask. */
#define CORS_PREFLIGHT_HEADERS_MAX 3
size_t cors_write_preflight(const struct cors_origins *origins, const struct cors_request *request, str methods,
                            struct web_header out[CORS_PREFLIGHT_HEADERS_MAX]);

#endif
