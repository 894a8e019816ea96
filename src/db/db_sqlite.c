/* The SQLite driver: a file, or memory. Reads run at once on the session's own connection, changes on the writer's. */
#include "db_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES_HELD_MAX 64 /* of one turn: a loop with thousands of connections has long turns */

static RC sqlite_open_session(struct db *base, void (*wake)(void *arg), void *arg, struct db_session **out) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    struct sqlite_session *s = calloc(1, sizeof *s);
    if (!s) return conn_fault(NULL, SQLITE_NOMEM, "open_session");
    s->base.db = base;
    s->wake = wake;
    s->wake_arg = arg;
    s->finished_tail = &s->finished;
    s->changes_tail = &s->changes;
    s->reader = db->in_memory ? &db->writer : &s->own;
    struct rc rc = db->in_memory ? RC_OK : conn_open(&s->own, db, CONN_READER);
    if (!rc_ok(rc)) {
        free(s);
        return rc;
    }
    *out = &s->base;
    return RC_OK;
}

/* ---- turns ---- */

/* Words that another process may change under our eyes: a torn copy only differs, and then nothing is shared. */
__attribute__((no_sanitize("thread"))) static bool head_is(const volatile uint64_t *head, const uint64_t *known) {
    for (size_t i = 0; i < WAL_HEAD_WORDS; i++)
        if (head[i] != known[i]) return false;
    return true;
}

__attribute__((no_sanitize("thread"))) static void head_copy(const volatile uint64_t *head, uint64_t *out) {
    for (size_t i = 0; i < WAL_HEAD_WORDS; i++) out[i] = head[i];
}

static void let_go(struct sqlite_session *s) {
    conn_rollback(&s->own);
    s->held.on = false;
}

/* From the second read of a turn on a snapshot is held: taking one costs more than a read (locks, the state of the log). It is given up as soon
 * as the log has changed, so every read sees all that was committed before it began. */
static void hold_snapshot(struct sqlite_session *s) {
    if (s->held.on && !head_is(s->wal_head, s->held.head)) let_go(s);
    if (s->held.on || s->n_reads++ == 0) return;
    if (!s->wal_head) s->wal_head = conn_wal_head(&s->own);
    if (!s->wal_head) return;
    head_copy(s->wal_head, s->held.head); /* before the snapshot is taken */
    s->held.on = rc_ok(conn_control(&s->own, CONTROL_BEGIN_READ));
}

/* A session that works by turns serves requests; what it cannot keep it reads again. */
static void keep_pages(struct sqlite_session *s) {
    struct rc rc = conn_keep_pages(&s->own, ((struct sqlite_db *)s->base.db)->options.cache_kib);
    s->keeps_pages = rc_ok(rc);
}

static void read_in_turn(struct sqlite_session *s, struct db_op *op) {
    if (!s->keeps_pages) keep_pages(s);
    hold_snapshot(s);
    op_read(&s->own, op);
    if (s->held.on && !rc_ok(op->rc)) let_go(s);
}

static void hand_over_changes(struct sqlite_session *s) {
    if (!s->changes) return;
    struct db_op *ops = s->changes;
    s->changes = NULL;
    s->changes_tail = &s->changes;
    s->n_changes = 0;
    writer_queue((struct sqlite_db *)s->base.db, ops);
}

static void change_in_turn(struct sqlite_session *s, struct db_op *op) {
    *s->changes_tail = op;
    s->changes_tail = &op->next;
    if (++s->n_changes >= CHANGES_HELD_MAX) hand_over_changes(s);
}

static void sqlite_end_turn(struct db_session *base) {
    struct sqlite_session *s = (struct sqlite_session *)base;
    if (s->held.on) let_go(s);
    s->n_reads = 0;
    hand_over_changes(s);
}

/* ---- sessions ---- */

static void sqlite_close_session(struct db_session *base) {
    struct sqlite_session *s = (struct sqlite_session *)base;
    struct sqlite_db *db = (struct sqlite_db *)base->db;
    sqlite_end_turn(base);
    pthread_mutex_lock(&db->lock);
    while (s->outstanding) pthread_cond_wait(&db->let_go, &db->lock);
    pthread_mutex_unlock(&db->lock);
    conn_end(&s->own);
    free(s);
}

