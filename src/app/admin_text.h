/* admin_text: answers of administration for people and for scripts: pages joined, JSON as aligned text. Pure. */
#ifndef GRANTD_ADMIN_TEXT_H
#define GRANTD_ADMIN_TEXT_H

#include "admin_table.h"
#include "arena.h"
#include "buf.h"

/* The answer to one command, perhaps in pages. */
struct admin_answer;

struct admin_answer *admin_answer_new(const struct admin_command *command);
void admin_answer_free(struct admin_answer *a); /* NULL is allowed */

/* Adds the body of a page (or of the whole answer). *out_next is the cursor of the next page, in the arena; empty: this was the last one. At
 * most `max` rows are kept in all (0: any number). False when it is not the JSON of such an answer. */
bool admin_answer_add(struct admin_answer *a, str body, size_t max, struct arena *arena, str *out_next);

/* Rows so far. */
size_t admin_answer_rows(const struct admin_answer *a);

/* The value of a text member of the last body; empty: none. */
str admin_answer_text(const struct admin_answer *a, const char *member, struct arena *arena);
int64_t admin_answer_number(const struct admin_answer *a, const char *member);

/* One JSON document on one line, and the same for people: a table, or names and values. */
void admin_answer_write_json(const struct admin_answer *a, struct buf *out);
void admin_answer_write_text(const struct admin_answer *a, struct buf *out);

/* Code and message of an error body. False when it is none. */
bool admin_error_read(str body, struct arena *arena, str *out_code, str *out_message);

#endif
