/* Parses a complete request head: RFC 9112 s2 to s6, and the fields that frame a message. */
#include "http_rules.h"

/* What the framing fields said, for the rules that look at several of them. */
struct framing {
    unsigned hosts, lengths, encodings;
    bool chunked; /* the encoding is exactly "chunked" */
    bool close, keep_alive;
    bool bad_expect;
};

static int take_host(struct framing *f, str value, struct http_head *out) {
    f->hosts++;
    if (!out->absolute) out->authority = value;
    return f->hosts > 1 || !http_is_authority(value) ? 400 : 0;
}

/* Two of them are refused even when they agree; a list is no number (RFC 9112 s6.3 rule 5). 20 digits hold 2^64. */
static int take_content_length(struct framing *f, str value, struct http_head *out) {
    f->lengths++;
    out->has_length = true;
    return f->lengths > 1 || value.n > 20 || !str_to_u64(value, UINT64_MAX, &out->content_length) ? 400 : 0;
}

static int take_transfer_encoding(struct framing *f, str value, struct http_head *out) {
    f->encodings++;
    f->chunked = str_eq_nocase(value, S("chunked"));
    out->chunked = f->chunked;
    return 0;
}

static int take_connection(struct framing *f, str value, struct http_head *out) {
    (void)out;
    while (value.n) {
        str option = str_trim(str_take(&value, ','));
        f->close |= str_eq_nocase(option, S("close"));
        f->keep_alive |= str_eq_nocase(option, S("keep-alive"));
    }
    return 0;
}

/* RFC 9110 s10.1.1; an HTTP/1.0 client cannot expect anything. */
static int take_expect(struct framing *f, str value, struct http_head *out) {
    if (out->minor == 0) return 0;
    if (str_eq_nocase(value, S("100-continue")))
        out->expect_continue = true;
    else
        f->bad_expect = true;
    return 0;
}

static const struct {
    str name;
    int (*take)(struct framing *f, str value, struct http_head *out);
} framing_fields[] = {
    {S("host"), take_host},
    {S("connection"), take_connection},
    {S("content-length"), take_content_length},
    {S("transfer-encoding"), take_transfer_encoding},
    {S("expect"), take_expect},
};

/* The rules over all fields: RFC 9112 s3.2 and s6.3. 0 or a status. */
static int check_framing(const struct framing *f, const struct http_limits *limits, const struct http_head *h) {
    bool has_body = h->method == HTTP_POST || h->method == HTTP_PUT || h->method == HTTP_PATCH;
    if (f->hosts == 0 && h->minor == 1) return 400;
    if (f->encodings && (f->lengths || h->minor == 0)) return 400;
    if (f->encodings > 1 || (f->encodings && !f->chunked)) return 501;
    if (f->bad_expect) return 417;
    if (has_body && !f->encodings && !f->lengths) return 411;
    return h->content_length > limits->body_max ? 413 : 0;
}

/* field-line = field-name ":" OWS field-value OWS. No white space before the colon, no folding (RFC 9112 s5.1, s5.2): neither can
 * begin with a token and go on with a colon. */
static bool parse_field(str line, struct http_header *out) {
    size_t n = 0;
    while (n < line.n && http_is(line.p[n], HTTP_TCHAR)) n++;
    if (n == 0 || n == line.n || line.p[n] != ':') return false;
    str value = str_from(line, n + 1);
    out->name = str_head(line, n);
    out->value = str_trim(value);
    return http_is_all(value, HTTP_VALUE);
}

static int take_field(struct framing *f, const struct http_header *field, struct http_head *out) {
    for (size_t i = 0; i < sizeof framing_fields / sizeof framing_fields[0]; i++)
        if (str_eq_nocase(framing_fields[i].name, field->name)) return framing_fields[i].take(f, field->value, out);
    return 0;
}

/* Takes one line off *rest, without its CRLF; false when there is none or its LF is bare. */
static bool take_crlf_line(str *rest, str *out) {
    size_t lf = str_find(*rest, '\n');
    if (lf == rest->n || lf == 0 || rest->p[lf - 1] != '\r') return false;
    *out = str_head(*rest, lf - 1);
    *rest = str_from(*rest, lf + 1);
    return true;
}

static int parse_fields(const struct http_limits *limits, str rest, struct framing *f, struct http_head *out) {
    str line;
    while (take_crlf_line(&rest, &line)) {
        if (line.n == 0) return rest.n == 0 ? 0 : 400;
        if (out->n_headers == limits->headers_max || out->n_headers == HTTP_HEADERS_MAX) return 431;
        struct http_header *field = &out->headers[out->n_headers++];
        if (!parse_field(line, field)) return 400;
        int status = take_field(f, field, out);
        if (status) return status;
    }
    return 400;
}

int http_head_parse(const struct http_limits *limits, str head, struct http_head *out) {
    struct framing f = {0};
    str line;
    out->keep_alive = out->chunked = out->has_length = out->expect_continue = false;
    out->content_length = 0;
    out->n_headers = 0;
    if (str_starts_with(head, S("\r\n"))) head = str_from(head, 2);
    if (!take_crlf_line(&head, &line)) return 400;
    int status = http_request_line_parse(limits, line, out);
    if (!status) status = parse_fields(limits, head, &f, out);
    if (!status) status = check_framing(&f, limits, out);
    out->keep_alive = !f.close && (out->minor == 1 || f.keep_alive);
    return status;
}

const struct http_header *http_find_header(const struct http_head *h, str name) {
    for (size_t i = 0; i < h->n_headers; i++)
        if (str_eq_nocase(h->headers[i].name, name)) return &h->headers[i];
    return NULL;
}
