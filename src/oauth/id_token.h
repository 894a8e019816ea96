/* id_token: who signed in, when and for which app, as a signed JWT (OpenID Connect Core s2). */
#ifndef GRANTD_ID_TOKEN_H
#define GRANTD_ID_TOKEN_H

#include "tokens.h"

/* The algorithms that an app can choose from; the first is the default (Core s15.1). Returns their number. */
size_t oauth_list_id_token_algs(str out[OAUTH_LIST_MAX]);

struct id_token {
    const struct access_token *access; /* beside which it is given out: its subject and its times are the ID token's */
    str access_text;                   /* for at_hash */
    str nonce;                         /* empty: none */
    int64_t auth_time_ms;
    unsigned claims; /* of the person in facts.subject: CLAIM_BITs */
};

/* Signs it with the app's algorithm. Empty when there is no key, or the library failed. */
str id_token_make(const struct oauth_call *c, const struct id_token *t);

/* No level of ISO/IEC 29115 is claimed for a sign-in (Core s2). */
#define ID_TOKEN_ACR S("0")

/* Left half of the hash of an access token, as every algorithm of ours has it (s3.1.3.6). */
#define AT_HASH_CHARS 22
void at_hash(str access_text, char out[AT_HASH_CHARS]);

/* What an ID token that comes back says (id_token_hint). */
struct id_token_hint {
    int32_t user_id;
    const struct app *app; /* that it was made for; NULL: gone */
};

/* Verifies an ID token of ours by the keys that are published now, also retired ones. That it is over does not matter: it says who was signed in,
 * and proves nothing else (s3.1.2.1). False when it is none of ours, or its key is gone. */
bool id_token_hint_read(const struct oauth_call *c, str text, struct id_token_hint *out);

#endif
