/* Options as the rules see them: plain values, checked and immutable. The table of options (name, default, range,
 * sentence) is app/options.def; this struct is what it fills. */
#ifndef GRANTD_SETTINGS_H
#define GRANTD_SETTINGS_H

#include "str.h"

struct settings {
    str issuer;                         /* no trailing slash */
    bool compat_v1;                     /* serve the /oauth/v1 paths */
    bool revocation_keep_access_tokens; /* HubSpot: access tokens live on after their refresh token was revoked */
    bool mtls;                          /* client certificates are asked for, here or by a proxy ... */
    bool mtls_chains;                   /* ... and their chains are checked */
    str mtls_url;      /* where clients are asked for one, if that is another address; empty: nowhere */
    bool auto_approve; /* dev: /oauth/authorize answers at once as this person */
    int32_t auto_user_id, auto_hub_id;
    str login_url;         /* the company's own sign-in; empty: ours */
    bool remember_consent; /* a confidential app that asks for no more than it has is not asked about again */
    int64_t session_idle_s, session_absolute_s;
    int64_t form_ttl_s;                               /* how long a page for people can be sent */
    int64_t code_ttl_s, access_ttl_s, retry_window_s; /* defaults for new apps */
};

/* Scheme, host and port of the issuer: all routes stand at the root of its host, whatever path it has. */
static inline str settings_origin(const struct settings *s) {
    size_t host = str_find(s->issuer, ':') + 3;
    return str_head(s->issuer, host + str_find(str_from(s->issuer, host), '/'));
}

#endif
