/* documents: what is published below /.well-known, as bytes that are ready to be sent. Made with every snapshot. */
#ifndef GRANTD_DOCUMENTS_H
#define GRANTD_DOCUMENTS_H

#include "jose.h"
#include "registry.h"
#include "routes.h"
#include "settings.h"

#define DOCUMENT_ETAG_CHARS 24 /* a quote, 22 characters of a hash, a quote */

struct document {
    str body; /* JSON; empty: there is none */
    char etag[DOCUMENT_ETAG_CHARS];
};

struct documents {
    struct arena *arena;
    str cache_control;
    str token_endpoint; /* its URL */
    struct document of[ROUTE_DOCUMENTS];
};

/* `max_age_s`: how long anybody may keep a copy. The documents have an arena of their own: documents_free. */
RC documents_make(const struct settings *settings, int64_t max_age_s, const struct registry *registry,
                  const struct jose_keys *keys, struct documents **out);
void documents_free(struct documents *d); /* NULL is allowed */

/* The path as the table of routes has it: an issuer with a path has its documents at "/.well-known/NAME/PATH" (RFC 8414 s3.1) and at
 * "/PATH/.well-known/openid-configuration" (OpenID Connect Discovery s4). False: it is the address of another issuer. */
bool documents_route_path(const struct settings *settings, str path, str *out);

/* Whether an If-None-Match (RFC 9110 s13.1.2) names the entity tag. */
bool documents_tag_matches(str if_none_match, const char etag[DOCUMENT_ETAG_CHARS]);

#endif
