/* For fuzz targets of the front: the bytes of an input come to a real connection of a real loop as they would from a socket, in pieces, and the
 * whole way of a request is taken up to a handler that answers with what it saw. */
#ifndef GRANTD_FRONT_KIT_H
#define GRANTD_FRONT_KIT_H

#include "web.h"

#define FRONT_OUT_MAX (1u << 20)

/* An input is [number of cuts][the cuts' sizes]...[bytes of the client]. */
struct front_input {
    size_t n_cuts;
    const uint8_t *cuts;
    str bytes;
};
struct front_input front_read_input(const uint8_t *data, size_t size);

struct front_listener {
    bool http2, proxy;
    bool later; /* requests are answered after all has been said, the last one first */
};

/* Says the bytes, cut where `cuts` say (none: whole), ends, and returns all that came back, with every Date the same. Aborts when anything stays behind:
 * a connection, an exchange, a byte of a buffer. */
str front_converse(const struct front_listener *how, str bytes, const uint8_t *cuts, size_t n_cuts);

void front_must(bool good);

#endif
