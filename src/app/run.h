/* run: one request through its endpoint, from the route to the finished response. The only place that waits: for the store. It knows
 * no socket and no event loop; server.c adapts web to it, and tests call it with a clock and random bytes of their own. */
#ifndef GRANTD_RUN_H
#define GRANTD_RUN_H

#include "key_fetch.h"
#include "limiter.h"
#include "metrics.h"
#include "oauth.h"
#include "publish.h"
#include "show.h"
#include "storage.h"
#include "throttle.h"
#include "web.h"

/* Called in the loop's thread with what a password was found to be. */
enum run_password { RUN_PASSWORD_WRONG, RUN_PASSWORD_RIGHT, RUN_PASSWORD_DROPPED /* too many wait for their turn */ };
typedef void run_password_done(void *arg, enum run_password verdict);

/* Called in the loop's thread with the keys that an app publishes, held for the receiver; NULL: they cannot be had now. */
typedef void run_keys_done(void *arg, struct fetched_keys *keys);

/* What a request needs from its surroundings; one per loop thread. Everything is borrowed. */
struct run_env {
    int64_t (*now_ms)(void *arg);                   /* wall clock; asked once per request */
    void (*random)(void *arg, void *out, size_t n); /* fresh bytes */
    void *source_arg;                               /* handed to the two above */
    struct db_session *session;
    struct lease *lease; /* apps, scopes and keys; may be replaced between requests */
    const struct settings *settings;
    struct limiter *limiter; /* NULL: no limits */
    struct metrics *metrics; /* NULL: nothing is counted */
    struct known_subjects
        *subjects;            /* what this loop remembers of people and accounts; NULL: they are read each time */
    struct jose_known *known; /* signatures that this loop found good; NULL: each is verified anew */

    /* For pages. */
    const struct brand *brand;
    struct throttle *throttle; /* NULL: no limits */
    uint32_t sign_in_limit, sign_in_address_limit;
    /* Compares a password with a hash (may be empty), which takes a while. False: too many are waiting. */
    bool (*check_password)(void *arg, str password, str hash, run_password_done *done, void *done_arg);
    void *password_arg;

    /* The keys of an address (key_fetch_ask); `done` may be called before it returns. NULL: they cannot be had. */
    void (*fetch_keys)(void *arg, str uri, bool anew, run_keys_done *done, void *done_arg);
    void *keys_arg;
};

/* A request, free of the connection that it came by. Slices live until done. */
struct run_input {
    enum http_method method;
    str path;                                                       /* raw, as sent */
    str query;                                                      /* raw, without '?' */
    str content_type;                                               /* header value; empty: none */
    str authorization;                                              /* header value; empty: none */
    str cookie, origin, fetch_site, accept_language, if_none_match; /* the same */
    str certificate;                                                /* DER of the client's; empty: none was shown */
    bool certificate_verified;                                      /* somebody has checked its chain */
    str preflight;                                                  /* Access-Control-Request-Method, the same */
    str body;
    str peer; /* client address as text, for the limiter */
};

/* What the head says; body and peer are left empty. */
struct run_input run_input_of(const struct http_head *head);

/* Called exactly once, with the response in the request's arena; perhaps before run_request returns (always so when the
 * session writes inline). */
typedef void run_done(void *arg, const struct web_response *response);

/* Runs a request. Never fails: faults are logged here, once, and become 503 or 500. */
void run_request(const struct run_env *env, const struct run_input *input, struct arena *arena, run_done *done,
                 void *arg);

/* The answer to what the front refuses (a body that is too large, overload), as the front has no bodies of its own. Of the input path and origin
 * are used, so that pages can read it; NULL: nothing is known of the request. */
struct run_refusal {
    enum refusal refusal;
    const struct run_input *input;
};
void run_refuse(const struct run_env *env, const struct run_refusal *why, struct arena *arena, run_done *done,
                void *arg);

#endif
