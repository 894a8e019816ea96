/* Any text is decoded; what comes out is UTF-8 without NUL, not longer, the same in place, and survives a round trip. */
#include "percent.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(str plain, enum percent_kind kind) {
    struct buf encoded = buf_growing(3 * plain.n + 1);
    char *back = malloc(3 * plain.n + 1);
    size_t n;
    percent_encode(&encoded, plain);
    if (!back || buf_failed(&encoded) || !percent_decode(buf_str(&encoded), kind, back, &n)) abort();
    if (!str_eq((str){back, n}, plain)) abort();
    buf_free(&encoded);
    free(back);
}

static void check(str text, enum percent_kind kind) {
    char *out = malloc(text.n + !text.n), *in_place = malloc(text.n + !text.n);
    size_t n = 0, n_in_place = 0;
    if (!out || !in_place) abort();
    if (text.n) memcpy(in_place, text.p, text.n);
    bool good = percent_decode(text, kind, out, &n);
    if (percent_decode((str){in_place, text.n}, kind, in_place, &n_in_place) != good) abort();
    if (good) {
        if (n > text.n || !str_is_utf8((str){out, n}) || !str_eq((str){out, n}, (str){in_place, n_in_place})) abort();
        check_round_trip((str){out, n}, kind);
    }
    free(out);
    free(in_place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    str text = {(const char *)data, size};
    check(text, PERCENT_URI);
    check(text, PERCENT_FORM);
    return 0;
}
