#include "keys_load.h"

#include "b64.h"
#include "bounds.h"
#include "digest.h"
#include "random.h"
#include "sealed.h"

#include <stdlib.h>

#define KID_BYTES      4 /* 6 characters: short, as it stands in every token; the primary key refuses a second one */
#define KID_CHARS      6
#define KEY_ROWS_MAX   256
#define PRIVATE_MAX    8192           /* a private JWK */
#define CLOCK_SLACK_MS INT64_C(60000) /* how far the clocks of verifiers may be behind ours */

static const struct {
    const char *name;
    enum jose_alg alg;
} kinds[KEY_KINDS] = {{"ring", JOSE_ALGS}, {"es256", JOSE_ES256}, {"rs256", JOSE_RS256}};

const char *key_kind_name(enum key_kind kind) { return kinds[kind].name; }

bool key_kind_named(str name, enum key_kind *out) {
    for (unsigned i = 0; i < KEY_KINDS; i++) {
        if (!str_eq(name, str_of(kinds[i].name))) continue;
        *out = (enum key_kind)i;
        return true;
    }
    return false;
}

struct key_rules keys_rules(const struct options *o, bool openid) {
    int64_t ahead_ms = o->signing_key_ahead_s * 1000;
    struct key_rule signing = {o->signing_key_ttl_s * 1000, ahead_ms,
                               ACCESS_TTL_MAX_S * INT64_C(1000) + CLOCK_SLACK_MS};
    struct key_rules rules = {
        .of = {[KEY_RING] = {o->ring_key_ttl_s * 1000, ahead_ms, 0}, [KEY_ES256] = signing, [KEY_RS256] = signing},
        .wanted = {[KEY_RING] = true, [KEY_ES256] = true, [KEY_RS256] = openid},
    };
    return rules;
}

/* ---- rows ---- */

/* One kind's rows, ascending by use. */
struct key_rows {
    size_t n;
    int64_t used_ms[KEY_ROWS_MAX];
    const struct sealed_key *ring[KEY_ROWS_MAX];
    const struct sealed_signing_key *signing[KEY_ROWS_MAX];
};

struct all_rows {
    struct key_rows of[KEY_KINDS];
};

static RC list(struct storage_admin *admin, enum listing_kind kind, struct arena *arena, struct listed *out) {
    struct listing listing = {.kind = kind};
    return storage_list(admin, &listing, arena, out);
}

static int64_t ring_used_ms(const struct sealed_key *key) { return key->used_ms ? key->used_ms : key->created_ms; }

/* Every node must choose the same one: the newest, and of two of one millisecond the higher number. */
static void add_ring(struct key_rows *rows, const struct sealed_key *key) {
    size_t at = rows->n++;
    for (; at && rows->used_ms[at - 1] > ring_used_ms(key); at--) {
        rows->used_ms[at] = rows->used_ms[at - 1];
        rows->ring[at] = rows->ring[at - 1];
    }
    rows->used_ms[at] = ring_used_ms(key);
    rows->ring[at] = key;
}

static void add_signing(struct all_rows *all, const struct sealed_signing_key *key) {
    for (unsigned kind = KEY_ES256; kind < KEY_KINDS; kind++) {
        struct key_rows *rows = &all->of[kind];
        if ((int32_t)kinds[kind].alg != key->alg || rows->n == KEY_ROWS_MAX) continue;
        rows->used_ms[rows->n] = key->used_ms;
        rows->signing[rows->n++] = key;
    }
}

static RC read_rows(struct storage_admin *admin, struct arena *arena, struct all_rows **out) {
    struct listed ring, signing;
    struct all_rows *all = ARENA_NEW(arena, struct all_rows);
    TRY(list(admin, LISTING_KEYS, arena, &ring));
    TRY(list(admin, LISTING_SIGNING_KEYS, arena, &signing));
    const struct sealed_key *keys = ring.rows;
    const struct sealed_signing_key *signing_keys = signing.rows;
    for (size_t i = 0; i < ring.n && i < KEY_ROWS_MAX; i++) add_ring(&all->of[KEY_RING], &keys[i]);
    for (size_t i = 0; i < signing.n; i++) add_signing(all, &signing_keys[i]);
    *out = all;
    return RC_OK;
}

