/* run: one request through its endpoint, from the route to the finished response. The only place that waits: for the store. It knows
 * no socket and no event loop; server.c adapts web to it, and tests call it with a clock and random bytes of their own. */
#ifndef GRANTD_RUN_H
#define GRANTD_RUN_H

#include "limiter.h"
#include "oauth.h"
#include "publish.h"
#include "storage.h"
#include "web.h"

/* What a request needs from its surroundings; one per loop thread. Everything is borrowed. */
struct run_env {
    int64_t (*now_ms)(void *arg);                   /* wall clock; asked once per request */
    void (*random)(void *arg, void *out, size_t n); /* fresh bytes */
    void *source_arg;                               /* handed to the two above */
    struct db_session *session;
    const struct keyring *keyring;
    struct lease *lease; /* the registry; may be replaced between requests */
    const struct settings *settings;
    struct limiter *limiter; /* NULL: no limits */
};

/* A request, free of the connection that it came by. Slices live until done. */
struct run_input {
    enum http_method method;
    str path;          /* raw, as sent */
    str query;         /* raw, without '?' */
    str content_type;  /* header value; empty: none */
    str authorization; /* header value; empty: none */
    str body;
    str peer; /* client address as text, for the limiter */
};

/* Called exactly once, with the response in the request's arena; perhaps before run_request returns (always so when the
 * session writes inline). */
typedef void run_done(void *arg, const struct web_response *response);

/* Runs a request. Never fails: faults are logged here, once, and become 503 or 500. */
void run_request(const struct run_env *env, const struct run_input *input, struct arena *arena, run_done *done,
                 void *arg);

/* The answer to a body that is larger than the front takes (413), as the front has no bodies of its own. */
void run_refuse(const struct run_env *env, enum refusal refusal, struct arena *arena, run_done *done, void *arg);

#endif
