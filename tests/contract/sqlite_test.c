/* What only SQLite has: files, modes, a full disk, another program on the file, a sudden end, plans. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contract.h"
#include "shim.h"

struct lock {
    sqlite3 *sqlite;
};

struct lock *sqlite_lock(struct world *w) {
    struct lock *lock = test_calloc(1, sizeof *lock);
    assert_int_equal(sqlite3_open(world_path(w, "store.db"), &lock->sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return lock;
}

void sqlite_unlock(struct lock *lock) {
    assert_int_equal(sqlite3_close(lock->sqlite), SQLITE_OK);
    test_free(lock);
}

/* The first value of the first row as text, "" when there is none. */
static const char *query(struct world *w, const char *path, const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    str found = {"", 0};
    if (sqlite3_step(stmt) == SQLITE_ROW)
        found = arena_copy(w->arena, str_of((const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return arena_cstr(w->arena, found);
}

static void assert_whole(struct world *w, const char *name) {
    assert_string_equal(query(w, world_path(w, name), "PRAGMA integrity_check"), "ok");
}

static void test_files_are_the_owners(void **state) {
    struct world *w = *state;
    struct change insert = insert_of(0);
    apply(w, &insert);
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        struct stat st;
        assert_int_equal(stat(world_path(w, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    world_shut(w);
    assert_int_equal(access(world_path(w, "store.db-wal"), F_OK), -1); /* close leaves one whole file */
    assert_int_equal(chmod(world_path(w, "store.db"), 0644), 0);
    world_open(w, &(struct world_options){.inline_writes = false});
    struct stat st;
    assert_int_equal(stat(world_path(w, "store.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_what_cannot_be_opened(void **state) {
    struct world *w = *state;
    struct db *db;
    const struct {
        const char *path;
        enum fault fault;
    } cases[] = {
        {world_path(w, "nowhere/store.db"), FAULT_DB_IO},
        {w->dir, FAULT_DB_IO},
        {world_path(w, "text"), FAULT_DB_CORRUPT},
    };
    int fd = open(cases[2].path, O_WRONLY | O_CREAT, 0600);
    char text[4096];
    memset(text, 'x', sizeof text);
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    close(fd);
    for (size_t i = 0; i < 3; i++) {
        struct rc rc = db_open_sqlite(&(struct db_sqlite_options){.path = cases[i].path}, &db);
        assert_int_equal(rc.fault, cases[i].fault);
        assert_true(rc_detail()[0] != 0);
    }
}

/* Runs `body` in a child of its own and returns its exit status; the test's own process keeps its user, limits and locks. */
static int in_child(struct world *w, int (*body)(struct world *w)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(body(w));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int open_as_nobody(struct world *w) {
    struct db *db;
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 100;
    struct rc rc = db_open_sqlite(&(struct db_sqlite_options){.path = world_path(w, "store.db")}, &db);
    if (rc_ok(rc)) db_close(db);
    return rc.fault;
}

static void test_a_file_that_cannot_be_written(void **state) {
    struct world *w = *state;
    world_shut(w);
    const char *path = world_path(w, "store.db");
    if (getuid() == 0) assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(chmod(w->dir, 0555), 0);
    assert_int_equal(in_child(w, open_as_nobody), FAULT_DB_READONLY);
    assert_int_equal(chmod(w->dir, 0700), 0);
}

/* Inserts until a change fails; returns how many were acknowledged. */
static uint32_t insert_until_fault(struct world *w, uint32_t from, uint32_t to, struct rc *out_rc) {
    for (uint32_t n = from; n < to; n++) {
        enum outcome outcome;
        struct change insert = insert_of(n);
        *out_rc = storage_change(w->admin, &insert, w->arena, &outcome);
        if (!rc_ok(*out_rc)) return n;
    }
    return to;
}

static void test_a_full_disk(void **state) {
    struct world *w = *state;
    struct rc rc;
    char limit[64];
    long pages = strtol(query(w, world_path(w, "store.db"), "PRAGMA page_count"), NULL, 10);
    snprintf(limit, sizeof limit, "PRAGMA max_page_count=%ld", pages + 3);
    assert_rc(w->db->driver->script(w->db, limit));
    uint32_t there = insert_until_fault(w, 0, 10000, &rc);
    assert_int_equal(rc.fault, FAULT_DB_FULL);
    assert_in_range(there, 10, 1000);
    for (uint32_t n = 0; n < there; n++) assert_true(ask_grant(w, n).grant_found); /* reads go on */
    assert_false(ask_grant(w, there).grant_found);

    assert_rc(w->db->driver->script(w->db, "PRAGMA max_page_count=1000000"));
    assert_int_equal(insert_until_fault(w, there, there + 50, &rc), there + 50);
    world_shut(w);
    assert_whole(w, "store.db");
}

/* The file system refuses to let files grow: every write and commit fails from some point on. */
static int insert_under_limit(struct world *w) {
    struct rlimit limit = {200000, 200000};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct rc rc;
    sigaction(SIGXFSZ, &ignore, NULL);
    world_open(w, &(struct world_options){.inline_writes = false});
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 201;
    uint32_t there = insert_until_fault(w, 0, 10000, &rc);
    if (rc.fault != FAULT_DB_IO && rc.fault != FAULT_DB_FULL) return 202;
    for (uint32_t n = 0; n < there; n++)
        if (!ask_grant(w, n).grant_found) return 203;
    return there > 150 ? 150 : (int)there;
}

static void test_a_write_error(void **state) {
    struct world *w = *state;
    world_shut(w);
    int there = in_child(w, insert_under_limit);
    assert_in_range(there, 1, 150);
    world_open(w, &(struct world_options){.inline_writes = false});
    for (int n = 0; n < there; n++) assert_true(ask_grant(w, (uint32_t)n).grant_found);
    world_shut(w);
    assert_whole(w, "store.db");
}

static void test_another_writer_makes_busy(void **state) {
    struct world *w = *state;
    struct lock *lock = lock_take(w);
    enum outcome outcome;
    struct change insert = insert_of(0);
    assert_fault(storage_change(w->admin, &insert, w->arena, &outcome), DB_BUSY);
    assert_false(ask_grant(w, 0).grant_found); /* readers do not wait */
    lock_release(lock);
    assert_int_equal(apply(w, &insert), OUTCOME_DONE);
}

/* Administration comes first, however many wait, and what has waited too long by the time of its turn is refused. */
static void test_the_reserve_and_the_wait(void **state) {
    struct world *w = *state;
    enum { SENT = 20 };
    world_shut(w);
    world_open(w, &(struct world_options){.queue_max = 4, .batch_max = 1, .wait_max_ms = 20});
    struct lock *lock = lock_take(w);
    struct client many, few;
    struct client_call *calls = test_calloc(SENT, sizeof *calls), *first = test_calloc(1, sizeof *first);
    struct change insert = insert_of(1000);
    client_open(&many, w->db);
    client_open(&few, w->db);
    few.session->reserved = true;
    client_apply(&few, first, &insert);
    for (uint32_t n = 0; n < SENT; n++) {
        insert = insert_of(n);
        client_apply(&many, &calls[n], &insert);
    }
    nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    lock_release(lock);
    client_wait(&many);
    client_wait(&few);
    assert_rc(first->call.rc);
    for (uint32_t n = 0; n < SENT; n++) assert_int_equal(calls[n].call.rc.fault, FAULT_DB_BUSY);
    for (uint32_t n = 0; n < SENT; n++) client_call_free(&calls[n]);
    client_call_free(first);
    client_close(&many);
    client_close(&few);
    test_free(calls);
    test_free(first);
}

static int kill_fd;

/* Inserts with eight under way and writes the number of each acknowledged grant to the pipe, until it is killed. */
static int insert_forever(struct world *w) {
    enum { UNDER_WAY = 8 };
    struct client c;
    struct client_call *calls = test_calloc(UNDER_WAY, sizeof *calls);
    world_open(w, &(struct world_options){.inline_writes = false});
    client_open(&c, w->db);
    for (uint32_t n = 0;; n += UNDER_WAY) {
        for (uint32_t k = 0; k < UNDER_WAY; k++) {
            struct change insert = insert_of(n + k);
            client_apply(&c, &calls[k], &insert);
        }
        client_wait(&c);
        for (uint32_t k = 0; k < UNDER_WAY; k++) {
            uint32_t number = n + k;
            if (!rc_ok(calls[k].call.rc) || write(kill_fd, &number, sizeof number) != sizeof number) return 1;
            client_call_free(&calls[k]);
        }
    }
}

static void test_kill_loses_nothing_that_was_answered(void **state) {
    struct world *w = *state;
    uint32_t acknowledged = 0, number;
    world_shut(w);
    for (int round = 0; round < 3; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        unlink(world_path(w, "store.db")), unlink(world_path(w, "store.db-wal")), unlink(world_path(w, "store.db-shm"));
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(ends[0]);
            kill_fd = ends[1];
            _exit(insert_forever(w));
        }
        close(ends[1]);
        acknowledged = 0;
        while (read(ends[0], &number, sizeof number) == sizeof number) {
            assert_int_equal(number, acknowledged);
            if (++acknowledged == 300 + 111 * (uint32_t)round) kill(pid, SIGKILL);
        }
        close(ends[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(acknowledged >= 300);
        world_open(w, &(struct world_options){.inline_writes = false});
        for (uint32_t n = 0; n < acknowledged; n++) assert_true(ask_grant(w, n).grant_found);
        struct change next = insert_of(1000000);
        assert_int_equal(apply(w, &next), OUTCOME_DONE);
        world_shut(w);
        assert_whole(w, "store.db");
    }
}

/* No backup is left behind when it fails, and one that is made is whole and needs no log beside it. */
static void test_backup_is_whole_or_nothing(void **state) {
    struct world *w = *state;
    populate(w);
    assert_rc(w->db->driver->backup(w->db, world_path(w, "copy.db"), NULL, NULL));
    assert_string_equal(query(w, world_path(w, "copy.db"), "PRAGMA journal_mode"), "delete");
    assert_whole(w, "copy.db");
    assert_int_equal(access(world_path(w, "copy.db-wal"), F_OK), -1);
    assert_fault(w->db->driver->backup(w->db, world_path(w, "none/copy.db"), NULL, NULL), IO);

    shim_on();
    shim_fail(SHIM_WRITE, 3, 1000000, SQLITE_FULL);
    assert_fault(w->db->driver->backup(w->db, world_path(w, "half.db"), NULL, NULL), DB_FULL);
    shim_off();
    assert_int_equal(access(world_path(w, "half.db"), F_OK), -1);
}

struct stepping {
    struct world *w;
    uint32_t inserted;
    int steps;
};

/* Between two steps of a backup there is always a change. */
static void on_step(void *arg, int done, int total) {
    (void)done, (void)total;
    struct stepping *s = arg;
    struct change insert = insert_of(1000000 + s->inserted++);
    if (++s->steps > 1000) fail_msg("the backup begins again with every change");
    assert_int_equal(apply(s->w, &insert), OUTCOME_DONE);
}

static void insert_many(struct world *w, uint32_t n) {
    struct client c;
    struct client_call *calls = test_calloc(500, sizeof *calls);
    client_open(&c, w->db);
    for (uint32_t at = 0; at < n; at += 500) {
        for (uint32_t k = 0; k < 500; k++) {
            struct change insert = insert_of(at + k);
            client_apply(&c, &calls[k], &insert);
        }
        client_wait(&c);
        for (uint32_t k = 0; k < 500; k++) client_call_free(&calls[k]);
    }
    client_close(&c);
    test_free(calls);
}

static void test_backup_is_of_one_moment(void **state) {
    struct world *w = *state;
    enum { N = 30000 };
    insert_many(w, N);
    struct stepping s = {.w = w};
    assert_rc(w->db->driver->backup(w->db, world_path(w, "copy.db"), on_step, &s));
    assert_true(s.steps > 1);
    assert_int_equal(strtol(query(w, world_path(w, "copy.db"), "SELECT count(*) FROM grants"), NULL, 10), N);
    assert_whole(w, "copy.db");
}

/* No answer before its commit is on disk: one sync of the log for each change that had to be waited for. */
static void test_each_answer_follows_a_sync(void **state) {
    struct world *w = *state;
    world_shut(w);
    shim_on();
    world_open(w, &(struct world_options){.inline_writes = false});
    for (uint32_t n = 0; n < 50; n++) {
        struct change insert = insert_of(n);
        uint32_t before = shim_log_syncs();
        assert_int_equal(apply(w, &insert), OUTCOME_DONE);
        assert_true(shim_log_syncs() > before);
    }
    world_shut(w);
    shim_off();
}

/* Whichever write or sync fails, and whether once or from then on: what was answered is there, what failed before its commit is not,
 * the file is whole, and once the disk works again the store does too, without a restart. */
static void sweep(struct world *w, enum shim_op op, uint32_t more, int code) {
    uint32_t faults = 0, n = 0, at;
    for (at = 1; at <= 24; at++) {
        uint32_t there[6] = {0}, n_there = 0;
        shim_fail(op, at, more, code);
        for (int i = 0; i < 6; i++, n++) {
            enum outcome outcome;
            struct change insert = insert_of(n);
            struct rc rc = storage_change(w->admin, &insert, w->arena, &outcome);
            if (rc_ok(rc))
                there[n_there++] = n;
            else
                assert_true(rc.fault == FAULT_DB_IO || rc.fault == FAULT_DB_FULL);
            faults += !rc_ok(rc);
        }
        shim_fail(op, 0, 0, SQLITE_OK);
        for (uint32_t i = 0; i < n_there; i++) assert_true(ask_grant(w, there[i]).grant_found);
        struct change again = insert_of(n++);
        assert_int_equal(apply(w, &again), OUTCOME_DONE);
    }
    assert_true(faults > 0);
}

static void test_whichever_write_fails(void **state) {
    struct world *w = *state;
    const struct {
        enum shim_op op;
        uint32_t more;
        int code;
    } cases[] = {
        {SHIM_WRITE, 0, SQLITE_IOERR_WRITE},
        {SHIM_WRITE, 1000000, SQLITE_FULL},
        {SHIM_SYNC, 0, SQLITE_IOERR_FSYNC},
        {SHIM_SYNC, 1000000, SQLITE_IOERR_FSYNC},
    };
    world_shut(w);
    shim_on();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unlink(world_path(w, "store.db"));
        world_open(w, &(struct world_options){.inline_writes = false});
        sweep(w, cases[i].op, cases[i].more, cases[i].code);
        uint64_t before = fingerprint(w);
        world_shut(w);
        assert_whole(w, "store.db");
        world_open(w, &(struct world_options){.inline_writes = false});
        assert_true(fingerprint(w) == before);
        world_shut(w);
    }
    shim_off();
}

/* The log is moved into the file while the server runs, so neither it nor a restart grows without end. */
static void test_the_log_stays_short(void **state) {
    struct world *w = *state;
    struct client c;
    client_open(&c, w->db);
    struct client_call *calls = test_calloc(500, sizeof *calls);
    for (uint32_t round = 0; round < 60; round++) {
        for (uint32_t n = 0; n < 500; n++) {
            struct change insert = insert_of(round * 500 + n);
            insert.grant.hub_id = (int32_t)(1 + (n * 7919 + round * 104729) % 100000); /* far apart in the indexes */
            insert.grant.user_id = insert.grant.hub_id;
            client_apply(&c, &calls[n], &insert);
        }
        client_wait(&c);
        for (uint32_t n = 0; n < 500; n++) client_call_free(&calls[n]);
    }
    struct stat st;
    assert_int_equal(stat(world_path(w, "store.db-wal"), &st), 0);
    assert_in_range(st.st_size, 1, 48 << 20);
    assert_int_equal(stat(world_path(w, "store.db"), &st), 0);
    assert_in_range(st.st_size, 1 << 20, 64 << 20); /* the rows have arrived in the file */
    test_free(calls);
    client_close(&c);
}

/* Which statements may look at every row of a table: those that list all of a small one, and the pages. */
static bool may_scan(const char *name, const char *detail) {
    static const char *const allowed[][2] = {
        {"LIST_APPS", "SCAN apps"},
        {"LIST_SCOPES", "SCAN scopes"},
        {"LIST_RESOURCES", "SCAN resources"},
        {"RESOURCE_CREATE", "SCAN CONSTANT ROW"},
        {"RESOURCE_CREATE", "SCAN o"}, /* an administrator's, of a small table */
        {"LIST_KEYS", "SCAN keys"},
        {"LIST_VERSION", "SCAN meta"},
        {"VERSION_RAISE", "SCAN meta"},
        {"ASK_SUBJECT", "SCAN q"},
        {"ASK_SUBJECT", "SCAN CONSTANT ROW"},
        {"ASK_UNINSTALLED", "SCAN q"},
        {"ASK_UNINSTALLED", "SCAN CONSTANT ROW"},
        {"GRANT_INSERT", "SCAN CONSTANT ROW"},
        {"PURGE_UNINSTALLED", "SCAN n"}, /* of 500 at most */
        {"PURGE_UNINSTALLS", "SCAN n"},
        {"SECRET_ADD", "SCAN CONSTANT ROW"},
        {"LIST_SIGNING_KEYS", "SCAN signing_keys"},
        {"SIGNING_KEY_INSERT", "SCAN CONSTANT ROW"},
    };
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (str_eq(str_of(name), str_of(allowed[i][0])) && str_starts_with(str_of(detail), str_of(allowed[i][1])))
            return true;
    return false;
}

/* So rows that are over cost nothing but their place. norm: N05 */
static void test_no_statement_reads_a_whole_table(void **state) {
    struct world *w = *state;
    sqlite3 *db;
    size_t wrong = 0, lines = 0;
    assert_int_equal(sqlite3_open(world_path(w, "store.db"), &db), SQLITE_OK);
    for (size_t i = 0; i < store_sql_count; i++) {
        const char *sql = arena_printf(w->arena, "EXPLAIN QUERY PLAN %s%c", store_sql[i].text, 0).p;
        sqlite3_stmt *stmt;
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
        for (; sqlite3_step(stmt) == SQLITE_ROW; lines++) {
            const char *detail = (const char *)sqlite3_column_text(stmt, 3);
            if (!str_starts_with(str_of(detail), S("SCAN")) || may_scan(store_sql[i].name, detail)) continue;
            print_error("%s: %s\n", store_sql[i].name, detail);
            wrong++;
        }
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    assert_true(lines > store_sql_count / 2);
    assert_int_equal(wrong, 0);
}

/* The plan of a statement, its lines one after the other. */
static str plan_of(struct world *w, sqlite3 *db, const char *name) {
    size_t i = 0;
    while (i < store_sql_count && !str_eq(str_of(store_sql[i].name), str_of(name))) i++;
    assert_true(i < store_sql_count);
    sqlite3_stmt *stmt;
    str plan = {"", 0};
    const char *sql = arena_printf(w->arena, "EXPLAIN QUERY PLAN %s%c", store_sql[i].text, 0).p;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        plan = arena_printf(w->arena, "%.*s%s; ", STR_ARG(plan), (const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    return plan;
}

/* What the indexes are there for. */
static void test_statements_use_their_indexes(void **state) {
    struct world *w = *state;
    static const char *const rows[][2] = {
        {"ASK_GRANT", "SEARCH g USING PRIMARY KEY (id=?)"},
        {"ASK_GRANT_ALONE", "SEARCH g USING PRIMARY KEY (id=?)"},
        {"LIST_GRANTS_OF_USER", "USING INDEX grants_user (user_id=?"},
        {"LIST_GRANTS_OF_ACCOUNT", "USING INDEX grants_account (hub_id=?"},
        {"PURGE_GRANTS", "INDEX grants_expiry (expires_ms<?)"},
        {"PURGE_TOKENS", "INDEX revoked_tokens_expiry (expires_ms<?)"},
        {"PURGE_UNINSTALLED", "INDEX uninstalls_time (uninstalled_ms<?)"},
        {"PURGE_UNINSTALLS", "INDEX uninstalls_time (uninstalled_ms<?)"},
        {"PURGE_UNINSTALLED", "INDEX grants_account (hub_id=? AND app_id=?)"},
        {"LIST_MEMBERS_OF_ACCOUNT", "INDEX members_account (hub_id=?"},
        {"LIST_SECRETS", "INDEX app_secrets_app (app_id>"},
    };
    sqlite3 *db;
    size_t wrong = 0;
    assert_int_equal(sqlite3_open(world_path(w, "store.db"), &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *plan = arena_cstr(w->arena, plan_of(w, db, rows[i][0]));
        if (strstr(plan, rows[i][1])) continue;
        print_error("%s: %s\n", rows[i][0], plan);
        wrong++;
    }
    sqlite3_close(db);
    assert_int_equal(wrong, 0);
}

/* ---- turns ---- */

static bool sees_grant(struct client *c, uint32_t n, bool *out_revoked) {
    struct client_call call;
    client_ask_grant(c, &call, n);
    assert_true(call.done);
    assert_int_equal(call.call.rc.fault, FAULT_NONE);
    bool found = call.facts.grant_found;
    *out_revoked = found && call.facts.grant.revoked_ms != 0;
    client_call_free(&call);
    return found;
}

/* Reads of one turn share a snapshot until somebody commits: through this store, or past it. */
static void test_a_turn_sees_every_commit(void **state) {
    struct world *w = *state;
    struct client c;
    bool revoked;
    client_open(&c, w->db);
    db_by_turns(c.session);
    for (int turn = 0; turn < 2; turn++) {
        uint32_t n = (uint32_t)turn;
        for (int i = 0; i < 3; i++) assert_false(sees_grant(&c, n, &revoked));
        struct change insert = insert_of(n);
        assert_int_equal(apply(w, &insert), OUTCOME_DONE);
        for (int i = 0; i < 3; i++) assert_true(sees_grant(&c, n, &revoked) && !revoked);
        struct change revoke = change_of(CHANGE_GRANT_REVOKE, n);
        assert_int_equal(apply(w, &revoke), OUTCOME_DONE);
        for (int i = 0; i < 3; i++) assert_true(sees_grant(&c, n, &revoked) && revoked);
        query(w, world_path(w, "store.db"), "UPDATE grants SET revoked_ms = NULL RETURNING 1");
        assert_true(sees_grant(&c, n, &revoked) && !revoked);
        db_end_turn(c.session);
    }
    client_close(&c);
}

/* What a turn held does not outlive it: the log can start anew. */
static void test_nothing_is_held_after_a_turn(void **state) {
    struct world *w = *state;
    struct client c;
    bool revoked;
    struct change insert = insert_of(0);
    assert_int_equal(apply(w, &insert), OUTCOME_DONE);
    client_open(&c, w->db);
    db_by_turns(c.session);
    for (int i = 0; i < 3; i++) assert_true(sees_grant(&c, 0, &revoked));
    const char *path = world_path(w, "store.db"), *sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    assert_string_equal(query(w, path, sql), "1"); /* busy: the snapshot is there, or this test shows nothing */
    db_end_turn(c.session);
    assert_string_equal(query(w, path, sql), "0");
    client_close(&c);
}

static void submit_inserts(struct client *c, struct client_call *calls, uint32_t from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct change insert = insert_of(from + i);
        client_apply(c, &calls[i], &insert);
    }
}

/* Changes of one turn are one commit; those of a long one do not wait for its end; those that nobody waits for any more are made. */
static void test_changes_of_a_turn(void **state) {
    enum { SHORT = 20, LONG = 100 };
    struct world *w = *state;
    struct client c;
    struct client_call *calls = test_calloc(LONG, sizeof *calls);
    bool revoked;
    world_shut(w);
    shim_on();
    world_open(w, &(struct world_options){.inline_writes = false});
    struct change first = insert_of(500); /* a log that begins is synced once more */
    assert_int_equal(apply(w, &first), OUTCOME_DONE);
    client_open(&c, w->db);
    db_by_turns(c.session);

    submit_inserts(&c, calls, 0, SHORT);
    assert_int_equal(c.under_way, SHORT);
    assert_false(ask_grant(w, 0).grant_found);
    uint32_t before = shim_log_syncs();
    db_end_turn(c.session);
    client_wait(&c);
    assert_int_equal(shim_log_syncs(), before + 1);
    for (uint32_t i = 0; i < SHORT; i++) client_call_free(&calls[i]);

    submit_inserts(&c, calls, 1000, LONG);
    while (c.under_way == LONG) client_wait_once(&c);
    assert_true(ask_grant(w, 1000).grant_found);
    db_end_turn(c.session);
    client_wait(&c);
    for (uint32_t i = 0; i < LONG; i++) client_call_free(&calls[i]);

    submit_inserts(&c, calls, 2000, 1);
    assert_false(sees_grant(&c, 2000, &revoked));
    client_close(&c);
    client_call_free(&calls[0]);
    assert_true(ask_grant(w, 2000).grant_found);
    test_free(calls);
    world_shut(w);
    shim_off();
}

int run_sqlite(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_files_are_the_owners),
        ROW(test_what_cannot_be_opened),
        ROW(test_a_file_that_cannot_be_written),
        ROW(test_a_full_disk),
        ROW(test_a_write_error),
        ROW(test_the_reserve_and_the_wait),
        ROW(test_another_writer_makes_busy),
        ROW(test_kill_loses_nothing_that_was_answered),
        ROW(test_backup_is_whole_or_nothing),
        ROW(test_backup_is_of_one_moment),
        ROW(test_each_answer_follows_a_sync),
        ROW(test_whichever_write_fails),
        ROW(test_the_log_stays_short),
        ROW(test_statements_use_their_indexes),
        ROW(test_no_statement_reads_a_whole_table),
        ROW(test_a_turn_sees_every_commit),
        ROW(test_nothing_is_held_after_a_turn),
        ROW(test_changes_of_a_turn),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
