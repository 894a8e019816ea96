/* What the files of the PostgreSQL driver share.
 *
 * A session has two lanes: a connection for reads and one for changes. What is submitted while a lane is busy waits, and all of it is the
 * lane's next batch, which goes out as soon as the lane is free. What is submitted to an idle lane goes out at the end of the turn, with
 * what else came in it; in a session without turns at once. A batch is sent whole (libpq's pipeline mode) in segments. A segment is one
 * statement, for one op or for a set of ops, and a transaction of its own; its ops are answered when the server has said that it ended, so a
 * change is acknowledged after its commit. An op of several changes is a batch of its own, step by step.
 */
#ifndef GRANTD_DB_PG_H
#define GRANTD_DB_PG_H

#include <pthread.h>

#include "db_op.h"
#include "db_pg_library.h"

#define PG_ITEMS_MAX 256 /* statements of one batch */

enum lane_kind { LANE_READ, LANE_WRITE, LANES };
_Static_assert(LANES == DB_PG_CONNECTIONS, "as promised");
enum lane_state { LANE_DOWN, LANE_CONNECTING, LANE_READY };

/* One statement of one op. */
struct item {
    struct db_op *op;
    uint16_t place; /* as it was submitted */
    uint8_t index;  /* which of the op's statements */
    bool last;      /* the op is done after it */
};

struct segment {
    size_t first, n;               /* its items */
    bool many;                     /* as a set, with the row's `many` */
    unsigned n_queries, n_results; /* only the last query is the op's; those before it prepare the ground */
    struct {
        size_t slot;  /* of lane->prepared */
        unsigned nth; /* of its queries, from 1 */
    } prepares[2];
    unsigned n_prepares;
    bool failed;
    struct rc rc;
    str detail;
};

/* Where an op of several changes is. */
enum solo_step { SOLO_NONE, SOLO_STATEMENTS, SOLO_COMMIT, SOLO_ROLLBACK };

struct batch {
    struct item items[PG_ITEMS_MAX];
    struct segment segments[PG_ITEMS_MAX];
    size_t n_items, n_segments;
    size_t current; /* the segment whose answer comes next; all before it have ended */
    enum solo_step solo;
    int64_t deadline_ms;
    struct arena *arena; /* of what is sent */
    bool warned;         /* the server qualified what it did: it is not believed */
};

struct op_list {
    struct db_op *first, **tail;
    size_t n;
};

struct pg_session;
struct pg_db;

struct lane {
    struct pg_session *session;
    enum lane_kind kind;
    enum lane_state state;
    PGconn *pg;
    int fd;
    uint32_t events; /* what epoll waits for */
    bool *prepared;  /* on this connection, each in front of its first use; pg_slots of them. NULL: none yet */
    struct op_list queue;
    struct batch batch;
    unsigned failures; /* to connect, in a row */
    int64_t down_since_ms;
    int64_t retry_at_ms;

    /* A thread of its own connects: looking up names, TLS and passwords would hold the loop up. */
    pthread_t thread;
    bool has_thread;
    bool fresh_ready; /* under session->lock, as what follows */
    PGconn *fresh;    /* NULL: it failed */
    struct rc fresh_rc;
    char fresh_detail[240];
};

struct pg_session {
    struct db_session base;
    struct pg_db *db;
    int epoll_fd, timer_fd, fresh_fd;
    int64_t armed_ms; /* when timer_fd fires; 0: never */
    struct lane lanes[LANES];
    struct op_list finished;
    size_t n_outstanding; /* ops whose done has not been called */
    bool pumping;
    bool listens, change_heard;
    void (*changed)(void *arg);
    void *changed_arg;
    pthread_mutex_t lock;
};

struct pg_db {
    struct db base;
    struct db_pg_options options;
    char *url;
    const char **keywords, **values; /* of PQconnectdbParams; the values are owned */
    const struct db_sql *table;
    size_t n_table;
    struct arg_types *types; /* of the table's statements, as one op has them */
};

/* Types of a statement's arguments, as the server numbers types; 0: the server finds it. */
struct arg_types {
    int n;
    Oid oids[DB_ARGS_MAX];
};

