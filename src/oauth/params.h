/* params: the pairs of a form into a struct, by table. */
#ifndef GRANTD_PARAMS_H
#define GRANTD_PARAMS_H

#include <stddef.h>

#include "form.h"

/* One parameter that an endpoint knows. An alias is a second row with the same offset. */
struct param {
    str name;          /* on the wire */
    size_t offset;     /* of a str member */
    size_t max;        /* bytes; 0: the rule that reads it decides (the whole form is bounded) */
    char class_letter; /* of str_is_all; 0: any */
    bool many;         /* may come more than once: the member is a struct param_list */
};

/* The values of a parameter that may be repeated, in their order. */
#define PARAM_LIST_MAX RESOURCE_SET_MAX
struct param_list {
    size_t n;
    bool more; /* there were more than fit */
    str v[PARAM_LIST_MAX];
};

/* The offset of a member, which must be a str. */
#define PARAM_OFFSET(type, member) (offsetof(type, member) + 0 * sizeof(char[_Generic(((type *)0)->member, str : 1)]))
#define PARAM_ALIAS(type, wire, member, max, class_letter)                                                             \
    { S(wire), PARAM_OFFSET(type, member), max, class_letter, false }
#define PARAM(type, member, max, class_letter) PARAM_ALIAS(type, #member, member, max, class_letter)
#define PARAM_MANY(type, member)                                                                                       \
    {                                                                                                                  \
        S(#member), offsetof(type, member) + 0 * sizeof(char[_Generic(((type *)0)->member, struct param_list : 1)]),   \
            0, 0, true                                                                                                 \
    }

struct params_table {
    const struct param *rows;
    size_t n;
};
#define PARAMS_TABLE(array)                                                                                            \
    { (array), sizeof(array) / sizeof((array)[0]) }

/* The first thing that was wrong; refusal is REFUSAL_NONE when nothing was. */
struct params_problem {
    enum refusal refusal; /* REFUSAL_PARAMETER_REPEATED or REFUSAL_PARAMETER_TOO_LONG */
    const struct param *row;
    uint32_t repeated; /* bit i: a parameter with the member of row i came more than once */
};
#define PARAM_ROWS_MAX 32

/* Fills the members of *out (zeroed by the caller) and goes on after a problem. Unknown parameters are ignored, also when
 * they are repeated; an empty value is as if it was not sent (RFC 6749 s3.1); of a repeated parameter the first value stays. */
struct params_problem params_fill(const struct form *form, const struct params_table *table, void *out);

/* The members that are not empty as a query, which params_fill reads again. */
str params_write(const struct params_table *table, const void *in, struct arena *arena);

/* True when the member at `offset` was given more than once, under whatever name. */
bool params_is_repeated(const struct params_problem *problem, const struct params_table *table, size_t offset);

/* Reads the form of a request into *out; refuses the call (and names the parameter) and returns false when it cannot. */
bool params_read(struct oauth_call *c, const struct params_table *table, void *out);

#endif
