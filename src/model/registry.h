/* The registry: apps and the scope catalogue as an immutable snapshot in memory, replaced whole when an administrator changes
 * something. Rules read it without a lock. */
#ifndef GRANTD_REGISTRY_H
#define GRANTD_REGISTRY_H

#include "arena.h"
#include "digest.h"
#include "resource_set.h"
#include "scope_set.h"

struct jose_keys;

enum app_flag {
    APP_PUBLIC = 1, /* cannot keep a secret: no authentication, PKCE and rotation always */
    APP_ROTATE = 2, /* refresh tokens rotate */
    APP_REQUIRE_PKCE = 4,
    APP_RESOURCE_SERVER = 8, /* may introspect the tokens of every app */
    APP_DISABLED = 16,
    APP_DELETED = 32,          /* kept for its id; as unknown */
    APP_RETRY_UNTIL_USED = 64, /* the retry window stays open until the successor is used */
    APP_PRIVATE_DISTRIBUTION = 128,
    APP_JWT = 256,                 /* its access tokens are signed JWTs (RFC 9068) */
    APP_ID_TOKEN_ES256 = 2048,     /* its ID tokens are signed with ES256 instead of RS256 */
    APP_CERTIFICATE_BOUND = 65536, /* its tokens are bound to the certificate that it shows (RFC 8705 s3) */
};
enum app_grant { APP_GRANT_CODE = 1, APP_GRANT_REFRESH = 2, APP_GRANT_CLIENT_CREDENTIALS = 4 };

struct app_secret {
    int32_t secret_id;
    uint8_t key_number; /* of the ring generation that hashed it */
    uint8_t hash[MAC_BYTES];
    int64_t created_ms, retired_ms; /* retired_ms 0: live */
};

struct app {
    int32_t app_id;
    str client_id; /* a uuid */
    str name;
    str developer, site_url, logo_url; /* for people; may be empty */
    uint32_t flags;                    /* enum app_flag */
    uint32_t grants;                   /* enum app_grant */
    const str *redirect_uris;
    size_t n_redirect_uris;
    const str *post_logout_redirect_uris; /* where a browser may go after signing out */
    size_t n_post_logout_redirect_uris;
    struct scope_set scopes;          /* may be asked for in `scope` */
    struct scope_set optional_scopes; /* may be asked for in `optional_scope` */
    int64_t code_ttl_s, access_ttl_s, retry_window_s;
    int64_t refresh_idle_s, refresh_absolute_s; /* 0: no limit */
    int32_t bound_hub_id;                       /* client_credentials act in this account; 0: app level */
    int64_t created_ms, updated_ms;
    str jwks;               /* its public keys as a JWK Set: it proves itself by them, and has no secret; empty: none */
    str jwks_uri;           /* or where they are published (RFC 7591 s2); empty: nowhere */
    struct jose_keys *keys; /* the same, prepared by whoever loads the registry */
    str tls_auth; /* how its certificate is known (client_certificate.h): it proves itself by that alone; empty: not */
    struct app_secret secrets[SECRETS_PER_APP_MAX];
    size_t n_secrets;
};

struct scope {
    uint16_t id; /* >= 1, never reused */
    str name;
    str title;   /* one plain sentence for the consent page; may be empty */
    bool hidden; /* no longer to be asked for; grants that have it keep it */
};

enum token_format { TOKEN_FORMAT_OF_APP, TOKEN_FORMAT_OPAQUE, TOKEN_FORMAT_JWT };
enum resource_flag {
    RESOURCE_STRICT = 1,  /* only tokens that were asked for with it count there */
    RESOURCE_DELETED = 2, /* kept for its id; as unknown */
};

/* An API that tokens can be made for alone (RFC 8707). */
struct resource {
    uint16_t id; /* >= 1, never reused */
    str name;    /* for people; may be empty */
    const str *uris;
    size_t n_uris;        /* the first one is what tokens name; the others are spellings of it */
    uint32_t flags;       /* enum resource_flag */
    int32_t token_format; /* enum token_format */
    int32_t app_id;       /* the resource server that introspects its tokens; 0: none */
    int64_t created_ms, updated_ms;
};

struct registry {
    struct arena *arena; /* owns everything below */
    int64_t version;
    struct app *apps;
    size_t n_apps;
    struct scope *scopes; /* ascending ids */
    size_t n_scopes;
    struct resource *resources; /* ascending ids */
    size_t n_resources;
    /* built by registry_index */
    size_t secret_keys; /* under how many keys one app hashes its secrets: the most of all, at least 1 */
    uint32_t *by_client_id, *by_app_id, *by_scope_name;
    size_t client_mask, app_mask, scope_mask;
    const struct scope **scope_by_id;
    size_t n_scope_by_id;
};

/* Builds the lookup tables once all rows are in place. */
void registry_index(struct registry *r);

/* NULL when there is none. Disabled and deleted apps are found: the rule decides. */
const struct app *registry_app_by_client_id(const struct registry *r, str client_id);
const struct app *registry_app_by_id(const struct registry *r, int32_t app_id);
const struct scope *registry_scope_by_name(const struct registry *r, str name);
const struct scope *registry_scope_by_id(const struct registry *r, uint16_t id);

/* A resource by one of its URIs, letter by letter; NULL when there is none, or it was deleted. */
const struct resource *registry_resource_by_uri(const struct registry *r, str uri);
const struct resource *registry_resource_by_id(const struct registry *r, uint16_t id);

/* True when it proves itself by keys, registered or published, and has no secret. */
static inline bool app_has_keys(const struct app *a) { return a->jwks.n || a->jwks_uri.n; }

static inline bool app_has(const struct app *a, uint32_t flag) { return (a->flags & flag) != 0; }

#endif
