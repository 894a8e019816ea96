/* cli_args: words and flags of a command line become the request that the table of commands says. */
#ifndef GRANTD_CLI_ARGS_H
#define GRANTD_CLI_ARGS_H

#include "admin_table.h"
#include "arena.h"

struct cli_value {
    bool given;
    bool on;  /* of a switch */
    size_t n; /* texts; more than one for lists */
    str *text;
};

struct cli_input {
    const struct admin_command *command;
    struct cli_value values[ADMIN_USES_MAX]; /* parallel to command->uses */
    bool json, help;
    str problem; /* what was wrong with the usage; empty: nothing */
};

/* Reads argv[1..]: takes --json and --help, finds the command by its words, reads words and flags by its rows. Files of passwords are
 * read here. When the words name no command, `command` is NULL and out_words has what was given ("app", "app secret"). False: see `problem`. */
bool cli_args_read(int argc, char **argv, struct arena *arena, struct cli_input *out, str *out_words);

/* The address with its query: `limit` (0: as given) and `after` (empty: as given) belong to paging. */
str cli_args_target(const struct cli_input *in, int64_t limit, str after, struct arena *arena);

/* The JSON body; empty for GET and DELETE. */
str cli_args_body(const struct cli_input *in, struct arena *arena);

/* The number that was given with an argument; 0 when it was not. */
int64_t cli_args_number(const struct cli_input *in, enum admin_arg_id arg);

/* Whether the command knows an argument. */
bool cli_args_has(const struct cli_input *in, enum admin_arg_id arg);

#endif
