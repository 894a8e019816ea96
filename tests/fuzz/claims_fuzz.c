/* Any text is read as the `claims` parameter of OpenID Connect. What comes out is text that stood in it, in bounded number. norm: N07 */
#include "jose_claims.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(4096);
    struct jose_claim *claims = NULL;
    size_t n = 0;
    bool good = jose_claims_read((str){(const char *)data, size}, arena, &claims, &n);
    if (good && (size > JOSE_CLAIMS_MAX || n > size / 3)) abort();
    for (size_t i = 0; good && i < n; i++) {
        if (claims[i].name.n > size || claims[i].value.n > size) abort();
        if (!str_is_utf8(claims[i].name)) abort();
    }
    arena_free(arena);
    return 0;
}
