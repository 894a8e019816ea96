/* What the files of the contract suite share. The suite says what every driver must do; a driver is one row of contract.c. */
#ifndef GRANTD_CONTRACT_H
#define GRANTD_CONTRACT_H

/* cmocka needs these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "migrate.h"
#include "storage.h"

#define PATH_BYTES 256
#define NOW_MS     INT64_C(1800000000000)

struct world_options {
    bool inline_writes;
    unsigned queue_max, batch_max;
    int64_t wait_max_ms;
};

struct world;
struct lock;

struct contract_driver {
    const char *name;
    bool persistent; /* what was written is there after db_close and a new open */
    bool threads;    /* sessions of several threads; a change is answered later */
    bool wakes;      /* its answers are told by `wake`; else by the session's descriptor */
    RC (*open)(const char *dir, const struct world_options *options, struct db **out);
    struct lock *(*lock)(struct world *w); /* of drivers with threads */
    void (*unlock)(struct lock *lock);
};

/* The driver under test. */
extern const struct contract_driver *contract_driver;
extern const struct contract_driver contract_sqlite_file, contract_sqlite_inline, contract_sqlite_memory,
    contract_postgres, contract_postgres_inline;

/* An opened, migrated store in a directory of its own. */
struct world {
    char dir[PATH_BYTES];
    struct db *db;
    struct storage_admin *admin;
    struct arena *arena;
};

int world_set_up(void **state);
int world_tear_down(void **state);
/* The same without a test around them. */
struct world *world_new(const struct world_options *options);
void world_open(struct world *w, const struct world_options *options);
void world_shut(struct world *w);
void world_free(struct world *w);
/* DIR/NAME, in the world's arena. */
const char *world_path(struct world *w, const char *name);

/* Fails the test, with the detail, unless rc is ok. */
#define assert_rc(call) assert_rc_ok((call), #call, __FILE__, __LINE__)
void assert_rc_ok(struct rc rc, const char *call, const char *file, int line);
#define assert_fault(call, name) assert_int_equal((call).fault, FAULT_##name)

/* A grant that differs with every n; its strings are static. */
struct grant grant_number(uint32_t n);
struct change insert_of(uint32_t n);
struct change change_of(enum change_kind kind, uint32_t grant_number);

/* Through the admin session, which waits. */
enum outcome apply(struct world *w, const struct change *change);
enum outcome edit(struct world *w, const struct edit *e, int32_t *out_id);
struct listed list(struct world *w, const struct listing *listing);
struct facts ask_grant(struct world *w, uint32_t n);
int64_t version(struct world *w);
/* A number for everything that listings and uninstalls show; equal stores have equal ones. */
uint64_t fingerprint(struct world *w);

/* One of everything: app 1001, account 1001, user 1001, installer. */
void populate(struct world *w);
struct app app_sample(const char *client_id);

/* A session whose owner waits for answers. */
struct client {
    struct db_session *session;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned wakes; /* under lock */
    unsigned seen;
    size_t under_way;
    unsigned answered;
    struct known_subjects *known; /* of its questions; NULL: everything is asked each time */
};

struct client_call {
    struct storage_call call;
    struct facts facts;
    struct db_op op; /* of client_apply_all */
    struct arena *arena;
    struct client *client;
    bool done;
    unsigned order; /* of its `done` among those of the client, from 1 */
};

void client_open(struct client *c, struct db *db);
void client_close(struct client *c);
void client_apply(struct client *c, struct client_call *call, const struct change *change);
/* Several changes as one op. */
void client_apply_all(struct client *c, struct client_call *call, const struct change *changes, size_t n);
void client_ask_grant(struct client *c, struct client_call *call, uint32_t n);
void client_wait(struct client *c);      /* until nothing is under way */
void client_wait_once(struct client *c); /* until something was answered */
void client_call_free(struct client_call *call);

/* Keeps every change from being committed until lock_release (by another connection). */
struct lock;
struct lock *lock_take(struct world *w);
void lock_release(struct lock *lock);

/* Leaves a test out, and says why: tests/tools/summary.py collects the reasons. */
#define skip_because(reason)                                                                                           \
    do {                                                                                                               \
        print_message("[  REASON  ] %s: %s\n", contract_driver->name, reason);                                         \
        skip();                                                                                                        \
    } while (0)

/* A row of a suite: each test has a store of its own. */
#define ROW(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

/* The suites */
int run_changes(void);
int run_admin(void);
int run_batches(void);
int run_races(void);
int run_life(void);
int run_migrate(void);
int run_copy(void);
int run_sqlite(void);   /* what only SQLite has; once */
int run_postgres(void); /* what only PostgreSQL has; once */

/* SQLite's way to lock, for its driver and its own suite. */
struct lock *sqlite_lock(struct world *w);
void sqlite_unlock(struct lock *lock);

#endif
