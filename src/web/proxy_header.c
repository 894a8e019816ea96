#include "proxy_header.h"

#define V1_MAX          107 /* with CRLF */
#define V2_HEAD         16
#define V2_INET_BYTES   12
#define V2_INET6_BYTES  36
#define TLV_HEAD        3
#define TLV_SSL         0x20
#define TLV_SSL_CLIENT  0x01 /* PP2_CLIENT_SSL */
#define FAMILY_TCP_INET 0x11
#define FAMILY_TCP_IP6  0x21

static const str v2_signature = {"\r\n\r\n\0\r\nQUIT\n", 12};

/* As much of s as there is begins as `start` does. */
static bool may_start_with(str s, str start) { return str_starts_with(start, str_head(s, start.n)); }

/* ---- version 1: one line of text ---- */

static bool is_port(str text) {
    uint64_t port;
    return text.n && (text.p[0] != '0' || text.n == 1) && str_to_u64(text, 65535, &port);
}

/* "TCP4 SOURCE DESTINATION PORT PORT" */
static bool parse_addresses(str line, struct proxy_header *out) {
    struct peer destination;
    str family = str_take(&line, ' '), source = str_take(&line, ' '), to = str_take(&line, ' ');
    str from_port = str_take(&line, ' ');
    bool v6 = str_eq(family, S("TCP6"));
    if (!v6 && !str_eq(family, S("TCP4"))) return false;
    bool kinds_fit = (str_find(source, ':') < source.n) == v6 && (str_find(to, ':') < to.n) == v6;
    out->has_peer = kinds_fit && peer_parse(source, &out->peer) && peer_parse(to, &destination) && is_port(from_port) &&
                    is_port(line);
    return out->has_peer;
}

static int parse_v1(str data, struct proxy_header *out) {
    str head = str_head(data, V1_MAX);
    size_t lf = str_find(head, '\n');
    if (lf == head.n) return data.n < V1_MAX ? 0 : -1;
    if (head.p[lf - 1] != '\r') return -1;
    str line = str_from(str_head(head, lf - 1), sizeof "PROXY " - 1);
    bool unknown = str_starts_with(line, S("UNKNOWN")) && (line.n == 7 || line.p[7] == ' ');
    return unknown || parse_addresses(line, out) ? (int)lf + 1 : -1;
}

/* ---- version 2: binary ---- */

static size_t read_u16(const char *p) { return (size_t)(uint8_t)p[0] << 8 | (uint8_t)p[1]; }

static bool parse_additions(str rest, struct proxy_header *out) {
    while (rest.n) {
        if (rest.n < TLV_HEAD) return false;
        size_t n = read_u16(rest.p + 1);
        if (rest.n - TLV_HEAD < n) return false;
        if (rest.p[0] == TLV_SSL && n >= 1) out->is_secure = (rest.p[TLV_HEAD] & TLV_SSL_CLIENT) != 0;
        rest = str_from(rest, TLV_HEAD + n);
    }
    return true;
}

static bool parse_v2_peer(uint8_t family, str rest, struct proxy_header *out) {
    size_t n = family == FAMILY_TCP_INET ? V2_INET_BYTES : family == FAMILY_TCP_IP6 ? V2_INET6_BYTES : 0;
    if (n == 0) return true; /* no IP address: what follows is of no use to us */
    if (rest.n < n) return false;
    out->peer = family == FAMILY_TCP_INET ? peer_of_v4(rest.p) : peer_of_v6(rest.p);
    out->has_peer = true;
    return parse_additions(str_from(rest, n), out);
}

static int parse_v2(str data, struct proxy_header *out) {
    if (data.n < V2_HEAD) return 0;
    uint8_t version = (uint8_t)data.p[12] >> 4, command = (uint8_t)data.p[12] & 15;
    size_t n = V2_HEAD + read_u16(data.p + 14);
    if (version != 2 || command > 1 || n > PROXY_HEADER_MAX) return -1;
    if (data.n < n) return 0;
    str rest = {data.p + V2_HEAD, n - V2_HEAD};
    if (command == 1 && !parse_v2_peer((uint8_t)data.p[13], rest, out)) return -1;
    return (int)n;
}

int proxy_header_parse(str data, struct proxy_header *out) {
    *out = (struct proxy_header){0};
    if (data.n == 0) return 0;
    if (may_start_with(data, v2_signature)) return data.n < v2_signature.n ? 0 : parse_v2(data, out);
    if (may_start_with(data, S("PROXY "))) return data.n < 6 ? 0 : parse_v1(data, out);
    return -1;
}