/* Changes of a db without a writer thread, and every op of one in memory: on the writer's connection, here and now. */
static void run_on_writer(struct sqlite_db *db, struct db_op *op) {
    pthread_mutex_lock(&db->writing);
    if (op->write) {
        writer_run_batch(db, op);
        writer_checkpoint(db);
    } else {
        op_read(&db->writer, op);
    }
    pthread_mutex_unlock(&db->writing);
    op_finish(op);
}

static void sqlite_submit(struct db_session *base, struct db_op *op) {
    struct sqlite_session *s = (struct sqlite_session *)base;
    struct sqlite_db *db = (struct sqlite_db *)base->db;
    op_start(op, base);
    if (op->write && !db->base.inline_writes) {
        if (base->by_turns)
            change_in_turn(s, op);
        else
            writer_queue(db, op);
        return;
    }
    if (op->write || s->reader == &db->writer) {
        run_on_writer(db, op);
        return;
    }
    if (s->own.table != db->table) s->own.table = db->table, s->own.n_table = db->n_table; /* opened before prepare */
    if (base->by_turns)
        read_in_turn(s, op);
    else
        op_read(&s->own, op);
    op_finish(op);
}

static void sqlite_drain(struct db_session *base) {
    struct sqlite_session *s = (struct sqlite_session *)base;
    struct sqlite_db *db = (struct sqlite_db *)base->db;
    pthread_mutex_lock(&db->lock);
    struct db_op *op = s->finished;
    s->finished = NULL;
    s->finished_tail = &s->finished;
    pthread_mutex_unlock(&db->lock);
    while (op) {
        struct db_op *next = op->next; /* done may free the op or submit it again */
        op_finish(op);
        op = next;
    }
}

static RC script_run(struct conn *c, const char *sql) {
    TRY(conn_control(c, CONTROL_BEGIN_WRITE));
    int code = sqlite3_exec(c->sqlite, sql, NULL, NULL, NULL);
    struct rc rc = code == SQLITE_OK ? RC_OK : conn_fault(c->sqlite, code, "script");
    if (rc_ok(rc)) rc = conn_control(c, CONTROL_COMMIT);
    if (!rc_ok(rc)) conn_rollback(c);
    return rc;
}

static RC sqlite_script(struct db *base, const char *sql) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    pthread_mutex_lock(&db->writing);
    struct rc rc = script_run(&db->writer, sql);
    pthread_mutex_unlock(&db->writing);
    return rc;
}

/* One number from one query; *out stays when there is no row or it is NULL. */
static RC query_number(struct conn *c, const char *sql, int64_t *out) {
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(c->sqlite, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && sqlite3_column_type(stmt, 0) == SQLITE_INTEGER) *out = sqlite3_column_int64(stmt, 0);
    struct rc rc = code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : conn_fault(c->sqlite, code, "schema_version");
    sqlite3_finalize(stmt);
    return rc;
}

static RC schema_read(struct conn *c, int64_t known, struct db_schema *out) {
    int64_t tables = 0;
    char sql[SCHEMA_NEEDS_BYTES];
    *out = (struct db_schema){.version = 0};
    TRY(query_number(c, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_versions'",
                     &tables));
    if (tables) TRY(query_number(c, SCHEMA_VERSION, &out->version));
    return out->version > known ? query_number(c, schema_needs(known, sql), &out->needs) : RC_OK;
}

static RC sqlite_schema(struct db *base, int64_t known, struct db_schema *out) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    pthread_mutex_lock(&db->writing);
    struct rc rc = schema_read(&db->writer, known, out);
    pthread_mutex_unlock(&db->writing);
    return rc;
}

/* One program has the file, and changes wait in its queue meanwhile. */
static RC sqlite_index(struct db *base, const struct db_index *index, const struct db_progress *progress) {
    char sql[INDEX_BYTES];
    (void)progress;
    int n = snprintf(sql, sizeof sql, "CREATE INDEX IF NOT EXISTS %s ON %s", index->name, index->on);
    if (n < 0 || (size_t)n >= sizeof sql) return rc_fail(FAULT_INTERNAL, "the index %s is too long", index->name);
    return sqlite_script(base, sql);
}

/* They are not kept: most are never run, and all of them together are half a megabyte. */
static RC table_check(struct conn *c) {
    struct rc rc = RC_OK;
    for (size_t i = 0; i < c->n_table && rc_ok(rc); i++) {
        struct prepared *p;
        rc = conn_prepare(c, i, &p);
    }
    conn_forget(c);
    return rc;
}

