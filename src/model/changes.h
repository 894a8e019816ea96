/* What a decision tells the store to do: at most one change, atomic. A change that must win ends DONE or LOST; the row count
 * of its one conditional statement decides, nothing is read first. */
#ifndef GRANTD_CHANGES_H
#define GRANTD_CHANGES_H

#include "asks.h"
#include "grant.h"

/* How long a revoked grant and the mark of a removal are kept: longer than a code or an access token of a grant lives. */
#define REVOKED_KEPT_MS INT64_C(86400000)

enum change_kind {
    CHANGE_NONE,
    CHANGE_GRANT_INSERT, /* .grant, and .token_id (zeros: none): LOST when the id exists (the code was redeemed before), or when that mark is on the deny list since the grant was created or later (CHANGE_GRANTS_REVOKE) */
    CHANGE_GRANT_ROTATE, /* .grant_id, .generation, .now_ms, .day: generation - 1 -> generation; LOST when it is not at generation - 1 or revoked */
    CHANGE_GRANT_REVOKE, /* .grant_id, .now_ms, .expires_ms (when the row may be purged), .access_not_before_ms (0: as it is); always DONE */
    CHANGE_GRANT_NOT_BEFORE, /* .grant_id, .now_ms: access tokens issued up to now die; never goes back; always DONE */
    CHANGE_GRANT_TOUCH,      /* .grant_id, .day: last_used_day; always DONE */
    CHANGE_TOKEN_REVOKE,     /* .token_id, .expires_ms: the deny list; always DONE */
    CHANGE_UNINSTALL, /* .app_id, .hub_id, .now_ms: every grant created up to now is dead; never goes back; always DONE */
    CHANGE_TOKEN_TAKE, /* .token_id, .expires_ms: the same list, for what is used once; LOST when it is there */
    CHANGE_SESSION_START, /* .session, and the session .session_hash (zeros: none) ends; with .takes also as CHANGE_TOKEN_TAKE */
    CHANGE_SESSION_EXTEND, /* .session.hash, .expires_ms: never goes back; always DONE */
    CHANGE_SESSION_END,    /* .session_hash; always DONE */
    CHANGE_GRANTS_REVOKE, /* .user_id, .app_id and .hub_id (0: all), .now_ms, .expires_ms: the live grants of a person; with .takes also the mark .token_id on the deny list, which never goes back; always DONE */
    CHANGE_KINDS
};

struct change {
    enum change_kind kind;
    union {
        struct grant grant;
        struct session session;
    };
    struct grant_id grant_id;
    uint32_t generation;
    int64_t now_ms, expires_ms, access_not_before_ms;
    int32_t app_id, hub_id, user_id, day;
    uint8_t token_id[TOKEN_ID_BYTES];
    uint8_t session_hash[SESSION_HASH_BYTES];
    bool takes;
};

enum outcome { OUTCOME_DONE, OUTCOME_LOST };

#endif
