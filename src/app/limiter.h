/* limiter: failures per app and address in a minute. Two counters per pair (wrong client authentication; wrong codes, verifiers and
 * refresh tokens); a pair that has used up one of them is refused until its minute is over. Good requests are never counted.
 * Memory is fixed; the oldest pair of a bucket makes room. Used by all loops at once. */
#ifndef GRANTD_LIMITER_H
#define GRANTD_LIMITER_H

#include "arena.h"
#include "refusal.h"

#define LIMITER_WINDOW_MS 60000

struct limiter;

struct limiter_limits {
    uint32_t auth, grant; /* failures that are let through in a window; 0: no limit */
};

/* A limiter whose table is keyed by 16 random bytes, so that nobody can choose who shares a bucket. */
struct limiter *limiter_new(struct limiter_limits limits, const uint8_t key[16]);
/* Other limits, from any thread at any time. */
void limiter_set_limits(struct limiter *l, struct limiter_limits limits);
void limiter_free(struct limiter *l); /* NULL is allowed */

/* A pair: the client id as sent and the client's address. IPv6 addresses count by their /64. */
uint64_t limiter_pair(const struct limiter *l, str client_id, str address);

/* The part of an address that failures are counted by, in the arena. */
str limiter_address(str address, struct arena *arena);

struct limiter_verdict {
    bool blocked;
    uint32_t limit;         /* the limit that was used up */
    int64_t retry_after_ms; /* until the window ends */
};

/* Whether the pair is blocked. `counts` says which counters matter here (bits 1 << COUNTS_*). Costs one load while nobody has failed
 * for a minute. */
struct limiter_verdict limiter_check(struct limiter *l, uint64_t pair, unsigned counts, int64_t now_ms);

/* Counts one failure. */
void limiter_count(struct limiter *l, uint64_t pair, enum refusal_counts what, int64_t now_ms);

#endif
