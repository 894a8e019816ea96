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
#include <unistd.h>

#include "contract.h"

struct lock {
    sqlite3 *sqlite;
};

struct lock *lock_take(struct world *w) {
    struct lock *lock = test_calloc(1, sizeof *lock);
    assert_int_equal(sqlite3_open(world_path(w, "store.db"), &lock->sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return lock;
}

void lock_release(struct lock *lock) {
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

/* No backup is left behind when it fails, and one that is made is whole. */
static void test_backup_is_whole_or_nothing(void **state) {
    struct world *w = *state;
    populate(w);
    assert_rc(w->db->driver->backup(w->db, world_path(w, "copy.db"), NULL, NULL));
    assert_whole(w, "copy.db");
    assert_int_equal(access(world_path(w, "copy.db-wal"), F_OK), -1);
    assert_fault(w->db->driver->backup(w->db, world_path(w, "none/copy.db"), NULL, NULL), IO);
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
        {"LIST_APPS", "SCAN apps"},           {"LIST_SCOPES", "SCAN scopes"},      {"LIST_KEYS", "SCAN keys"},
        {"LIST_VERSION", "SCAN meta"},        {"VERSION_RAISE", "SCAN meta"},      {"ASK_SUBJECT", "SCAN q"},
        {"ASK_SUBJECT", "SCAN CONSTANT ROW"}, {"SECRET_ADD", "SCAN CONSTANT ROW"},
    };
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (str_eq(str_of(name), str_of(allowed[i][0])) && str_starts_with(str_of(detail), str_of(allowed[i][1])))
            return true;
    return false;
}

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

int run_sqlite(void) {
    const struct CMUnitTest tests[] = {
        ROW(test_files_are_the_owners),
        ROW(test_what_cannot_be_opened),
        ROW(test_a_file_that_cannot_be_written),
        ROW(test_a_full_disk),
        ROW(test_a_write_error),
        ROW(test_another_writer_makes_busy),
        ROW(test_kill_loses_nothing_that_was_answered),
        ROW(test_backup_is_whole_or_nothing),
        ROW(test_the_log_stays_short),
        ROW(test_no_statement_reads_a_whole_table),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
