/* admin_parse: texts, query strings and JSON bodies become a struct admin_input, by the table. Pure. */
#ifndef GRANTD_ADMIN_PARSE_H
#define GRANTD_ADMIN_PARSE_H

#include "admin_call.h"

#define ADMIN_JSON_DEPTH_MAX 4

/* Whether one value has the shape and size its row asks for: NULL, or what it must be ("must be 1 to 200 bytes ..."). Of a list, one item. */
const char *admin_value_problem(const struct admin_arg *arg, str value);

/* Each reads into c->in, or refuses and gives false. A member that the command does not have is refused: it is a typing error. */
bool admin_parse_path(struct admin_call *c, const struct admin_arg *arg, str segment);
bool admin_parse_query(struct admin_call *c, str query);
bool admin_parse_body(struct admin_call *c, str body);

/* Refuses when an argument is missing that the command needs. */
bool admin_parse_complete(struct admin_call *c);

#endif
