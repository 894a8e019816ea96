/* db: runs statements. The only folder that knows a database. What a statement means is the store's business.
 *
 * An op is one unit of work: reads only, or one atomic change. It is submitted to a session (one per loop thread, not shared between
 * threads) and comes back by its `done`: for SQLite reads inside db_submit, for changes later, from db_drain, after the
 * session's `wake` was called (once per batch, by any thread). db_close_session waits for the changes under way (they are carried
 * out) and calls no `done` any more; sessions are closed before their db. A `done` may submit again.
 *
 * A session that works by turns (db_by_turns) is told when its thread is about to wait (db_end_turn). What was submitted in a turn may
 * share a snapshot, as long as nobody has committed since, and changes are handed over together, at the latest at the end of the turn.
 *
 * PostgreSQL answers on a descriptor, db_session_fd: it is readable when db_drain has something to do (an answer, a deadline, a new
 * connection), in the session's own thread; `wake` is not called. With inline writes db_submit waits until the op is done. */
#ifndef GRANTD_DB_H
#define GRANTD_DB_H

#include "arena.h"
#include "rc.h"
#include "str.h"
#include "waitline.h"

#include <stdatomic.h>

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };

struct db_value {
    enum db_type type;
    int64_t i;
    str s; /* TEXT, BYTES */
};

#define DB_ARGS_MAX  32
#define DB_STMTS_MAX 4 /* statements of one op */

enum db_flag {
    DB_WRITE = 1,
    DB_TAKER = 2, /* must touch exactly one row (or return one), else the whole op is LOST and undone */
    DB_TELL = 4,  /* other processes on the same database should hear of it: see db_session_on_change */
    /* What the last argument (8 bytes or more, at random) names stays as it is from before the statement looks until its op has ended: it waits for those who change
     * it (DB_GUARDS), and those for all who look (DB_LOOKS). Where changes run one after the other that is so anyway. */
    DB_LOOKS = 8,
    DB_GUARDS = 16,
    /* An INSERT of one row that lies there afterwards or does not. One that breaks a rule of its table (NOT NULL) is LOST or a fault, as the driver likes. */
    DB_OR_IGNORE = 32,
};

/* One row of the table of statements. Arguments are $1, $2, ... in the text. `many` is the same for a set of ops at once, for drivers
 * that gain by it (NULL: none): argument n is an array (BYTEA[], or BIGINT[]) of the ops' n-th arguments. The first column of its rows
 * tells which op they belong to, by the value of its first argument (bytes) or by its place in the set (a number from 1), and is taken off. */
struct db_sql {
    const char *name;
    const char *text;
    uint32_t flags;
    const char *many;
};

struct db_stmt {
    uint16_t sql; /* index into the table */
    uint16_t n_args;
    struct db_value args[DB_ARGS_MAX];
};

struct db_rows {
    size_t n_rows, n_cols;
    struct db_value *values; /* row by row; in the op's arena */
};

enum db_outcome { DB_DONE, DB_LOST };

struct db_op {
    struct wait_link wait; /* the driver's; first: a link is its op */
    struct db_op *next;    /* the driver's */
    struct db_session *session;
    const struct db_stmt *stmts;
    size_t n_stmts;
    bool write;
    struct arena *arena;      /* rows are copied here; nobody else touches it until done */
    struct arena *rows_arena; /* the values of the rows, without their texts and bytes; NULL: here as well */
    struct db_rows rows[DB_STMTS_MAX];
    struct rc
        rc; /* a fault: nothing was changed, except that after FAULT_DB_IO on commit it is unknown. rc_detail() tells more inside `done` */
    enum db_outcome outcome;
    str detail;          /* the driver's: what rc_detail() will say */
    int64_t deadline_ms; /* the driver's */
    bool alone;          /* the driver's: not in a set any more */
    void (*done)(struct db_op *op);
    void *arg;
};

struct db;
struct db_session;
struct db_bulk;

enum db_bulk_kind {
    DB_BULK_READ,  /* the state of one moment, whatever others change; nothing is changed */
    DB_BULK_WRITE, /* all or nothing */
};

struct db_schema {
    int64_t version; /* the greatest of schema_versions(version); 0 on an empty database */
    int64_t needs; /* of steps the program does not know: what it must know to go on all the same; 0: there are none */
};

struct db_index {
    const char *name;
    const char *on; /* "table (columns)" */
};

struct db_progress {
    void (*tell)(void *arg, int64_t done, int64_t total);
    void *arg;
};

struct db_driver {
    const char *name;
    RC (*open_session)(struct db *db, void (*wake)(void *arg), void *arg, struct db_session **out);
    void (*close_session)(struct db_session *s);
    void (*submit)(struct db_session *s, struct db_op *op);
    void (*drain)(struct db_session *s);
    void (*end_turn)(struct db_session *s); /* NULL: a driver without turns */
    /* Migrations and set-up; synchronous, one transaction. It gives up waiting for a lock before requests that wait behind it become late, and
     * tries again for a while, then FAULT_DB_BUSY. */
    RC (*script)(struct db *db, const char *sql);
    /* What the database says of its schema to a program that knows `known` steps of it. */
    RC (*schema)(struct db *db, int64_t known, struct db_schema *out);
    /* Builds an index that is not there yet while others read and write; what an earlier try left behind is no hindrance. May take long:
     * `progress` (NULL: nobody) hears of it in parts of a total. */
    RC (*index)(struct db *db, const struct db_index *index, const struct db_progress *progress);
    /* Checks that every statement compiles, and makes `table` (which stays the caller's) the one that ops point into. Before the
     * first submit; the same table again is allowed. FAULT_DB_SCHEMA when one does not compile. */
    RC (*prepare)(struct db *db, const struct db_sql *table, size_t n);
    /* Copies the state of one moment to a new file (mode 0600) while changes go on. Any thread. FAULT_IO when the file exists.
     * NULL: the database has means of its own. */
    RC (*backup)(struct db *db, const char *path, void (*progress)(void *arg, int done, int total), void *arg);
    RC (*bulk)(struct db *db, enum db_bulk_kind kind, struct db_bulk **out); /* see db_bulk.h */
    void (*close)(struct db *db);                                            /* finishes what is queued */
    const struct db_word *words;             /* of db_dialect; ends with a row of NULLs */
    int (*session_fd)(struct db_session *s); /* NULL: a driver without descriptors */
    void (*on_change)(struct db_session *s, void (*changed)(void *arg),
                      void *arg); /* NULL: nobody else uses the database */
};

