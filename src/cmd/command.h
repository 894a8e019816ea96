/* command: the commands of the program itself (the ones of administration are cli.h's), as rows of one table. */
#ifndef GRANTD_COMMAND_H
#define GRANTD_COMMAND_H

#include "options.h"

/* 0 done, 1 refused or failed (one line on stderr says what to do), 2 wrong usage. */
enum command_status { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

#define COMMAND_FLAGS_MAX 4

/* What belongs to one command alone. */
struct command_flag {
    const char *flag;
    const char *doc;
    const char *value; /* what stands behind it; NULL: a switch */
};

struct command_line {
    struct options options;
    bool given[COMMAND_FLAGS_MAX]; /* by row of flags */
    str value[COMMAND_FLAGS_MAX];
    struct options_source source; /* of the options, to read them again */
    struct arena *arena;
};

struct command {
    const char *name;  /* one word or several */
    const char *usage; /* behind the name */
    const char *doc;   /* one sentence */
    struct command_flag flags[COMMAND_FLAGS_MAX];
    int (*run)(struct command_line *line);
    const char *const *takes; /* the options that it knows, by name; NULL: all */
};

int cmd_dev(struct command_line *line);
int cmd_serve(struct command_line *line);
int cmd_upgrade(struct command_line *line);
int cmd_check_config(struct command_line *line);
int cmd_migrate(struct command_line *line);
int cmd_store_copy(struct command_line *line);

/* Tells a fault in one line on stderr; returns COMMAND_FAILED. */
int command_fail(struct rc rc);

#endif
