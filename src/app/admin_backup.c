#include "admin_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin_handlers.h"

struct admin_backup {
    pthread_mutex_t lock; /* guards status */
    struct backup_status status;
    bool has_thread;
    pthread_t thread;
    struct db *db;
};

struct admin_backup *admin_backup_new(void) {
    struct admin_backup *b = calloc(1, sizeof *b);
    if (!b) abort();
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

static void join(struct admin_backup *b) {
    if (b->has_thread) pthread_join(b->thread, NULL);
    b->has_thread = false;
}

void admin_backup_free(struct admin_backup *b) {
    if (!b) return;
    join(b);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

void admin_backup_status(struct admin_backup *b, struct backup_status *out) {
    pthread_mutex_lock(&b->lock);
    *out = b->status;
    pthread_mutex_unlock(&b->lock);
}

static void on_progress(void *arg, int done, int total) {
    struct admin_backup *b = arg;
    pthread_mutex_lock(&b->lock);
    b->status.done = done;
    b->status.total = total;
    pthread_mutex_unlock(&b->lock);
}

static void *copy_store(void *arg) {
    struct admin_backup *b = arg;
    struct rc rc = b->db->driver->backup(b->db, b->status.path, on_progress, b); /* nobody writes path meanwhile */
    pthread_mutex_lock(&b->lock);
    b->status.state = rc_ok(rc) ? BACKUP_DONE : BACKUP_FAILED;
    if (!rc_ok(rc)) snprintf(b->status.error, sizeof b->status.error, "%s (%s)", rc_text(rc), rc_detail());
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

RC admin_backup_start(struct admin_backup *b, struct db *db, str path, bool *out_busy) {
    struct backup_status now;
    admin_backup_status(b, &now);
    *out_busy = now.state == BACKUP_RUNNING;
    if (*out_busy) return RC_OK;
    join(b);
    b->status = (struct backup_status){.state = BACKUP_RUNNING};
    snprintf(b->status.path, sizeof b->status.path, "%.*s", STR_ARG(path));
    b->db = db;
    int failed = pthread_create(&b->thread, NULL, copy_store, b);
    if (failed) {
        b->status.state = BACKUP_NONE;
        return rc_fail(FAULT_IO, "no thread for the backup: %s", strerror(failed));
    }
    b->has_thread = true;
    return RC_OK;
}

/* ---- commands ---- */

static void write_status(struct json *j, const struct backup_status *status) {
    static const str states[] = {S("none"), S("running"), S("done"), S("failed")};
    json_member_str(j, S("state"), states[status->state]);
    if (status->state == BACKUP_NONE) return;
    json_member_str(j, S("file"), str_of(status->path));
    json_member_int(j, S("done_pages"), status->done);
    json_member_int(j, S("total_pages"), status->total);
    if (status->state == BACKUP_FAILED) json_member_str(j, S("problem"), str_of(status->error));
    if (status->state == BACKUP_DONE)
        json_member_str(j, S("note"),
                        S("The store is useless without its keys: back up the file master.key of the data directory "
                          "too, apart from this file."));
}

RC admin_do_backup_start(struct admin_call *c) {
    bool busy = false;
    struct backup_status status;
    const char *path = arena_cstr(c->arena, c->in.file.v);
    if (!c->instance->db->driver->backup) {
        admin_refuse(c, 409, "not_here",
                     "this store is backed up with PostgreSQL's own tools, pg_dump or pg_basebackup");
        return RC_OK;
    }
    if (access(path, F_OK) == 0) {
        admin_refuse(c, 409, "exists", "the file exists; give another name, nothing is overwritten");
        return RC_OK;
    }
    TRY(admin_backup_start(c->backup, c->instance->db, c->in.file.v, &busy));
    if (busy) {
        admin_refuse(c, 409, "busy", "a backup is under way; `grantd backup status` shows it");
        return RC_OK;
    }
    admin_backup_status(c->backup, &status);
    write_status(&c->json, &status);
    return RC_OK;
}

RC admin_do_backup_show(struct admin_call *c) {
    struct backup_status status;
    admin_backup_status(c->backup, &status);
    write_status(&c->json, &status);
    return RC_OK;
}
