/* admin_call: one administrative command under way, and what all handlers share. */
#ifndef GRANTD_ADMIN_CALL_H
#define GRANTD_ADMIN_CALL_H

#include "admin_backup.h"
#include "admin_table.h"
#include "instance.h"
#include "json_write.h"

struct admin_refusal {
    int http;         /* 0: none */
    const char *code; /* a word for machines */
    str message;      /* a sentence that says what to do */
};

struct admin_call {
    struct instance *instance;
    struct admin_backup *backup;
    struct arena *arena;
    int64_t now_ms;
    const struct admin_command *command;
    struct admin_input in;
    struct json json;
    struct admin_refusal refusal;
    str target; /* what the command is about, for the log: "app 3 account 7" */
};

/* Adds to the target. */
void admin_note(struct admin_call *c, const char *noun, int64_t id);

/* Says no. The first refusal stays. `format` must not print a secret. */
void admin_refuse(struct admin_call *c, int http, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static inline bool admin_refused(const struct admin_call *c) { return c->refusal.http != 0; }

/* The app, account or person that an argument names; refuses with 404 and gives NULL when there is none. Apps live in the current registry: only
 * until instance_reload. */
const struct app *admin_find_app(struct admin_call *c, str app);
RC admin_find_account(struct admin_call *c, int64_t hub_id, struct account *out);
RC admin_find_user(struct admin_call *c, str user, struct user *out);

/* Refuses with 404 when the person does not belong to the account. The role counts for nothing. */
RC admin_check_belongs(struct admin_call *c, const struct member *member);

/* The same for a resource. It lives in the current registry. */
const struct resource *admin_find_resource(struct admin_call *c, str resource);

/* Makes an edit; what is LOST is refused with 409 and the sentence. *out_id may be NULL. */
RC admin_edit(struct admin_call *c, const struct edit *edit, const char *lost, int32_t *out_id);

/* Ids of scope names, in the current registry. Unknown ones are refused, or made when `create` is set (then the registry is reloaded: apps that
 * were found before are gone). */
RC admin_scope_set(struct admin_call *c, const struct admin_list *names, bool create, struct scope_set *out);

/* The page that a listing asks for: rows at most (100 by default, 1000 at most), and behind which id (0: from the start). */
size_t admin_page_limit(const struct admin_call *c);
int32_t admin_page_after(struct admin_call *c);

/* Members of answers. */
void admin_write_time(struct json *j, str name, int64_t time_ms); /* null for 0 */
void admin_write_scopes(struct admin_call *c, str name, const struct scope_set *set);
void admin_write_next(struct json *j, bool more, int64_t last_id);

#endif
