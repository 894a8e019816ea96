/* HTTP/1.1 as it comes from the socket: the same bytes get the same answers however they were cut and whenever they are answered. */
#include "front_kit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a 100 is worth saying depends on whether the body is there already (RFC 9110 s10.1.1): it does not count. */
static str without_continue(str text) {
    str hundred = S("HTTP/1.1 100 Continue\r\n\r\n");
    char *out = malloc(text.n + 1);
    size_t n = 0;
    front_must(out != NULL);
    while (text.n) {
        bool skip = str_starts_with(text, hundred);
        if (!skip) out[n++] = text.p[0];
        text = str_from(text, skip ? hundred.n : 1);
    }
    return (str){out, n};
}

static str converse(const struct front_listener *how, const struct front_input *input, bool cut) {
    return without_continue(front_converse(how, input->bytes, input->cuts, cut ? input->n_cuts : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct front_listener at_once = {0}, later = {.later = true};
    struct front_input input = front_read_input(data, size);
    str whole = converse(&at_once, &input, false), cut = converse(&at_once, &input, true),
        late = converse(&later, &input, true);
    front_must(str_eq(whole, cut) && str_eq(whole, late));
    front_must(whole.n == 0 || str_starts_with(whole, S("HTTP/1.1 ")));
    union {
        const char *p;
        void *memory;
    } all[] = {{whole.p}, {cut.p}, {late.p}};
    for (size_t i = 0; i < 3; i++) free(all[i].memory);
    return 0;
}
