/* The test kit of oauth: a registry, a key ring, options, a fixed clock and predictable random bytes, and a model of the store in a
 * few arrays, so that whole flows run as text in, text out. Also used by the fuzzers. */
#ifndef GRANTD_KIT_TEST_H
#define GRANTD_KIT_TEST_H

#include "oauth.h"
#include "screen.h"

enum kit_app { APP_CONF, APP_PUBL, APP_RS, APP_ROTA, APP_OTHER, APP_OFF, APP_GONE, APP_BOUND, KIT_APPS };

#define KIT_NOW_MS      INT64_C(1800000000000)
#define KIT_ISSUER      "https://auth.example"
#define KIT_HUB         4711
#define KIT_USER        99
#define KIT_CORRELATION "00000000-0000-4000-8000-0000000000ff"
#define KIT_VERIFIER    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636 appendix B */
#define KIT_CHALLENGE   "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define KIT_PKCE        "&code_challenge=" KIT_CHALLENGE "&code_challenge_method=S256"
#define KIT_PKCE_UP     "&code_verifier=" KIT_VERIFIER

enum { KIT_GRANTS_MAX = 64, KIT_REVOKED_MAX = 64, KIT_UNINSTALLS_MAX = 8, KIT_SCOPES = 6, KIT_RESOURCES = 12 };

struct kit {
    struct arena *arena; /* everything lives as long as the kit */
    int64_t now_ms;
    uint64_t random_state;
    struct settings settings;
    struct keyring ring;
    struct jose_signers signers; /* one ES256 key, another one in every run */
    struct jose_known *known;    /* NULL, as it is at first: every signed token is verified anew */
    struct registry registry;
    struct app apps[KIT_APPS];
    struct scope scopes[KIT_SCOPES];
    struct resource
        resources[KIT_RESOURCES]; /* see resource_rows: an API, one for JWTs, a strict one, a deleted one, eight more */
    str secrets[KIT_APPS];        /* in clear; empty for public apps */

    /* the store */
    struct grant grants[KIT_GRANTS_MAX];
    size_t n_grants;
    uint8_t revoked[KIT_REVOKED_MAX][TOKEN_ID_BYTES];
    size_t n_revoked;
    struct {
        int32_t app_id, hub_id;
        int64_t ms;
    } uninstalls[KIT_UNINSTALLS_MAX];
    size_t n_uninstalls;
    bool user_missing, user_disabled, account_missing, account_disabled,
        not_a_member; /* of the only user and account */

    unsigned asked, changed;   /* asks answered, changes that were DONE */
    struct change last_change; /* the last one that was DONE */
    const struct jose_keys
        *published[2]; /* of every app with a jwks_uri: as they are known, and after they were read anew */
    unsigned fetched;  /* how often they were wanted */
    void (*meanwhile)(struct kit *k); /* runs once, between a decision and its change */
};

struct kit_answer {
    enum refusal refusal;
    struct answer a;
    str text; /* "STATUS\nheader: value\n...\n\nbody" */
};

struct kit_tokens {
    str code, access, refresh;
};

void kit_open(struct kit *k);
void kit_close(struct kit *k);

/* Runs a request through an endpoint as the program does: ask, decide, apply, lost, again, render. */
struct kit_answer kit_run(struct kit *k, const struct endpoint *endpoint, const struct oauth_req *req);

/* A form by POST; printf-like. */
struct kit_answer kit_post(struct kit *k, const struct endpoint *endpoint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The token endpoint, with the credentials of an app before the form. */
struct kit_answer kit_token(struct kit *k, enum kit_app app, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* GET /oauth/authorize with a query. */
struct kit_answer kit_authorize(struct kit *k, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "client_id=...&client_secret=..." of an app. */
str kit_credentials(struct kit *k, enum kit_app app);

/* A code of an app, with PKCE and its first redirect URI; then the grant of it; both must succeed. */
str kit_code(struct kit *k, enum kit_app app);
struct kit_tokens kit_install(struct kit *k, enum kit_app app);

/* redirect_uri=...&code_verifier=... that redeem what kit_code made. */
str kit_redemption(struct kit *k, enum kit_app app, str code);
struct kit_answer kit_redeem(struct kit *k, enum kit_app app, str code);
struct kit_answer kit_refresh(struct kit *k, enum kit_app app, str token);
struct kit_answer kit_introspect(struct kit *k, enum kit_app app, str token);
struct kit_answer kit_revoke(struct kit *k, enum kit_app app, str token);
bool kit_is_active(struct kit *k, str token); /* as the resource server sees it */

/* A template with things of the kit in place of "$x": $C $O $P $R $T credentials of the confidential, other, public, resource server and
 * rotating app; $s the secret of the confidential one; $c $p $o new codes of confidential, public, other; $n a code without redirect_uri
 * and challenge; $u $w the encoded redirect URIs of confidential and public; $v the verifier; $a $r access and refresh token of
 * a new grant of the confidential app, $b $l of the other one; $q $t refresh tokens of public and rotating; $m a token of
 * client_credentials. */
str kit_expand(struct kit *k, const char *template);

/* The value of a string member of a JSON body, of a parameter in a Location; empty when there is none. */
str kit_member(const struct kit_answer *answer, const char *name);
str kit_location_param(struct kit *k, const struct kit_answer *answer, const char *name);

/* The text of an answer with every token replaced by "gda_*" and the like, for golden comparisons. */
str kit_masked(struct kit *k, str text);

/* printf into the kit's arena, form-encoding, and NUL-ended text for assertions. */
str kit_encoded(struct kit *k, str text);
const char *kit_z(struct kit *k, str text);

#endif