/* The label under which a private key is sealed: its kind and its id, so that no row can stand in for another. */
static str label_of(enum key_kind kind, str kid, struct arena *arena) {
    return arena_printf(arena, "grantd signing key %s %.*s", kinds[kind].name, STR_ARG(kid));
}

/* ---- loading ---- */

struct loader {
    const struct key_store *store;
    struct keyset *keys;
    struct arena *arena;
    int64_t now_ms;
};

static enum key_state state_of(const struct loader *l, enum key_kind kind, const struct key_rows *rows, size_t i) {
    return key_state_at(&l->store->rules.of[kind], rows->used_ms, rows->n, i, l->now_ms);
}

static RC load_ring(struct loader *l, const struct key_rows *rows) {
    struct keyring *ring = &l->keys->ring;
    for (size_t i = 0; i < rows->n; i++) {
        uint8_t secret[RING_SECRET_BYTES];
        TRY(ring_secret_open(l->store->master, rows->ring[i]->number, rows->ring[i]->sealed, secret));
        struct rc rc = keyring_add(ring, rows->ring[i]->number, rows->ring[i]->created_ms, secret);
        secret_wipe(secret, sizeof secret);
        TRY(rc);
    }
    for (size_t i = 0; i < rows->n; i++)
        if (state_of(l, KEY_RING, rows, i) == KEY_USED) keyring_use(ring, rows->ring[i]->number);
    return ring->n ? RC_OK : rc_fail(FAULT_KEY, "the store has no key");
}

static RC open_signing(struct loader *l, enum key_kind kind, const struct sealed_signing_key *row,
                       struct jose_key **out) {
    uint8_t *text = arena_alloc_secret(l->arena, row->sealed.n);
    TRY(sealed_open(l->store->master, label_of(kind, row->kid, l->arena), row->sealed, text));
    return jose_key_open(kinds[kind].alg, (str){(const char *)text, row->sealed.n - SEALED_OVERHEAD}, out);
}

static RC load_signing(struct loader *l, enum key_kind kind, const struct key_rows *rows) {
    struct jose_signers *signers = &l->keys->signers;
    struct jose_keys *set = &signers->keys;
    for (size_t i = 0; i < rows->n; i++) {
        enum key_state state = state_of(l, kind, rows, i);
        if (state == KEY_GONE) continue;
        if (set->n == JOSE_KEYS_MAX) return rc_fail(FAULT_KEY, "more than %d signing keys are live", JOSE_KEYS_MAX);
        TRY(open_signing(l, kind, rows->signing[i], &set->keys[set->n]));
        if (state == KEY_USED) signers->current[kinds[kind].alg] = set->keys[set->n];
        if (state == KEY_USED) l->keys->signing_since_ms[kind] = rows->used_ms[i];
        set->n++;
    }
    return RC_OK;
}

static RC load_all(struct loader *l) {
    struct all_rows *all = NULL;
    TRY(read_rows(l->store->admin, l->arena, &all));
    l->keys->next_change_ms = KEY_NEVER;
    for (unsigned i = 0; i < KEY_KINDS; i++) {
        enum key_kind kind = (enum key_kind)i;
        const struct key_rows *rows = &all->of[kind];
        TRY((kind == KEY_RING ? load_ring(l, rows) : load_signing(l, kind, rows)));
        int64_t next_ms = key_next_change_ms(&l->store->rules.of[kind], rows->used_ms, rows->n, l->now_ms);
        if (next_ms < l->keys->next_change_ms) l->keys->next_change_ms = next_ms;
    }
    return RC_OK;
}

RC keys_load(const struct key_store *store, int64_t now_ms, struct keyset **out) {
    struct keyset *keys = calloc(1, sizeof *keys);
    if (!keys) abort();
    struct loader l = {store, keys, arena_new(16384), now_ms};
    struct rc rc = load_all(&l);
    arena_free(l.arena);
    if (rc_ok(rc))
        *out = keys;
    else
        keys_free(keys);
    return rc;
}

void keys_free(struct keyset *keys) {
    if (!keys) return;
    for (size_t i = 0; i < keys->signers.keys.n; i++) jose_key_free(keys->signers.keys.keys[i]);
    keyring_wipe(&keys->ring);
    free(keys);
}

RC keys_exist(struct storage_admin *admin, bool *out) {
    struct arena *arena = arena_new(4096);
    struct listed keys = {0};
    struct rc rc = list(admin, LISTING_KEYS, arena, &keys);
    if (rc_ok(rc)) *out = keys.n > 0;
    arena_free(arena);
    return rc;
}

