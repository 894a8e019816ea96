/* Refusals: every way in which the protocol says no, as rows of errors.def. A refusal is a value; render.c alone turns one into an answer. */
#ifndef GRANTD_REFUSAL_H
#define GRANTD_REFUSAL_H

#include "str.h"

enum refusal_counts {
    COUNTS_NOT,
    COUNTS_AUTH /* wrong client authentication */,
    COUNTS_GRANT /* wrong code, verifier or refresh token */
};

enum refusal {
    REFUSAL_NONE = 0,
#define REFUSAL(name, http, error, status, category, counts, text) REFUSAL_##name,
#include "errors.def"
#undef REFUSAL
    REFUSAL_COUNT
};

struct refusal_row {
    str name;
    int http;
    str error;  /* RFC 6749 s5.2 and its family */
    str status; /* the BAD_* word */
    str category;
    enum refusal_counts counts;
    str text; /* only characters that RFC 6749 allows in error_description; never echoes what was sent */
};

/* The row of a refusal. Never NULL. */
const struct refusal_row *refusal_row(enum refusal r);

#endif
