/* admin_run: one administrative request, the same whether it came by HTTP or from a command line that works on the store itself. */
#ifndef GRANTD_ADMIN_RUN_H
#define GRANTD_ADMIN_RUN_H

#include "admin_call.h"

struct admin_request {
    enum http_method method;
    str path;         /* raw, as sent */
    str query;        /* raw, without '?' */
    str content_type; /* empty: none */
    str body;
};

struct admin_reply {
    int status;
    str body;                            /* JSON, in the arena */
    const struct admin_command *command; /* NULL: the address was unknown */
    const char *code;                    /* of a refusal or fault, "" on success */
    str target;                          /* what it was about, for the log: "app 3 account 7" */
    str allow;                           /* with 405: the methods that the address takes */
};

/* Runs a request: finds the command, reads its arguments, calls the handler. Never fails: faults become 503 or 500. The reply lives in
 * the arena. */
struct admin_reply admin_serve(struct instance *instance, struct admin_backup *backup,
                               const struct admin_request *request, struct arena *arena);

/* The body of a refusal on its own. */
str admin_error_body(struct arena *arena, const char *code, str message);

#define ADMIN_ANSWER_MAX ((size_t)4 << 20)

#endif
