/* What the files of the HTTP parser share: character classes and the request line. Private to src/web. */
#ifndef GRANTD_HTTP_RULES_H
#define GRANTD_HTTP_RULES_H

#include "http_parse.h"

enum http_class {
    HTTP_TCHAR = 1, /* of a token: RFC 9110 s5.6.2 */
    HTTP_VALUE = 2, /* of a field value: RFC 9110 s5.5, with HTAB and obs-text, no other control */
    HTTP_PATH = 4,  /* of a path: pchar and "/", RFC 3986 s3.3 */
    HTTP_QUERY = 8, /* of a query: printable; browsers send '|', '{' and their like as they are. Never '#' */
    HTTP_NAME = 16, /* of a host that is a name or an IPv4 address */
    HTTP_IP6 = 32,  /* within the brackets of an IPv6 address */
};

extern const uint8_t http_classes[256];

static inline bool http_is(char c, enum http_class class) { return (http_classes[(uint8_t)c] & class) != 0; }

/* True when every byte of s is of the class. */
bool http_is_all(str s, enum http_class class);

/* Writes a token of ASCII characters (HTTP_TCHAR) with small letters, token.n bytes. */
void http_lower(str token, char *out);

/* Parses a request line (without CRLF) into method, target, authority, absolute, path, query and minor. 0 or a status. */
int http_request_line_parse(const struct http_limits *limits, str line, struct http_head *out);

/* "host" or "host:port" as RFC 9112 s3.2 and RFC 3986 s3.2 want it, never empty. */
bool http_is_authority(str s);

#endif