/* op_list */
static inline void list_init(struct op_list *l) { *l = (struct op_list){.first = NULL, .tail = &l->first}; }
static inline void list_add(struct op_list *l, struct db_op *op) {
    op->next = NULL;
    *l->tail = op;
    l->tail = &op->next;
    l->n++;
}
struct db_op *list_take(struct op_list *l); /* NULL: empty */
void list_add_front(struct op_list *l, struct db_op *op);

int64_t pg_now_ms(void);

/* db_pg_connect.c: connections, in a thread that may wait */

/* Makes the parameters of every connection out of the URL. FAULT_CONFIG when it cannot be read. */
RC pg_params_make(struct pg_db *db);
void pg_params_free(struct pg_db *db);

/* Connects and waits for it. The caller owns *out. */
RC pg_connect(const struct pg_db *db, PGconn **out);

/* db->types for db->table, before anything is learnt. Free it with free(). */
void pg_types_make(struct pg_db *db);

/* What the server has found of the prepared statements' types, but with every number as wide as ours. */
RC pg_learn_types(struct pg_db *db, PGconn *pg);

/* Prepares every statement of the table on a connection, to see whether it can be. FAULT_DB_SCHEMA when one does not compile. */
RC pg_prepare_all(const struct pg_db *db, PGconn *pg);

/* db_pg_once.c: on a connection for the moment, in a thread that may wait; see db_driver */

#define TELL_STATEMENT "NOTIFY grantd"

/* Runs statements as text. *out (may be NULL) is the last one's result, which the caller clears. */
RC pg_run(PGconn *pg, const char *sql, PGresult **out);
RC pg_script(struct db *base, const char *sql);
RC pg_schema(struct db *base, int64_t known, struct db_schema *out);
RC pg_index(struct db *base, const struct db_index *index, const struct db_progress *progress);
RC pg_prepare(struct db *base, const struct db_sql *table, size_t n);

/* db_pg_bulk.c */
RC pg_bulk(struct db *base, enum db_bulk_kind kind, struct db_bulk **out);

/* db_pg_fault.c */

/* Makes a fault of what the server said. A NULL result: what the connection says. */
struct rc pg_fault(const PGconn *pg, const PGresult *result, const char *what);

/* Whether a connection on which this happened should be given up: the server is going, is no longer the one that writes, or does not know our
 * statements any more. */
bool pg_ends_connection(const PGresult *result);

/* db_pg_batch.c: what goes out and what comes in */

/* Types as the server numbers them (pg_type.dat). */
enum { PG_BOOL = 16, PG_BYTES = 17, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25 };

/* A value of a result in the binary form; its bytes are the result's. */
struct db_value pg_value(const PGresult *result, int row, int column);

/* Moves ops from the lane's queue into its empty batch and arranges them in segments. */
void batch_build(struct lane *lane);

/* Puts a segment's queries into the connection's output. False when the connection is broken. */
bool segment_send(struct lane *lane, struct segment *segment);

/* Takes the result of a query of the current segment. */
void segment_result(struct lane *lane, struct segment *segment, const PGresult *result);

/* Statements that only take a lock, in front of those with DB_LOOKS or DB_GUARDS. */
enum guard { GUARD_SHARED, GUARD_ALONE, GUARDS };
struct guard_row {
    const char *name, *text;
};
extern const struct guard_row guards[GUARDS];

/* How many statements a connection can have prepared: of each row the one for one op and the one for many, and the guards. */
static inline size_t pg_slots(const struct pg_db *db) { return 2 * db->n_table + GUARDS; }

/* db_pg_lane.c: one connection */
void lane_open(struct lane *lane, struct pg_session *session, enum lane_kind kind);
void lane_close(struct lane *lane);
void lane_take_fresh(struct lane *lane); /* the connecting thread has ended */
void lane_on_event(struct lane *lane);
void lane_expire(struct lane *lane, int64_t now_ms);
void lane_start(struct lane *lane); /* connects or sends, when there is reason to and nothing is under way */
/* Down for so long that waiting is of no use: requests are refused at once. */
bool lane_is_hopeless(const struct lane *lane, int64_t now_ms);
bool lane_is_busy(const struct lane *lane);
int64_t lane_next_ms(const struct lane *lane); /* when lane_expire or lane_start has something to do; 0: never */

/* db_pg.c */
void session_finish(struct pg_session *s, struct db_op *op); /* its done is called soon */
void session_fail(struct pg_session *s, struct db_op *op, struct rc rc);

#endif
