/* A grant: this app may act in this account for this user with these scopes. One row; the whole hot state. */
#ifndef GRANTD_GRANT_H
#define GRANTD_GRANT_H

#include "envelope.h"
#include "scope_set.h"

struct grant_id {
    uint8_t b[GRANT_ID_BYTES]; /* 48 bits of milliseconds, big-endian, then 80 random bits: inserts stay local */
};

struct grant_id grant_id_make(int64_t now_ms, const uint8_t random[10]);
int64_t grant_id_time_ms(const struct grant_id *id);

struct grant {
    struct grant_id id;
    int32_t app_id, hub_id, user_id;
    str scopes; /* encoded scope_set, as consented */
    int64_t
        created_ms; /* when the consent was given (the code's issue time); an uninstall at or after it kills the grant */
    int64_t expires_ms; /* end of the refresh chain and of the row; 0: none */
    uint8_t salt[GRANT_SALT_BYTES];
    uint32_t generation;          /* the highest refresh token number that was ever used; token numbers begin with 1 */
    int64_t rotated_ms;           /* when generation was last raised; 0: never */
    int64_t access_not_before_ms; /* access tokens issued up to this time are dead; 0: none */
    int64_t revoked_ms;           /* 0: live */
    int32_t last_used_day;        /* days since 1970, kept only for apps with an idle limit */
    int64_t auth_time_ms;         /* when the person signed in */
    str resources;                /* encoded resource_set: what it is for alone (RFC 8707); empty: any */
    str certificate; /* SHA-256 of the one that its refresh tokens are bound to (RFC 8705 s4); empty: none */
};

#endif
