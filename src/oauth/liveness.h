/* Liveness: whether a grant or a token still counts. Every level of death is looked at here and nowhere else: the token's own
 * end, the grant's (revoked, expired, idle), the account's, the person's, the app's, the uninstall, the deny list. */
#ifndef GRANTD_LIVENESS_H
#define GRANTD_LIVENESS_H

#include "tokens.h"

#define DAY_MS INT64_C(86400000)

enum life {
    LIFE_LIVE,
    LIFE_DEAD,      /* unknown, revoked, expired */
    LIFE_HUB_GONE,  /* the account is gone or disabled, or has uninstalled the app */
    LIFE_USER_GONE, /* the person is gone, disabled, or no longer of the account */
};

/* The account and the person of a consent given at consent_ms. */
enum life subject_life(const struct facts *facts, int64_t consent_ms);

/* The grant in `facts` (the row alone: revoked, expired, idle), and with the people behind it. */
bool grant_row_is_live(const struct oauth_call *c, const struct app *app);
enum life grant_life(const struct oauth_call *c, const struct app *app);

/* Where the deny list tells that a person has removed an app from an account: an entry that lasts REVOKED_KEPT_MS from then on. */
void removal_mark(int32_t user_id, int32_t app_id, int32_t hub_id, uint8_t out[TOKEN_ID_BYTES]);

/* With what the list said of it: true when a consent given at consent_ms has been taken back since. */
bool is_removed(const struct facts *facts, int64_t consent_ms);

/* The days since 1970 of a time. */
int32_t day_of(int64_t time_ms);

/* The app of a token or grant; NULL when it is unknown, disabled or deleted. */
const struct app *live_app(const struct oauth_call *c, int32_t app_id);

/* A token that somebody shows, opened as far as that goes without the store. */
enum shown_kind { SHOWN_NOTHING, SHOWN_ACCESS, SHOWN_REFRESH };
struct shown {
    enum shown_kind kind;
    str text;
    struct access_token access; /* SHOWN_ACCESS: genuine, perhaps dead */
    struct refresh_claim claim; /* SHOWN_REFRESH: not proven before shown_is_genuine */
};

/* Opens any token. SHOWN_NOTHING when it is none of ours. Hints about the kind are not needed: the prefix tells. */
void shown_open(const struct oauth_call *c, str text, struct shown *out);

/* What must be known of it. */
size_t shown_ask(const struct shown *shown, struct ask out[ASKS_MAX]);

/* With the facts: true when it was made here (dead or alive), and the app that it was made for. */
bool shown_is_genuine(const struct oauth_call *c, const struct shown *shown, int32_t *out_app_id);

/* With the facts: what it is for alone; none: every API. */
struct resource_set shown_resources(const struct oauth_call *c, const struct shown *shown);

/* With the facts: true when it could be used now. A superseded refresh token is not live; looking never changes anything. */
bool shown_is_live(const struct oauth_call *c, const struct shown *shown);

#endif
