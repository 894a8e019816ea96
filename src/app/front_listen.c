#include "front_listen.h"

size_t front_addresses(const struct options *o, struct arena *arena, const struct front_address **out) {
    const struct {
        const struct strs *list;
        struct front_address kind;
    } lists[] = {
        {&o->listen, {.option = "listen"}},
        {&o->h2c_listen, {.option = "h2c_listen", .http2 = true}},
        {&o->tls_listen, {.option = "tls_listen", .tls = true}},
        {&o->mtls_listen, {.option = "mtls_listen", .tls = true, .ask_certificate = true}},
    };
    size_t n = 0, max = 0;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) max += lists[l].list->n;
    struct front_address *found = ARENA_ARRAY(arena, struct front_address, max + 1);
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (size_t i = 0; i < lists[l].list->n; i++) {
            found[n] = lists[l].kind;
            found[n++].text = lists[l].list->items[i];
        }
    *out = found;
    return n;
}

bool front_is_local(str address) {
    return str_starts_with(address, S("unix:")) || str_starts_with(address, S("127.")) ||
           str_starts_with(address, S("[::1]:"));
}
