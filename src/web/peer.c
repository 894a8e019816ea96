#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct peer peer_of_v4(const void *four_bytes) {
    struct peer peer = {0};
    memcpy(peer.ip, v4_prefix, sizeof v4_prefix);
    memcpy(peer.ip + 12, four_bytes, 4);
    return peer;
}

struct peer peer_of_v6(const void *sixteen_bytes) {
    struct peer peer = {0};
    memcpy(peer.ip, sixteen_bytes, sizeof peer.ip);
    return peer;
}

bool peer_is_v4(const struct peer *peer) { return memcmp(peer->ip, v4_prefix, sizeof v4_prefix) == 0; }

bool peer_parse(str text, struct peer *out) {
    char z[PEER_TEXT_BYTES];
    struct in_addr v4;
    struct in6_addr v6;
    if (text.n == 0 || text.n >= sizeof z || memchr(text.p, 0, text.n)) return false;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    if (inet_pton(AF_INET, z, &v4) == 1) {
        *out = peer_of_v4(&v4);
        return true;
    }
    if (inet_pton(AF_INET6, z, &v6) != 1) return false;
    *out = (struct peer){0};
    memcpy(out->ip, &v6, sizeof out->ip);
    return true;
}

struct peer peer_of_sockaddr(const struct sockaddr *address) {
    struct peer peer = {0};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return peer_of_v4(&v4.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(peer.ip, &v6.sin6_addr, sizeof peer.ip);
        return peer;
    }
    peer.is_unix = true;
    return peer;
}

bool peer_is_loopback(const struct peer *peer) {
    static const struct peer v6 = {.ip = {[15] = 1}};
    return peer_is_v4(peer) ? peer->ip[12] == 127 : memcmp(peer->ip, v6.ip, sizeof v6.ip) == 0;
}

void peer_print(const struct peer *peer, char out[PEER_TEXT_BYTES]) {
    if (peer->is_unix)
        memcpy(out, "unix", 5);
    else if (peer_is_v4(peer))
        inet_ntop(AF_INET, peer->ip + 12, out, PEER_TEXT_BYTES);
    else
        inet_ntop(AF_INET6, peer->ip, out, PEER_TEXT_BYTES);
}

bool peer_block_parse(str text, struct peer_block *out) {
    if (str_eq(text, S("unix"))) {
        *out = (struct peer_block){.net = {.is_unix = true}};
        return true;
    }
    size_t slash = str_find(text, '/');
    struct peer_block block = {.bits = 128};
    if (!peer_parse(str_head(text, slash), &block.net)) return false;
    if (slash < text.n) {
        uint64_t bits, max = peer_is_v4(&block.net) ? 32 : 128;
        if (!str_to_u64(str_from(text, slash + 1), max, &bits)) return false;
        block.bits = (unsigned)(128 - max + bits);
    }
    *out = block;
    return true;
}

static bool block_has(const struct peer_block *block, const struct peer *peer) {
    if (block->net.is_unix || peer->is_unix) return block->net.is_unix && peer->is_unix;
    size_t whole = block->bits / 8;
    unsigned rest = block->bits % 8;
    if (memcmp(block->net.ip, peer->ip, whole) != 0) return false;
    return rest == 0 || (block->net.ip[whole] ^ peer->ip[whole]) >> (8 - rest) == 0;
}

bool peer_is_in(const struct peer *peer, const struct peer_block *blocks, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (block_has(&blocks[i], peer)) return true;
    return false;
}
