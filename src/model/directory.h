/* Accounts (HubSpot's hubs), people, and who belongs where. */
#ifndef GRANTD_DIRECTORY_H
#define GRANTD_DIRECTORY_H

#include "scope_set.h"

struct account {
    int32_t hub_id;
    str domain, name;
    int64_t created_ms, disabled_ms; /* 0: enabled */
    struct scope_set without_scopes; /* that nobody can grant here: the account does not have what they stand for */
};

struct user {
    int32_t user_id;
    str email; /* as typed; unique without case */
    str name;
    str password_hash; /* PHC string; empty: cannot sign in with a password */
    int64_t created_ms, disabled_ms;
    int64_t sessions_not_before_ms; /* sessions whose sign-in is not later are over; 0: none */
    bool email_verified;            /* whoever runs the server says so */
    int64_t updated_ms;             /* when e-mail address or name were last changed; 0: not known */
};

enum member_role { MEMBER_USER = 0, MEMBER_INSTALLER = 1 /* may install apps */ };

struct member {
    int32_t user_id, hub_id;
    int32_t role; /* enum member_role */
};

#endif