/* ---- making ---- */

struct maker {
    const struct key_store *store;
    struct arena *arena;
    int64_t now_ms;
};

static RC insert(struct maker *m, struct edit *edit, bool *out_made) {
    enum outcome outcome = OUTCOME_LOST;
    int32_t id;
    TRY(storage_edit(m->store->admin, edit, m->arena, &outcome, &id));
    *out_made = outcome == OUTCOME_DONE;
    return RC_OK;
}

/* The next generation. When another node was faster (LOST), its key is as good. */
static RC make_ring(struct maker *m, const struct key_rows *rows, int64_t used_ms, bool *out_made) {
    int number = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->ring[i]->number > number) number = rows->ring[i]->number;
    if (rows->n >= RING_MAX || number >= UINT8_MAX) return rc_fail(FAULT_KEY, "the key ring is full");
    uint8_t secret[RING_SECRET_BYTES], nonce[24], sealed[RING_SEALED_BYTES];
    random_fill(secret, sizeof secret);
    random_fill(nonce, sizeof nonce);
    struct edit edit = {.kind = EDIT_KEY_INSERT, .now_ms = m->now_ms};
    edit.key = (struct sealed_key){
        .number = (uint8_t)(number + 1),
        .created_ms = m->now_ms,
        .sealed = {(const char *)sealed, sizeof sealed},
        .used_ms = used_ms,
    };
    ring_secret_seal(m->store->master, edit.key.number, nonce, secret, sealed);
    secret_wipe(secret, sizeof secret);
    return insert(m, &edit, out_made);
}

static RC make_signing(struct maker *m, enum key_kind kind, const struct key_rows *rows, int64_t used_ms,
                       bool *out_made) {
    uint8_t random[KID_BYTES], nonce[SEALED_NONCE_BYTES];
    char kid[KID_CHARS];
    random_fill(random, sizeof random);
    random_fill(nonce, sizeof nonce);
    random[0] &= 0x7F; /* it begins with a letter: after a hyphen, a command line would take it for a flag */
    b64url_encode(random, sizeof random, kid);
    struct edit edit = {.kind = EDIT_SIGNING_KEY_INSERT, .now_ms = m->now_ms};
    edit.seen_ms = rows->n ? rows->used_ms[rows->n - 1] : -1;
    struct buf jwk = buf_on(arena_alloc_secret(m->arena, PRIVATE_MAX), PRIVATE_MAX);
    TRY(jose_key_make(kinds[kind].alg, (str){kid, sizeof kid}, &jwk));
    uint8_t *sealed = arena_alloc(m->arena, jwk.n + SEALED_OVERHEAD);
    sealed_make(m->store->master, label_of(kind, (str){kid, sizeof kid}, m->arena), nonce, buf_str(&jwk), sealed);
    edit.signing_key = (struct sealed_signing_key){
        .kid = {kid, sizeof kid},
        .alg = (int32_t)kinds[kind].alg,
        .created_ms = m->now_ms,
        .used_ms = used_ms,
        .sealed = {(const char *)sealed, jwk.n + SEALED_OVERHEAD},
    };
    return insert(m, &edit, out_made);
}

static RC make(struct maker *m, enum key_kind kind, const struct key_rows *rows, int64_t used_ms, bool *out_made) {
    return kind == KEY_RING ? make_ring(m, rows, used_ms, out_made) : make_signing(m, kind, rows, used_ms, out_made);
}

static RC delete_gone(struct maker *m, enum key_kind kind, const struct key_rows *rows, bool *changed) {
    if (kind == KEY_RING) return RC_OK;
    for (size_t i = 0; i < rows->n; i++) {
        if (key_state_at(&m->store->rules.of[kind], rows->used_ms, rows->n, i, m->now_ms) != KEY_GONE) continue;
        struct edit edit = {.kind = EDIT_SIGNING_KEY_DELETE, .now_ms = m->now_ms};
        edit.signing_key.kid = rows->signing[i]->kid;
        bool deleted;
        TRY(insert(m, &edit, &deleted));
        *changed = true;
    }
    return RC_OK;
}

/* A full ring goes on with its last generation: refusing to start would help nobody. */
static bool has_room(enum key_kind kind, const struct key_rows *rows) { return kind != KEY_RING || rows->n < RING_MAX; }

