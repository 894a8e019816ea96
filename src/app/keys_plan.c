#include "keys_plan.h"

const char *key_state_name(enum key_state state) {
    static const char *const names[] = {"next", "used", "retired", "gone"};
    return names[state];
}

int64_t key_retired_ms(const int64_t *used_ms, size_t n, size_t i) { return i + 1 < n ? used_ms[i + 1] : KEY_NEVER; }

int64_t key_gone_ms(const struct key_rule *rule, const int64_t *used_ms, size_t n, size_t i) {
    int64_t retired_ms = key_retired_ms(used_ms, n, i);
    return retired_ms == KEY_NEVER || !rule->keep_ms ? KEY_NEVER : retired_ms + rule->keep_ms;
}

enum key_state key_state_at(const struct key_rule *rule, const int64_t *used_ms, size_t n, size_t i, int64_t now_ms) {
    if (i > 0 && now_ms < used_ms[i]) return KEY_NEXT;
    if (now_ms < key_retired_ms(used_ms, n, i)) return KEY_USED;
    return now_ms < key_gone_ms(rule, used_ms, n, i) ? KEY_RETIRED : KEY_GONE;
}

/* The newest key, used or waiting, decides: at most one waits. A server that was off for long gives its new key the same time ahead. */
bool key_is_due(const struct key_rule *rule, const int64_t *used_ms, size_t n, int64_t now_ms, int64_t *out_used_ms) {
    if (n == 0) {
        *out_used_ms = now_ms;
        return true;
    }
    int64_t newest_ms = used_ms[n - 1];
    if (!rule->ttl_ms || now_ms < newest_ms + rule->ttl_ms - rule->ahead_ms) return false;
    int64_t planned_ms = newest_ms + rule->ttl_ms, earliest_ms = now_ms + rule->ahead_ms;
    *out_used_ms = planned_ms > earliest_ms ? planned_ms : earliest_ms;
    return true;
}

int64_t key_next_change_ms(const struct key_rule *rule, const int64_t *used_ms, size_t n, int64_t now_ms) {
    int64_t next_ms = KEY_NEVER;
    for (size_t i = 0; i < n; i++) {
        int64_t gone_ms = key_gone_ms(rule, used_ms, n, i);
        if (used_ms[i] > now_ms && used_ms[i] < next_ms) next_ms = used_ms[i];
        if (gone_ms > now_ms && gone_ms < next_ms) next_ms = gone_ms;
    }
    int64_t due_ms = n && rule->ttl_ms ? used_ms[n - 1] + rule->ttl_ms - rule->ahead_ms : KEY_NEVER;
    return due_ms > now_ms && due_ms < next_ms ? due_ms : next_ms;
}
