/* Tables of requests and the refusals (or successes) that they must meet. */
#ifndef GRANTD_KIT_ROWS_TEST_H
#define GRANTD_KIT_ROWS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "buf.h"
#include "kit_test.h"

/* Rows leave out what is nothing. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct kit_row {
    const char *name;              /* which statement it is about */
    const char *form;              /* template of the body, see kit_expand */
    const char *authorization;     /* header; "basic:ID:SECRET" (a template) is encoded; NULL: none */
    void (*before)(struct kit *k); /* after the template was expanded, before the request; NULL: nothing */
    int64_t later_ms;              /* the clock goes on as long in between */
    enum refusal refusal;          /* REFUSAL_NONE: 200 */
    int http;                      /* 0: the row's own */
    const char *in;                /* errors[].in; NULL: no detail */
    unsigned changes;              /* of the store, by the request itself */
};

/* Runs every row on a kit of its own. */
void kit_check_rows(const struct endpoint *endpoint, const struct kit_row *rows, size_t n);
#define KIT_CHECK_ROWS(endpoint, rows) kit_check_rows(&(endpoint), rows, sizeof(rows) / sizeof((rows)[0]))

/* Fails unless the body is the whole error body of that refusal. */
void kit_check_error(struct kit *k, const struct kit_answer *answer, enum refusal refusal, const char *in);

/* Fails unless the masked text of an answer is this one. */
void kit_check_text(struct kit *k, const struct kit_answer *answer, const char *expected);

#endif
