#include "admin_docs.h"

#include <jansson.h>
#include <stdlib.h>

#include "help_text.h"
#include "json_write.h"

enum { DOCUMENT_MAX = 1 << 20 };

static void pad(struct buf *out, size_t from, size_t column) {
    for (size_t i = out->n - from; i < column; i++) buf_add_char(out, ' ');
}

static bool is_word(const struct admin_use *u) { return u->use == USE_PATH || u->use == USE_WORD; }

static void add_flag_usage(const struct admin_arg *arg, struct buf *out) {
    buf_add(out, str_of(arg->flag));
    if (arg->shape != SHAPE_FLAG) buf_printf(out, " %s", arg->meta);
    if (arg->shape == SHAPE_LIST) buf_add(out, S(" ..."));
}

void admin_write_usage(const struct admin_command *command, struct buf *out) {
    buf_printf(out, "grantd %s", command->words);
    for (const struct admin_use *u = command->uses; u->use; u++)
        if (is_word(u)) buf_printf(out, " %s", admin_use_arg(u)->meta);
    for (const struct admin_use *u = command->uses; u->use; u++) {
        if (is_word(u)) continue;
        buf_add(out, u->use == USE_NEED ? S(" ") : S(" ["));
        add_flag_usage(admin_use_arg(u), out);
        if (u->use == USE_MAY) buf_add_char(out, ']');
    }
}

/* ---- help ---- */

static void write_help_row(const struct admin_use *u, struct buf *out) {
    const struct admin_arg *arg = admin_use_arg(u);
    char memory[256];
    struct buf left = buf_on(memory, sizeof memory);
    if (is_word(u))
        buf_add(&left, str_of(arg->meta));
    else
        add_flag_usage(arg, &left);
    help_add_row(out, buf_str(&left), str_of(arg->doc));
}

void admin_write_help(const struct admin_command *command, struct buf *out) {
    char memory[2048];
    struct buf usage = buf_on(memory, sizeof memory);
    admin_write_usage(command, &usage);
    help_add_wrapped(out, str_of(command->doc), 0, 0);
    buf_add(out, S("\nusage: "));
    help_add_wrapped(out, buf_str(&usage), 7, 7);
    buf_add_char(out, '\n');
    for (const struct admin_use *u = command->uses; u->use; u++) write_help_row(u, out);
    buf_add(out, S("  --data DIR                     The data directory; or GRANTD_DATA.\n"
                   "  --json                         Print one JSON document.\n"));
    buf_printf(out, "\nHTTP: %s %s\n", admin_method_name(command->method), command->path);
}

/* "app secret" is a beginning of "app secret add", not of "app secretive". */
static bool begins_with(str words, str beginning) {
    if (beginning.n == 0) return true;
    return str_starts_with(words, beginning) && (words.n == beginning.n || words.p[beginning.n] == ' ');
}

void admin_write_commands(str words, struct buf *out) {
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_command *command = &admin_commands[i];
        if (!begins_with(str_of(command->words), words)) continue;
        size_t from = out->n;
        buf_printf(out, "  %s", command->words);
        pad(out, from, 26);
        buf_printf(out, " %s\n", command->doc);
    }
}

/* ---- docs/admin.md ---- */

static const char *type_text(const struct admin_arg *arg) {
    switch (arg->shape) {
    case SHAPE_LIST: return arg->kind == KIND_HUB_ID ? "array of numbers" : "array of strings";
    case SHAPE_NUM: return arg->kind == KIND_DURATION ? "seconds, or text like 15m" : "number";
    case SHAPE_FLAG: return "true or false";
    case SHAPE_STR: break;
    }
    return "text";
}

static str noun_of(const struct admin_command *command) {
    str rest = str_of(command->words);
    return str_take(&rest, ' ');
}

static void write_markdown_row(const struct admin_command *command, const struct admin_use *u, struct buf *out) {
    const struct admin_arg *arg = admin_use_arg(u);
    const char *place = u->use == USE_PATH ? "path" : admin_takes_query(command) ? "query" : "body";
    buf_add(out, S("| `"));
    if (is_word(u))
        buf_add(out, str_of(arg->meta));
    else
        buf_add(out, str_of(arg->flag));
    buf_printf(out, "` | `%s` (%s, %s) | %s | %s |\n", arg->name, place, type_text(arg),
               u->use == USE_MAY ? "no" : "yes", arg->doc);
}

