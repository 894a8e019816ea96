/* grantd serve, grantd check-config */
#include "command.h"
#include "front_inherit.h"
#include "front_upgrade.h"
#include "json_write.h"
#include "server.h"

#include <stdio.h>

enum { FLAG_JSON };

static RC serve(const struct options *options, const struct options_source *source) {
    struct instance *instance = NULL;
    struct server *server = NULL;
    TRY(front_inherit());
    TRY(options_check(options, true));
    TRY(front_upgrade_join(options->data));
    TRY(instance_open(options, false, &instance));
    struct rc rc = server_bind(instance, &server);
    if (rc_ok(rc)) {
        server_take_upgrades(server);
        server_read_again(server, source);
        rc = server_run(server, NULL, NULL);
    }
    server_close(server);
    instance_close(instance);
    return rc;
}

int cmd_serve(struct command_line *line) {
    line->source.production = true;
    struct rc rc = serve(&line->options, &line->source);
    return rc_ok(rc) ? COMMAND_DONE : command_fail(rc);
}

/* ---- upgrade ---- */

#define UPGRADE_SLACK_MS 20000 /* for the new program to start and to open the store */

int cmd_upgrade(struct command_line *line) {
    const struct options *o = &line->options;
    if (o->data.n == 0) return command_fail(rc_fail(FAULT_CONFIG, "say which server: give --data DIR"));
    struct rc rc = front_upgrade_ask(o->data, o->drain_deadline_s * 1000 + UPGRADE_SLACK_MS);
    return rc_ok(rc) ? COMMAND_DONE : command_fail(rc);
}

/* ---- check-config ---- */

static void write_json_value(struct json *j, const struct options *o, const struct option_row *row,
                             struct arena *arena) {
    const void *member = (const char *)o + row->offset;
    const struct strs *list = member;
    json_key(j, str_of(row->name));
    switch (row->type) {
    case OPTION_BOOL: json_bool(j, *(const bool *)member); break;
    case OPTION_INT:
    case OPTION_DURATION_S: json_int(j, *(const int64_t *)member); break;
    case OPTION_STR: json_str(j, options_value_text(o, row, arena)); break;
    case OPTION_LIST:
        json_open_array(j);
        for (size_t i = 0; i < list->n; i++) json_str(j, list->items[i]);
        json_close_array(j);
        break;
    }
}

static void write_json(struct buf *out, const struct options *o, struct arena *arena) {
    struct json j = json_on(out);
    json_open(&j);
    for (size_t i = 0; i < option_count; i++) write_json_value(&j, o, &option_rows[i], arena);
    json_close(&j);
    buf_add_char(out, '\n');
}

/* As an options file, with the source of each value. */
static void write_file(struct buf *out, const struct options *o, struct arena *arena) {
    buf_add(out, S("[grantd]\n"));
    for (size_t i = 0; i < option_count; i++) {
        if (i == OPTION_ROW_config) continue;
        str value = options_value_text(o, &option_rows[i], arena);
        const char *source = option_source_name((enum option_source)o->source[i]);
        buf_printf(out, "; %s\n%s%s = %.*s\n", source, value.n ? "" : ";", option_rows[i].name, STR_ARG(value));
    }
}

int cmd_check_config(struct command_line *line) {
    struct rc rc = options_check(&line->options, true);
    if (!rc_ok(rc)) return command_fail(rc);
    struct buf out = buf_growing(1 << 20);
    (line->given[FLAG_JSON] ? write_json : write_file)(&out, &line->options, line->arena);
    size_t done = fwrite(out.p, 1, out.n, stdout);
    bool whole = done == out.n && fflush(stdout) == 0;
    buf_free(&out);
    return whole ? COMMAND_DONE : command_fail(rc_fail(FAULT_IO, "the output could not be written: %m"));
}
