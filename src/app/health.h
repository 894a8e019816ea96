/* health: /health/live, /health/ready and /metrics on the admin listener. */
#ifndef GRANTD_HEALTH_H
#define GRANTD_HEALTH_H

#include "instance.h"
#include "metrics_page.h"
#include "web.h"

struct health {
    struct instance *instance;
    bool draining;
    struct metrics_source metrics; /* its time and draining are filled in */
};

/* Answers when the path is one of the three; false: it is somebody else's. Ready means that the store can be read and that the server is not
 * draining; else 503. */
bool health_handle(struct web_exchange *x, const struct web_request *req, const struct health *health);

#endif
