/* The PROXY protocol before HTTP, as it comes from the socket: a header is taken or the connection is closed without a word, however it is cut. */
#include "front_kit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct front_listener how = {.proxy = true};
    struct front_input input = front_read_input(data, size);
    str heard = front_converse(&how, input.bytes, NULL, 0);
    char *whole = malloc(heard.n + 1);
    front_must(whole != NULL);
    if (heard.n) memcpy(whole, heard.p, heard.n);
    size_t n = heard.n;
    str cut = front_converse(&how, input.bytes, input.cuts, input.n_cuts);
    bool expects = false;
    for (size_t i = 0; i + 6 < n; i++) expects = expects || memcmp(whole + i, "1 100 C", 7) == 0;
    for (size_t i = 0; i + 6 < cut.n; i++) expects = expects || memcmp(cut.p + i, "1 100 C", 7) == 0;
    front_must(expects || str_eq(cut, (str){whole, n}));
    free(whole);
    return 0;
}
