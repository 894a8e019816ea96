#include "certificate_header.h"

#include "b64.h"
#include "percent.h"

#define PEM_BEGIN S("-----BEGIN CERTIFICATE-----")
#define PEM_END   S("-----END CERTIFICATE-----")

bool certificate_style_named(str name, enum certificate_style *out) {
    static const str names[] = {S(""), S("rfc9440"), S("nginx"), S("envoy")};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!str_eq(name, names[i])) continue;
        *out = (enum certificate_style)i;
        return true;
    }
    return false;
}

/* The one header of that name. A second one could be the client's. */
static bool find_only(const struct http_head *head, str name, str *out) {
    size_t found = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (!str_eq_nocase(head->headers[i].name, name)) continue;
        *out = head->headers[i].value;
        found++;
    }
    return found == 1 && out->n > 0;
}

static bool decode(str base64, struct arena *arena, str *out) {
    size_t n = 0;
    uint8_t *bytes = arena_alloc(arena, base64.n + 3);
    if (!b64_decode(base64, bytes, &n) || n == 0) return false;
    *out = (str){(const char *)bytes, n};
    return true;
}

/* RFC 9440 s2.1: a byte sequence of RFC 8941 s3.3.5, which may have parameters. */
static bool read_rfc9440(str value, struct arena *arena, struct shown_certificate *out) {
    if (value.p[0] != ':') return false;
    str inner = str_from(value, 1);
    size_t end = str_find(inner, ':');
    str rest = str_from(inner, end + 1);
    if (end == inner.n || (rest.n && rest.p[0] != ';')) return false;
    out->verified = true;
    return decode(str_head(inner, end), arena, &out->der);
}

/* '+' stands for itself: base64 has it, and neither nginx nor Envoy write spaces so. */
static bool unescape(str text, struct arena *arena, str *out) {
    char *p = arena_alloc(arena, text.n + 1);
    size_t n;
    if (!percent_decode(text, PERCENT_URI, p, &n)) return false;
    *out = (str){p, n};
    return true;
}

static size_t find(str in, str what) {
    for (size_t i = 0; i + what.n <= in.n; i++)
        if (memcmp(in.p + i, what.p, what.n) == 0) return i;
    return in.n;
}

/* RFC 7468: the first certificate; what follows it is its chain. */
static bool read_pem(str escaped, struct arena *arena, str *out) {
    str text;
    if (!unescape(escaped, arena, &text) || !str_starts_with(text, PEM_BEGIN)) return false;
    text = str_from(text, PEM_BEGIN.n);
    size_t end = find(text, PEM_END), n = 0;
    if (end == text.n) return false;
    char *base64 = arena_alloc(arena, end + 1);
    for (size_t i = 0; i < end; i++)
        if (!strchr("\r\n\t ", text.p[i])) base64[n++] = text.p[i];
    return decode((str){base64, n}, arena, out);
}

static bool read_nginx(const struct http_head *head, str value, struct arena *arena, struct shown_certificate *out) {
    str verify;
    out->verified = find_only(head, S("x-ssl-client-verify"), &verify) && str_eq(verify, S("SUCCESS"));
    return read_pem(value, arena, &out->der);
}

/* Behind `mark` up to the next one of its kind that is not quoted. */
static str take_part(str *rest, char mark) {
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->n && (quoted || rest->p[i] != mark); i++) {
        if (rest->p[i] == '"') quoted = !quoted;
        if (rest->p[i] == '\\' && quoted) i++;
    }
    if (i > rest->n) i = rest->n;
    str part = str_head(*rest, i);
    *rest = str_from(*rest, i < rest->n ? i + 1 : i);
    return part;
}

/* The last element is the one that the proxy next to us has written. */
static bool read_envoy(str value, struct arena *arena, struct shown_certificate *out) {
    str element = {NULL, 0};
    out->verified = true;
    while (value.n) element = take_part(&value, ',');
    while (element.n) {
        str part = str_trim(take_part(&element, ';'));
        if (!str_starts_with_nocase(part, S("cert=\""))) continue;
        str quoted = str_from(part, 6);
        return quoted.n && quoted.p[quoted.n - 1] == '"' && read_pem(str_head(quoted, quoted.n - 1), arena, &out->der);
    }
    return false;
}

bool certificate_header_read(const struct http_head *head, enum certificate_style style, struct arena *arena,
                             struct shown_certificate *out) {
    static const str names[] = {S(""), S("client-cert"), S("x-ssl-client-cert"), S("x-forwarded-client-cert")};
    str value = {NULL, 0};
    *out = (struct shown_certificate){.verified = false};
    if (style == CERTIFICATE_STYLE_NONE || !find_only(head, names[style], &value)) return false;
    switch (style) {
    case CERTIFICATE_STYLE_RFC9440: return read_rfc9440(value, arena, out);
    case CERTIFICATE_STYLE_NGINX: return read_nginx(head, value, arena, out);
    case CERTIFICATE_STYLE_ENVOY: return read_envoy(value, arena, out);
    case CERTIFICATE_STYLE_NONE: break;
    }
    return false;
}
