/* cli: the commands of administration on the command line. */
#ifndef GRANTD_CLI_H
#define GRANTD_CLI_H

#include <stdbool.h>

/* Whether cli_main takes care of `grantd WORD ...`. */
bool cli_has(const char *word);

/* Runs `grantd NOUN VERB ...` (argv as main got it). Returns the exit status: 0 done, 1 refused or failed (one line on stderr says what to
 * do), 2 wrong usage. crypto_start was called. */
int cli_main(int argc, char **argv);

#endif
