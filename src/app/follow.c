#include "follow.h"

#include "log.h"

#define POLL_PERIOD_MS 5000

static RC read_version(struct instance *i, int64_t *out) {
    struct arena *arena = arena_new(1024);
    struct listing listing = {.kind = LISTING_VERSION};
    struct listed rows = {.n = 0};
    struct rc rc = storage_list(i->admin, &listing, arena, &rows);
    if (rc_ok(rc) && rows.n) *out = *(const int64_t *)rows.rows;
    arena_free(arena);
    return rc;
}

/* Requests need no new registry to be answered rightly about grants, so trouble of the store is left to the next round. */
static void check(struct follow *f) {
    int64_t version = f->instance->registry->version;
    struct rc rc = read_version(f->instance, &version);
    if (rc_ok(rc) && version != f->instance->registry->version) rc = instance_reload(f->instance);
    if (!rc_ok(rc)) LOG(EVENT_FOLLOW_FAILED, NULL, rc_name(rc), rc_detail());
}

static void on_poll(void *arg) { check(arg); }

static void on_post(void *arg) {
    struct follow *f = arg;
    f->posted = false;
    check(f);
}

/* It may come while administration is in the middle of something: later, then. */
static void on_change(void *arg) {
    struct follow *f = arg;
    if (f->posted) return;
    f->posted = true;
    web_loop_post(f->loop, on_post, f);
}

static void on_readable(void *arg) {
    const struct follow *f = arg;
    db_drain(storage_admin_session(f->instance->admin));
}

RC follow_start(struct follow *f, struct instance *instance, struct web_loop *loop) {
    struct db_session *session = storage_admin_session(instance->admin);
    int fd = db_session_fd(session);
    if (fd < 0) return RC_OK;
    *f = (struct follow){.instance = instance, .loop = loop};
    storage_admin_on_change(instance->admin, on_change, f);
    TRY(web_loop_watch(loop, fd, on_readable, f));
    return web_loop_every(loop, POLL_PERIOD_MS, on_poll, f);
}
