/* A request head gets the same verdict whole and in any pieces; what is accepted has slices inside the bytes and nothing in it that
 * another reader could take for the end of a line. */
#include "http_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits all_limits[] = {
    {.head_max = 16384, .target_max = 8192, .headers_max = 100, .body_max = 65536},
    {.head_max = 220, .target_max = 60, .headers_max = 5, .body_max = 40},
};

static void must(bool good) {
    if (!good) abort();
}

/* Scans a head that arrives in steps: 0 more is needed, else a negative status or its number of bytes. A copy of each step's size shows a read beyond it. */
static int scan_in_steps(const struct http_limits *limits, str text, uint32_t seed) {
    struct http_scan scan = {0};
    size_t have = 0;
    int verdict = 0;
    while (verdict == 0 && have < text.n) {
        seed = seed * 1103515245 + 12345;
        size_t step = 1 + (seed >> 16) % 40;
        have = text.n - have < step ? text.n : have + step;
        char *copy = malloc(have);
        must(copy != NULL);
        memcpy(copy, text.p, have);
        verdict = http_head_scan(&scan, limits, (str){copy, have});
        free(copy);
    }
    return verdict;
}

static bool is_within(str slice, str whole) {
    return slice.n == 0 || (slice.p >= whole.p && slice.p + slice.n <= whole.p + whole.n);
}

static bool has_one_of(str s, str bytes) {
    for (size_t i = 0; i < bytes.n; i++)
        if (str_find(s, bytes.p[i]) != s.n) return true;
    return false;
}

static void check_accepted(const struct http_limits *limits, str head, const struct http_head *h) {
    must(is_within(h->target, head) && is_within(h->path, head) && is_within(h->query, head) &&
         is_within(h->authority, head));
    must(h->target.n > 0 && h->target.n <= limits->target_max && !has_one_of(h->target, S(" \t\r\n\0#")));
    must(str_eq(h->path, S("*")) || str_starts_with(h->path, S("/")));
    must(h->minor == 0 || h->minor == 1);
    must(!(h->chunked && (h->has_length || h->minor == 0)));
    must(h->content_length <= limits->body_max);
    must(h->n_headers <= limits->headers_max);
    for (size_t i = 0; i < h->n_headers; i++) {
        str name = h->headers[i].name, value = h->headers[i].value;
        must(is_within(name, head) && is_within(value, head));
        must(name.n > 0 && !has_one_of(name, S(" \t\r\n\0:")) && !has_one_of(value, S("\r\n\0")));
        must(str_eq(value, str_trim(value)));
    }
}

static void check(const struct http_limits *limits, str text, uint32_t seed) {
    static struct http_head head;
    struct http_scan scan = {0};
    int whole = text.n ? http_head_scan(&scan, limits, text) : 0;
    int steps = scan_in_steps(limits, text, seed);
    int status = whole > 0 ? http_head_parse(limits, str_head(text, (size_t)whole), &head) : -whole;
    if (steps > 0) { /* a refusal of the request line may come early in pieces, from the parser otherwise */
        must(steps == whole);
        must(whole <= (int)limits->head_max);
    } else {
        must(-steps == status && (steps != 0 || whole == 0));
    }
    if (whole > 0 && status == 0) check_accepted(limits, str_head(text, (size_t)whole), &head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t seed = (uint32_t)size;
    for (size_t i = 0; i < size && i < 64; i++) seed = seed * 31 + data[i];
    for (size_t i = 0; i < sizeof all_limits / sizeof all_limits[0]; i++)
        check(&all_limits[i], (str){(const char *)data, size}, seed);
    return 0;
}