static void write_markdown_command(const struct admin_command *command, struct buf *out) {
    buf_printf(out, "\n### %s\n\n%s\n\n", command->words, command->doc);
    buf_add(out, S("```\n"));
    admin_write_usage(command, out);
    buf_printf(out, "\n%s %s -> %d\n```\n", admin_method_name(command->method), command->path, command->status);
    if (!command->uses[0].use) return;
    buf_add(out, S("\n| command line | HTTP | required | what |\n|---|---|---|---|\n"));
    for (const struct admin_use *u = command->uses; u->use; u++) write_markdown_row(command, u, out);
}

static const char introduction[] =
    "# Administration\n\n"
    "This page is generated from the table of commands (`src/app/admin_cmds.def`) by `grantd docs admin`.\n\n"
    "Each command is the same on the command line and over HTTP. `grantd NOUN VERB ...` asks the running server "
    "through the socket\n"
    "`admin.sock` in its data directory; when no server runs, it works on the data directory itself. `--data DIR` (or "
    "`GRANTD_DATA`) says\n"
    "where that is. `--json` prints one JSON document; without it the output is for people. Exit status: 0 done, 1 "
    "refused or failed (one\n"
    "line on standard error says what to do), 2 wrong usage.\n\n"
    "Over HTTP: `curl --unix-socket DIR/admin.sock http://localhost/admin/v1/apps`. The socket can be opened by its "
    "owner only. On TCP\n"
    "(`--admin-listen ADDR:PORT`) every request needs `Authorization: Bearer` with the token of `--admin-token-file`. "
    "Bodies are JSON\n"
    "objects (`Content-Type: application/json`); GET and DELETE take query parameters. A member or parameter that a "
    "command does not know is\n"
    "refused. A refusal is `{\"error\":{\"code\",\"message\"}}` with 400, 401, 404, 405, 409, 413 or 415; 503 means: "
    "try again.\n"
    "`admin-openapi.json` says the same for machines.\n\n"
    "Secrets are shown once, in the answer to the command that makes them, and cannot be read again. Passwords never "
    "stand in arguments.\n"
    "A list that is given to an update replaces the old one; `--FLAG=` empties it. `--no-FLAG` turns a switch off.\n";

void admin_write_markdown(struct buf *out) {
    str noun = {NULL, 0};
    buf_add(out, str_of(introduction));
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_command *command = &admin_commands[i];
        if (!str_eq(noun, noun_of(command))) buf_printf(out, "\n## %.*s\n", STR_ARG(noun_of(command)));
        noun = noun_of(command);
        write_markdown_command(command, out);
    }
}

/* ---- docs/admin-openapi.json ---- */

static void write_scalar_schema(const struct admin_arg *arg, struct json *j) {
    bool id = arg->kind == KIND_HUB_ID, number = id || arg->shape == SHAPE_NUM;
    json_open(j);
    json_member_str(j, S("type"), number ? S("integer") : arg->shape == SHAPE_FLAG ? S("boolean") : S("string"));
    if (arg->shape != SHAPE_FLAG) {
        json_member_int(j, number ? S("minimum") : S("minLength"), arg->min);
        json_member_int(j, number ? S("maximum") : S("maxLength"), id ? ID_MAX : arg->max);
    }
    json_member_str(j, S("description"), str_of(arg->doc));
    json_close(j);
}

static void write_schema(const struct admin_arg *arg, struct json *j) {
    if (arg->shape != SHAPE_LIST) {
        write_scalar_schema(arg, j);
        return;
    }
    json_open(j);
    json_member_str(j, S("type"), S("array"));
    json_member_int(j, S("maxItems"), (int64_t)arg->items_max);
    json_key(j, S("items"));
    write_scalar_schema(arg, j);
    json_close(j);
}

static void write_parameters(const struct admin_command *command, struct json *j) {
    json_key(j, S("parameters"));
    json_open_array(j);
    for (const struct admin_use *u = command->uses; u->use; u++) {
        if (u->use != USE_PATH && !admin_takes_query(command)) continue;
        json_open(j);
        json_member_str(j, S("name"), str_of(admin_use_arg(u)->name));
        json_member_str(j, S("in"), u->use == USE_PATH ? S("path") : S("query"));
        json_member_bool(j, S("required"), u->use != USE_MAY);
        json_key(j, S("schema"));
        write_schema(admin_use_arg(u), j);
        json_close(j);
    }
    json_close_array(j);
}

static bool has_body(const struct admin_command *command) {
    for (const struct admin_use *u = command->uses; u->use; u++)
        if (u->use != USE_PATH && !admin_takes_query(command)) return true;
    return false;
}

