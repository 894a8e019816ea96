/* options: one table (options.def) read from file, environment and flags, in that order; the last one wins. */
#ifndef GRANTD_OPTIONS_H
#define GRANTD_OPTIONS_H

#include "arena.h"
#include "rc.h"

struct strs {
    const str *items;
    size_t n;
};

/* One member per row of options.def, named as the row. OPT_STR: str, OPT_INT and OPT_DURATION_S: int64_t, OPT_BOOL: bool, OPT_LIST: struct strs */
struct options {
#define OPT_STR(name, flag, def, doc) str name;
#define OPT_LIST(name, flag, doc) struct strs name;
#define OPT_BOOL(name, flag, def, doc) bool name;
#define OPT_INT(name, flag, def, min, max, doc) int64_t name;
#define OPT_DURATION_S(name, flag, def, min, max, doc) int64_t name;
#include "options.def"
#undef OPT_STR
#undef OPT_LIST
#undef OPT_BOOL
#undef OPT_INT
#undef OPT_DURATION_S
};

enum option_type { OPTION_STR, OPTION_LIST, OPTION_BOOL, OPTION_INT, OPTION_DURATION_S };

struct option_row {
    const char *name; /* in the file: "access_ttl_s" in the section [grantd]; in the environment: GRANTD_ACCESS_TTL_S */
    const char *flag; /* "--access-ttl" */
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

/* Takes one flag off argv[*i] (and its value); *taken is false when it is not one of the table. */
RC options_read_flag(struct options *o, int argc, char **argv, int *i, struct arena *arena, bool *taken);

/* Checks options against each other (issuer, listen, store, ranges) for `serve`; FAULT_UNSAFE or FAULT_CONFIG with a sentence that says what to do. */
RC options_check(const struct options *o, bool production);

#endif
