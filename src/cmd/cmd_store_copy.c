/* grantd store copy: a store into another one */
#include "command.h"
#include "json_write.h"
#include "progress.h"
#include "store_copy.h"
#include "store_place.h"

#include <stdio.h>
#include <time.h>

enum { FLAG_FROM, FLAG_TO, FLAG_LIVE, FLAG_JSON };

struct copy {
    const struct command_line *line;
    struct store_place from, to;
    struct table_sum *sums;
    struct progress progress;
    enum copy_phase phase;
    int64_t took_ms;
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_row(void *arg, enum copy_phase phase, int64_t done, int64_t total) {
    static const char *const names[COPY_PHASES] = {"copying", "checking"};
    struct copy *c = arg;
    if (c->phase != phase) {
        progress_end(&c->progress);
        c->progress = progress_begin(names[phase], "rows");
        c->phase = phase;
    }
    if (done % 1024 == 0) progress_show(&c->progress, done, total);
}

/* ---- what is said ---- */

static int64_t all_rows(const struct copy *c) {
    int64_t rows = 0;
    for (size_t i = 0; i < store_table_count; i++) rows += c->sums[i].rows;
    return rows;
}

static str sum_text(const struct copy *c, size_t table) {
    const struct table_sum *sum = &c->sums[table];
    return arena_printf(c->line->arena, "%016llx%016llx", (unsigned long long)sum->sums[0],
                        (unsigned long long)sum->sums[1]);
}

static void write_json(const struct copy *c, struct buf *out) {
    struct json j = json_on(out);
    json_open(&j);
    json_member_str(&j, S("from"), str_of(c->from.db->driver->name));
    json_member_str(&j, S("to"), str_of(c->to.db->driver->name));
    json_key(&j, S("tables"));
    json_open_array(&j);
    for (size_t i = 0; i < store_table_count; i++) {
        json_open(&j);
        json_member_str(&j, S("name"), str_of(store_tables[i].name));
        json_member_int(&j, S("rows"), c->sums[i].rows);
        json_member_str(&j, S("checksum"), sum_text(c, i));
        json_close(&j);
    }
    json_close_array(&j);
    json_member_int(&j, S("rows"), all_rows(c));
    json_member_int(&j, S("took_ms"), c->took_ms);
    json_close(&j);
    buf_add_char(out, '\n');
}

static void write_text(const struct copy *c, struct buf *out) {
    for (size_t i = 0; i < store_table_count; i++)
        buf_printf(out, "  %-16s %12lld rows  %.*s\n", store_tables[i].name, (long long)c->sums[i].rows,
                   STR_ARG(sum_text(c, i)));
    buf_printf(out, "%lld rows were copied, read back and found equal, in %lld.%lld s.\n", (long long)all_rows(c),
               (long long)(c->took_ms / 1000), (long long)(c->took_ms % 1000 / 100));
    buf_add(out, S("The keys in them are sealed: every node needs the master.key of the source.\n"));
}

static RC print(const struct copy *c) {
    struct buf out = buf_growing(1 << 20);
    (c->line->given[FLAG_JSON] ? write_json : write_text)(c, &out);
    bool whole = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    buf_free(&out);
    return whole ? RC_OK : rc_fail(FAULT_IO, "the output could not be written: %m");
}

/* ---- doing it ---- */

static RC copy(struct copy *c) {
    const struct command_line *line = c->line;
    const struct copy_watch watch = {on_row, c};
    bool live = line->given[FLAG_LIVE], differ = false;
    if (!line->given[FLAG_FROM] || !line->given[FLAG_TO])
        return rc_fail(FAULT_CONFIG, "say what to copy where: --from URL --to URL");
    TRY(store_place_open(line->value[FLAG_FROM], STORE_SOURCE, live, line->arena, &c->from));
    TRY(store_place_open(line->value[FLAG_TO], STORE_TARGET, false, line->arena, &c->to));
    TRY(store_place_keys_differ(&c->from, &c->to, &differ));
    if (differ)
        return rc_fail(FAULT_KEY, "%s has another master.key than %s; the copy could not be opened with it", c->to.dir,
                       c->from.dir);
    int64_t began_ms = now_ms();
    TRY(store_copy(c->from.db, c->to.db, live, &watch, c->sums));
    c->took_ms = now_ms() - began_ms;
    progress_end(&c->progress);
    return print(c);
}

int cmd_store_copy(struct command_line *line) {
    struct copy c = {.line = line, .from.lock_fd = -1, .to.lock_fd = -1, .phase = COPY_PHASES};
    c.sums = ARENA_ARRAY(line->arena, struct table_sum, store_table_count);
    struct rc rc = copy(&c);
    progress_end(&c.progress);
    int status = rc_ok(rc) ? COMMAND_DONE : command_fail(rc);
    store_place_close(&c.to);
    store_place_close(&c.from);
    return status;
}
