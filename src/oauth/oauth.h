/* oauth: the protocol rules, pure. A request goes through a call:
 *
 *   start   parse by table, check what needs no storage           -> a refusal, or on
 *   ask     what must I know?                                     -> asks (at most ASK_ROUNDS_MAX rounds), or none
 *   decide  the rule                                              -> an answer or a refusal, and at most one change
 *   lost    only when the change ended LOST                       -> another answer and change, or `again` (ask and decide once more)
 *   render  call -> answer
 *
 * Clock, random bytes, keys, apps and options come in as values (struct oauth_env). Nothing here waits, logs or fails: inputs are
 * bounded, memory comes from the request's arena. */
#ifndef GRANTD_OAUTH_H
#define GRANTD_OAUTH_H

#include "arena.h"
#include "asks.h"
#include "certificate.h"
#include "changes.h"
#include "jose.h"
#include "keyring.h"
#include "refusal.h"
#include "registry.h"
#include "settings.h"

#define OAUTH_RANDOM_BYTES    96 /* fresh random bytes per request; each rule takes its own slice, see OAUTH_RANDOM_* */
#define OAUTH_RANDOM_NONCE    0  /* 24: of the one token that a request seals */
#define OAUTH_RANDOM_SALT     24 /* 16: salt of a new grant */
#define OAUTH_RANDOM_GRANT_ID 40 /* 10: id of a new grant */
/* Requests of pages for people have more. */
#define OAUTH_RANDOM_FLOW         96  /* 24: nonce of what a form carries */
#define OAUTH_RANDOM_SESSION      120 /* 32: id of a new session */
#define OAUTH_RANDOM_BROWSER      152 /* 24: id of a browser that is new to us */
#define OAUTH_RANDOM_DEVICE       176 /* 24: nonce of the cookie by which a browser is known */
#define OAUTH_RANDOM_DEVICE_ID    200 /* 16 */
#define OAUTH_RANDOM_PEOPLE_BYTES 216
#define CORRELATION_ID_BYTES      37

struct oauth_env {
    int64_t now_ms;
    const struct registry *registry;
    const struct keyring *keyring;
    const struct jose_signers *signers;
    struct jose_known *known; /* of access tokens that were shown before; NULL: each is verified anew */
    const struct settings *settings;
    str token_endpoint;                        /* its URL as metadata announces it */
    const uint8_t *random;                     /* OAUTH_RANDOM_BYTES, for pages OAUTH_RANDOM_PEOPLE_BYTES */
    char correlation_id[CORRELATION_ID_BYTES]; /* uuid, NUL-ended */
};

enum oauth_method {
    METHOD_OTHER = 0,
    METHOD_GET = 1,
    METHOD_POST = 2,
    METHOD_DELETE = 4,
    METHOD_HEAD = 8,
    METHOD_OPTIONS = 16
};

/* The request as the rules see it; slices live as long as the call. */
struct oauth_req {
    enum oauth_method method;
    str path_arg;      /* the one variable segment of the path (a token, a hub id), percent-decoded; empty: none */
    str query;         /* raw, without '?' */
    str body;          /* raw */
    str content_type;  /* header value, empty: none */
    str authorization; /* header value, empty: none */
    str cookie;        /* header value, empty: none */
    str origin;        /* the same */
    str fetch_site;    /* Sec-Fetch-Site, the same */
    const struct certificate *certificate; /* of the client's TLS; NULL: none was shown */
    bool certificate_verified;             /* somebody has checked its chain */
    bool query_params;                     /* v1 only: form parameters may stand in the query as well */
};

enum answer_type { ANSWER_EMPTY, ANSWER_JSON, ANSWER_PAGE, ANSWER_TEXT };
#define ANSWER_COOKIES_MAX 4

struct screen;

struct answer {
    int http;
    enum answer_type type;
    str body;
    str location;                /* redirects */
    str www_authenticate;        /* empty: none */
    int retry_after_s;           /* 0: none */
    bool no_store;               /* Cache-Control: no-store and Pragma: no-cache */
    const struct screen *screen; /* ANSWER_PAGE: what is shown (screen.h); the program turns it into HTML */
    str cookies[ANSWER_COOKIES_MAX];
    size_t n_cookies;
};

/* How a refusal leaves. */
enum refusal_form { FORM_JSON, FORM_PAGE, FORM_REDIRECT };

/* The keys that the app of a call publishes (jwks_uri). `start` wants them, and runs again once the program has them; once more when they do not
 * have the key that signed, as it may be new. */
