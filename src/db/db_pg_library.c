#include "db_pg_library.h"

#include <pthread.h>
#include <stdio.h>

#include "library.h"

struct pg_library pg_library;
static char problem[240]; /* empty: it is loaded */

static RC load_functions(void) {
    struct library libpq = {.name = "libpq", .file = "libpq.so.5", .package = "libpq5"};
    TRY(library_open(&libpq));
#define F(name) library_find(&libpq, "PQ" #name, &pg_library.name);
    PG_FUNCTIONS(F)
#undef F
    return library_check(&libpq);
}

static void load(void) {
    if (!rc_ok(load_functions())) snprintf(problem, sizeof problem, "%s", rc_detail());
}

RC pg_library_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return problem[0] ? rc_fail(FAULT_INTERNAL, "%s", problem) : RC_OK;
}
