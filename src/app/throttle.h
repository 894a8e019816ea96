/* throttle: tries of passwords. A key (an account as it was typed, a browser that an account knows, an address) has a number of failures in a
 * quarter of an hour; each one from the third on makes the next try wait longer. A try is taken before the password is looked at and given
 * back when it was right, so that many tries at once count as well. Memory is fixed; the key that was quiet longest makes room. Used by all loops at
 * once. */
#ifndef GRANTD_THROTTLE_H
#define GRANTD_THROTTLE_H

#include "str.h"

#define THROTTLE_WINDOW_MS 900000

struct throttle;

/* Keyed by 16 random bytes, so that nobody can choose who shares a bucket. */
struct throttle *throttle_new(const uint8_t key[16]);
void throttle_free(struct throttle *t); /* NULL is allowed */

uint64_t throttle_key(const struct throttle *t, str label, str name);

/* Takes a try: 0, or the milliseconds until one can be taken. `limit` 0: no limit. `grows`: failures make the next try wait. */
int64_t throttle_take(struct throttle *t, uint64_t key, uint32_t limit, bool grows, int64_t now_ms);

/* Gives a try back that was no failure. */
void throttle_give_back(struct throttle *t, uint64_t key);

#endif