static RC sqlite_prepare(struct db *base, const struct db_sql *table, size_t n) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    if (db->table == table && db->n_table == n) return RC_OK;
    if (db->table) return rc_fail(FAULT_INTERNAL, "another table of statements is in use");
    pthread_mutex_lock(&db->writing);
    db->writer.table = table;
    db->writer.n_table = n;
    struct rc rc = table_check(&db->writer);
    if (rc_ok(rc)) {
        db->table = table;
        db->n_table = n;
    }
    pthread_mutex_unlock(&db->writing);
    return rc;
}

static void db_free(struct sqlite_db *db) {
    conn_end(&db->writer);
    pthread_mutex_destroy(&db->writing);
    pthread_mutex_destroy(&db->releasing);
    pthread_mutex_destroy(&db->lock);
    pthread_cond_destroy(&db->work);
    pthread_cond_destroy(&db->let_go);
    free(db->path);
    free(db);
}

static void sqlite_close(struct db *base) {
    struct sqlite_db *db = (struct sqlite_db *)base;
    writer_stop(db);
    if (!db->in_memory) sqlite3_wal_checkpoint_v2(db->writer.sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    db_free(db);
}

static const struct db_word words[] = {
    {"INT", "INTEGER"},      {"BIGINT", "INTEGER"}, {"BYTES", "BLOB"}, {"KEY_ORDERED", "WITHOUT ROWID, STRICT"},
    {"UNORDERED", "STRICT"}, {NULL, NULL},
};

static const struct db_driver driver = {
    .name = "sqlite",
    .open_session = sqlite_open_session,
    .close_session = sqlite_close_session,
    .submit = sqlite_submit,
    .drain = sqlite_drain,
    .end_turn = sqlite_end_turn,
    .script = sqlite_script,
    .schema = sqlite_schema,
    .index = sqlite_index,
    .prepare = sqlite_prepare,
    .backup = sqlite_backup,
    .bulk = sqlite_bulk,
    .close = sqlite_close,
    .words = words,
};

/* Creates the file for the owner alone; SQLite gives its -wal and -shm the mode of the file. An existing file is never opened
 * here: closing it would drop the locks that other connections of this process hold on it. */
static RC file_make_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return RC_OK;
    }
    if (errno != EEXIST)
        return rc_fail(errno == EACCES || errno == EROFS ? FAULT_DB_READONLY : FAULT_DB_IO, "%s: %s", path,
                       strerror(errno));
    struct stat st;
    if (stat(path, &st) != 0) return rc_fail(FAULT_DB_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return rc_fail(FAULT_DB_IO, "%s is not a file", path);
    if ((st.st_mode & 077) && chmod(path, 0600) != 0)
        return rc_fail(FAULT_UNSAFE, "others can read %s, and its mode cannot be changed: %s", path, strerror(errno));
    return RC_OK;
}

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

/* Memory statistics would take one lock of all threads at every allocation. */
static void library_set_up(void) {
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static RC db_set_up(struct sqlite_db *db) {
    if (!db->in_memory) TRY(file_make_private(db->path));
    TRY(conn_open(&db->writer, db, CONN_WRITER));
    return writer_start(db);
}

RC db_open_sqlite(const struct db_sqlite_options *options, struct db **out) {
    pthread_once(&library_once, library_set_up);
    struct sqlite_db *db = calloc(1, sizeof *db);
    size_t path_bytes = strlen(options->path) + 1;
    if (!db || !(db->path = malloc(path_bytes))) {
        free(db);
        return conn_fault(NULL, SQLITE_NOMEM, "open");
    }
    memcpy(db->path, options->path, path_bytes);
    db->in_memory = str_eq(str_of(options->path), S(":memory:"));
    db->base.driver = &driver;
    db->base.inline_writes = options->inline_writes || db->in_memory;
    db->options = *options;
    if (!options->queue_max) db->options.queue_max = 16384;
    if (!options->wait_max_ms) db->options.wait_max_ms = 3000;
    if (!options->batch_max) db->options.batch_max = 512;
    if (!options->cache_kib) db->options.cache_kib = 4096;
    pthread_mutex_init(&db->writing, NULL);
    pthread_mutex_init(&db->releasing, NULL);
    pthread_mutex_init(&db->lock, NULL);
    pthread_cond_init(&db->work, NULL);
    pthread_cond_init(&db->let_go, NULL);

    struct rc rc = db_set_up(db);
    if (!rc_ok(rc)) {
        db_free(db);
        return rc;
    }
    *out = &db->base;
    return RC_OK;
}
