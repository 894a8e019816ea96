#include "page_url.h"

#include "bounds.h"

#define IMAGE_MAX 65536

static const char *const image_heads[] = {
    "data:image/png;base64,",  "data:image/jpeg;base64,",    "data:image/gif;base64,",
    "data:image/webp;base64,", "data:image/svg+xml;base64,", "data:image/avif;base64,",
};

/* Printable ASCII without what browsers repair or what ends an attribute. */
static bool is_url_text(str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"'<>\\^`{|}", s.p[i])) return false;
    return s.n > 0 && s.n <= REDIRECT_URI_MAX;
}

/* "host", "host:1234" or "[::1]:1234"; no user info. */
static bool is_authority(str s) {
    size_t end = 0;
    if (s.n > 0 && s.p[0] == '[') {
        for (end = 1; end < s.n && (char_is_alnum(s.p[end]) || s.p[end] == ':' || s.p[end] == '.'); end++) {
        }
        if (end == 1 || end == s.n || s.p[end] != ']') return false;
        end++;
    } else {
        while (end < s.n && (char_is_alnum(s.p[end]) || s.p[end] == '.' || s.p[end] == '-')) end++;
        if (end == 0) return false;
    }
    if (end == s.n) return true;
    uint64_t port;
    return s.p[end] == ':' && str_to_u64(str_from(s, end + 1), 65535, &port);
}

static str authority_of(str url, size_t scheme_n) {
    str rest = str_from(url, scheme_n);
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#') return str_head(rest, i);
    return rest;
}

/* s without ":1234" behind it. */
static str without_port(str s) {
    size_t from = s.n > 0 && s.p[0] == '[' ? str_find(s, ']') : 0;
    return str_head(s, from + str_find(str_from(s, from), ':'));
}

static bool is_loopback(str authority) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    str host = without_port(authority);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_nocase(host, str_of(names[i]))) return true;
    return false;
}

bool page_url_ok(str url) {
    if (!is_url_text(url)) return false;
    if (url.p[0] == '/') return url.n == 1 || url.p[1] != '/';
    if (str_starts_with_nocase(url, S("https://"))) return is_authority(authority_of(url, 8));
    if (!str_starts_with_nocase(url, S("http://"))) return false;
    str authority = authority_of(url, 7);
    return is_authority(authority) && is_loopback(authority);
}

static bool is_base64(str s) {
    size_t n = s.n;
    while (n > 0 && s.n - n < 2 && s.p[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++)
        if (!char_is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/') return false;
    return n > 0 && s.n % 4 == 0;
}

bool page_image_ok(str url) {
    if (page_url_ok(url)) return true;
    if (url.n > IMAGE_MAX) return false;
    for (size_t i = 0; i < sizeof(image_heads) / sizeof(image_heads[0]); i++) {
        str head = str_of(image_heads[i]);
        if (str_starts_with(url, head)) return is_base64(str_from(url, head.n));
    }
    return false;
}

/* The length of "scheme:" (RFC 3986 s3.1), 0 when there is none. */
static size_t scheme_length(str url) {
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] == ':') return i > 0 ? i + 1 : 0;
        bool letter = char_is_alnum(url.p[i]) && !(url.p[i] >= '0' && url.p[i] <= '9');
        if (!letter && (i == 0 || (!char_is_alnum(url.p[i]) && !strchr("+-.", url.p[i])))) return 0;
    }
    return 0;
}

str page_url_host(str url) {
    size_t scheme_n = is_url_text(url) ? scheme_length(url) : 0;
    if (scheme_n == 0) return (str){NULL, 0};
    bool web = str_starts_with_nocase(url, S("https://")) || str_starts_with_nocase(url, S("http://"));
    if (!web) return str_head(url, scheme_n - 1);
    str authority = authority_of(url, scheme_n + 2);
    size_t at = str_find(authority, '@');
    return at < authority.n ? str_from(authority, at + 1) : authority;
}

enum page_target page_url_target(str redirect_uri) {
    size_t scheme_n = scheme_length(redirect_uri);
    bool web =
        str_starts_with_nocase(redirect_uri, S("https://")) || str_starts_with_nocase(redirect_uri, S("http://"));
    if (!web) return PAGE_TARGET_APP;
    return is_loopback(authority_of(redirect_uri, scheme_n + 2)) ? PAGE_TARGET_DEVICE : PAGE_TARGET_SITE;
}
