#include "publish.h"

#include "registry_load.h"

#include <stdlib.h>

struct snapshot *snapshot_new(struct registry *registry, struct keyset *keys, struct documents *documents) {
    struct snapshot *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->registry = registry;
    s->keys = keys;
    s->documents = documents;
    s->origins = cors_origins_new(registry);
    atomic_init(&s->holders, 1);
    return s;
}

struct snapshot *snapshot_hold(struct snapshot *s) {
    atomic_fetch_add_explicit(&s->holders, 1, memory_order_relaxed);
    return s;
}

void snapshot_release(struct snapshot *s) {
    if (!s || atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1) return;
    cors_origins_free(s->origins);
    config_release(s->config);
    documents_free(s->documents);
    keys_free(s->keys);
    registry_free(s->registry);
    free(s);
}

struct lease *lease_new(struct snapshot *s) {
    struct lease *l = calloc(1, sizeof *l);
    if (!l) abort();
    l->snapshot = snapshot_hold(s);
    l->users = 1;
    return l;
}

void lease_drop(struct lease *l) {
    if (!l || --l->users) return;
    snapshot_release(l->snapshot);
    free(l);
}