/* A word of the portable migrations and what this driver's database calls it. */
struct db_word {
    const char *portable, *own;
};

/* What a driver counts as it goes, for whoever looks, from any thread. */
#define DB_BATCH_BUCKETS 11 /* commits of 1 change, up to 2, 4, ... 512, and of more */
struct db_stats {
    _Atomic int64_t waiting; /* changes that were submitted and are not over */
    _Atomic uint64_t changes, commits[DB_BATCH_BUCKETS];
};

struct db {
    const struct db_driver *driver;
    bool inline_writes; /* changes too are done inside db_submit */
    struct db_stats stats;
};
struct db_session {
    struct db *db;
    bool
        reserved; /* its changes go before those of the others, and are not dropped for them: for the few that must always get through */
    bool by_turns;
};

struct db_sqlite_options {
    const char *path;    /* a file, or ":memory:" (then inline_writes is forced) */
    bool inline_writes;  /* changes run inside db_submit, one commit each: for the command line and for tests */
    unsigned queue_max;  /* changes waiting at most; beyond it the oldest has FAULT_DB_BUSY; 0: 16384 */
    unsigned batch_max;  /* changes per commit at most; 0: 512 */
    int64_t wait_max_ms; /* so has one that has not begun by then; 0: 3000 */
    unsigned cache_kib;  /* page cache of a session that works by turns; 0: 4096 */
};

/* Opens (and creates, mode 0600) a SQLite database: WAL, synchronous=FULL, foreign keys off. */
RC db_open_sqlite(const struct db_sqlite_options *options, struct db **out);

struct db_pg_options {
    const char *url;    /* postgres://..., as libpq takes it; several hosts are tried in their order */
    bool inline_writes; /* db_submit waits until the op is done: for the command line and for tests */
    bool
        pooled; /* a pooler in transaction mode is in between: nothing is kept on a connection from one statement to the next */
    unsigned queue_max;  /* ops waiting per connection at most; beyond it the oldest has FAULT_DB_BUSY; 0: 16384 */
    unsigned batch_max;  /* ops in one batch at most; 1: every change is a transaction of its own; 0: 256 (the most) */
    int64_t deadline_ms; /* from submit to done; 0: 3000 */
};

/* Connections of one session: one for reads and one for changes, so that no read waits for a commit. */
#define DB_PG_CONNECTIONS 2

/* Opens a PostgreSQL database (15 or later, or what speaks like it). Connects once to see that it is there. A password never gets into a fault. */
RC db_open_pg(const struct db_pg_options *options, struct db **out);

/* Whether a URL is one that db_open_pg takes: its form only. */
bool db_pg_url_is_valid(const char *url, bool *out_has_password);

/* A driver for tests that wraps another: the n-th submit (counted from 1, over all sessions) fails with `fault`; 0 never. It owns `inner`. */
struct db *db_wrap_failing(struct db *inner, uint64_t fail_at, enum fault fault);
void db_failing_set(struct db *failing, uint64_t fail_at, enum fault fault); /* restarts the count */
uint64_t db_failing_count(const struct db *failing);

/* Portable migrations in the driver's words. Replaced are, where they stand alone: INT (32 bits), BIGINT (64 bits), BYTES, and
 * behind a table KEY_ORDERED (its rows lie in the order of the primary key) or UNORDERED. The text lives in the arena. */
const char *db_dialect(const struct db *db, struct arena *a, const char *portable_sql);

static inline RC db_open_session(struct db *db, void (*wake)(void *), void *arg, struct db_session **out) {
    return db->driver->open_session(db, wake, arg, out);
}
static inline void db_close_session(struct db_session *s) {
    if (s) s->db->driver->close_session(s);
}
static inline void db_submit(struct db_session *s, struct db_op *op) { s->db->driver->submit(s, op); }
static inline void db_drain(struct db_session *s) { s->db->driver->drain(s); }
/* The caller promises db_end_turn before its thread waits. Before the first submit; not with inline writes. */
static inline void db_by_turns(struct db_session *s) { s->by_turns = s->db->driver->end_turn && !s->db->inline_writes; }
static inline void db_end_turn(struct db_session *s) {
    if (s->by_turns) s->db->driver->end_turn(s);
}
/* -1: the driver has none. */
static inline int db_session_fd(struct db_session *s) {
    return s->db->driver->session_fd ? s->db->driver->session_fd(s) : -1;
}
/* Calls changed(arg), from db_drain, after somebody changed what a DB_TELL statement changes (perhaps this process), and after a time in which
 * that may have been missed. A hint: it can be lost behind a pooler, so poll as well. Before the first submit. */
static inline void db_session_on_change(struct db_session *s, void (*changed)(void *arg), void *arg) {
    if (s->db->driver->on_change) s->db->driver->on_change(s, changed, arg);
}
static inline void db_close(struct db *db) {
    if (db) db->driver->close(db);
}

#endif
