/* Flows through the whole program but its sockets: an HTTP request as text in, the response as text out, on SQLite in memory (or, where TEST_POSTGRES says so, on PostgreSQL) whose every
 * n-th call can be made to fail, with a clock and random bytes of the test's own. */
#ifndef GRANTD_FLOW_H
#define GRANTD_FLOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dev_seed.h"
#include "migrate.h"
#include "publish.h"
#include "run_text.h"

enum flow_app { FLOW_CONFIDENTIAL, FLOW_PUBLIC, FLOW_RESOURCE_SERVER };

#define FLOW_NOW_MS    INT64_C(1800000000000)
#define FLOW_VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define FLOW_CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

struct flow {
    struct arena *arena; /* of everything that the test looks at */
    struct instance instance;
    struct dev_seed seed;
    struct db_session *session;
    struct lease *lease;
    struct brand brand;
    struct known_subjects subjects;
    struct jose_known known;
    struct run_env env;
    int64_t now_ms;
    uint64_t random_state;
};

struct flow_tokens {
    str code, access, refresh;
};

void flow_open(struct flow *f);
void flow_close(struct flow *f);

/* Sends a request ("POST /path\nHeader: value\n\nbody"; printf-like). */
str flow_send(struct flow *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* POST of a form to a path below /oauth/v3/, with the credentials of an app in front. */
str flow_form(struct flow *f, const char *path, enum flow_app app, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A code with PKCE, its redemption, and both. */
str flow_code(struct flow *f, enum flow_app app);
str flow_redeem(struct flow *f, enum flow_app app, str code);
str flow_refresh(struct flow *f, enum flow_app app, str token);
struct flow_tokens flow_install(struct flow *f, enum flow_app app);

/* A string member of a JSON body, which must parse; empty when there is none. And one of a Location. */
str flow_member(struct flow *f, str response, const char *name);
str flow_location_param(struct flow *f, str response, const char *name);

/* Introspection by the resource server: it must answer 200. */
bool flow_is_active(struct flow *f, str token);

/* Fails unless the response has this status and this word in the member `status`, and whole error headers. */
void flow_must_refuse(struct flow *f, str response, int http, const char *status);

/* An edit by administration, which must be done, and the registry read anew. */
void flow_edit(struct flow *f, const struct edit *edit);
struct app *flow_app_copy(struct flow *f, enum flow_app app);

/* Every grant of the store as text: equal texts, equal stores. */
str flow_grants(struct flow *f);

#endif
