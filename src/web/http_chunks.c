/* The chunked transfer coding: RFC 9112 s7.1. Extensions and trailer fields are checked, bounded and ignored. */
#include "http_rules.h"

enum { /* what the next byte belongs to; the first one is the state of a zeroed struct */
       AT_SIZE,
       AT_EXTENSION,
       AT_SIZE_LF,
       AT_DATA,
       AT_DATA_CR,
       AT_DATA_LF,
       AT_TRAILER,
       AT_TRAILER_NAME,
       AT_TRAILER_VALUE,
       AT_TRAILER_LF,
       AT_LAST_LF,
       AT_END
};

#define SIZE_DIGITS_MAX 16 /* what 64 bits hold */

/* A chunk of one byte costs five of framing; extensions, trailers and leading zeros together may cost what a head may. */
#define FRAMING_PER_BYTE 6

static int take_size(struct http_chunks *c, char byte) {
    int digit = char_hex_value(byte);
    if (digit >= 0) {
        if (++c->line > SIZE_DIGITS_MAX) return 400;
        c->left = c->left << 4 | (uint64_t)digit;
        return 0;
    }
    if (c->line == 0 || (byte != '\r' && byte != ';')) return 400;
    c->state = byte == '\r' ? AT_SIZE_LF : AT_EXTENSION;
    return 0;
}

static int take_size_lf(struct http_chunks *c, const struct http_limits *limits, char byte) {
    if (byte != '\n') return 400;
    if (c->left > limits->body_max - c->total) return 413;
    c->state = c->left ? AT_DATA : AT_TRAILER;
    c->line = 0;
    return 0;
}

/* Bytes of a line that is ignored, up to its CR. */
static int take_ignored(struct http_chunks *c, char byte, int next_state) {
    if (byte == '\r')
        c->state = next_state;
    else if (!http_is(byte, HTTP_VALUE))
        return 400;
    return 0;
}

static int take_trailer_name(struct http_chunks *c, char byte) {
    if (byte == ':' && c->state == AT_TRAILER_NAME) {
        c->state = AT_TRAILER_VALUE;
        return 0;
    }
    if (byte == '\r' && c->state == AT_TRAILER) {
        c->state = AT_LAST_LF;
        return 0;
    }
    c->state = AT_TRAILER_NAME;
    return http_is(byte, HTTP_TCHAR) ? 0 : 400;
}

static int take_exactly(struct http_chunks *c, char byte, char wanted, int next_state) {
    c->state = next_state;
    return byte == wanted ? 0 : 400;
}

/* One byte of framing. 0 or a status. */
static int take_framing(struct http_chunks *c, const struct http_limits *limits, char byte) {
    if (++c->overhead > limits->head_max + FRAMING_PER_BYTE * c->total) return 413;
    switch (c->state) {
    case AT_SIZE: return take_size(c, byte);
    case AT_EXTENSION: return take_ignored(c, byte, AT_SIZE_LF);
    case AT_SIZE_LF: return take_size_lf(c, limits, byte);
    case AT_DATA_CR: return take_exactly(c, byte, '\r', AT_DATA_LF);
    case AT_DATA_LF: return take_exactly(c, byte, '\n', AT_SIZE);
    case AT_TRAILER:
    case AT_TRAILER_NAME: return take_trailer_name(c, byte);
    case AT_TRAILER_VALUE: return take_ignored(c, byte, AT_TRAILER_LF);
    case AT_TRAILER_LF: return take_exactly(c, byte, '\n', AT_TRAILER);
    case AT_LAST_LF: return take_exactly(c, byte, '\n', AT_END);
    default: return 400;
    }
}

int http_chunks_decode(struct http_chunks *c, const struct http_limits *limits, char *data, size_t n,
                       struct http_decoded *out) {
    size_t in = 0, to = 0;
    int status = 0;
    while (in < n && c->state != AT_END && !status) {
        if (c->state != AT_DATA) {
            status = take_framing(c, limits, data[in++]);
            continue;
        }
        size_t part = c->left < n - in ? (size_t)c->left : n - in;
        memmove(data + to, data + in, part);
        in += part;
        to += part;
        c->left -= part;
        c->total += part;
        if (c->left == 0) c->state = AT_DATA_CR;
    }
    *out = (struct http_decoded){.used = in, .n = to};
    return status ? -status : c->state == AT_END;
}
