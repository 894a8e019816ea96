/* dev_seed: the account, the person and the apps that `grantd dev` comes with. Ids, secrets and the password are derived from the master key,
 * so the same data directory shows the same ones again and nothing is stored in clear. */
#ifndef GRANTD_DEV_SEED_H
#define GRANTD_DEV_SEED_H

#include "instance.h"

#define DEV_SCOPES_MAX 8

struct dev_app {
    const char *key; /* "confidential", "public", "resource_server" */
    int32_t app_id;
    str client_id;
    str client_secret; /* empty: public */
    str redirect_uri;  /* empty: none */
    size_t n_scopes;
    str scopes[DEV_SCOPES_MAX];
};

#define DEV_APPS 3

struct dev_seed {
    int32_t hub_id, user_id;
    str domain, email, password;
    struct dev_app apps[DEV_APPS];
};

/* Makes what is not there yet, reloads the registry and tells what there is; strings live in the instance's arena. What was changed since by
 * an administrator stays as it is. */
RC dev_seed(struct instance *i, struct dev_seed *out);

#endif
