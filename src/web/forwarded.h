/* forwarded: what a trusted proxy says of the client before it, in Forwarded (RFC 7239) or in X-Forwarded-For and -Proto. Only the kind that
 * the proxy is known to write is read: the other one a client could have sent, and the proxy passed on. */
#ifndef GRANTD_FORWARDED_H
#define GRANTD_FORWARDED_H

#include "http_parse.h"
#include "peer.h"

/* One element of a Forwarded value; what it does not say is empty. Values with escapes in them are too: no address needs one. */
struct forwarded_element {
    str client, proto; /* "for", "proto" */
};
#define FORWARDED_MAX 32

/* Reads one header value, left to right. False when it is not RFC 7239 s4. Of more than FORWARDED_MAX elements the last ones are kept. */
bool forwarded_parse(str value, struct forwarded_element out[FORWARDED_MAX], size_t *out_n);

/* The proxies that are believed, and how they speak. */
struct forwarded_rules {
    const struct peer_block *trusted;
    size_t n;
    bool rfc7239; /* Forwarded, else X-Forwarded-* */
};

/* Walks the addresses from the last one for as long as the address in hand is a trusted proxy's; ends at the first other one, or at what is no address.
 * *peer is the connection's own at first, and a trusted proxy. */
void forwarded_walk(const struct http_head *head, const struct forwarded_rules *rules, struct peer *peer);

/* How the request came to the proxy next to us. */
enum forwarded_scheme { FORWARDED_SCHEME_NONE, FORWARDED_SCHEME_HTTPS, FORWARDED_SCHEME_OTHER };
enum forwarded_scheme forwarded_scheme_of(const struct http_head *head, const struct forwarded_rules *rules);

#endif
