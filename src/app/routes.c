#include "routes.h"

/* Assets belong to the pages, which the rules do not know: the program answers. */
static const struct endpoint endpoint_asset = {"asset", NULL, NULL, NULL, NULL};

/* And so do the published documents. */
const struct endpoint endpoint_metadata = {"metadata", NULL, NULL, NULL, NULL};
const struct endpoint endpoint_openid = {"openid", NULL, NULL, NULL, NULL};
const struct endpoint endpoint_jwks = {"jwks", NULL, NULL, NULL, NULL};

enum route_document route_document_of(const struct route *route) {
    if (route->endpoint == &endpoint_jwks) return ROUTE_JWKS;
    return route->endpoint == &endpoint_openid ? ROUTE_OPENID : ROUTE_METADATA;
}

#define PEOPLE_FLAGS (ROUTE_FORM | ROUTE_NO_STORE | ROUTE_PEOPLE)
#define TOKEN_FLAGS  (ROUTE_FORM | ROUTE_NO_STORE | ROUTE_LIMIT_AUTH)

/* A pattern with its length. */
#define ROUTE(pattern) (pattern), sizeof(pattern) - 1

const struct route route_rows[] = {
    {ROUTE("/oauth/$/token"), METHOD_POST, TOKEN_FLAGS | ROUTE_LIMIT_GRANT, &endpoint_token, CORS_APPS},
    {ROUTE("/oauth/$/token/introspect"), METHOD_POST, TOKEN_FLAGS, &endpoint_introspect, CORS_NOBODY},
    {ROUTE("/oauth/$/token/revoke"), METHOD_POST, TOKEN_FLAGS, &endpoint_revoke, CORS_APPS},
    {ROUTE("/oauth/authorize"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_authorize, CORS_NOBODY},
    {ROUTE("/oauth/#/authorize"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_authorize, CORS_NOBODY},
    {ROUTE("/oauth/sign-in"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_sign_in, CORS_NOBODY},
    {ROUTE("/oauth/login"), METHOD_GET, PEOPLE_FLAGS, &endpoint_login, CORS_NOBODY},
    {ROUTE("/oauth/choose-account"), METHOD_POST, PEOPLE_FLAGS, &endpoint_choose_account, CORS_NOBODY},
    {ROUTE("/oauth/consent"), METHOD_POST, PEOPLE_FLAGS, &endpoint_consent, CORS_NOBODY},
    {ROUTE("/oauth/sign-out"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_sign_out, CORS_NOBODY},
    {ROUTE("/oauth/logout"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_logout, CORS_NOBODY},
    {ROUTE("/oauth/connected-apps"), METHOD_GET, PEOPLE_FLAGS, &endpoint_connected_apps, CORS_NOBODY},
    {ROUTE("/oauth/connected-apps/remove"), METHOD_GET | METHOD_POST, PEOPLE_FLAGS, &endpoint_remove_app, CORS_NOBODY},
    {ROUTE("/oauth/assets/*"), METHOD_GET, ROUTE_ASSET, &endpoint_asset, CORS_NOBODY},
    {ROUTE("/.well-known/oauth-authorization-server"), METHOD_GET, ROUTE_DOCUMENT, &endpoint_metadata, CORS_ANYBODY},
    {ROUTE("/.well-known/openid-configuration"), METHOD_GET, ROUTE_DOCUMENT, &endpoint_openid, CORS_ANYBODY},
    {ROUTE("/.well-known/jwks.json"), METHOD_GET, ROUTE_DOCUMENT, &endpoint_jwks, CORS_ANYBODY},
    {ROUTE("/oauth/userinfo"), METHOD_GET | METHOD_POST, ROUTE_NO_STORE, &endpoint_userinfo, CORS_APPS},
    {ROUTE("/appinstalls/$/external-install"), METHOD_DELETE, ROUTE_NO_STORE, &endpoint_uninstall, CORS_NOBODY},
    {ROUTE("/oauth/v1/token"), METHOD_POST, TOKEN_FLAGS | ROUTE_LIMIT_GRANT | ROUTE_V1 | ROUTE_QUERY, &endpoint_token,
     CORS_APPS},
    {ROUTE("/oauth/v1/access-tokens/*"), METHOD_GET, ROUTE_NO_STORE | ROUTE_V1, &endpoint_v1_access_token, CORS_NOBODY},
    {ROUTE("/oauth/v1/refresh-tokens/*"), METHOD_GET, ROUTE_NO_STORE | ROUTE_V1, &endpoint_v1_refresh_token,
     CORS_NOBODY},
    {ROUTE("/oauth/v1/refresh-tokens/*"), METHOD_DELETE, ROUTE_NO_STORE | ROUTE_V1, &endpoint_v1_refresh_delete,
     CORS_NOBODY},
};
const size_t route_count = sizeof route_rows / sizeof *route_rows;

/* The names under which today's version of the API answers; the first is the one that metadata announces. */
static const str versions[] = {S("v3"), S("2026-03"), S("2026-09")};

static bool is_version(str segment) {
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (str_eq(segment, versions[i])) return true;
    return false;
}

static bool is_number(str segment) {
    uint64_t ignored;
    return str_to_u64(segment, INT32_MAX, &ignored);
}

void route_write_path(const struct endpoint *endpoint, struct buf *out) {
    const struct route *row = route_rows;
    while (row->endpoint != endpoint || (row->flags & ROUTE_V1)) row++;
    for (const char *p = row->pattern; *p; p++) {
        if (*p == '$')
            buf_add(out, versions[0]);
        else
            buf_add_char(out, *p);
    }
}

struct segments {
    size_t n;
    str s[ROUTE_SEGMENTS_MAX];
};

/* Splits a path at its slashes; empty segments vanish, which collapses "//" and drops a trailing slash. */
static bool split(str path, struct segments *out) {
    out->n = 0;
    while (path.n) {
        str segment = str_take(&path, '/');
        if (str_is_empty(segment)) continue;
        if (out->n == ROUTE_SEGMENTS_MAX) return false;
        out->s[out->n++] = segment;
    }
    return true;
}

/* Whether the segment is what the pattern says behind its slash; moves on to the next slash. Letter by letter, because most rows of the table
 * differ early. */
static bool segment_fits(const char **pattern, str segment, str *arg) {
    const char *p = *pattern + 1;
    size_t n = 0;
    switch (*p) {
    case '$': *pattern = p + 1; return is_version(segment);
    case '#':
    case '*':
        *pattern = p + 1;
        if (*p == '#' && !is_number(segment)) return false;
        *arg = segment;
        return true;
    default:
        while (n < segment.n && p[n] == segment.p[n] && p[n]) n++;
        *pattern = p + n;
        return n == segment.n && (p[n] == '/' || !p[n]);
    }
}

/* Most rows begin alike and end otherwise. The first segment of a pattern is a word. */
static bool looks_alike(const struct route *row, char first, char last) {
    char end = row->pattern[row->pattern_n - 1];
    return row->pattern[1] == first && (end == last || end == '*' || end == '#' || end == '$');
}

static bool pattern_fits(const char *pattern, const struct segments *path, str *arg) {
    for (size_t i = 0; i < path->n; i++)
        if (!*pattern || !segment_fits(&pattern, path->s[i], arg)) return false;
    return !*pattern;
}

struct route_match route_find(str path, enum oauth_method method, bool compat_v1) {
    struct route_match match = {0};
    struct segments segments;
    if (path.n == 0 || path.p[0] != '/' || !split(path, &segments)) return match;
    uint32_t wanted = method == METHOD_HEAD ? METHOD_GET : method;
    const str *last = &segments.s[segments.n ? segments.n - 1 : 0];
    const char begins = segments.n ? segments.s[0].p[0] : 0, ends = segments.n ? last->p[last->n - 1] : '/';
    for (size_t i = 0; i < route_count; i++) {
        const struct route *row = &route_rows[i];
        str arg = {0};
        if (!looks_alike(row, begins, ends)) continue;
        if ((row->flags & ROUTE_V1) && !compat_v1) continue;
        if (!pattern_fits(row->pattern, &segments, &arg)) continue;
        match.allowed |= row->methods;
        match.cors = row->cors;
        if (!(row->methods & wanted)) continue;
        match.route = row;
        match.arg = arg;
    }
    if (match.allowed & METHOD_GET) match.allowed |= METHOD_HEAD;
    return match;
}

str route_allow_text(uint32_t allowed, char out[ROUTE_ALLOW_BYTES]) {
    static const struct {
        enum oauth_method method;
        const char *name;
    } names[] = {{METHOD_GET, "GET"}, {METHOD_HEAD, "HEAD"}, {METHOD_POST, "POST"}, {METHOD_DELETE, "DELETE"}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(allowed & names[i].method)) continue;
        for (const char *p = n ? ", " : ""; *p; p++) out[n++] = *p;
        for (const char *p = names[i].name; *p; p++) out[n++] = *p;
    }
    return (str){out, n};
}