static RC rotate_kind(struct maker *m, enum key_kind kind, const struct key_rows *rows, bool *changed) {
    const struct key_rule *rule = &m->store->rules.of[kind];
    int64_t used_ms;
    bool made;
    TRY(delete_gone(m, kind, rows, changed));
    if (!m->store->rules.wanted[kind] && rows->n == 0) return RC_OK;
    if (!has_room(kind, rows) || !key_is_due(rule, rows->used_ms, rows->n, m->now_ms, &used_ms)) return RC_OK;
    TRY(make(m, kind, rows, used_ms, &made));
    *changed = true; /* ours, or another node's */
    return RC_OK;
}

RC keys_rotate_due(const struct key_store *store, int64_t now_ms, bool *out_changed) {
    struct maker m = {store, arena_new(16384), now_ms};
    struct all_rows *all = NULL;
    *out_changed = false;
    struct rc rc = read_rows(store->admin, m.arena, &all);
    for (unsigned kind = 0; rc_ok(rc) && kind < KEY_KINDS; kind++)
        rc = rotate_kind(&m, (enum key_kind)kind, &all->of[kind], out_changed);
    arena_free(m.arena);
    return rc;
}

RC keys_rotate(const struct key_store *store, enum key_kind kind, int64_t now_ms, int64_t used_ms, bool *out_made) {
    struct maker m = {store, arena_new(16384), now_ms};
    struct all_rows *all = NULL;
    *out_made = false;
    struct rc rc = read_rows(store->admin, m.arena, &all);
    if (rc_ok(rc)) {
        const struct key_rows *rows = &all->of[kind];
        bool waits = used_ms > now_ms && rows->n && rows->used_ms[rows->n - 1] > now_ms;
        if (!waits) rc = make(&m, kind, rows, used_ms, out_made);
    }
    arena_free(m.arena);
    return rc;
}

/* ---- looking ---- */

RC keys_list(const struct key_store *store, int64_t now_ms, struct arena *arena, struct key_view **out, size_t *out_n) {
    struct all_rows *all = NULL;
    size_t n = 0;
    TRY(read_rows(store->admin, arena, &all));
    for (unsigned kind = 0; kind < KEY_KINDS; kind++) n += all->of[kind].n;
    struct key_view *view = ARENA_ARRAY(arena, struct key_view, n);
    *out = view;
    *out_n = n;
    for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
        const struct key_rule *rule = &store->rules.of[kind];
        const struct key_rows *rows = &all->of[kind];
        for (size_t i = 0; i < rows->n; i++) {
            *view++ = (struct key_view){
                .kind = (enum key_kind)kind,
                .name = kind == KEY_RING ? arena_printf(arena, "%d", rows->ring[i]->number) : rows->signing[i]->kid,
                .state = key_state_at(rule, rows->used_ms, rows->n, i, now_ms),
                .created_ms = kind == KEY_RING ? rows->ring[i]->created_ms : rows->signing[i]->created_ms,
                .used_ms = rows->used_ms[i],
                .retired_ms = key_retired_ms(rows->used_ms, rows->n, i),
                .gone_ms = key_gone_ms(rule, rows->used_ms, rows->n, i),
            };
        }
    }
    return RC_OK;
}

RC keys_find(const struct key_store *store, str name, int64_t now_ms, struct arena *arena,
             const struct key_view **out) {
    struct key_view *keys = NULL;
    size_t n = 0;
    *out = NULL;
    TRY(keys_list(store, now_ms, arena, &keys, &n));
    for (size_t i = 0; i < n; i++)
        if (str_eq(keys[i].name, name)) *out = &keys[i];
    return RC_OK;
}

RC keys_remove(const struct key_store *store, const struct key_view *key, int64_t now_ms, bool *out_removed) {
    struct maker m = {store, arena_new(1024), now_ms};
    struct edit edit = {.kind = key->kind == KEY_RING ? EDIT_KEY_DELETE : EDIT_SIGNING_KEY_DELETE, .now_ms = now_ms};
    uint64_t number = 0;
    if (key->kind == KEY_RING) (void)str_to_u64(key->name, UINT8_MAX, &number);
    edit.key.number = (uint8_t)number;
    edit.signing_key.kid = key->name;
    struct rc rc = insert(&m, &edit, out_removed);
    arena_free(m.arena);
    return rc;
}
