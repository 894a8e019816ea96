/* Administration against a real store in a directory of its own. */
#ifndef GRANTD_ADMIN_KIT_TEST_H
#define GRANTD_ADMIN_KIT_TEST_H

#include <jansson.h>

#include "admin_run.h"
#include "rows_test.h"

struct fixture {
    char dir[64];
    struct arena *arena;
    struct instance *instance;
    struct admin_backup *backup;
};

/* A cmocka set-up and tear-down; the state is the fixture. */
int open_fixture(void **state);
int close_fixture(void **state);

/* One request; `target` may have a query. */
struct admin_reply call(struct fixture *f, enum http_method method, const char *target, const char *body);

/* The body, which must be JSON; release it. */
json_t *json_of(struct admin_reply reply);

bool holds(str text, const char *part);

#endif
