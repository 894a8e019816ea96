/* A chunked body gives the same bytes and the same verdict whole and in any pieces, and never more than the limit. */
#include "http_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = {.head_max = 300, .target_max = 100, .headers_max = 10, .body_max = 1000};

struct result {
    int verdict;
    size_t used, body_n;
    char *body;
};

static void must(bool good) {
    if (!good) abort();
}

static void feed(struct http_chunks *chunks, str piece, struct result *r) {
    struct http_decoded out;
    char *copy = malloc(piece.n);
    must(copy != NULL);
    memcpy(copy, piece.p, piece.n);
    r->verdict = http_chunks_decode(chunks, &limits, copy, piece.n, &out);
    must(out.n <= out.used && out.used <= piece.n);
    must(r->verdict != 0 || out.used == piece.n);
    if (out.n) memcpy(r->body + r->body_n, copy, out.n);
    r->body_n += out.n;
    r->used += out.used;
    free(copy);
}

static struct result decode(str text, size_t step_max, uint32_t seed) {
    struct http_chunks chunks = {0};
    struct result r = {.body = malloc(text.n + 1)};
    must(r.body != NULL);
    for (size_t at = 0, step; at < text.n && r.verdict == 0; at += step) {
        seed = seed * 1103515245 + 12345;
        step = 1 + (seed >> 16) % step_max;
        if (step_max > text.n || step > text.n - at) step = text.n - at;
        feed(&chunks, (str){text.p + at, step}, &r);
    }
    must(r.body_n <= limits.body_max && chunks.total == r.body_n);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    str text = {(const char *)data, size};
    struct result whole = decode(text, size + 1, 0);
    static const size_t steps[] = {1, 3, 30};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct result pieces = decode(text, steps[i], (uint32_t)size + (uint32_t)i);
        must(pieces.verdict == whole.verdict && pieces.used == whole.used);
        must(str_eq((str){pieces.body, pieces.body_n}, (str){whole.body, whole.body_n}));
        free(pieces.body);
    }
    free(whole.body);
    return 0;
}
