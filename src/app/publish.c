#include "publish.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The registry stands first, so that a pointer to it is a pointer to its count. It lives in its own arena. */
struct counted {
    struct registry registry;
    atomic_uint holders;
};

struct registry *registry_counted(const struct registry *r) {
    struct counted *c = ARENA_NEW(r->arena, struct counted);
    c->registry = *r;
    atomic_init(&c->holders, 1);
    registry_index(&c->registry);
    return &c->registry;
}

struct registry *registry_hold(struct registry *r) {
    atomic_fetch_add_explicit(&((struct counted *)(void *)r)->holders, 1, memory_order_relaxed);
    return r;
}

void registry_release(struct registry *r) {
    if (!r) return;
    struct counted *c = (struct counted *)(void *)r;
    if (atomic_fetch_sub_explicit(&c->holders, 1, memory_order_acq_rel) == 1) arena_free(r->arena);
}

struct lease *lease_new(struct registry *r) {
    struct lease *l = calloc(1, sizeof *l);
    if (!l) abort();
    l->registry = registry_hold(r);
    l->users = 1;
    return l;
}

void lease_drop(struct lease *l) {
    if (!l || --l->users) return;
    registry_release(l->registry);
    free(l);
}
