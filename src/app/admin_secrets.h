/* admin_secrets: a client secret as it is made: shown once, kept as a keyed hash. */
#ifndef GRANTD_ADMIN_SECRETS_H
#define GRANTD_ADMIN_SECRETS_H

#include "admin_call.h"

struct new_secret {
    int32_t secret_id;
    str text; /* in the arena, wiped with it */
};

/* Makes a secret of 256 bits for an app and stores its hash; refuses when two are live. */
RC secret_make(struct admin_call *c, int32_t app_id, struct new_secret *out);

/* Members secret_id and client_secret. */
void secret_write(struct admin_call *c, const struct new_secret *secret);

#endif
