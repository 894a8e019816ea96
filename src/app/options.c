#include "options.h"

#include "options_parse.h"

#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

const struct option_row option_rows[] = {
#define OPT_STR(name, reload, flag, def, doc)                                                                          \
    {#name, flag, reload, OPTION_STR, def, 0, 0, doc, offsetof(struct options, name)},
#define OPT_LIST(name, reload, flag, doc)                                                                              \
    {#name, flag, reload, OPTION_LIST, "", 0, 0, doc, offsetof(struct options, name)},
#define OPT_BOOL(name, reload, flag, def, doc)                                                                         \
    {#name, flag, reload, OPTION_BOOL, #def, 0, 0, doc, offsetof(struct options, name)},
#define OPT_INT(name, reload, flag, def, min, max, doc)                                                                \
    {#name, flag, reload, OPTION_INT, #def, min, max, doc, offsetof(struct options, name)},
#define OPT_DURATION_S(name, reload, flag, def, min, max, doc)                                                         \
    {#name, flag, reload, OPTION_DURATION_S, #def, min, max, doc, offsetof(struct options, name)},
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

/* What a word of the command line is. */
struct flag {
    const struct option_row *row; /* NULL: none of ours */
    str value;
    bool has_value; /* --flag=value */
    bool negated;   /* --no-flag */
};

static bool is_negated(const struct option_row *row, str name) {
    return row->type == OPTION_BOOL && str_starts_with(name, S("--no-")) &&
           str_eq(str_from(name, 5), str_of(row->flag + 2));
}

static struct flag find_flag(const char *word) {
    str value = str_of(word);
    struct flag flag = {.has_value = str_find(value, '=') < value.n};
    str name = str_take(&value, '=');
    flag.value = value;
    for (size_t i = 0; i < option_count && !flag.row; i++) {
        flag.negated = is_negated(&option_rows[i], name);
        if (flag.negated || str_eq(name, str_of(option_rows[i].flag))) flag.row = &option_rows[i];
    }
    return flag;
}

static bool is_wanted(const struct option_row *row, const char *const *only) {
    if (!row || !only) return row != NULL;
    for (; *only; only++)
        if (str_eq(str_of(*only), str_of(row->name))) return true;
    return false;
}

/* Takes a flag and its value off words[*i]. */
static RC take_flag(struct options *o, struct flag flag, const struct option_words *words, int *i,
                    struct arena *arena) {
    const struct option_row *row = flag.row;
    if (flag.negated && flag.has_value) return rc_fail(FAULT_CONFIG, "--no-%s takes no value", row->flag + 2);
    if (row->type == OPTION_BOOL && !flag.has_value) {
        flag.value = flag.negated ? S("false") : S("true");
    } else if (!flag.has_value) {
        if (*i + 1 >= words->n) return rc_fail(FAULT_CONFIG, "%s needs a value", row->flag);
        flag.value = str_of(words->words[++*i]);
    }
    return option_set(o, row, arena_copy(arena, flag.value), SOURCE_FLAG, arena);
}

/* Reads the flags into o and moves what is not ours to the front of `kept` (room for all words). "--" ends the flags. */
static RC read_flags(struct options *o, struct option_words *words, char **kept, struct arena *arena) {
    int n_kept = 0;
    bool ended = false;
    for (int i = 0; i < words->n; i++) {
        struct flag flag = find_flag(words->words[i]);
        ended = ended || str_eq(str_of(words->words[i]), S("--"));
        if (ended || !is_wanted(flag.row, words->only))
            kept[n_kept++] = words->words[i];
        else
            TRY(take_flag(o, flag, words, &i, arena));
    }
    words->n = n_kept;
    words->words = kept;
    return RC_OK;
}

/* Where the file is: the command line says it before the environment does. */
static RC find_file(struct options *o, struct option_words words, char *const *environment, struct arena *arena) {
    TRY(read_flags(o, &words, ARENA_ARRAY(arena, char *, (size_t)words.n + 1), arena));
    return o->config.n ? RC_OK : options_read_env(o, environment, arena);
}

static RC read_all(struct options *o, struct option_words *words, char *const *environment, struct arena *arena) {
    char **kept = ARENA_ARRAY(arena, char *, (size_t)words->n + 1);
    options_init(o);
    TRY(find_file(o, *words, environment, arena));
    str file = o->config;
    options_init(o);
    if (file.n) TRY(options_read_file(o, arena_cstr(arena, file), arena));
    TRY(options_read_env(o, environment, arena));
    return read_flags(o, words, kept, arena);
}

RC options_load(struct options *o, struct option_words *words, char *const *environment, struct arena *arena) {
    struct rc rc = read_all(o, words, environment, arena);
    if (rc_ok(rc)) return rc;
    char detail[240];
    snprintf(detail, sizeof detail, "%s", rc_detail());
    struct options ignored; /* what is wrong without file and environment is wrong in the command line */
    options_init(&ignored);
    words->wrong = !rc_ok(read_flags(&ignored, words, ARENA_ARRAY(arena, char *, (size_t)words->n + 1), arena));
    return rc_fail((enum fault)rc.fault, "%s", detail);
}

/* ---- what others make of them ---- */

struct settings options_settings(const struct options *o) {
    return (struct settings){
        .issuer = o->issuer,
        .compat_v1 = o->compat_v1,
        .revocation_keep_access_tokens = o->revocation_keep_access_tokens,
        .login_url = o->login_url,
        .mtls = o->mtls_listen.n || o->proxy_certificate.n,
        .mtls_chains = (o->mtls_listen.n && o->tls_client_ca.n) || o->proxy_certificate.n,
        .mtls_url = o->mtls_url,
        .remember_consent = o->remember_consent,
        .session_idle_s = o->session_idle_s,
        .session_absolute_s = o->session_absolute_s,
        .form_ttl_s = o->form_ttl_s,
        .code_ttl_s = o->code_ttl_s,
        .access_ttl_s = o->access_ttl_s,
        .retry_window_s = o->retry_window_s,
    };
}

bool options_store_is_postgres(const struct options *o) {
    return str_starts_with(o->store, S("postgres://")) || str_starts_with(o->store, S("postgresql://"));
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
