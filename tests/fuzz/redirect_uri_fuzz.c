/* Any text as a redirect URI: what may be registered has only the characters that a Location may have, and what counts as a registered
 * one may be registered itself. norm: N07 A09 */
#include "redirect_uri.h"

#include <stdlib.h>

#include "bounds.h"

static const str registered[] = {
    S("https://app.example/cb"), S("https://app.example/cb?tenant=1"),
    S("http://127.0.0.1/cb"),    S("http://[::1]:8080/cb?x"),
    S("http://localhost"),       S("com.example.app:/cb"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_byte(str s, char byte) { return str_find(s, byte) < s.n; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    str uri = {(const char *)data, size};
    bool registrable = redirect_uri_is_registrable(uri);
    if (registrable) {
        for (size_t i = 0; i < uri.n; i++)
            if (uri.p[i] <= ' ' || uri.p[i] >= 0x7f) abort();
        if (has_byte(uri, '#') || has_byte(uri, '\\') || has_byte(uri, '*') || uri.n > REDIRECT_URI_MAX) abort();
        if (str_starts_with(uri, S("javascript:")) || str_starts_with(uri, S("data:"))) abort();
        if (!redirect_uri_matches(uri, uri)) abort();
    }
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++)
        if (redirect_uri_matches(registered[i], uri) && !registrable) abort();
    return 0;
}
