/* admin_backup: the online backup, in a thread of its own, because a large store takes minutes and administration (and the health checks
 * beside it) must go on. One at a time. */
#ifndef GRANTD_ADMIN_BACKUP_H
#define GRANTD_ADMIN_BACKUP_H

#include "db.h"

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

struct backup_status {
    enum backup_state state;
    char path[4097];
    int done, total; /* pages of the store */
    char error[240]; /* when it failed */
};

struct admin_backup;

/* Never fails. */
struct admin_backup *admin_backup_new(void);

/* Waits for a backup under way, then frees. NULL is allowed. */
void admin_backup_free(struct admin_backup *b);

/* Begins to copy `db` to `path`, a file that does not exist. *out_busy: another one is under way, nothing was done. */
RC admin_backup_start(struct admin_backup *b, struct db *db, str path, bool *out_busy);

void admin_backup_status(struct admin_backup *b, struct backup_status *out);

#endif
