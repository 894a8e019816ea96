/* suggest: what a person may have meant who typed a word that does not exist. */
#ifndef GRANTD_SUGGEST_H
#define GRANTD_SUGGEST_H

#include "str.h"

struct suggestion {
    str word;
    const char *best; /* the nearest candidate so far; NULL: none is near */
    size_t distance;
};

static inline struct suggestion suggest_for(str word) { return (struct suggestion){word, NULL, 0}; }

/* Looks at one more candidate, which must live as long as the suggestion. */
void suggest_add(struct suggestion *s, const char *candidate);

#endif
