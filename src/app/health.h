/* health: /health/live and /health/ready on the admin listener. */
#ifndef GRANTD_HEALTH_H
#define GRANTD_HEALTH_H

#include "instance.h"
#include "web.h"

struct health {
    struct instance *instance;
    bool draining;
};

/* Answers when the path is one of the two; false: it is somebody else's. Ready means that the store can be read and that the server is not
 * draining; else 503. */
bool health_handle(struct web_exchange *x, const struct web_request *req, const struct health *health);

#endif
