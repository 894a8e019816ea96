/* routes: the one table of paths. */
#ifndef GRANTD_ROUTES_H
#define GRANTD_ROUTES_H

#include "buf.h"
#include "cors.h"
#include "oauth.h"

enum route_flag {
    ROUTE_FORM = 1,         /* a POST must have a form body, else 415 */
    ROUTE_NO_STORE = 2,     /* answers are never cached, also refusals */
    ROUTE_V1 = 4,           /* only when compat_v1 is on */
    ROUTE_QUERY = 8,        /* parameters may stand in the query as well (v1) */
    ROUTE_LIMIT_AUTH = 16,  /* refused when client authentication failed too often */
    ROUTE_LIMIT_GRANT = 32, /* refused when codes or refresh tokens failed too often */
    ROUTE_PEOPLE = 64,      /* shows pages: cookies, forms */
    ROUTE_ASSET = 128,      /* a file that pages need */
    ROUTE_DOCUMENT = 256,   /* published bytes, see documents.h; the endpoint says which */
};

/* One row. In a pattern the segment "$" stands for any version name of the API, "#" for a number, "*" for anything that is not empty. */
struct route {
    const char *pattern;
    size_t pattern_n;
    uint32_t methods; /* enum oauth_method */
    uint32_t flags;   /* enum route_flag */
    const struct endpoint *endpoint;
    enum cors_policy cors; /* one for all rows of a path */
};
extern const struct route route_rows[];
extern const size_t route_count;

#define ROUTE_SEGMENTS_MAX 8

/* A path that was looked up. */
struct route_match {
    const struct route *route; /* the row of path and method; NULL: none */
    uint32_t allowed;          /* every method that the path takes; 0: the path is unknown */
    str arg;                   /* the raw text of "#" or "*" */
    enum cors_policy cors;     /* of the path */
};

/* What is published ready-made. The program answers, so the endpoints have no rules. */
enum route_document { ROUTE_METADATA, ROUTE_OPENID, ROUTE_JWKS, ROUTE_DOCUMENTS };
extern const struct endpoint endpoint_metadata, endpoint_openid, endpoint_jwks;
enum route_document route_document_of(const struct route *route);

/* The path under which an endpoint is announced: the first row that is not of v1, with today's version of the API. */
#define ROUTE_PATH_MAX 128
void route_write_path(const struct endpoint *endpoint, struct buf *out);

/* Looks a raw path up: "//" collapses, a trailing slash is ignored. HEAD is found where GET is. */
struct route_match route_find(str path, enum oauth_method method, bool compat_v1);

/* "GET, HEAD, POST" for the header Allow. */
#define ROUTE_ALLOW_BYTES 48
str route_allow_text(uint32_t allowed, char out[ROUTE_ALLOW_BYTES]);

#endif
