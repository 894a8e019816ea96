/* storage: joins the pure store with a db session. One waiting request at most per call; no rule in here. */
#ifndef GRANTD_STORAGE_H
#define GRANTD_STORAGE_H

#include <stddef.h>

#include "options.h"
#include "store.h"

/* Opens the store that the options name, as it is: see migrate.h. */
RC storage_open(const struct options *o, bool inline_writes, struct arena *arena, struct db **out);

/* A pending question or change of one request. Lives in the request's arena until done. The large members need no zeros. */
struct storage_call {
    size_t n_asks;
    struct facts *facts;
    struct db_session *session;
    struct known_subjects *known; /* what the session remembers; NULL: everything is asked each time */
    struct rc rc;                 /* out */
    enum outcome outcome;         /* out, for changes */
    void (*done)(struct storage_call *call);
    void *arg;
    struct ask asks[ASKS_MAX];
    struct db_op op;
    struct db_stmt stmts[DB_STMTS_MAX];
};

/* Makes a call ready, also one that was used before. */
static inline void storage_begin(struct storage_call *call, void (*done)(struct storage_call *call), void *arg) {
    memset(call, 0, offsetof(struct storage_call, asks));
    call->done = done;
    call->arg = arg;
}

/* Asks (at most ASKS_MAX at once); `done` may be called before this returns. */
void storage_ask(struct db_session *s, struct storage_call *call, struct arena *arena);

/* Applies a change; `done` may be called before this returns (inline writes, nothing to change). */
void storage_apply(struct db_session *s, struct storage_call *call, const struct change *change, struct arena *arena);

/* The synchronous forms for administration, on a session whose db has inline writes or which waits on a condition of its own. */
struct storage_admin;
RC storage_admin_open(struct db *db, struct storage_admin **out);
void storage_admin_close(struct storage_admin *s);
struct db_session *storage_admin_session(struct storage_admin *s);

/* db_session_on_change for this session, at any time. */
void storage_admin_on_change(struct storage_admin *s, void (*changed)(void *arg), void *arg);
RC storage_list(struct storage_admin *s, const struct listing *listing, struct arena *arena, struct listed *out);
RC storage_edit(struct storage_admin *s, const struct edit *edit, struct arena *arena, enum outcome *out,
                int32_t *out_id);
RC storage_change(struct storage_admin *s, const struct change *change, struct arena *arena, enum outcome *out);
RC storage_question(struct storage_admin *s, const struct ask *ask, struct arena *arena, struct facts *out);

/* One batch of the purge; *out_more says whether another one would find something. */
RC storage_purge(struct storage_admin *s, int64_t now_ms, struct arena *arena, bool *out_more);

#endif
