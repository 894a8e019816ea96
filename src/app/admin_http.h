/* admin_http: the admin listener: /admin/v1/... by the table of commands, and /health/... Whoever can open the Unix socket (mode 0600) is
 * an administrator; on TCP the administrator shows a bearer token. Health needs neither. */
#ifndef GRANTD_ADMIN_HTTP_H
#define GRANTD_ADMIN_HTTP_H

#include "admin_backup.h"
#include "health.h"
#include "instance.h"
#include "web.h"

struct admin_http {
    struct instance *instance;
    struct admin_backup *backup;
    const struct health *health;
};

/* A web_handler; arg is a struct admin_http. Runs in the thread that owns instance->admin. */
void admin_http_handle(struct web_exchange *x, const struct web_request *req, void *arg);

#define ADMIN_TOKEN_MIN 16 /* bytes */

/* The bearer token in a file: one line, at least ADMIN_TOKEN_MIN visible characters. FAULT_UNSAFE when others can read the file, FAULT_CONFIG
 * when there is none or it is too short. The token lives in the arena. */
RC admin_token_read(const char *path, struct arena *arena, str *out_token);

#endif
