/* follow: a node hears of what administrators change at other nodes of the same database. */
#ifndef GRANTD_FOLLOW_H
#define GRANTD_FOLLOW_H

#include "instance.h"
#include "web.h"

struct follow {
    struct instance *instance;
    struct web_loop *loop;
    /* A newer release has made a step of the schema that this program cannot live with (FAULT_DB_SCHEMA; rc_detail() says more): called once. */
    void (*outdated)(void *arg, struct rc rc);
    void *arg;
    bool posted, told;
};

/* Before the loop runs, which is the loop of the thread that uses instance->admin. From then on the registry is replaced soon after
 * another node has changed apps, secrets or scopes: at once by the database's own word for it, else by asking every few seconds. Does nothing
 * for a store that one process has for itself. */
RC follow_start(struct follow *f);

#endif
