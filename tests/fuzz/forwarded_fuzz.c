/* A Forwarded value: what is read lies inside the bytes, is bounded, and a value that is read is read the same with more in front of it. */
#include "forwarded.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good) {
    if (!good) abort();
}

static bool is_within(str slice, str whole) {
    return slice.n == 0 || (slice.p >= whole.p && slice.p + slice.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char front[] = "for=192.0.2.1;proto=http, ";
    struct forwarded_element elements[FORWARDED_MAX], again[FORWARDED_MAX];
    size_t n = 0, n_again = 0, front_n = sizeof front - 1;
    if (size > 16384) return 0;
    char *text = malloc(front_n + size + 1);
    must(text != NULL);
    memcpy(text, front, front_n);
    if (size) memcpy(text + front_n, data, size);
    str value = {text + front_n, size};
    bool good = forwarded_parse(value, elements, &n);
    must(n <= FORWARDED_MAX && good == (n > 0));
    for (size_t i = 0; i < n; i++) must(is_within(elements[i].client, value) && is_within(elements[i].proto, value));
    must(forwarded_parse((str){text, front_n + size}, again, &n_again) == good);
    for (size_t i = 0; good && i < n && i < FORWARDED_MAX - 1; i++)
        must(str_eq(elements[n - 1 - i].client, again[n_again - 1 - i].client));
    free(text);
    return 0;
}
