/* What the files of the SQLite driver share. */
#ifndef GRANTD_DB_SQLITE_H
#define GRANTD_DB_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>

#include "db_op.h"

enum control {
    CONTROL_BEGIN_READ,
    CONTROL_BEGIN_WRITE,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT,
    CONTROL_UNDO,
    CONTROL_RELEASE,
    CONTROLS
};

/* A compiled statement. index[i] is where argument i is bound; 0: the text does not use it. */
struct prepared {
    sqlite3_stmt *stmt;
    uint8_t n_params;
    uint8_t index[DB_ARGS_MAX];
};

/* A connection with its statements, compiled when they are first used. One thread at a time. */
struct conn {
    sqlite3 *sqlite;
    const struct db_sql *table;
    size_t n_table;
    struct prepared *prepared;
    sqlite3_stmt *control[CONTROLS];
};

enum conn_kind { CONN_READER, CONN_WRITER };

#define WAL_HEAD_WORDS 6 /* of 64 bits */

/* What the log of commits looked like when the snapshot was taken that the session holds; see conn_wal_head. */
struct held {
    bool on;
    uint64_t head[WAL_HEAD_WORDS];
};

struct sqlite_session {
    struct db_session base;
    struct conn own;
    struct conn *reader; /* &own, or the writer's connection when the database is in memory */
    void (*wake)(void *arg);
    void *wake_arg;

    /* of the turn */
    const volatile uint64_t *wal_head; /* NULL: no snapshots are held */
    struct held held;
    bool keeps_pages; /* as many as the options say */
    size_t n_reads;
    struct db_op *changes, **changes_tail; /* not yet handed over */
    size_t n_changes;

    /* under db->lock */
    struct db_op *finished, **finished_tail;
    size_t outstanding; /* changes that the writer has not let go of */
    struct sqlite_session *next_woken;
    size_t n_released; /* of the batch being released; marks a session that is in the list of woken ones */
};

struct sqlite_db {
    struct db base;
    struct db_sqlite_options options;
    char *path;
    bool in_memory;
    const struct db_sql *table;
    size_t n_table;

    pthread_mutex_t writing; /* held while the writer's connection is used; taken before `lock` */
    struct conn writer;
    int wal_pages, wal_pages_limit; /* of the writer's connection */

    pthread_mutex_t releasing; /* taken before `lock`: one thread at a time gives ops back */
    pthread_mutex_t lock;
    pthread_cond_t work;   /* the queue has something, or stopping */
    pthread_cond_t let_go; /* outstanding fell */
    struct waitline queue,
        reserve; /* changes that the writer has not begun; those of reserved sessions are in the reserve */
    bool sleeping, stopping;
    bool has_thread;
    pthread_t thread;
};

/* conn: one connection */

/* Opens a connection to the database; pragmas are set. On a fault nothing is left open. */
RC conn_open(struct conn *c, const struct sqlite_db *db, enum conn_kind kind);
void conn_end(struct conn *c);

/* How much of what it read it keeps; a few MiB unless told otherwise. */
RC conn_keep_pages(struct conn *c, unsigned kib);

/* Lets go of the compiled statements; they are compiled again when they are used. None of them may be under way. */
void conn_forget(struct conn *c);

/* Runs one of the transaction statements. */
RC conn_control(struct conn *c, enum control control);

/* The part of the log's index that every commit changes, whoever made it: 48 bytes (sqlite.org/walformat.html, "WAL-Index Header").
 * NULL: not to be had. It is there as long as the connection. */
const volatile uint64_t *conn_wal_head(struct conn *c);

/* Ends a transaction without keeping it, also when SQLite has ended it already. */
void conn_rollback(struct conn *c);

/* The statement, compiled now if this is its first use. FAULT_DB_SCHEMA when it does not compile. */
RC conn_prepare(struct conn *c, size_t sql, struct prepared **out);

/* Binds a value; its bytes stay valid until the statement was run. Returns SQLite's code. */
int conn_bind(sqlite3_stmt *stmt, int index, const struct db_value *v);

/* Runs one statement of an op to its end. *touched is the number of rows that it returned, or changed when it returns none. */
RC conn_run(struct conn *c, struct db_op *op, size_t index, size_t *touched);

/* Makes a fault of what SQLite answered last on this connection; `what` names the statement or the step. */
struct rc conn_fault(sqlite3 *sqlite, int code, const char *what);

/* op: one op on a connection */

/* Reads inside one snapshot: the one that is held, or one of its own. */
void op_read(struct conn *c, struct db_op *op);

/* writer */

/* Runs the list of ops in one transaction and commits. Call with `writing` held. */
void writer_run_batch(struct sqlite_db *db, struct db_op *ops);

/* Moves the write-ahead log into the file when it is long. Call with `writing` held. */
void writer_checkpoint(struct sqlite_db *db);

RC writer_start(struct sqlite_db *db);
void writer_stop(struct sqlite_db *db);

/* Queues changes of one session; what waits too long or is too much is refused with FAULT_DB_BUSY, the oldest first (by way of drain, too). */
void writer_queue(struct sqlite_db *db, struct db_op *ops);

/* bulk */

RC sqlite_bulk(struct db *base, enum db_bulk_kind kind, struct db_bulk **out);

/* backup */

RC sqlite_backup(struct db *base, const char *path, void (*progress)(void *arg, int done, int total), void *arg);

#endif
