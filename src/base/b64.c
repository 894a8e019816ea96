#include "b64.h"

#define NO 0xFF /* not in the alphabet; has the top bit, which no value has */

static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* clang-format off */
static const uint8_t url_values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, 63,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};

static const uint8_t std_values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

/* Writes the digits of n bytes, without padding; returns how many. */
static size_t encode(const char digits[64], const uint8_t *in, size_t n, char *out) {
    char *o = out;
    for (; n >= 3; n -= 3, in += 3, o += 4) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        o[0] = digits[v >> 18];
        o[1] = digits[v >> 12 & 63];
        o[2] = digits[v >> 6 & 63];
        o[3] = digits[v & 63];
    }
    if (n == 0) return (size_t)(o - out);
    uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
    *o++ = digits[v >> 18];
    *o++ = digits[v >> 12 & 63];
    if (n == 2) *o++ = digits[v >> 6 & 63];
    return (size_t)(o - out);
}

/* Decodes digits without padding. RFC 4648 s3.5: the bits behind the last byte must be zero. */
static bool decode(const uint8_t values[256], str s, uint8_t *out, size_t *out_n) {
    const uint8_t *in = (const uint8_t *)s.p;
    uint8_t *o = out;
    size_t n = s.n;
    if (n % 4 == 1) return false;
    for (; n >= 4; n -= 4, in += 4, o += 3) {
        uint32_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        if ((a | b | c | d) & 0x80) return false;
        uint32_t v = a << 18 | b << 12 | c << 6 | d;
        o[0] = (uint8_t)(v >> 16);
        o[1] = (uint8_t)(v >> 8);
        o[2] = (uint8_t)v;
    }
    if (n) {
        uint32_t a = values[in[0]], b = values[in[1]], c = n == 3 ? values[in[2]] : 0;
        uint32_t v = a << 18 | b << 12 | c << 6;
        uint32_t spare = n == 3 ? 0xFF : 0xFFFF;
        if ((a | b | c) & 0x80 || v & spare) return false;
        *o++ = (uint8_t)(v >> 16);
        if (n == 3) *o++ = (uint8_t)(v >> 8);
    }
    *out_n = (size_t)(o - out);
    return true;
}

void b64url_encode(const uint8_t *bytes, size_t n, char *out) { encode(url_digits, bytes, n, out); }

bool b64url_decode(str s, uint8_t *out, size_t *out_n) { return decode(url_values, s, out, out_n); }

void b64_encode(const uint8_t *bytes, size_t n, char *out) {
    size_t written = encode(std_digits, bytes, n, out);
    while (written % 4) out[written++] = '=';
}

bool b64_decode(str s, uint8_t *out, size_t *out_n) {
    if (s.n % 4) return false;
    for (int pads = 0; pads < 2 && s.n && s.p[s.n - 1] == '='; pads++) s.n--;
    return decode(std_values, s, out, out_n);
}

void hex_encode(const uint8_t *bytes, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

bool hex_decode(str s, uint8_t *out, size_t out_n) {
    if (s.n != out_n * 2) return false;
    for (size_t i = 0; i < out_n; i++) {
        int high = char_hex_value(s.p[2 * i]), low = char_hex_value(s.p[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
