/* Finds the end of a request head that arrives in pieces, and refuses early what can only become a refusal. */
#include "http_rules.h"

/* What a request line may have beside its target: a method of 32 letters, two spaces, the version, CRLF. */
#define LINE_EXTRA 44

/* The verdict must not depend on how the bytes were cut, so a fault of the request line always comes first. */
static int with_request_line(struct http_scan *scan, const struct http_limits *limits, str data, int verdict) {
    if (scan->lines == 0 || scan->checked) return verdict;
    struct http_head scratch;
    str line = str_from(data, scan->first);
    int status = http_request_line_parse(limits, str_head(line, scan->first_n), &scratch);
    scan->checked = status == 0;
    return status ? -status : verdict;
}

/* Limits of a line that ends, or has come so far, before data[end]. 0 or a status. */
static int check_limits(const struct http_scan *scan, const struct http_limits *limits, size_t end) {
    if (scan->lines == 0)
        return end - scan->line_start > limits->target_max + LINE_EXTRA || end > limits->head_max ? 414 : 0;
    return end > limits->head_max ? 431 : 0;
}

/* Takes the line whose LF is data[end]. Returns 0 to go on, the number of bytes of the head, or -status. */
static int take_line(struct http_scan *scan, const struct http_limits *limits, str data, size_t end) {
    int status = check_limits(scan, limits, end + 1);
    if (status) return -status;
    size_t start = scan->line_start;
    if (end == start || data.p[end - 1] != '\r') return -400; /* a bare LF: RFC 9112 s2.2 lets us refuse it */
    scan->line_start = end + 1;
    bool empty = end == start + 1;
    if (scan->lines == 0 && empty) return start == 0 ? 0 : -400; /* one empty line before the request: RFC 9112 s2.2 */
    if (empty) return (int)(end + 1);
    if (scan->lines == 0) {
        scan->first = start;
        scan->first_n = end - 1 - start;
    }
    scan->lines++;
    return scan->lines - 1 > limits->headers_max ? -431 : 0;
}

/* A request begins with a method; TLS, for one, does not. */
static bool begins_well(const struct http_scan *scan, str data) {
    if (scan->lines || scan->line_start >= data.n) return true;
    char c = data.p[scan->line_start];
    return http_is(c, HTTP_TCHAR) || c == '\r';
}

int http_head_scan(struct http_scan *scan, const struct http_limits *limits, str data) {
    while (scan->seen < data.n) {
        if (!begins_well(scan, data)) return -400;
        const char *lf = memchr(data.p + scan->seen, '\n', data.n - scan->seen);
        if (!lf) break;
        size_t end = (size_t)(lf - data.p);
        int verdict = take_line(scan, limits, data, end);
        if (verdict > 0) return verdict;
        if (verdict < 0) return with_request_line(scan, limits, data, verdict);
        scan->seen = end + 1;
    }
    scan->seen = data.n;
    int status = check_limits(scan, limits, data.n);
    return with_request_line(scan, limits, data, -status);
}
