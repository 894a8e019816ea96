/* Any text is decoded in both alphabets; what is good has exactly this text and no other. Hex as well. */
#include "b64.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    bool (*decode)(str s, uint8_t *out, size_t *out_n);
    void (*encode)(const uint8_t *bytes, size_t n, char *out);
    size_t (*length)(size_t n);
} alphabets[] = {{b64url_decode, b64url_encode, b64url_length}, {b64_decode, b64_encode, b64_length}};

static void check(str text, size_t i) {
    size_t room = text.n * 3 / 4, n;
    uint8_t *bytes = malloc(room + !room);
    if (!bytes) abort();
    if (alphabets[i].decode(text, bytes, &n)) {
        char *again = malloc(text.n + !text.n);
        if (!again || n > room || alphabets[i].length(n) != text.n) abort();
        alphabets[i].encode(bytes, n, again);
        if (!str_eq(text, (str){again, text.n})) abort();
        free(again);
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    str text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof alphabets / sizeof alphabets[0]; i++) check(text, i);
    uint8_t *bytes = malloc(size / 2 + 1);
    if (bytes && hex_decode(text, bytes, size / 2) && size % 2) abort();
    free(bytes);
    return 0;
}
