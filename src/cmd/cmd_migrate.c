/* grantd migrate: the schema of a store, step by step, apart from the server */
#include "command.h"
#include "datadir.h"
#include "json_write.h"
#include "migrate.h"
#include "progress.h"
#include "storage.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FLAG_STATUS, FLAG_JSON };

struct migrating {
    const struct command_line *line;
    struct migrate_steps steps;
    struct db *db;
    int lock_fd; /* of the data directory; -1: none */
    struct db_schema before, after;
    struct progress progress;
    int64_t began_ms;
    int64_t *took_ms; /* by step; -1: it was there */
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what is said ---- */

static bool is_done(const struct migrating *m, const struct store_migration *step) {
    return step->version <= m->after.version;
}

static void write_json(const struct migrating *m, struct buf *out) {
    struct json j = json_on(out);
    json_open(&j);
    json_member_str(&j, S("store"), str_of(m->db ? m->db->driver->name : "none"));
    json_member_int(&j, S("was"), m->before.version);
    json_member_int(&j, S("schema"), m->after.version);
    json_member_int(&j, S("newest"), migrate_newest(m->steps));
    json_key(&j, S("steps"));
    json_open_array(&j);
    for (const struct store_migration *step = m->steps.of; step < m->steps.of + m->steps.n; step++) {
        json_open(&j);
        json_member_int(&j, S("version"), step->version);
        json_member_str(&j, S("name"), str_of(step->name));
        json_member_bool(&j, S("done"), is_done(m, step));
        json_member_int(&j, S("readable_from"), step->readable_from);
        if (m->took_ms[step - m->steps.of] >= 0) json_member_int(&j, S("took_ms"), m->took_ms[step - m->steps.of]);
        json_close(&j);
    }
    json_close_array(&j);
    json_close(&j);
    buf_add_char(out, '\n');
}

/* Of the programs that read readable_from; older ones do not start on a schema that they do not know. */
static void write_step(const struct migrating *m, const struct store_migration *step, struct buf *out) {
    const char *word = is_done(m, step) ? "done   " : "missing";
    buf_printf(out, "  %3lld  %s  %s", (long long)step->version, word, step->name);
    if (is_done(m, step))
        buf_add_char(out, '\n');
    else if (step->readable_from < step->version)
        buf_printf(out, " (nodes of schema %lld and later go on)\n", (long long)step->readable_from);
    else
        buf_add(out, S(" (older nodes end)\n"));
}

static void write_text(const struct migrating *m, struct buf *out) {
    int64_t newest = migrate_newest(m->steps), now = m->after.version;
    size_t made = 0, missing = 0;
    for (size_t i = 0; i < m->steps.n; i++) {
        made += m->took_ms[i] >= 0;
        missing += !is_done(m, &m->steps.of[i]);
    }
    if (m->line->given[FLAG_STATUS])
        for (size_t i = 0; i < m->steps.n; i++) write_step(m, &m->steps.of[i], out);
    if (missing)
        buf_printf(out, "The store has schema %lld of %lld; grantd migrate makes what is missing.\n", (long long)now,
                   (long long)newest);
    else if (made)
        buf_printf(out, "The store has schema %lld now.\n", (long long)now);
    else
        buf_printf(out, "The store has schema %lld; there is nothing to do.\n", (long long)now);
}

static RC print(const struct migrating *m) {
    struct buf out = buf_growing(1 << 20);
    (m->line->given[FLAG_JSON] ? write_json : write_text)(m, &out);
    bool whole = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    buf_free(&out);
    return whole ? RC_OK : rc_fail(FAULT_IO, "the output could not be written: %m");
}

/* ---- while it goes on ---- */

static void on_begin(void *arg, const struct store_migration *step) {
    struct migrating *m = arg;
    m->began_ms = now_ms();
    m->progress = progress_begin(step->index.name ? step->index.name : step->name, "blocks and rows");
    if (!m->line->given[FLAG_JSON]) fprintf(stderr, "grantd: step %lld: %s\n", (long long)step->version, step->name);
}

static void on_progress(void *arg, int64_t done, int64_t total) {
    struct migrating *m = arg;
    progress_show(&m->progress, done, total);
}

static void on_end(void *arg, const struct store_migration *step) {
    struct migrating *m = arg;
    progress_end(&m->progress);
    m->took_ms[step - m->steps.of] = now_ms() - m->began_ms;
}

/* ---- the store ---- */

/* A look leaves no trace: neither a directory nor an empty store. */
static bool is_there(const struct options *o, struct arena *arena) {
    return options_store_is_postgres(o) || access(options_store_path(o, arena), F_OK) == 0;
}

/* A file belongs to one program at a time; a database has locks of its own. */
static RC take_directory(struct migrating *m) {
    const struct options *o = &m->line->options;
    if (options_store_is_postgres(o)) return RC_OK;
    if (o->data.n == 0)
        return rc_fail(FAULT_CONFIG, "say which store: give --data DIR, or --store postgres://USER@HOST/DATABASE");
    if (m->line->given[FLAG_STATUS]) return RC_OK;
    const char *dir = arena_cstr(m->line->arena, o->data);
    TRY(datadir_open(dir));
    return datadir_lock(dir, &m->lock_fd);
}

static RC migrate(struct migrating *m) {
    const struct options *o = &m->line->options;
    const struct migrate_watch watch = {on_begin, on_progress, on_end, m};
    TRY(options_check(o, false));
    TRY(take_directory(m));
    if (m->line->given[FLAG_STATUS] && !is_there(o, m->line->arena)) return print(m);
    TRY(storage_open(o, true, m->line->arena, &m->db));
    TRY(migrate_look(m->db, m->steps, &m->before));
    m->after = m->before;
    if (m->line->given[FLAG_STATUS]) return print(m);
    TRY(migrate_run(m->db, m->steps, &watch, m->line->arena));
    TRY(migrate_look(m->db, m->steps, &m->after));
    return print(m);
}

int cmd_migrate(struct command_line *line) {
    struct migrating m = {.line = line, .steps = migrate_own_steps(), .lock_fd = -1};
    m.took_ms = ARENA_ARRAY(line->arena, int64_t, m.steps.n);
    for (size_t i = 0; i < m.steps.n; i++) m.took_ms[i] = -1;
    struct rc rc = migrate(&m);
    progress_end(&m.progress);
    int status = rc_ok(rc) ? COMMAND_DONE : command_fail(rc);
    db_close(m.db);
    if (m.lock_fd >= 0) close(m.lock_fd);
    return status;
}
