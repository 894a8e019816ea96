/* admin_docs: what the table of commands says about itself: help, docs/admin.md, docs/admin-openapi.json. Pure. */
#ifndef GRANTD_ADMIN_DOCS_H
#define GRANTD_ADMIN_DOCS_H

#include "admin_table.h"
#include "buf.h"

/* "grantd app show APP [--json]" without the common flags. */
void admin_write_usage(const struct admin_command *command, struct buf *out);

/* The help of one command, and the list of all whose words begin with `words` (empty: all). */
void admin_write_help(const struct admin_command *command, struct buf *out);
void admin_write_commands(str words, struct buf *out);

/* The pages. */
void admin_write_markdown(struct buf *out);
void admin_write_openapi(struct buf *out);

#endif
