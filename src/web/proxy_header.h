/* The PROXY protocol (version 1 and 2 of haproxy's proxy-protocol.txt): what a balancer says before the bytes of its client. Pure. */
#ifndef GRANTD_PROXY_HEADER_H
#define GRANTD_PROXY_HEADER_H

#include "peer.h"

#define PROXY_HEADER_MAX 1024 /* a header of version 2 with sensible additions */

struct proxy_header {
    bool has_peer; /* else it speaks for itself (health checks), or for somebody without an IP address */
    struct peer peer;
    bool is_secure; /* version 2 says that the client came to it by TLS */
};

/* Looks at the first bytes of a connection. Returns the bytes of the header, 0 when more is needed, -1 when it is none. */
int proxy_header_parse(str data, struct proxy_header *out);

#endif
