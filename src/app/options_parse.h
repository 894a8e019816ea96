/* One value of one option: from text, to text. Private to the options. */
#ifndef GRANTD_OPTIONS_PARSE_H
#define GRANTD_OPTIONS_PARSE_H

#include "options.h"

/* The row of a name; NULL: none. */
const struct option_row *option_find(str name);
const struct option_row *option_find_nocase(str name);

/* "; did you mean X?" or "", in memory of this thread. */
const char *option_hint(str name);

/* Sets a value. A list grows, unless it came from an earlier source: then it begins anew; `text` may hold several items, separated by
 * commas. `arena` may be NULL for defaults. */
RC option_set(struct options *o, const struct option_row *row, str text, enum option_source source,
              struct arena *arena);

#endif
