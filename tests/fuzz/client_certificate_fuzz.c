/* A certificate header in each style, and what it holds as a certificate: bounded, and inside what was given. The first byte chooses the style; behind 3
 * the bytes are DER. */
#include "certificate.h"
#include "certificate_header.h"
#include "random.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good) {
    if (!good) abort();
}

static void check_certificate(str der, struct arena *arena) {
    struct certificate certificate;
    if (!certificate_read(der, arena, &certificate)) return;
    must(der.n <= CERTIFICATE_MAX && certificate.n_names <= CERTIFICATE_NAMES_MAX);
    for (size_t i = 0; i < certificate.n_names; i++) {
        str name = certificate.names[i].text;
        must(name.n > 0 && str_find(name, 0) == name.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct http_head head;
    static const str names[] = {S("client-cert"), S("x-ssl-client-cert"), S("x-forwarded-client-cert")};
    if (size == 0 || size > 16384 || !crypto_start()) return 0;
    struct arena *arena = arena_new(4096);
    str value = arena_copy(arena, (str){(const char *)data + 1, size - 1});
    unsigned kind = data[0] & 3u;
    if (kind == 3) {
        check_certificate(value, arena);
    } else {
        struct shown_certificate shown;
        head.n_headers = 1;
        head.headers[0] = (struct http_header){names[kind], value};
        if (certificate_header_read(&head, (enum certificate_style)(kind + 1), arena, &shown)) {
            must(shown.der.n > 0 && shown.der.n <= value.n);
            check_certificate(shown.der, arena);
        }
    }
    arena_free(arena);
    return 0;
}
