/* What the pages for people keep and ask: sessions, and the accounts and apps of a person. */
#ifndef GRANTD_SESSION_H
#define GRANTD_SESSION_H

#include "directory.h"
#include "grant.h"

#define SESSION_HASH_BYTES   32
#define TOKEN_ID_BYTES       16
#define MEMBERSHIPS_MAX      50 /* accounts that a page shows at most */
#define MEMBERSHIP_PAGES_MAX 10000
#define CONNECTIONS_MAX      100 /* grants that a page looks at, the newest first */

/* A browser that is signed in. The cookie holds the id, the row only a keyed hash of it. */
struct session {
    uint8_t hash[SESSION_HASH_BYTES];
    int32_t user_id;
    int64_t auth_time_ms; /* the sign-in */
    int64_t created_ms;
    int64_t expires_ms; /* the idle end, never later than the absolute one */
    str hub_ids;        /* the accounts that it is for, four bytes each (packing.h); empty: all of the person */
};

/* An enabled account that a person belongs to. */
struct membership {
    struct account account;
    int32_t role;           /* enum member_role */
    int64_t uninstalled_ms; /* of the app that was asked about; 0: never, or none was asked about */
};

/* A live grant of a person, with the name of its account. */
struct connection {
    struct grant grant;
    str account_name, account_domain;
};

#endif
