/* front_listen: the addresses that the options name, and what is spoken on each. */
#ifndef GRANTD_FRONT_LISTEN_H
#define GRANTD_FRONT_LISTEN_H

#include "options.h"

struct front_address {
    str text;           /* ADDR:PORT, [ADDR]:PORT or unix:PATH */
    const char *option; /* the one that named it */
    bool tls;
    bool ask_certificate; /* of TLS clients */
    bool http2;           /* by prior knowledge */
};

/* Those of listen first, in their order. They live in the arena; returns how many. */
size_t front_addresses(const struct options *o, struct arena *arena, const struct front_address **out);

/* Whether only this machine can reach the address: loopback or a Unix socket. */
bool front_is_local(str address);

#endif
