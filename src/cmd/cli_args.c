#include "cli_args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "admin_parse.h"
#include "json_write.h"
#include "percent.h"
#include "timetext.h"

#define WORDS_MAX 3 /* "app secret add" */

struct reader {
    struct arena *arena;
    struct cli_input *in;
    int argc, at;
    char **argv;
    bool only_words; /* after "--" */
};

static bool fail(struct reader *r, str problem) {
    r->in->problem = problem;
    return false;
}

/* ---- which command ---- */

static void take_switches(struct reader *r, int *argc) {
    int kept = 1;
    bool ended = false;
    for (int i = 1; i < *argc; i++) {
        str arg = str_of(r->argv[i]);
        ended = ended || str_eq(arg, S("--"));
        if (!ended && str_eq(arg, S("--json")))
            r->in->json = true;
        else if (!ended && (str_eq(arg, S("--help")) || str_eq(arg, S("-h"))))
            r->in->help = true;
        else
            r->argv[kept++] = r->argv[i];
    }
    *argc = kept;
}

static bool has_words(const struct admin_command *command) {
    for (const struct admin_use *u = command->uses; u->use; u++)
        if (u->use == USE_PATH || u->use == USE_WORD) return true;
    return false;
}

/* Two commands may share their words; then the one that takes a word more is meant when one follows. */
static const struct admin_command *find_command(str words, bool word_follows) {
    const struct admin_command *found = NULL;
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_command *command = &admin_commands[i];
        if (!str_eq(words, str_of(command->words))) continue;
        if (!found || has_words(command) == word_follows) found = command;
    }
    return found;
}

static bool is_flag(const char *arg) { return arg[0] == '-' && arg[1] != '\0'; }

/* The longest beginning of the line that is a command. */
static int find_words(struct reader *r, str *out_words) {
    struct buf words = buf_on(arena_alloc(r->arena, 256), 256);
    int used = 0;
    for (int n = 1; n <= WORDS_MAX && n < r->argc && !is_flag(r->argv[n]); n++) {
        if (n > 1) buf_add_char(&words, ' ');
        buf_add(&words, str_of(r->argv[n]));
        if (buf_failed(&words)) break;
        bool word_follows = n + 1 < r->argc && !is_flag(r->argv[n + 1]);
        const struct admin_command *command = find_command(buf_str(&words), word_follows);
        if (command) r->in->command = command;
        if (command) used = n;
    }
    *out_words = buf_str(&words);
    return used;
}

/* ---- values ---- */

static str read_stream(struct reader *r, int fd, char *room, size_t size) {
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, room + n, size - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(r, arena_printf(r->arena, "the file cannot be read: %s", strerror(errno)));
        if (got <= 0) break;
        n += (size_t)got;
    }
    return (str){room, n};
}

