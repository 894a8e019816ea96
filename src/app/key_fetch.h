/* key_fetch: the keys that apps publish (jwks_uri), kept as HTTP allows and read by threads of their own, so that no loop ever waits. What is
 * here is a copy, and lost with the process. */
#ifndef GRANTD_KEY_FETCH_H
#define GRANTD_KEY_FETCH_H

#include "jose.h"

#include <stdatomic.h>

/* A set that was read. Held by whoever looks at it. */
struct fetched_keys {
    struct jose_keys *keys;
    atomic_uint holders;
};
void fetched_keys_release(struct fetched_keys *keys); /* NULL is allowed */

struct key_fetch;

struct key_fetch *key_fetch_new(bool loopback);

/* Ends what is under way. Whoever still waits is told NULL. NULL is allowed. */
void key_fetch_close(struct key_fetch *f);

/* Somebody who waits; its owner keeps it until `done`, which is called once, in another thread, and must not call back. */
struct key_wait {
    void (*done)(struct key_wait *wait);
    void *arg;
    struct fetched_keys *found; /* held for the owner; NULL: the keys cannot be had now */
    struct key_wait *next;
};

/* Asks for the keys of an address. True: *wait has the answer already, `done` is not called. `anew`: a key was not among them; they are read once
 * more, unless that was tried just now. */
bool key_fetch_ask(struct key_fetch *f, str uri, bool anew, int64_t now_ms, struct key_wait *wait);

#endif
