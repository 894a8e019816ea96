/* What a rule asks the store before it decides, and the facts it gets back. Plain data; the protocol rules and the store
 * meet here and nowhere else. */
#ifndef GRANTD_ASKS_H
#define GRANTD_ASKS_H

#include "session.h"

enum ask_kind {
    ASK_GRANT,         /* by grant_id -> facts.grant, .subject, .uninstalled_ms of its app and account */
    ASK_SUBJECT,       /* by user_id, hub_id (and app_id) -> facts.subject, .uninstalled_ms */
    ASK_REVOKED_TOKEN, /* by token_id -> facts.token_revoked, .token_denied_until_ms */
    ASK_SESSION,       /* by session_hash -> facts.session_found, .session, and .person of it */
    ASK_PERSON,        /* by email, or without one by user_id -> facts.person_found, .person */
    ASK_MEMBERSHIPS, /* by user_id, hub_id (0: all), hub_list, find, page and app_id -> facts.memberships: of enabled accounts, by name; and whether there is a next page */
    ASK_CONNECTIONS, /* by user_id, app_id and hub_id (0: all), now_ms, grant_id (older than this; zeros: all) -> facts.connections: live grants, the newest first */
    ASK_PASSWORD, /* by password, password_hash (may be empty), throttle_key -> facts.password, .wait_ms. The program's, not the
                          store's; alone in its round */
    ASK_KINDS
};

#define ASKS_MAX       2
#define ASK_ROUNDS_MAX 3

struct ask {
    enum ask_kind kind;
    struct grant_id grant_id;
    int32_t app_id, hub_id, user_id;
    uint8_t token_id[TOKEN_ID_BYTES];
    uint8_t session_hash[SESSION_HASH_BYTES];
    str email, password, password_hash;
    str find;              /* stands in name, domain or number of an account; empty: any */
    str hub_list;          /* the accounts in question, as ",1001,1002,"; empty: all */
    int32_t page;          /* from 0 */
    str throttle_key;      /* whose failures count together: an account as it was typed, or a browser that it knows */
    bool by_known_browser; /* the latter: then failures of others at its address do not count against it */
    int64_t now_ms;
};

/* How a password was found. */
enum password_fact { PASSWORD_WRONG, PASSWORD_RIGHT, PASSWORD_THROTTLED };

/* The person and the account that a grant or a code speaks of. */
struct subject {
    bool user_found, user_enabled;
    bool account_found, account_enabled;
    bool member; /* the user belongs to the account */
    str email, user_name, domain;
    bool email_verified;
    int64_t user_updated_ms; /* 0: not known */
};

/* Filled only with what was asked; a rule reads only what it asked for. Strings live in the request's arena. */
struct facts {
    bool grant_found;
    struct grant grant;
    struct subject subject;
    int64_t uninstalled_ms; /* the last uninstall of the app from the account; 0: never */
    bool token_revoked;
    int64_t token_denied_until_ms; /* the end of that entry */

    bool session_found, person_found;
    struct session session;
    struct user person;
    const struct membership *memberships;
    size_t n_memberships;
    bool more_memberships;
    const struct connection *connections;
    size_t n_connections;
    enum password_fact password;
    int64_t wait_ms; /* PASSWORD_THROTTLED: until the next try */
};

#endif
