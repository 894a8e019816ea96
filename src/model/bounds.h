/* Every size that is promised somewhere, once. Bytes unless the name says otherwise. */
#ifndef GRANTD_BOUNDS_H
#define GRANTD_BOUNDS_H

#define TOKEN_TEXT_MAX 512 /* any token, code or secret, as text */
#define BOUND_TOKEN_TEXT_MAX                                                                                           \
    640 /* signed access tokens that name a certificate; nobody gets one who was not set to both */
#define CLIENT_ID_MAX        64
#define CLIENT_SECRET_MAX    128
#define REDIRECT_URI_MAX     2048
#define REDIRECT_URIS_MAX    32 /* per app; as many for after signing out */
#define SCOPE_NAME_MAX       128
#define SCOPE_LIST_MAX       8192 /* the whole `scope` parameter */
#define SCOPE_SET_MAX        112  /* scopes of one grant ... */
#define SCOPE_SET_BYTES      112 /* ... and the bytes of their encoded ids, so that a code stays under TOKEN_TEXT_MAX */
#define RESOURCE_SET_MAX     8   /* resources of one grant ... */
#define RESOURCE_SET_BYTES   16  /* ... and the bytes of their encoded ids */
#define RESOURCE_URI_MAX     512
#define RESOURCE_URIS_MAX    8 /* spellings of one resource */
#define STATE_MAX            4096
#define OIDC_NONCE_MAX       128
#define CODE_CHALLENGE_CHARS 43
#define CODE_VERIFIER_MIN    43
#define CODE_VERIFIER_MAX    128
#define NAME_MAX_BYTES       200 /* names of apps, accounts and people */
#define EMAIL_MAX            254
#define DOMAIN_MAX           253
#define APP_JWKS_MAX         32768
#define APP_TLS_AUTH_MAX     1024
#define SECRETS_PER_APP_MAX  2         /* live at once */
#define LOGIN_ACCOUNTS_MAX   64        /* that a sign-in can be for, when not for all of the person */
#define ID_MAX               INT32_MAX /* app_id, hub_id, user_id (int32 in the public schemas) */
#define PARAMS_MAX           64        /* parameters of one form that are looked at; more is refused */
#define CODE_TTL_MAX_S       600
#define ACCESS_TTL_MAX_S     86400 /* no access token lives longer */

#endif
