/* Online backup: a copy of one moment, made in steps while the server goes on. */
#include "db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STEP_PAGES     512
#define BUSY_TRIES_MAX 200
#define BUSY_WAIT_MS   10

static RC target_open(const char *path, sqlite3 **out) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return rc_fail(FAULT_IO, "%s: %s", path, strerror(errno));
    close(fd);
    int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    return code == SQLITE_OK ? RC_OK : conn_fault(*out, code, path);
}

/* The whole copy. The source connection holds a snapshot, so no change makes SQLite begin anew. */
static RC copy_pages(sqlite3 *source, sqlite3 *target, void (*progress)(void *arg, int done, int total), void *arg) {
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
    if (!backup) return conn_fault(target, sqlite3_errcode(target), "backup");
    int code = SQLITE_OK;
    for (int busy = 0; busy < BUSY_TRIES_MAX;) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        int total = sqlite3_backup_pagecount(backup);
        if (progress) progress(arg, total - sqlite3_backup_remaining(backup), total);
        bool again = code == SQLITE_BUSY || code == SQLITE_LOCKED;
        if (code != SQLITE_OK && !again) break;
        if (again) sqlite3_sleep(BUSY_WAIT_MS), busy++;
    }
    sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? RC_OK : conn_fault(NULL, code, "backup");
}

/* The copy must open without the log files of its source. */
static RC target_finish(sqlite3 *target) {
    int code = sqlite3_exec(target, "PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : conn_fault(target, code, "backup");
}

static RC copy_from_snapshot(struct sqlite_db *db, sqlite3 *target, void (*progress)(void *, int, int), void *arg) {
    struct conn source;
    TRY(conn_open(&source, db, CONN_READER));
    int code = sqlite3_exec(source.sqlite, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    struct rc rc = code == SQLITE_OK ? copy_pages(source.sqlite, target, progress, arg)
                                     : conn_fault(source.sqlite, code, "backup");
    conn_rollback(&source);
    conn_end(&source);
    return rc;
}

static RC copy_from_memory(struct sqlite_db *db, sqlite3 *target, void (*progress)(void *, int, int), void *arg) {
    pthread_mutex_lock(&db->writing);
    struct rc rc = copy_pages(db->writer.sqlite, target, progress, arg);
    pthread_mutex_unlock(&db->writing);
    return rc;
}

RC sqlite_backup(struct db *base, const char *path, void (*progress)(void *arg, int done, int total), void *arg) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    sqlite3 *target = NULL;
    TRY(target_open(path, &target));
    struct rc rc = (db->in_memory ? copy_from_memory : copy_from_snapshot)(db, target, progress, arg);
    if (rc_ok(rc)) rc = target_finish(target);
    sqlite3_close(target);
    if (!rc_ok(rc)) unlink(path);
    return rc;
}
