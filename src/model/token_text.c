#include "token_text.h"

#include <assert.h>

#include "b64.h"
#include "crc62.h"

static const char prefixes[TOKEN_KINDS][TOKEN_PREFIX_BYTES] = {
    [TOKEN_ACCESS] = {'g', 'd', 'a', '_'},
    [TOKEN_REFRESH] = {'g', 'd', 'r', '_'},
    [TOKEN_CODE] = {'g', 'd', 'c', '_'},
    [TOKEN_SECRET] = {'g', 'd', 's', '_'},
};

str token_prefix(enum token_kind kind) { return (str){prefixes[kind], TOKEN_PREFIX_BYTES}; }

size_t token_text_write(enum token_kind kind, str body, char out[TOKEN_TEXT_MAX]) {
    assert(body.n <= TOKEN_BODY_MAX);
    size_t checked = TOKEN_PREFIX_BYTES + b64url_length(body.n);
    memcpy(out, prefixes[kind], TOKEN_PREFIX_BYTES);
    b64url_encode((const uint8_t *)body.p, body.n, out + TOKEN_PREFIX_BYTES);
    crc62_write(crc32_ieee((str){out, checked}), out + checked);
    return checked + TOKEN_CHECK_BYTES;
}

bool token_text_kind(str text, enum token_kind *out) {
    for (size_t i = 0; i < TOKEN_KINDS; i++) {
        if (!str_starts_with(text, token_prefix((enum token_kind)i))) continue;
        *out = (enum token_kind)i;
        return true;
    }
    return false;
}

bool token_text_read(enum token_kind kind, str text, uint8_t out_body[TOKEN_BODY_MAX], size_t *out_n) {
    if (text.n < TOKEN_PREFIX_BYTES + TOKEN_CHECK_BYTES || text.n > TOKEN_TEXT_MAX) return false;
    if (!str_starts_with(text, token_prefix(kind))) return false;
    str checked = str_head(text, text.n - TOKEN_CHECK_BYTES);
    char check[TOKEN_CHECK_BYTES];
    crc62_write(crc32_ieee(checked), check);
    if (!str_eq(str_from(text, checked.n), (str){check, sizeof check})) return false;
    return b64url_decode(str_from(checked, TOKEN_PREFIX_BYTES), out_body, out_n);
}
