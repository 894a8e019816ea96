#include "redirect_uri.h"

#include "bounds.h"

static const str loopback_hosts[] = {S("127.0.0.1"), S("[::1]"), S("localhost")};

/* An absolute URI, cut up. `after` is all that follows scheme and authority. */
struct uri {
    str scheme;
    bool has_authority;
    str host, port; /* port without ':' */
    bool has_port;
    str after;
};

/* Characters of RFC 3986 s2 with whole escapes; '#' begins a fragment and '*' would be a wildcard: neither may stand anywhere. */
static bool has_only_uri_characters(str uri) {
    for (size_t i = 0; i < uri.n; i++) {
        char ch = uri.p[i];
        if (char_is_alpha(ch) || char_is_digit(ch) || (ch && strchr("-._~:/?[]@!$&'()+,;=", ch))) continue;
        if (ch != '%' || i + 2 >= uri.n || !char_is_hex(uri.p[i + 1]) || !char_is_hex(uri.p[i + 2])) return false;
        if (uri.p[i + 1] < '2' || str_eq_nocase((str){uri.p + i + 1, 2}, S("7f"))) return false; /* escaped controls */
        i += 2;
    }
    return true;
}

static size_t find_any(str s, const char *stops) {
    size_t i = 0;
    while (i < s.n && !strchr(stops, s.p[i])) i++;
    return i;
}

/* Lower case only: one spelling, so that string equality is enough. */
static bool cut_scheme(str *rest, str *scheme) {
    size_t colon = str_find(*rest, ':');
    if (colon == rest->n || colon == 0 || !char_is_lower(rest->p[0])) return false;
    for (size_t i = 0; i < colon; i++)
        if (!char_is_lower(rest->p[i]) && !char_is_digit(rest->p[i]) && !strchr("+-.", rest->p[i])) return false;
    *scheme = str_head(*rest, colon);
    *rest = str_from(*rest, colon + 1);
    return true;
}

static bool port_is_valid(str port) {
    uint64_t number = 0;
    return port.n && port.p[0] != '0' && str_to_u64(port, 65535, &number);
}

static bool cut_authority(str authority, struct uri *u) {
    if (str_find(authority, '@') != authority.n) return false; /* user information: a classic disguise */
    size_t host_n = str_find(authority, ':');
    if (authority.n && authority.p[0] == '[') {
        host_n = str_find(authority, ']') + 1;
        if (host_n > authority.n) return false;
    }
    u->host = str_head(authority, host_n);
    str rest = str_from(authority, host_n);
    u->has_port = rest.n > 0;
    u->port = str_from(rest, 1);
    return !u->has_port || (rest.p[0] == ':' && port_is_valid(u->port));
}

static bool uri_cut(str text, struct uri *out) {
    *out = (struct uri){.has_authority = false};
    str rest = text;
    if (!has_only_uri_characters(text) || !cut_scheme(&rest, &out->scheme)) return false;
    if (str_starts_with(rest, S("//"))) {
        out->has_authority = true;
        rest = str_from(rest, 2);
        size_t n = find_any(rest, "/?");
        if (!cut_authority(str_head(rest, n), out)) return false;
        rest = str_from(rest, n);
    }
    out->after = rest;
    return true;
}

static bool host_is_loopback(str host) {
    for (size_t i = 0; i < sizeof loopback_hosts / sizeof loopback_hosts[0]; i++)
        if (str_eq(host, loopback_hosts[i])) return true;
    return false;
}

static bool label_is_plain(str label) {
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-') return false;
    for (size_t i = 0; i < label.n; i++)
        if (!char_is_alpha(label.p[i]) && !char_is_digit(label.p[i]) && label.p[i] != '-') return false;
    return true;
}

static bool host_is_ip_literal(str host) {
    for (size_t i = 1; i + 1 < host.n; i++)
        if (!char_is_hex(host.p[i]) && host.p[i] != ':' && host.p[i] != '.') return false;
    return host.n > 4;
}

/* Labels of letters, digits and hyphens, none empty; or an IPv6 literal. */
static bool host_is_plain(str host) {
    if (host.n == 0 || host.p[host.n - 1] == '.') return false;
    if (host.p[0] == '[') return host_is_ip_literal(host);
    while (host.n)
        if (!label_is_plain(str_take(&host, '.'))) return false;
    return true;
}

/* "." and "..", with escaped dots: a browser would walk to another path than the one that was registered. */
static bool segment_is_dots(str segment) {
    size_t dots = 0;
    while (segment.n) {
        size_t used = segment.p[0] == '.' ? 1 : str_starts_with_nocase(segment, S("%2e")) ? 3 : 0;
        if (!used) return false;
        segment = str_from(segment, used);
        dots++;
    }
    return dots == 1 || dots == 2;
}

static bool has_dot_segments(str after) {
    str path = str_head(after, find_any(after, "?"));
    while (path.n) {
        str segment = str_take(&path, '/');
        if (segment_is_dots(segment)) return true;
    }
    return false;
}

/* com.example.app: at least two labels, none empty. A scheme without a dot could be anybody's (RFC 8252 s8.4). */
static bool scheme_is_reverse_domain(str scheme) {
    if (str_find(scheme, '.') == scheme.n) return false;
    for (size_t i = 0; i < scheme.n; i++)
        if (scheme.p[i] == '.' && (i == 0 || i + 1 == scheme.n || scheme.p[i - 1] == '.')) return false;
    return true;
}

bool redirect_uri_is_registrable(str uri) {
    struct uri u;
    if (uri.n == 0 || uri.n > REDIRECT_URI_MAX || !uri_cut(uri, &u) || has_dot_segments(u.after)) return false;
    if (str_eq(u.scheme, S("https"))) return u.has_authority && host_is_plain(u.host);
    if (str_eq(u.scheme, S("http"))) return u.has_authority && host_is_loopback(u.host);
    return scheme_is_reverse_domain(u.scheme) && (u.has_authority ? u.host.n > 0 : str_starts_with(u.after, S("/")));
}

str redirect_uri_origin(str uri) {
    struct uri u;
    str none = {NULL, 0};
    if (uri.n > REDIRECT_URI_MAX || !uri_cut(uri, &u) || !u.has_authority || !host_is_plain(u.host)) return none;
    bool is_https = str_eq(u.scheme, S("https"));
    if (!is_https && !str_eq(u.scheme, S("http"))) return none;
    bool port_counts = is_https ? u.has_port && !str_eq(u.port, S("443")) : !host_is_loopback(u.host) && u.has_port;
    const char *end = port_counts ? u.port.p + u.port.n : u.host.p + u.host.n;
    return str_head(uri, (size_t)(end - uri.p));
}

bool redirect_uri_matches(str registered, str requested) {
    if (str_eq(registered, requested)) return true;
    struct uri a, b;
    if (requested.n > REDIRECT_URI_MAX || !uri_cut(registered, &a) || !uri_cut(requested, &b)) return false;
    bool loopback = str_eq(a.scheme, S("http")) && a.has_authority && host_is_loopback(a.host);
    return loopback && str_eq(b.scheme, a.scheme) && b.has_authority && str_eq(b.host, a.host) &&
           str_eq(b.after, a.after);
}

bool resource_uri_is_registrable(str uri) {
    str scheme, rest = uri;
    return uri.n <= RESOURCE_URI_MAX && has_only_uri_characters(uri) && cut_scheme(&rest, &scheme) && rest.n > 0 &&
           !str_eq(rest, S("//"));
}