static void write_body_schema(const struct admin_command *command, struct json *j) {
    json_open(j);
    json_member_str(j, S("type"), S("object"));
    json_member_bool(j, S("additionalProperties"), false);
    json_key(j, S("properties"));
    json_open(j);
    for (const struct admin_use *u = command->uses; u->use; u++) {
        if (u->use == USE_PATH) continue;
        json_key(j, str_of(admin_use_arg(u)->name));
        write_schema(admin_use_arg(u), j);
    }
    json_close(j);
    bool any = false;
    for (const struct admin_use *u = command->uses; u->use; u++) {
        if (u->use != USE_WORD && u->use != USE_NEED) continue;
        if (!any) {
            json_key(j, S("required"));
            json_open_array(j);
        }
        any = true;
        json_str(j, str_of(admin_use_arg(u)->name));
    }
    if (any) json_close_array(j);
    json_close(j);
}

/* {"application/json":{"schema": ...}}; the schema is written by the caller between begin and end. */
static void begin_content(struct json *j) {
    json_key(j, S("content"));
    json_open(j);
    json_key(j, S("application/json"));
    json_open(j);
    json_key(j, S("schema"));
}

static void end_content(struct json *j) {
    json_close(j);
    json_close(j);
}

static void write_reference(struct json *j, str target) {
    json_open(j);
    json_member_str(j, S("$ref"), target);
    json_close(j);
}

static void write_responses(const struct admin_command *command, struct json *j) {
    char status[8];
    struct buf text = buf_on(status, sizeof status);
    buf_add_i64(&text, command->status);
    json_key(j, S("responses"));
    json_open(j);
    json_key(j, buf_str(&text));
    json_open(j);
    json_member_str(j, S("description"), S("done"));
    begin_content(j);
    json_open(j);
    json_member_str(j, S("type"), S("object"));
    json_close(j);
    end_content(j);
    json_close(j);
    json_key(j, S("default"));
    json_open(j);
    json_member_str(j, S("description"), S("refused or failed"));
    begin_content(j);
    write_reference(j, S("#/components/schemas/Refusal"));
    end_content(j);
    json_close(j);
    json_close(j);
}

static str lower_method(enum http_method method) {
    static const str names[] = {S("get"),   S("head"),   S("post"),    S("put"),
                                S("patch"), S("delete"), S("options"), S("x")};
    return names[method];
}

static void write_operation(const struct admin_command *command, struct json *j) {
    json_key(j, lower_method(command->method));
    json_open(j);
    json_member_str(j, S("operationId"), str_of(command->id));
    json_member_str(j, S("summary"), str_of(command->doc));
    write_parameters(command, j);
    if (has_body(command)) {
        json_key(j, S("requestBody"));
        json_open(j);
        json_member_bool(j, S("required"), true);
        begin_content(j);
        write_body_schema(command, j);
        end_content(j);
        json_close(j);
    }
    write_responses(command, j);
    json_close(j);
}

static bool is_first_of_path(size_t at) {
    for (size_t i = 0; i < at; i++)
        if (str_eq(str_of(admin_commands[i].path), str_of(admin_commands[at].path))) return false;
    return true;
}

static void write_paths(struct json *j) {
    json_key(j, S("paths"));
    json_open(j);
    for (size_t i = 0; i < admin_command_count; i++) {
        if (!is_first_of_path(i)) continue;
        json_key(j, str_of(admin_commands[i].path));
        json_open(j);
        for (size_t k = i; k < admin_command_count; k++)
            if (str_eq(str_of(admin_commands[k].path), str_of(admin_commands[i].path)))
                write_operation(&admin_commands[k], j);
        json_close(j);
    }
    json_close(j);
}

static const char components[] =
    ",\"components\":{\"schemas\":{\"Refusal\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":"
    "{"
    "\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{\"code\":{\"type\":\"string\"},"
    "\"message\":{\"type\":\"string\"}}}}}}}}";

/* One member a line, so that a change of a row is a change of a few lines of the page. */
static void add_indented(str document, struct buf *out) {
    json_t *root = json_loadb(document.p, document.n, 0, NULL);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    if (!text) abort(); /* our own text, or out of memory */
    buf_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}

void admin_write_openapi(struct buf *out) {
    struct buf document = buf_growing(DOCUMENT_MAX);
    struct json j = json_on(&document);
    json_open(&j);
    json_member_str(&j, S("openapi"), S("3.0.3"));
    json_key(&j, S("info"));
    json_open(&j);
    json_member_str(&j, S("title"), S("grantd administration"));
    json_member_str(&j, S("version"), S("1"));
    json_close(&j);
    write_paths(&j);
    buf_add(&document, str_of(components)); /* the last member and the end of the document */
    add_indented(buf_str(&document), out);
    buf_free(&document);
}
