/* options: one table (options.def) read from file, environment and flags, in that order; the last one wins. */
#ifndef GRANTD_OPTIONS_H
#define GRANTD_OPTIONS_H

#include "arena.h"
#include "buf.h"
#include "rc.h"
#include "settings.h"

struct strs {
    const str *items;
    size_t n;
};

/* The number of a row of options.def: OPTION_ROW_data, ... */
enum option_number {
#define OPT_STR(name, reload, flag, def, doc)                  OPTION_ROW_##name,
#define OPT_LIST(name, reload, flag, doc)                      OPTION_ROW_##name,
#define OPT_BOOL(name, reload, flag, def, doc)                 OPTION_ROW_##name,
#define OPT_INT(name, reload, flag, def, min, max, doc)        OPTION_ROW_##name,
#define OPT_DURATION_S(name, reload, flag, def, min, max, doc) OPTION_ROW_##name,
#include "options.def"
#undef OPT_STR
#undef OPT_LIST
#undef OPT_BOOL
#undef OPT_INT
#undef OPT_DURATION_S
    OPTION_ROWS
};

/* Where a value came from; a later source wins, and a list is begun anew by each source. */
enum option_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

/* One member per row of options.def, named as the row. OPT_STR: str, OPT_INT and OPT_DURATION_S: int64_t, OPT_BOOL: bool, OPT_LIST: struct strs */
struct options {
#define OPT_STR(name, reload, flag, def, doc)                  str name;
#define OPT_LIST(name, reload, flag, doc)                      struct strs name;
#define OPT_BOOL(name, reload, flag, def, doc)                 bool name;
#define OPT_INT(name, reload, flag, def, min, max, doc)        int64_t name;
#define OPT_DURATION_S(name, reload, flag, def, min, max, doc) int64_t name;
#include "options.def"
#undef OPT_STR
#undef OPT_LIST
#undef OPT_BOOL
#undef OPT_INT
#undef OPT_DURATION_S
    uint8_t source[OPTION_ROWS]; /* enum option_source of each row */
};

/* When a new value is taken, and whether it may be shown. */
enum option_reload { LIVE = 0, RESTART = 1, SECRET = 2, RESTART_SECRET = RESTART | SECRET };

enum option_type { OPTION_STR, OPTION_LIST, OPTION_BOOL, OPTION_INT, OPTION_DURATION_S };

struct option_row {
    const char *name; /* in the file: "access_ttl_s" in the section [grantd]; in the environment: GRANTD_ACCESS_TTL_S */
    const char *flag; /* "--access-ttl" */
    enum option_reload reload;
    enum option_type type;
    const char *def;
    int64_t min, max;
    const char *doc;
    size_t offset;
};
extern const struct option_row option_rows[];
extern const size_t option_count;

/* Defaults. */
void options_init(struct options *o);

/* Reads an INI file (section [grantd]). FAULT_CONFIG with file, line and what to do. */
RC options_read_file(struct options *o, const char *path, struct arena *arena);

/* Reads GRANTD_* of an environment; an unknown GRANTD_ name is FAULT_CONFIG. */
RC options_read_env(struct options *o, char *const *environment, struct arena *arena);

/* A command line behind the command's name. */
struct option_words {
    int n;
    char **words;
    const char *const *only; /* NULL, or the names of the rows whose flags are taken, ended by NULL */
    bool wrong;              /* out: the fault of options_load is in the command line, not in file or environment */
};

/* The whole way: defaults, the file that --config or GRANTD_CONFIG names, the environment, the flags. Takes the flags of the table and their
 * values out of the words; what is not in the table stays, in its order. */
RC options_load(struct options *o, struct option_words *words, char *const *environment, struct arena *arena);

/* Where options come from, so that they can be read again: the same words and environment, and the file as it is then. */
struct options_source {
    struct option_words words;
    char *const *environment;
    bool production;                                /* as in options_check */
    void (*complete)(struct options *o, void *arg); /* what a command decides where nobody has; NULL: nothing */
    void *arg;
};

/* An option whose value differs, as text in the arena; a secret one says only that. */
struct option_change {
    const struct option_row *row;
    str before, after;
};
size_t options_diff(const struct options *before, const struct options *after, struct arena *arena,
                    struct option_change out[OPTION_ROWS]);

/* Gives the options that only a restart takes the values they had. */
void options_keep_fixed(struct options *o, const struct options *before);

/* The value of a row as text, as it would stand in the file. */
str options_value_text(const struct options *o, const struct option_row *row, struct arena *arena);
const char *option_source_name(enum option_source source);

/* The page docs/configuration.md, from the table. */
void options_write_page(struct buf *out);

/* What of the options the rules need. Strings stay the options'. */
struct settings options_settings(const struct options *o);

/* postgres:// or postgresql:// */
bool options_store_is_postgres(const struct options *o);

/* The path of a store "sqlite:PATH": a relative one lies in the data directory. */
char *options_store_path(const struct options *o, struct arena *arena);

/* The address of the admin listener: unix:DATA/admin.sock unless said otherwise. */
str options_admin_address(const struct options *o, struct arena *arena);

/* Checks options against each other (issuer, listen, store, ranges) for `serve`; FAULT_UNSAFE or FAULT_CONFIG with a sentence that says what to do. */
RC options_check(const struct options *o, bool production);

#endif
