#include "documents.h"

#include "b64.h"
#include "claims.h"
#include "digest.h"
#include "metadata.h"

#define METADATA_MAX   ((size_t)8 << 20) /* scopes and addresses */
#define JWKS_MAX       65536
#define OAUTH_METADATA S("/.well-known/oauth-authorization-server")
#define OPENID_SUFFIX  S("/.well-known/openid-configuration")

/* What is announced under which member. The addresses come from the table of routes. */
static const struct {
    const struct endpoint *endpoint;
    str member;
    bool is_openid;
} announced[] = {
    {&endpoint_authorize, S("authorization_endpoint"), false},
    {&endpoint_token, S("token_endpoint"), false},
    {&endpoint_revoke, S("revocation_endpoint"), false},
    {&endpoint_introspect, S("introspection_endpoint"), false},
    {&endpoint_jwks, S("jwks_uri"), false},
    {&endpoint_userinfo, S("userinfo_endpoint"), true},
    {&endpoint_logout, S("end_session_endpoint"), true},
};
#define ANNOUNCED (sizeof announced / sizeof announced[0])
_Static_assert(ANNOUNCED <= METADATA_ENDPOINTS_MAX, "room for all");

/* The path of the issuer; empty when it is only a host. */
static str issuer_path(const struct settings *settings) {
    return str_from(settings->issuer, settings_origin(settings).n);
}

/* Routes stand at the root of the issuer's host. */
static str url_of(str origin, const struct endpoint *endpoint, struct arena *arena) {
    struct buf b = buf_on(arena_alloc(arena, origin.n + ROUTE_PATH_MAX), origin.n + ROUTE_PATH_MAX);
    buf_add(&b, origin);
    route_write_path(endpoint, &b);
    return buf_str(&b);
}

static void make_etag(struct document *d) {
    uint8_t hash[SHA256_BYTES];
    char text[(SHA256_BYTES * 4 + 2) / 3];
    digest_sha256(d->body, hash);
    b64url_encode(hash, sizeof hash, text);
    d->etag[0] = d->etag[DOCUMENT_ETAG_CHARS - 1] = '"';
    memcpy(d->etag + 1, text, DOCUMENT_ETAG_CHARS - 2);
}

static RC keep(struct documents *d, enum route_document which, struct buf *text) {
    d->of[which].body = arena_copy(d->arena, buf_str(text));
    make_etag(&d->of[which]);
    bool failed = buf_failed(text);
    buf_free(text);
    return failed ? rc_fail(FAULT_INTERNAL, "a published document is too large") : RC_OK;
}

/* Those that know their caller by its certificate, at the address where it is asked for one (RFC 8705 s5). */
static size_t make_aliases(struct documents *d, const struct settings *settings, struct metadata_endpoint *out) {
    static const struct endpoint *const known[] = {&endpoint_token, &endpoint_revoke, &endpoint_introspect};
    size_t n = 0;
    if (settings->mtls_url.n == 0) return 0;
    for (size_t i = 0; i < ANNOUNCED; i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (announced[i].endpoint == known[k])
                out[n++] = (struct metadata_endpoint){.member = announced[i].member,
                                                      .url = url_of(settings->mtls_url, known[k], d->arena)};
    return n;
}

static RC make_metadata(struct documents *d, const struct settings *settings, const struct registry *registry) {
    struct metadata_endpoint endpoints[ANNOUNCED], aliases[ANNOUNCED];
    struct buf text = buf_growing(METADATA_MAX);
    for (size_t i = 0; i < ANNOUNCED; i++)
        endpoints[i] = (struct metadata_endpoint){announced[i].member,
                                                  url_of(settings_origin(settings), announced[i].endpoint, d->arena),
                                                  announced[i].is_openid};
    d->token_endpoint = url_of(settings_origin(settings), &endpoint_token, d->arena);
    struct metadata m = {
        .issuer = settings->issuer,
        .endpoints = endpoints,
        .n_endpoints = ANNOUNCED,
        .registry = registry,
        .settings = settings,
        .aliases = aliases,
        .n_aliases = make_aliases(d, settings, aliases),
    };
    metadata_write(&m, &text);
    TRY(keep(d, ROUTE_METADATA, &text));
    if (openid_is_offered(registry)) d->of[ROUTE_OPENID] = d->of[ROUTE_METADATA];
    return RC_OK;
}

static RC make_jwks(struct documents *d, const struct jose_keys *keys) {
    struct buf text = buf_growing(JWKS_MAX);
    struct rc rc = jose_keys_write(keys, &text);
    if (rc_ok(rc)) return keep(d, ROUTE_JWKS, &text);
    buf_free(&text);
    return rc;
}

RC documents_make(const struct settings *settings, int64_t max_age_s, const struct registry *registry,
                  const struct jose_keys *keys, struct documents **out) {
    struct arena *arena = arena_new(8192);
    struct documents *d = ARENA_NEW(arena, struct documents);
    d->arena = arena;
    d->cache_control = arena_printf(arena, "public, max-age=%lld", (long long)max_age_s);
    struct rc rc = make_metadata(d, settings, registry);
    if (rc_ok(rc)) rc = make_jwks(d, keys);
    if (rc_ok(rc))
        *out = d;
    else
        documents_free(d);
    return rc;
}

void documents_free(struct documents *d) {
    if (d) arena_free(d->arena);
}

bool documents_route_path(const struct settings *settings, str path, str *out) {
    str of_issuer = issuer_path(settings);
    *out = path;
    if (of_issuer.n == 0) return true;
    if (str_starts_with(path, OAUTH_METADATA)) {
        *out = OAUTH_METADATA;
        return str_eq(str_from(path, OAUTH_METADATA.n), of_issuer);
    }
    if (str_eq(path, OPENID_SUFFIX)) return false;
    if (str_starts_with(path, of_issuer) && str_eq(str_from(path, of_issuer.n), OPENID_SUFFIX)) *out = OPENID_SUFFIX;
    return true;
}

bool documents_tag_matches(str if_none_match, const char etag[DOCUMENT_ETAG_CHARS]) {
    while (if_none_match.n) {
        str one = str_trim(str_take(&if_none_match, ','));
        if (str_eq(one, S("*"))) return true;
        if (str_starts_with(one, S("W/"))) one = str_from(one, 2);
        if (str_eq(one, (str){etag, DOCUMENT_ETAG_CHARS})) return true;
    }
    return false;
}
