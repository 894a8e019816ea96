#include "follow.h"

#include "log.h"
#include "migrate.h"

#define POLL_PERIOD_MS 5000

/* The one number of a listing; *out stays when there is none. */
static RC read_number(struct instance *i, const struct listing *listing, int64_t *out) {
    struct arena *arena = arena_new(1024);
    struct listed rows = {.n = 0};
    struct rc rc = storage_list(i->admin, listing, arena, &rows);
    if (rc_ok(rc) && rows.n) *out = *(const int64_t *)rows.rows;
    arena_free(arena);
    return rc;
}

static RC check_registry(struct follow *f) {
    const struct listing listing = {.kind = LISTING_VERSION};
    int64_t version = f->instance->registry->version;
    TRY(read_number(f->instance, &listing, &version));
    return version == f->instance->registry->version ? RC_OK : instance_reload(f->instance);
}

static RC check_schema(struct follow *f) {
    int64_t known = migrate_newest(migrate_own_steps()), needs = 0;
    const struct listing listing = {.kind = LISTING_SCHEMA_NEEDS, .known = known};
    TRY(read_number(f->instance, &listing, &needs));
    if (needs <= known || f->told) return RC_OK;
    f->told = true;
    f->outdated(f->arg, rc_fail(FAULT_DB_SCHEMA,
                                "a newer release changed the schema of the store: it is for programs that know schema "
                                "%lld, this one knows %lld; start a newer grantd",
                                (long long)needs, (long long)known));
    return RC_OK;
}

/* Requests need no new registry to be answered rightly about grants, so trouble of the store is left to the next round. */
static void check(struct follow *f) {
    struct rc rc = check_schema(f);
    if (rc_ok(rc) && !f->told) rc = check_registry(f);
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

RC follow_start(struct follow *f) {
    int fd = db_session_fd(storage_admin_session(f->instance->admin));
    if (fd < 0) return RC_OK;
    storage_admin_on_change(f->instance->admin, on_change, f);
    TRY(web_loop_watch(f->loop, fd, on_readable, f));
    return web_loop_every(f->loop, POLL_PERIOD_MS, on_poll, f);
}