enum published_keys { PUBLISHED_UNKNOWN, PUBLISHED_WANTED, PUBLISHED_KNOWN, PUBLISHED_WANTED_ANEW, PUBLISHED_NEWEST };

struct oauth_call {
    struct oauth_env env;
    struct oauth_req req;
    struct arena *arena;
    struct facts facts;

    /* outcome */
    enum refusal refusal; /* REFUSAL_NONE: success */
    enum refusal_form form;
    int http_override;     /* 401 for the client rows, see errors.def; 0: the row's */
    str refused_parameter; /* our own name of the parameter that was refused; empty: none in particular */
    str refused_scope;     /* a well-formed scope name that was refused; empty: none. Only ever shown inside errors[] */
    str www_authenticate;
    struct change
        proof; /* set by start: applied before anything is asked, so that what proves the client is used once. LOST: oauth_proof_lost */
    enum published_keys published;
    const struct jose_keys *published_keys; /* from PUBLISHED_KNOWN on */
    bool proof_401;                         /* what that refusal says at introspection */
    struct change change;                   /* CHANGE_NONE: nothing to apply */
    bool again;                             /* set by `lost`: run ask and decide once more */
    const struct app *app;                  /* once known: for the limiter and events */
    str client_id;                          /* as sent, for the limiter; empty: none */
    struct answer answer;                   /* filled by decide (success) or by oauth_render (refusal) */

    str redirect_base;  /* FORM_REDIRECT: the verified redirect URI ... */
    str redirect_state; /* ... and the state to give back; empty: none was sent */

    str lang, ui_locales; /* of pages: what the person chose, and what the app asks for; empty: nothing */

    void *state; /* the endpoint's own */
};

/* The program calls `start`; unless it refused, it applies the `proof` if there is one; then `ask` for round 0, 1 ... until it returns 0, then `decide`; applies the change if there is
 * one; when it is LOST, `lost`, and from `ask` on again if it set `again`, else applies the change that `lost` may have left; then
 * oauth_render. A fault on the way becomes REFUSAL_UNAVAILABLE or REFUSAL_INTERNAL, and oauth_render. */
struct endpoint {
    const char *name;
    void (*start)(struct oauth_call *c);
    size_t (*ask)(struct oauth_call *c, int round, struct ask out[ASKS_MAX]); /* NULL: needs nothing */
    void (*decide)(struct oauth_call *c);                                     /* NULL: start has decided */
    void (*lost)(struct oauth_call *c);                                       /* NULL: its changes are never LOST */
};

extern const struct endpoint endpoint_token, endpoint_introspect, endpoint_revoke, endpoint_authorize,
    endpoint_uninstall, endpoint_userinfo, endpoint_v1_access_token, endpoint_v1_refresh_token,
    endpoint_v1_refresh_delete;

/* The pages for people. */
extern const struct endpoint endpoint_sign_in, endpoint_login, endpoint_choose_account, endpoint_consent,
    endpoint_sign_out, endpoint_logout, endpoint_connected_apps, endpoint_remove_app;

/* What the tables of this folder support, for the metadata document. Return the number of names. */
#define OAUTH_LIST_MAX 8
size_t oauth_list_grant_types(str out[OAUTH_LIST_MAX]);
size_t oauth_list_auth_methods(const struct settings *settings, bool with_public,
                               str out[OAUTH_LIST_MAX]); /* false: only those that prove something */

/* Sets the refusal of a call (a helper for rules and for the program). */
static inline void oauth_refuse(struct oauth_call *c, enum refusal r) { c->refusal = r; }

/* Whether `start` must run again, with keys of the app; what it said until then counts for nothing. */
static inline bool oauth_wants_keys(const struct oauth_call *c) {
    return c->published == PUBLISHED_WANTED || c->published == PUBLISHED_WANTED_ANEW;
}

/* The call as it was before `start`, now with the keys that were wanted. */
static inline void oauth_begin_again(struct oauth_call *c, const struct jose_keys *keys) {
    *c = (struct oauth_call){
        .env = c->env,
        .req = c->req,
        .arena = c->arena,
        .published = (enum published_keys)(c->published + 1),
        .published_keys = keys,
    };
}

/* Refuses a call whose proof was used before. */
void oauth_proof_lost(struct oauth_call *c);

/* Turns the outcome into the answer: the one place that writes "error". */
void oauth_render(struct oauth_call *c);

/* The error body of a refusal on its own (unknown paths, overload), in the arena. */
struct answer oauth_render_refusal(enum refusal r, const char *correlation_id, struct arena *arena);

#endif