/* What stands in a file, or on standard input; `max` and a little more, so that it is the server who says "too long". */
static bool read_file(struct reader *r, str path, size_t max, str *out) {
    bool is_stdin = str_eq(path, S("-"));
    int fd = is_stdin ? STDIN_FILENO : open(arena_cstr(r->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(r, arena_printf(r->arena, "%.*s: %s", STR_ARG(path), strerror(errno)));
    *out = read_stream(r, fd, arena_alloc_secret(r->arena, max + 3), max + 3);
    if (!is_stdin) close(fd);
    return r->in->problem.n == 0;
}

/* One line end is dropped. */
static bool read_password(struct reader *r, str path, str *out) {
    str text = {NULL, 0};
    if (!read_file(r, path, PASSWORD_MAX, &text)) return false;
    if (text.n && text.p[text.n - 1] == '\n') text.n--;
    if (text.n && text.p[text.n - 1] == '\r') text.n--;
    if (!str_is_utf8(text)) return fail(r, S("the password is not text in UTF-8"));
    *out = text;
    return true;
}

/* An empty name takes the keys away. */
static bool read_key_set(struct reader *r, str path, str *out) {
    if (path.n == 0) return true;
    if (!read_file(r, path, APP_JWKS_MAX, out)) return false;
    return str_is_utf8(*out) || fail(r, S("the file is not text in UTF-8"));
}

static str absolute(struct reader *r, str path) {
    char here[PATH_MAX];
    if (path.n == 0 || path.p[0] == '/' || !getcwd(here, sizeof here)) return path;
    return arena_printf(r->arena, "%s/%.*s", here, STR_ARG(path));
}

static bool prepare(struct reader *r, const struct admin_arg *arg, str *value) {
    if (arg->kind == KIND_PASSWORD) return read_password(r, *value, value);
    if (arg->kind == KIND_JWKS || arg->kind == KIND_PEM) return read_key_set(r, *value, value);
    if (!str_is_utf8(*value)) return fail(r, arena_printf(r->arena, "%s is not text in UTF-8", arg->flag));
    if (arg->kind == KIND_FILE) *value = absolute(r, *value);
    if (arg->shape != SHAPE_NUM) return true;
    const char *problem = admin_value_problem(arg, *value);
    if (!problem) return true;
    return fail(r, arena_printf(r->arena, "%s %s (%lld to %lld)", arg->flag, problem, (long long)arg->min,
                                (long long)arg->max));
}

static bool put(struct reader *r, size_t use, str value) {
    const struct admin_arg *arg = admin_use_arg(&r->in->command->uses[use]);
    struct cli_value *v = &r->in->values[use];
    size_t room = arg->shape == SHAPE_LIST ? arg->items_max : 1;
    if (v->n == room)
        return fail(r, room == 1 ? arena_printf(r->arena, "%s was given twice", arg->flag)
                                 : arena_printf(r->arena, "%s was given more than %zu times", arg->flag, room));
    if (!prepare(r, arg, &value)) return false;
    if (!v->text) v->text = ARENA_ARRAY(r->arena, str, room);
    v->text[v->n++] = value;
    v->given = true;
    return true;
}

static bool put_switch(struct reader *r, size_t use, bool on, bool has_value, str value) {
    bool is_true = str_eq(value, S("true")), is_false = str_eq(value, S("false"));
    struct cli_value *v = &r->in->values[use];
    if (has_value && !is_true && !is_false)
        return fail(r,
                    arena_printf(r->arena, "%s takes true or false", admin_use_arg(&r->in->command->uses[use])->flag));
    v->given = true;
    v->on = has_value && is_false ? !on : on;
    return true;
}

/* ---- flags and words ---- */

static size_t count_uses(const struct admin_command *command) {
    size_t n = 0;
    while (command->uses[n].use) n++;
    return n;
}

/* The use of a flag; `--no-x` is found as `--x` with *out_on false. */
static size_t find_flag(const struct admin_command *command, str name, bool *out_on) {
    size_t n = count_uses(command);
    for (size_t i = 0; i < n; i++) {
        const struct admin_arg *arg = admin_use_arg(&command->uses[i]);
        str flag = str_of(arg->flag);
        *out_on = str_eq(name, flag);
        bool off = arg->shape == SHAPE_FLAG && str_starts_with(name, S("--no-")) &&
                   str_eq(str_from(name, 5), str_from(flag, 2));
        if (*out_on || off) return i;
    }
    return n;
}

static bool read_flag(struct reader *r, str arg) {
    bool has_value = str_find(arg, '=') < arg.n, on = true;
    str value = arg;
    str name = str_take(&value, '=');
    size_t use = find_flag(r->in->command, name, &on);
    if (!r->in->command->uses[use].use)
        return fail(r, arena_printf(r->arena, "there is no flag %.*s here", STR_ARG(str_head(name, 64))));
    if (admin_use_arg(&r->in->command->uses[use])->shape == SHAPE_FLAG) return put_switch(r, use, on, has_value, value);
    if (!has_value && r->at == r->argc) return fail(r, arena_printf(r->arena, "%.*s needs a value", STR_ARG(name)));
    return put(r, use, has_value ? value : str_of(r->argv[r->at++]));
}

static bool read_word(struct reader *r, str arg) {
    size_t n = count_uses(r->in->command);
    for (size_t i = 0; i < n; i++) {
        uint8_t use = r->in->command->uses[i].use;
        if ((use == USE_PATH || use == USE_WORD) && !r->in->values[i].given) return put(r, i, arg);
    }
    return fail(r, arena_printf(r->arena, "there is a word too many: %.*s", STR_ARG(str_head(arg, 64))));
}

static bool check_complete(struct reader *r) {
    for (size_t i = 0; r->in->command->uses[i].use; i++) {
        const struct admin_use *u = &r->in->command->uses[i];
        const struct admin_arg *arg = admin_use_arg(u);
        const struct cli_value *v = &r->in->values[i];
        bool word = u->use == USE_PATH || u->use == USE_WORD;
        if (!v->given && u->use != USE_MAY)
            return fail(r, arena_printf(r->arena, "%s is missing", word ? arg->meta : arg->flag));
        if (word && v->text[0].n == 0) return fail(r, arena_printf(r->arena, "%s is empty", arg->meta));
    }
    return true;
}

bool cli_args_read(int argc, char **argv, struct arena *arena, struct cli_input *out, str *out_words) {
    *out = (struct cli_input){0};
    struct reader r = {.arena = arena, .in = out, .argv = argv};
    take_switches(&r, &argc);
    r.argc = argc;
    r.at = find_words(&r, out_words) + 1;
    if (!out->command) return fail(&r, S("there is no such command"));
    if (out->help) return true;
    while (r.at < r.argc) {
        str arg = str_of(r.argv[r.at++]);
        bool flag = !r.only_words && is_flag(arg.p);
        if (flag && str_eq(arg, S("--")))
            r.only_words = true;
        else if (!(flag ? read_flag : read_word)(&r, arg))
            return false;
    }
    return check_complete(&r);
}

/* ---- the request ---- */

static size_t use_named(const struct admin_command *command, str name) {
    size_t i = 0;
    while (command->uses[i].use && !str_eq(name, str_of(admin_use_arg(&command->uses[i])->name))) i++;
    return i;
}

static void add_path(const struct cli_input *in, struct buf *out) {
    str rest = str_of(in->command->path);
    while (rest.n) {
        buf_add(out, str_take(&rest, '{'));
        if (rest.n == 0) break;
        size_t use = use_named(in->command, str_take(&rest, '}'));
        percent_encode(out, in->values[use].text[0]);
    }
}

static void add_parameter(struct buf *out, bool *first, str name, str value) {
    buf_add_char(out, *first ? '?' : '&');
    *first = false;
    buf_add(out, name);
    buf_add_char(out, '=');
    percent_encode(out, value);
}

static void add_query(const struct cli_input *in, int64_t limit, str after, struct buf *out) {
    char digits[24];
    struct buf number = buf_on(digits, sizeof digits);
    bool first = true;
    buf_add_i64(&number, limit);
    if (limit) add_parameter(out, &first, S("limit"), buf_str(&number));
    if (after.n) add_parameter(out, &first, S("after"), after);
    for (size_t i = 0; in->command->uses[i].use; i++) {
        const struct admin_use *u = &in->command->uses[i];
        const struct cli_value *v = &in->values[i];
        bool paging = (u->arg == ADMIN_ARG_limit && limit) || (u->arg == ADMIN_ARG_after && after.n);
        if (u->use == USE_PATH || !v->given || paging) continue;
        str name = str_of(admin_use_arg(u)->name);
        if (admin_use_arg(u)->shape == SHAPE_FLAG) add_parameter(out, &first, name, v->on ? S("true") : S("false"));
        for (size_t k = 0; k < v->n; k++) add_parameter(out, &first, name, v->text[k]);
    }
}

str cli_args_target(const struct cli_input *in, int64_t limit, str after, struct arena *arena) {
    struct buf out = buf_growing(64 << 10);
    add_path(in, &out);
    if (admin_takes_query(in->command)) add_query(in, limit, after, &out);
    str target = arena_copy(arena, buf_str(&out));
    buf_free(&out);
    return target;
}

static int64_t number_of(const struct admin_arg *arg, str text) {
    int64_t seconds = 0;
    uint64_t number = 0;
    if (arg->kind == KIND_DURATION) return timetext_duration_s(text, arg->max, &seconds) ? seconds : 0;
    return str_to_u64(text, INT64_MAX, &number) ? (int64_t)number : 0;
}

/* `--flag=` alone empties a list. */
static void add_list(struct json *j, const struct cli_value *v) {
    bool empty = v->n == 1 && v->text[0].n == 0;
    json_open_array(j);
    for (size_t i = 0; i < v->n && !empty; i++) json_str(j, v->text[i]);
    json_close_array(j);
}

static void add_member(struct json *j, const struct admin_arg *arg, const struct cli_value *v) {
    json_key(j, str_of(arg->name));
    switch (arg->shape) {
    case SHAPE_FLAG: json_bool(j, v->on); break;
    case SHAPE_NUM: json_int(j, number_of(arg, v->text[0])); break;
    case SHAPE_LIST: add_list(j, v); break;
    case SHAPE_STR: json_str(j, v->text[0]); break;
    }
}

str cli_args_body(const struct cli_input *in, struct arena *arena) {
    if (admin_takes_query(in->command)) return (str){NULL, 0};
    struct buf out = buf_growing(1 << 20);
    struct json j = json_on(&out);
    json_open(&j);
    for (size_t i = 0; in->command->uses[i].use; i++)
        if (in->command->uses[i].use != USE_PATH && in->values[i].given)
            add_member(&j, admin_use_arg(&in->command->uses[i]), &in->values[i]);
    json_close(&j);
    char *body = arena_alloc_secret(arena, out.n); /* it may hold a password */
    memcpy(body, out.p, out.n);
    str copy = {body, out.n};
    secret_wipe(out.p, out.n);
    buf_free(&out);
    return copy;
}

int64_t cli_args_number(const struct cli_input *in, enum admin_arg_id arg) {
    for (size_t i = 0; in->command->uses[i].use; i++)
        if (in->command->uses[i].arg == arg && in->values[i].given)
            return number_of(&admin_args[arg], in->values[i].text[0]);
    return 0;
}

bool cli_args_has(const struct cli_input *in, enum admin_arg_id arg) {
    for (size_t i = 0; in->command->uses[i].use; i++)
        if (in->command->uses[i].arg == arg) return true;
    return false;
}
