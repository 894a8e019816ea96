/* Any text is read as every kind of token; what is read must write the same text again. */
#include "token_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    str text = {(const char *)data, size};
    uint8_t *body = malloc(TOKEN_BODY_MAX); /* on the heap, so that an overrun is seen */
    enum token_kind by_prefix;
    bool known = token_text_kind(text, &by_prefix);
    for (int k = 0; body && k < TOKEN_KINDS; k++) {
        enum token_kind kind = (enum token_kind)k;
        size_t n;
        if (!token_text_read(kind, text, body, &n)) continue;
        if (!known || by_prefix != kind) abort();
        char again[TOKEN_TEXT_MAX];
        if (!str_eq(text, (str){again, token_text_write(kind, (str){(char *)body, n}, again)})) abort();
    }
    free(body);
    return 0;
}
