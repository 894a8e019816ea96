/* One handler per row of admin_cmds.def. A handler reads c->in, changes the store, and writes the members of its answer (an
 * object that is open already) to c->json. What it says no to goes through admin_refuse and it returns RC_OK. */
#ifndef GRANTD_ADMIN_HANDLERS_H
#define GRANTD_ADMIN_HANDLERS_H

#include "admin_call.h"

#define CMD(name, words, method, path, status, rows, columns, doc, ...) RC admin_do_##name(struct admin_call *c);
#include "admin_cmds.def"
#undef CMD

#endif
