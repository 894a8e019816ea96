#include "key_address.h"

#include "redirect_uri.h"

static const str loopback_names[] = {S("localhost"), S("127.0.0.1"), S("[::1]")};

static bool is_loopback_name(str host) {
    for (size_t i = 0; i < sizeof loopback_names / sizeof loopback_names[0]; i++)
        if (str_eq(host, loopback_names[i])) return true;
    return false;
}

/* The rules of redirect URIs are those of any address that we were told: one spelling, no user, no fragment, no dots; http on loopback alone. */
bool key_address_is_good(str uri, bool loopback) {
    bool is_https = str_starts_with(uri, S("https://"));
    if (!redirect_uri_is_registrable(uri) || (!is_https && !str_starts_with(uri, S("http://")))) return false;
    str host = str_from(uri, str_find(uri, ':') + 3);
    size_t n = 0;
    while (n < host.n && !strchr("/?", host.p[n])) n++;
    host = str_head(host, n);
    host = str_head(host, host.p[0] == '[' ? str_find(host, ']') + 1 : str_find(host, ':'));
    return loopback || (is_https && !is_loopback_name(host));
}

struct block {
    uint8_t bytes[4], bits;
};

static bool is_in(const uint8_t *ip, const struct block *block) {
    for (size_t i = 0; i < block->bits; i++) {
        unsigned bit = 0x80u >> (i % 8);
        if ((ip[i / 8] ^ block->bytes[i / 8]) & bit) return false;
    }
    return true;
}

static bool is_in_any(const uint8_t *ip, const struct block *blocks, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_in(ip, &blocks[i])) return true;
    return false;
}

/* The metadata addresses of clouds are link-local (169.254.169.254) or site-local (fd00:ec2::254). */
static const struct block not_public_v4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};
/* Of IPv6 only what is given out as global (2000::/3); in it protocols and tunnels (2001::/23, 6to4) and documentation. Mapped and translated
 * IPv4 addresses are outside. */
static const struct block public_v6 = {{0x20}, 3};
static const struct block not_public_v6[] = {
    {{0x20, 0x01, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff, 0x00}, 20}};

bool ip_is_public(const uint8_t *ip, size_t n) {
    if (n == 4) return !is_in_any(ip, not_public_v4, sizeof not_public_v4 / sizeof not_public_v4[0]);
    return n == 16 && is_in(ip, &public_v6) &&
           !is_in_any(ip, not_public_v6, sizeof not_public_v6 / sizeof not_public_v6[0]);
}

bool ip_is_loopback(const uint8_t *ip, size_t n) {
    static const uint8_t one[16] = {[15] = 1};
    return n == 4 ? ip[0] == 127 : n == 16 && memcmp(ip, one, 16) == 0;
}

static bool is_number(str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

int64_t key_freshness_s(str cache_control) {
    int64_t fresh_s = KEYS_FRESH_DEFAULT_S;
    while (cache_control.n) {
        str directive = str_trim(str_take(&cache_control, ','));
        uint64_t seconds = 0;
        if (str_eq_nocase(directive, S("no-store")) || str_eq_nocase(directive, S("no-cache"))) return KEYS_FRESH_MIN_S;
        if (!str_starts_with_nocase(directive, S("max-age="))) continue;
        if (str_to_u64(str_from(directive, 8), KEYS_FRESH_MAX_S, &seconds))
            fresh_s = (int64_t)seconds;
        else if (is_number(str_from(directive, 8)))
            fresh_s = KEYS_FRESH_MAX_S; /* more than we count */
    }
    return fresh_s < KEYS_FRESH_MIN_S ? KEYS_FRESH_MIN_S : fresh_s;
}
