/* keys: the key ring and the keys that sign, as they lie sealed in the store, and their rotation. */
#ifndef GRANTD_KEYS_LOAD_H
#define GRANTD_KEYS_LOAD_H

#include "jose.h"
#include "keyring.h"
#include "keys_plan.h"
#include "options.h"
#include "storage.h"

/* The kinds of keys that there are. The ring seals codes and access tokens and derives refresh tokens; it never forgets a generation, as refresh
 * tokens and client secrets have no end. */
enum key_kind { KEY_RING, KEY_ES256, KEY_RS256, KEY_KINDS };

/* "ring", "es256", "rs256" */
const char *key_kind_name(enum key_kind kind);
bool key_kind_named(str name, enum key_kind *out);

struct key_rules {
    struct key_rule of[KEY_KINDS];
    bool wanted[KEY_KINDS]; /* made when there is none */
};

/* The rules that the options give. `openid`: ID tokens are served, so RS256 is needed (OpenID Connect Core s15.1). */
struct key_rules keys_rules(const struct options *o, bool openid);

/* Where the keys lie, and by which rules they live. */
struct key_store {
    struct storage_admin *admin;
    const uint8_t *master; /* MASTER_KEY_BYTES */
    struct key_rules rules;
};

/* A key as a person may see it. */
struct key_view {
    enum key_kind kind;
    str name; /* the number of a generation, or the key id */
    enum key_state state;
    int64_t created_ms, used_ms, retired_ms, gone_ms;
};

/* All keys at a time, immutable. What is gone is left out. */
struct keyset {
    struct keyring ring;
    struct jose_signers signers;
    int64_t signing_since_ms[KEY_KINDS]; /* from when on the current key of a kind signs; 0: there is none */
    int64_t next_change_ms;              /* when a keyset that is built anew would differ */
};

/* Reads the keys, as they are at now_ms. FAULT_KEY when they do not open with this master key. The caller frees it. */
RC keys_load(const struct key_store *store, int64_t now_ms, struct keyset **out);
void keys_free(struct keyset *keys); /* NULL is allowed */

/* Makes what is due and deletes what is gone. *out_changed says whether keys_load would give something new. */
RC keys_rotate_due(const struct key_store *store, int64_t now_ms, bool *out_changed);

/* Makes a new key of one kind that is used from used_ms on. *out_made is false when it shall wait and one
 * waits already, or when another node was faster. */
RC keys_rotate(const struct key_store *store, enum key_kind kind, int64_t now_ms, int64_t used_ms, bool *out_made);

/* Finds the key of a name: the number of a generation, or a key id. *out is NULL when there is none. */
RC keys_find(const struct key_store *store, str name, int64_t now_ms, struct arena *arena, const struct key_view **out);

/* Deletes a key that is not trusted any more, whatever still needs it; the one in use is for the caller to refuse. *out_removed is
 * false when somebody else was faster. */
RC keys_remove(const struct key_store *store, const struct key_view *key, int64_t now_ms, bool *out_removed);

/* The keys as rows, the ring first. */
RC keys_list(const struct key_store *store, int64_t now_ms, struct arena *arena, struct key_view **out, size_t *out_n);

/* Whether the store has any key. */
RC keys_exist(struct storage_admin *admin, bool *out);

#endif
