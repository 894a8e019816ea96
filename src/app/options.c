#include "options.h"

#include "options_parse.h"

#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

const struct option_row option_rows[] = {
#define OPT_STR(name, flag, def, doc) {#name, flag, OPTION_STR, def, 0, 0, doc, offsetof(struct options, name)},
#define OPT_LIST(name, flag, doc) {#name, flag, OPTION_LIST, "", 0, 0, doc, offsetof(struct options, name)},
#define OPT_BOOL(name, flag, def, doc) {#name, flag, OPTION_BOOL, #def, 0, 0, doc, offsetof(struct options, name)},
#define OPT_INT(name, flag, def, min, max, doc) \
    {#name, flag, OPTION_INT, #def, min, max, doc, offsetof(struct options, name)},
#define OPT_DURATION_S(name, flag, def, min, max, doc) \
    {#name, flag, OPTION_DURATION_S, #def, min, max, doc, offsetof(struct options, name)},
#include "options.def"
#undef OPT_STR
#undef OPT_LIST
#undef OPT_BOOL
#undef OPT_INT
#undef OPT_DURATION_S
};
const size_t option_count = sizeof option_rows / sizeof *option_rows;

void options_init(struct options *o) {
    *o = (struct options){0};
    for (size_t i = 0; i < option_count; i++) {
        struct rc rc = option_set(o, &option_rows[i], str_of(option_rows[i].def), SOURCE_DEFAULT, NULL);
        if (!rc_ok(rc)) abort(); /* the table is wrong */
    }
}

/* ---- the file ---- */

struct file_reader {
    struct options *o;
    struct arena *arena;
    const char *path;
    struct rc rc;
};

static RC take_file_line(struct file_reader *f, const char *section, const char *name, const char *value) {
    if (!str_eq(str_of(section), S("grantd")))
        return rc_fail(FAULT_CONFIG, "options stand in the section [grantd], but \"%s\" stands in [%s]", name, section);
    const struct option_row *row = option_find(str_of(name));
    if (!row || row == &option_rows[OPTION_ROW_config])
        return rc_fail(FAULT_CONFIG, "there is no option \"%s\"%s", name, option_hint(str_of(name)));
    if (!value) return rc_fail(FAULT_CONFIG, "%s has no value; write \"%s = ...\"", name, name);
    return option_set(f->o, row, arena_copy(f->arena, str_of(value)), SOURCE_FILE, f->arena);
}

static int on_file_line(void *arg, const char *section, const char *name, const char *value) {
    struct file_reader *f = arg;
    f->rc = take_file_line(f, section, name, value);
    return rc_ok(f->rc);
}

RC options_read_file(struct options *o, const char *path, struct arena *arena) {
    FILE *file = fopen(path, "re");
    if (!file) return rc_fail(FAULT_CONFIG, "the options file %s cannot be read: %m", path);
    struct file_reader reader = {o, arena, path, RC_OK};
    int line = ini_parse_file(file, on_file_line, &reader);
    fclose(file);
    if (line == 0) return RC_OK;
    if (rc_ok(reader.rc)) return rc_fail(FAULT_CONFIG, "%s, line %d: write \"name = value\"", path, line);
    char detail[240];
    snprintf(detail, sizeof detail, "%s", rc_detail());
    return rc_fail(FAULT_CONFIG, "%s, line %d: %s", path, line, detail);
}

/* ---- the environment ---- */

RC options_read_env(struct options *o, char *const *environment, struct arena *arena) {
    for (; environment && *environment; environment++) {
        str value = str_of(*environment);
        str name = str_take(&value, '=');
        if (!str_starts_with(name, S("GRANTD_"))) continue;
        const struct option_row *row = option_find_nocase(str_from(name, 7));
        if (!row)
            return rc_fail(FAULT_CONFIG, "there is no option for the environment variable %.*s; unset it%s",
                           STR_ARG(str_head(name, 80)), option_hint(str_from(name, 7)));
        struct rc rc = option_set(o, row, arena_copy(arena, value), SOURCE_ENVIRONMENT, arena);
        if (!rc_ok(rc)) return rc;
    }
    return RC_OK;
}

/* ---- flags ---- */

/* The row of "--flag", "--flag=value" or "--no-flag"; NULL: not one of ours. */
static const struct option_row *find_flag(str arg, str *value, bool *has_value, bool *negated) {
    size_t end = str_find(arg, '=');
    str flag = str_head(arg, end);
    *has_value = end < arg.n;
    *value = str_from(arg, end + 1);
    *negated = false;
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_rows[i];
        if (str_eq(flag, str_of(row->flag))) return row;
        if (row->type != OPTION_BOOL || !str_starts_with(flag, S("--no-"))) continue;
        if (!str_eq(str_from(flag, 5), str_of(row->flag + 2))) continue;
        *negated = true;
        return row;
    }
    return NULL;
}

RC options_read_flag(struct options *o, int argc, char **argv, int *i, struct arena *arena, bool *taken) {
    str value;
    bool has_value, negated;
    const struct option_row *row = find_flag(str_of(argv[*i]), &value, &has_value, &negated);
    *taken = row != NULL;
    if (!row) return RC_OK;
    if (negated && has_value) return rc_fail(FAULT_CONFIG, "--no-%s takes no value", row->flag + 2);
    if (row->type == OPTION_BOOL && !has_value) {
        value = negated ? S("false") : S("true");
    } else if (!has_value) {
        if (*i + 1 >= argc) return rc_fail(FAULT_CONFIG, "%s needs a value", row->flag);
        value = str_of(argv[++*i]);
    }
    return option_set(o, row, arena_copy(arena, value), SOURCE_FLAG, arena);
}

static bool is_wanted(const char *flag_text, const char *const *only) {
    str value;
    bool has_value, negated;
    const struct option_row *row = find_flag(str_of(flag_text), &value, &has_value, &negated);
    if (!row || !only) return row != NULL;
    for (; *only; only++)
        if (str_eq(str_of(*only), str_of(row->name))) return true;
    return false;
}

/* Reads the flags into o; with `keep`, moves what is not ours to the front of argv. */
static RC read_flags(struct options *o, int *argc, char **argv, const char *const *only, struct arena *arena,
                     bool keep) {
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        bool taken = false;
        char *arg = argv[i];
        if (str_eq(str_of(arg), S("--"))) {
            for (; keep && i < *argc; i++) argv[kept++] = argv[i];
            break;
        }
        if (is_wanted(arg, only)) TRY(options_read_flag(o, *argc, argv, &i, arena, &taken));
        if (!taken && keep) argv[kept++] = arg;
    }
    if (keep) *argc = kept;
    return RC_OK;
}

