/* metadata: the documents by which a client finds out everything else (RFC 8414). What they say comes from the tables that the rules
 * work by: nothing that does not work is announced, and nothing that works is left out. */
#ifndef GRANTD_METADATA_H
#define GRANTD_METADATA_H

#include "json_write.h"
#include "registry.h"
#include "settings.h"

/* An address, under the member by which it is announced ("token_endpoint"). */
struct metadata_endpoint {
    str member, url;
    bool is_openid; /* announced where OpenID Connect is offered */
};
#define METADATA_ENDPOINTS_MAX 16

struct metadata {
    str issuer;
    const struct metadata_endpoint *endpoints;
    size_t n_endpoints;
    const struct registry *registry; /* its catalogue of scopes */
    const struct settings *settings;
    const struct metadata_endpoint
        *aliases; /* the same endpoints where clients are asked for a certificate (RFC 8705 s5) */
    size_t n_aliases;
};

/* Writes the metadata of an authorization server (RFC 8414 s2), and of an OpenID provider (Discovery s3) where the catalogue has the scope openid: one
 * document for both addresses. */
void metadata_write(const struct metadata *m, struct buf *out);

#endif
