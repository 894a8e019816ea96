/* run_text: a request as HTTP/1.1 text in, its response as text out; for tests and fuzzers. */
#ifndef GRANTD_RUN_TEXT_H
#define GRANTD_RUN_TEXT_H

#include "run.h"

/* Parses `request` (head, empty line, body as it stands; lines may end with LF alone; "HTTP/1.1" and Host may be left out), runs it and gives
 * "200\nname: value\n...\n\nbody" in the arena; only the status when the front itself would refuse it. The session of env must write
 * inline. `peer` is the client's address; its certificate is taken from the headers
 * that nginx would write. */
str run_text(const struct run_env *env, str request, str peer, struct arena *arena);

/* The value of a header of such a response (any case), or of the body. */
int run_text_status(str response);
str run_text_header(str response, str name);
str run_text_body(str response);

#endif