RC options_load(struct options *o, int *argc, char **argv, char *const *environment, const char *const *only,
                bool *out_wrong_usage, struct arena *arena) {
    struct options first; /* only to learn where the file is */
    options_init(&first);
    *out_wrong_usage = true;
    TRY(read_flags(&first, argc, argv, only, arena, false));
    *out_wrong_usage = false;
    if (first.config.n == 0) TRY(options_read_env(&first, environment, arena));
    options_init(o);
    if (first.config.n) TRY(options_read_file(o, arena_cstr(arena, first.config), arena));
    TRY(options_read_env(o, environment, arena));
    return read_flags(o, argc, argv, only, arena, true);
}

/* ---- what others make of them ---- */

struct settings options_settings(const struct options *o) {
    return (struct settings){
        .issuer = o->issuer,
        .compat_v1 = o->compat_v1,
        .revocation_keep_access_tokens = o->revocation_keep_access_tokens,
        .code_ttl_s = o->code_ttl_s,
        .access_ttl_s = o->access_ttl_s,
        .retry_window_s = o->retry_window_s,
    };
}

char *options_store_path(const struct options *o, struct arena *arena) {
    str path = o->store.n ? str_from(o->store, sizeof "sqlite:" - 1) : S("grantd.db");
    if (path.n && path.p[0] == '/') return arena_cstr(arena, path);
    return arena_cstr(arena, arena_printf(arena, "%.*s/%.*s", STR_ARG(o->data), STR_ARG(path)));
}

str options_admin_address(const struct options *o, struct arena *arena) {
    if (o->admin_listen.n) return o->admin_listen;
    return arena_printf(arena, "unix:%.*s/admin.sock", STR_ARG(o->data));
}
