/* A strict parser of HTTP/1.1 request heads and chunked bodies (RFC 9112). Pure: bytes in, slices out; it never copies and never
 * reads past the bytes it is given. What a proxy in front of us may read differently is refused, never repaired. */
#ifndef GRANTD_HTTP_PARSE_H
#define GRANTD_HTTP_PARSE_H

#include "str.h"

#define HTTP_HEADERS_MAX 100

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_UNKNOWN };

struct http_limits {
    size_t head_max;    /* request line and headers; beyond: 431 */
    size_t target_max;  /* beyond: 414 */
    size_t headers_max; /* at most HTTP_HEADERS_MAX; beyond: 431 */
    size_t body_max;    /* beyond: 413 */
};

struct http_header {
    str name, value; /* value without surrounding white space */
};

/* A parsed head. All slices point into the bytes that were given. */
struct http_head {
    enum http_method method;
    str method_text;
    str target;    /* as sent */
    str authority; /* of an absolute-form target, else the Host header */
    bool absolute; /* the target was absolute-form */
    str path;      /* raw, before '?' */
    str query;     /* raw, after '?' */
    int minor;     /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t content_length;
    bool expect_continue;
    size_t n_headers;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* The state of a head that arrives in pieces, so that no byte is looked at twice. Zero it for each request. */
struct http_scan {
    size_t seen;           /* bytes already scanned */
    size_t line_start;     /* of the line that is not complete yet */
    size_t lines;          /* complete ones, the request line included */
    size_t first, first_n; /* the request line, without CRLF */
    bool checked;          /* the request line was parsed and is good */
};

/* Looks for the end of a head in data (all bytes of the request so far). Returns 0 when more is needed, -status when it must be refused at
 * once (bad bytes, bare LF, limits passed: 400, 414, 431, 505 ...), else the number of bytes of the head with its empty line. One empty
 * line before the request line is skipped. */
int http_head_scan(struct http_scan *scan, const struct http_limits *limits, str data);

/* Parses a complete head (the bytes that http_head_scan counted). 0, or the status to refuse with. */
int http_head_parse(const struct http_limits *limits, str head, struct http_head *out);

/* The value of the first header of that name (lower case), or NULL. */
const struct http_header *http_find_header(const struct http_head *h, str name);

/* A chunked body that arrives in pieces. Zero it for each body. */
struct http_chunks {
    int state;
    uint64_t left;   /* bytes of the chunk that are still to come */
    uint64_t total;  /* decoded so far */
    size_t line;     /* bytes of the size line or trailer line so far */
    size_t overhead; /* bytes of framing in all; bounded */
};

/* What a call of http_chunks_decode did. */
struct http_decoded {
    size_t used; /* bytes eaten */
    size_t n;    /* body bytes, now at the front of data */
};

/* Decodes in place: moves the body bytes of data[0..n) to the front. Returns 0: all was eaten and more is needed, 1: the body is complete (what
 * comes behind it is not touched), else -status. */
int http_chunks_decode(struct http_chunks *c, const struct http_limits *limits, char *data, size_t n,
                       struct http_decoded *out);

#endif
