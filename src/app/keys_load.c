#include "keys_load.h"

#include "digest.h"
#include "random.h"

#include <stdlib.h>

static RC list_keys(struct storage_admin *admin, struct arena *arena, struct listed *out) {
    struct listing listing = {.kind = LISTING_KEYS};
    return storage_list(admin, &listing, arena, out);
}

static RC add_key(struct keyring *ring, const uint8_t master[MASTER_KEY_BYTES], const struct sealed_key *row) {
    uint8_t secret[RING_SECRET_BYTES];
    TRY(ring_secret_open(master, row->number, row->sealed, secret));
    struct rc rc = keyring_add(ring, row->number, row->created_ms, secret);
    secret_wipe(secret, sizeof secret);
    return rc;
}

static RC fill_ring(struct keyring *ring, const uint8_t master[MASTER_KEY_BYTES], const struct listed *keys) {
    const struct sealed_key *rows = keys->rows;
    for (size_t i = 0; i < keys->n; i++) TRY(add_key(ring, master, &rows[i]));
    return RC_OK;
}

/* Makes generation 1. When another node was first (LOST), its key is as good: the caller reads again. */
static RC insert_first(struct storage_admin *admin, const uint8_t master[MASTER_KEY_BYTES], int64_t now_ms,
                       struct arena *arena) {
    uint8_t secret[RING_SECRET_BYTES], nonce[24], sealed[RING_SEALED_BYTES];
    random_fill(secret, sizeof secret);
    random_fill(nonce, sizeof nonce);
    struct edit edit = {.kind = EDIT_KEY_INSERT, .now_ms = now_ms};
    edit.key = (struct sealed_key){1, now_ms, {(const char *)sealed, sizeof sealed}};
    ring_secret_seal(master, edit.key.number, nonce, secret, sealed);
    secret_wipe(secret, sizeof secret);
    enum outcome outcome;
    int32_t id;
    return storage_edit(admin, &edit, arena, &outcome, &id);
}

static RC load(struct storage_admin *admin, const uint8_t master[MASTER_KEY_BYTES], int64_t now_ms, struct arena *arena,
               struct keyring *ring) {
    struct listed keys;
    TRY(list_keys(admin, arena, &keys));
    if (keys.n == 0) {
        TRY(insert_first(admin, master, now_ms, arena));
        TRY(list_keys(admin, arena, &keys));
    }
    if (keys.n == 0) return rc_fail(FAULT_KEY, "the store did not keep the first key");
    return fill_ring(ring, master, &keys);
}

RC keys_load(struct storage_admin *admin, const uint8_t master[MASTER_KEY_BYTES], int64_t now_ms,
             struct keyring **out) {
    struct keyring *ring = calloc(1, sizeof *ring);
    if (!ring) abort();
    struct arena *arena = arena_new(4096);
    struct rc rc = load(admin, master, now_ms, arena, ring);
    arena_free(arena);
    if (!rc_ok(rc)) {
        keys_free(ring);
        return rc;
    }
    *out = ring;
    return RC_OK;
}

RC keys_exist(struct storage_admin *admin, bool *out) {
    struct arena *arena = arena_new(4096);
    struct listed keys = {0};
    struct rc rc = list_keys(admin, arena, &keys);
    if (rc_ok(rc)) *out = keys.n > 0;
    arena_free(arena);
    return rc;
}

void keys_free(struct keyring *ring) {
    if (!ring) return;
    keyring_wipe(ring);
    free(ring);
}
