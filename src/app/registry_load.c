#include "registry_load.h"

#include "jose.h"

#include <poll.h>

#define READS_MAX 40 /* an administrator may change something between two listings, or another node that begins */
#define PAUSE_MS  25 /* from the fourth on */

static RC list(struct storage_admin *admin, enum listing_kind kind, struct arena *arena, struct listed *out) {
    struct listing listing = {.kind = kind};
    return storage_list(admin, &listing, arena, out);
}

static RC read_version(struct storage_admin *admin, struct arena *arena, int64_t *out) {
    struct listed rows;
    TRY(list(admin, LISTING_VERSION, arena, &rows));
    *out = rows.n ? *(const int64_t *)rows.rows : 0;
    return RC_OK;
}

static struct app *find_app(struct registry *r, int32_t app_id) {
    size_t low = 0, high = r->n_apps;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->apps[middle].app_id < app_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->n_apps && r->apps[low].app_id == app_id ? &r->apps[low] : NULL;
}

/* Puts the live secrets into their apps. */
static void place_secrets(struct registry *r, const struct listed *secrets) {
    const struct listed_secret *rows = secrets->rows;
    for (size_t i = 0; i < secrets->n; i++) {
        struct app *app = find_app(r, rows[i].app_id);
        if (!app || rows[i].secret.retired_ms || app->n_secrets == SECRETS_PER_APP_MAX) continue;
        app->secrets[app->n_secrets++] = rows[i].secret;
    }
}

static RC read_secrets(struct storage_admin *admin, struct registry *r) {
    struct listed secrets;
    struct arena *arena = arena_new(4096); /* the apps have copies */
    struct rc rc = list(admin, LISTING_SECRETS, arena, &secrets);
    if (rc_ok(rc)) place_secrets(r, &secrets);
    arena_free(arena);
    return rc;
}

static RC read_all(struct storage_admin *admin, struct registry *r) {
    struct listed apps, scopes, resources;
    TRY(read_version(admin, r->arena, &r->version));
    TRY(list(admin, LISTING_APPS, r->arena, &apps));
    TRY(list(admin, LISTING_SCOPES, r->arena, &scopes));
    TRY(list(admin, LISTING_RESOURCES, r->arena, &resources));
    r->apps = apps.rows;
    r->n_apps = apps.n;
    r->scopes = scopes.rows;
    r->n_scopes = scopes.n;
    r->resources = resources.rows;
    r->n_resources = resources.n;
    return read_secrets(admin, r);
}

/* Keys were checked when they were registered; those that cannot be read any more prove nothing. */
static void prepare_keys(struct registry *r) {
    for (size_t i = 0; i < r->n_apps; i++) {
        struct jose_keys *keys = NULL;
        if (r->apps[i].jwks.n && rc_ok(jose_keys_read(r->apps[i].jwks, &keys))) r->apps[i].keys = keys;
    }
}

/* The registry lies in its own arena. */
static struct registry *keep(const struct registry *r) {
    struct registry *kept = ARENA_NEW(r->arena, struct registry);
    *kept = *r;
    registry_index(kept);
    prepare_keys(kept);
    return kept;
}

void registry_free(struct registry *registry) {
    if (!registry) return;
    for (size_t i = 0; i < registry->n_apps; i++) jose_keys_free(registry->apps[i].keys);
    arena_free(registry->arena);
}

RC registry_load(struct storage_admin *admin, struct registry **out) {
    for (int i = 0; i < READS_MAX; i++) {
        struct registry r = {.arena = arena_new(16384)};
        int64_t version = 0;
        struct rc rc = read_all(admin, &r);
        if (rc_ok(rc)) rc = read_version(admin, r.arena, &version);
        if (rc_ok(rc) && version == r.version) {
            *out = keep(&r);
            return RC_OK;
        }
        arena_free(r.arena);
        if (!rc_ok(rc)) return rc;
        if (i >= 3) poll(NULL, 0, PAUSE_MS);
    }
    return rc_fail(FAULT_DB_BUSY, "apps and scopes kept changing while they were read");
}
