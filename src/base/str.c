#include "str.h"

/* Most are written as they are expected. */
bool str_eq_nocase(str a, str b) { return str_eq(a, b) || (a.n == b.n && str_starts_with_nocase(a, b)); }

bool str_starts_with_nocase(str s, str prefix) {
    if (s.n < prefix.n) return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (char_lower(s.p[i]) != char_lower(prefix.p[i])) return false;
    return true;
}

size_t str_find(str s, char c) {
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

str str_take(str *rest, char sep) {
    str part = str_head(*rest, str_find(*rest, sep));
    *rest = str_from(*rest, part.n + 1);
    return part;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

str str_trim(str s) {
    while (s.n && is_blank(s.p[0])) s = str_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

bool str_to_u64(str s, uint64_t max, uint64_t *out) {
    if (s.n == 0) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t digit = (uint8_t)(s.p[i] - '0');
        if (digit > 9 || v > (UINT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    if (v > max) return false;
    *out = v;
    return true;
}

/* RFC 3629 s4, row by row: what the first byte may be, and the range of the second byte, which is where overlong forms,
 * surrogates and numbers above U+10FFFF are told from good ones. All further bytes are 80..BF. */
static const struct {
    uint8_t first_low, first_high, second_low, second_high, length;
} utf8_rows[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

size_t str_utf8_length(str s) {
    if (s.n == 0) return 0;
    const uint8_t *p = (const uint8_t *)s.p;
    if (p[0] < 0x80) return 1;
    for (size_t i = 0; i < sizeof utf8_rows / sizeof utf8_rows[0]; i++) {
        if (p[0] < utf8_rows[i].first_low || p[0] > utf8_rows[i].first_high) continue;
        size_t length = utf8_rows[i].length;
        if (s.n < length || p[1] < utf8_rows[i].second_low || p[1] > utf8_rows[i].second_high) return 0;
        for (size_t k = 2; k < length; k++)
            if ((p[k] & 0xC0) != 0x80) return 0;
        return length;
    }
    return 0;
}

/* Whether the eight bytes are ASCII without a NUL: no bit 7, and no byte that borrows when 1 is taken from it. */
static bool are_plain(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return ((v | (v - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool str_is_utf8(str s) {
    for (size_t i = 0; i < s.n;) {
        if (s.n - i >= 8 && are_plain(s.p + i)) {
            i += 8;
            continue;
        }
        uint8_t c = (uint8_t)s.p[i];
        size_t length = c && c < 0x80 ? 1 : c ? str_utf8_length(str_from(s, i)) : 0;
        if (length == 0) return false;
        i += length;
    }
    return true;
}

static bool in_class(uint8_t c, char class_letter) {
    switch (class_letter) {
    case 'V': return c >= 0x20 && c <= 0x7E;
    case 'N': return c >= 0x21 && c <= 0x7E && c != '"' && c != '\\';
    case 'U': return char_is_alnum((char)c) || c == '-' || c == '.' || c == '_' || c == '~';
    default: return false;
    }
}

bool str_is_all(str s, char class_letter) {
    for (size_t i = 0; i < s.n; i++)
        if (!in_class((uint8_t)s.p[i], class_letter)) return false;
    return true;
}
