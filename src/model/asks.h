/* What a rule asks the store before it decides, and the facts it gets back. Plain data; the protocol rules and the store
 * meet here and nowhere else. */
#ifndef GRANTD_ASKS_H
#define GRANTD_ASKS_H

#include "grant.h"

enum ask_kind {
    ASK_GRANT,         /* by grant_id -> facts.grant, .subject, .uninstalled_ms of its app and account */
    ASK_SUBJECT,       /* by user_id, hub_id (and app_id) -> facts.subject, .uninstalled_ms */
    ASK_REVOKED_TOKEN, /* by token_id -> facts.token_revoked */
    ASK_KINDS
};

#define ASKS_MAX       2
#define ASK_ROUNDS_MAX 3
#define TOKEN_ID_BYTES 16

struct ask {
    enum ask_kind kind;
    struct grant_id grant_id;
    int32_t app_id, hub_id, user_id;
    uint8_t token_id[TOKEN_ID_BYTES];
};

/* The person and the account that a grant or a code speaks of. */
struct subject {
    bool user_found, user_enabled;
    bool account_found, account_enabled;
    bool member; /* the user belongs to the account */
    str email, user_name, domain;
};

/* Filled only with what was asked; a rule reads only what it asked for. Strings live in the request's arena. */
struct facts {
    bool grant_found;
    struct grant grant;
    struct subject subject;
    int64_t uninstalled_ms; /* the last uninstall of the app from the account; 0: never */
    bool token_revoked;
};

#endif
