/* The request line: RFC 9112 s3. */
#include "http_rules.h"

static const struct {
    str text;
    enum http_method method;
} methods[] = {
    {S("POST"), HTTP_POST}, {S("GET"), HTTP_GET},     {S("HEAD"), HTTP_HEAD},       {S("DELETE"), HTTP_DELETE},
    {S("PUT"), HTTP_PUT},   {S("PATCH"), HTTP_PATCH}, {S("OPTIONS"), HTTP_OPTIONS},
};

/* Methods are case-sensitive: RFC 9110 s9.1. */
static enum http_method method_of(str text) {
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (str_eq(methods[i].text, text)) return methods[i].method;
    return HTTP_UNKNOWN;
}

/* "HTTP/" DIGIT "." DIGIT (RFC 9112 s2.3). HTTP/0.x never had a version in its request line, so it is no HTTP at all. */
static int parse_version(str s, int *out_minor) {
    if (s.n != 8 || !str_starts_with(s, S("HTTP/")) || s.p[6] != '.') return 400;
    char major = s.p[5], minor = s.p[7];
    if (major < '1' || major > '9' || minor < '0' || minor > '9') return 400;
    if (major != '1' || minor > '1') return 505;
    *out_minor = minor - '0';
    return 0;
}

static bool is_port(str s) {
    uint64_t port;
    return s.n == 0 || (s.n <= 5 && str_to_u64(s, 65535, &port));
}

bool http_is_authority(str s) {
    if (s.n == 0) return false;
    str host, rest;
    if (s.p[0] == '[') {
        size_t close = str_find(s, ']');
        if (close == s.n || close < 3) return false;
        host = (str){s.p + 1, close - 1};
        rest = str_from(s, close + 1);
        if (!http_is_all(host, HTTP_IP6)) return false;
    } else {
        size_t colon = str_find(s, ':');
        host = str_head(s, colon);
        rest = str_from(s, colon);
        if (host.n == 0 || !http_is_all(host, HTTP_NAME)) return false;
    }
    return rest.n == 0 || (rest.p[0] == ':' && is_port(str_from(rest, 1)));
}

static int parse_origin_form(str s, struct http_head *out) {
    size_t mark = str_find(s, '?');
    out->path = str_head(s, mark);
    out->query = str_from(s, mark + 1);
    return http_is_all(out->path, HTTP_PATH) && http_is_all(out->query, HTTP_QUERY) ? 0 : 400;
}

/* RFC 9112 s3.2.2. An empty path means "/"; the slash is taken from "://", since slices point into the bytes given. */
static int parse_absolute_form(str s, size_t scheme_n, struct http_head *out) {
    str rest = str_from(s, scheme_n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?') end++;
    out->absolute = true;
    out->authority = str_head(rest, end);
    if (!http_is_authority(out->authority)) return 400;
    int status = parse_origin_form(str_from(rest, end), out);
    if (out->path.n == 0) out->path = (str){s.p + scheme_n - 1, 1};
    return status;
}

static int parse_target(str s, struct http_head *out) {
    if (s.p[0] == '/') return parse_origin_form(s, out);
    if (str_starts_with_nocase(s, S("http://"))) return parse_absolute_form(s, 7, out);
    if (str_starts_with_nocase(s, S("https://"))) return parse_absolute_form(s, 8, out);
    if (!str_eq(s, S("*")) || out->method != HTTP_OPTIONS) return 400;
    out->path = s;
    return 0;
}

int http_request_line_parse(const struct http_limits *limits, str line, struct http_head *out) {
    size_t method_n = str_find(line, ' ');
    str rest = str_from(line, method_n + 1);
    size_t target_n = str_find(rest, ' ');
    str version = str_from(rest, target_n + 1);

    out->method_text = str_head(line, method_n);
    out->method = method_of(out->method_text);
    out->target = str_head(rest, target_n);
    out->authority = out->path = out->query = (str){line.p, 0};
    out->absolute = false;
    if (method_n == 0 || !http_is_all(out->method_text, HTTP_TCHAR)) return 400;
    if (target_n == 0) return 400;
    if (target_n > limits->target_max) return 414;
    int status = parse_version(version, &out->minor);
    return status ? status : parse_target(out->target, out);
}
