/* peer: who is on the other side, and which proxies may say so for somebody else. */
#ifndef GRANTD_PEER_H
#define GRANTD_PEER_H

#include <sys/socket.h>

#include "arena.h"

#define PEER_TEXT_BYTES 46

/* An IP address; IPv4 as ::ffff:a.b.c.d, so that there is one kind. */
struct peer {
    uint8_t ip[16];
    bool is_unix;
};

/* A block of addresses. */
struct peer_block {
    struct peer net;
    unsigned bits; /* of the 128 */
};

bool peer_parse(str text, struct peer *out);
struct peer peer_of_sockaddr(const struct sockaddr *address);
void peer_print(const struct peer *peer, char out[PEER_TEXT_BYTES]);

/* "10.0.0.0/8", "2001:db8::/32", "127.0.0.1" or "unix". */
bool peer_block_parse(str text, struct peer_block *out);
bool peer_is_in(const struct peer *peer, const struct peer_block *blocks, size_t n);

struct peer peer_of_v4(const void *four_bytes);
struct peer peer_of_v6(const void *sixteen_bytes);
bool peer_is_v4(const struct peer *peer);
bool peer_is_loopback(const struct peer *peer);

#endif
