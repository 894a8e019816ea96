/* cli_link: where a command of the command line is carried out: in the running server, through its admin socket, or here, on the data directory
 * itself, when no server has it. */
#ifndef GRANTD_CLI_LINK_H
#define GRANTD_CLI_LINK_H

#include "http_parse.h"
#include "options.h"

struct cli_link;

struct cli_reply {
    int status;
    str body; /* in the arena */
};

/* Never fails; connects with the first call. Options and arena are borrowed. */
struct cli_link *cli_link_new(const struct options *options, struct arena *arena);
void cli_link_free(struct cli_link *link); /* NULL is allowed */

/* Carries a request out. A command that only reads does not create a data directory. Waits a while when another command has the
 * directory. */
RC cli_link_call(struct cli_link *link, enum http_method method, str target, str body, struct cli_reply *out);

#endif
