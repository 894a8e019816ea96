/* keys_plan: the life of a key, by times alone. Pure. A key is published some time before it is used, so that whoever keeps a copy of the key set has
 * seen it; the next one takes its place; and it stays published until the last token that it signed is over. Nothing but its times is
 * stored: what a key is now follows from them and from its successor's. */
#ifndef GRANTD_KEYS_PLAN_H
#define GRANTD_KEYS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_state { KEY_NEXT, KEY_USED, KEY_RETIRED, KEY_GONE };

/* "next", "used", "retired", "gone" */
const char *key_state_name(enum key_state state);

/* The rules of one kind of key. */
struct key_rule {
    int64_t ttl_ms;   /* use; 0: rotated by hand only */
    int64_t ahead_ms; /* published before its use */
    int64_t keep_ms;  /* published after its use; 0: forever */
};

#define KEY_NEVER INT64_MAX

/* The state at now_ms of key i of n, whose used_ms ascend. The oldest is used even before its time: something must be. */
enum key_state key_state_at(const struct key_rule *rule, const int64_t *used_ms, size_t n, size_t i, int64_t now_ms);

/* When a key was, or will be, replaced, and when it goes; KEY_NEVER: not known yet. */
int64_t key_retired_ms(const int64_t *used_ms, size_t n, size_t i);
int64_t key_gone_ms(const struct key_rule *rule, const int64_t *used_ms, size_t n, size_t i);

/* Whether a new key is due, and from when on it shall be used. */
bool key_is_due(const struct key_rule *rule, const int64_t *used_ms, size_t n, int64_t now_ms, int64_t *out_used_ms);

/* When the state of any of the keys changes next, or a new one is due, after now_ms; KEY_NEVER: never by itself. */
int64_t key_next_change_ms(const struct key_rule *rule, const int64_t *used_ms, size_t n, int64_t now_ms);

#endif
