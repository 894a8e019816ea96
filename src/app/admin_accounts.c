/* Commands on accounts and their members. */
#include "admin_handlers.h"

static void write_account(struct admin_call *c, const struct account *a) {
    struct json *j = &c->json;
    json_member_int(j, S("hub_id"), a->hub_id);
    json_member_str(j, S("domain"), a->domain);
    json_member_str(j, S("name"), a->name);
    json_member_str(j, S("status"), a->disabled_ms ? S("disabled") : S("enabled"));
    admin_write_scopes(c, S("without_scopes"), &a->without_scopes);
    admin_write_time(j, S("created_at"), a->created_ms);
    admin_write_time(j, S("disabled_at"), a->disabled_ms);
}

RC admin_do_account_create(struct admin_call *c) {
    struct account account = {
        .hub_id = (int32_t)c->in.hub_id.v,
        .domain = c->in.domain.v,
        .name = c->in.account_name.v,
        .created_ms = c->now_ms,
    };
    struct edit edit = {.kind = EDIT_ACCOUNT_CREATE, .account = &account, .now_ms = c->now_ms};
    TRY(admin_scope_set(c, &c->in.without_scopes, false, &account.without_scopes));
    if (admin_refused(c)) return RC_OK;
    TRY(admin_edit(c, &edit, "an account of that hub id exists", &account.hub_id));
    write_account(c, &account);
    return RC_OK;
}

RC admin_do_account_list(struct admin_call *c) {
    size_t limit = admin_page_limit(c);
    struct listing listing = {.kind = LISTING_ACCOUNTS, .after = admin_page_after(c), .limit = (int32_t)limit + 1};
    struct listed listed = {0};
    if (admin_refused(c)) return RC_OK;
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    const struct account *rows = listed.rows;
    json_key(&c->json, S("accounts"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n && i < limit; i++) {
        json_open(&c->json);
        write_account(c, &rows[i]);
        json_close(&c->json);
    }
    json_close_array(&c->json);
    bool more = listed.n > limit;
    admin_write_next(&c->json, more, more ? rows[limit - 1].hub_id : 0);
    return RC_OK;
}

RC admin_do_account_show(struct admin_call *c) {
    struct account account;
    TRY(admin_find_account(c, c->in.account.v, &account));
    if (!admin_refused(c)) write_account(c, &account);
    return RC_OK;
}

static RC update(struct admin_call *c, const struct account *account) {
    struct edit edit = {.kind = EDIT_ACCOUNT_UPDATE, .account = account, .now_ms = c->now_ms};
    TRY(admin_edit(c, &edit, "the account is gone", NULL));
    write_account(c, account);
    return RC_OK;
}

RC admin_do_account_update(struct admin_call *c) {
    struct account account;
    TRY(admin_find_account(c, c->in.account.v, &account));
    if (admin_refused(c)) return RC_OK;
    if (c->in.domain.given) account.domain = c->in.domain.v;
    if (c->in.account_name.given) account.name = c->in.account_name.v;
    if (c->in.without_scopes.given) TRY(admin_scope_set(c, &c->in.without_scopes, false, &account.without_scopes));
    if (admin_refused(c)) return RC_OK;
    return update(c, &account);
}

/* Doing it twice is no error and keeps the first time. */
static RC set_disabled(struct admin_call *c, bool disabled) {
    struct account account;
    TRY(admin_find_account(c, c->in.account.v, &account));
    if (admin_refused(c)) return RC_OK;
    if (!disabled)
        account.disabled_ms = 0;
    else if (!account.disabled_ms)
        account.disabled_ms = c->now_ms;
    return update(c, &account);
}

RC admin_do_account_disable(struct admin_call *c) { return set_disabled(c, true); }
RC admin_do_account_enable(struct admin_call *c) { return set_disabled(c, false); }

/* ---- members ---- */

static void write_member(struct json *j, const struct member *m) {
    json_member_int(j, S("hub_id"), m->hub_id);
    json_member_int(j, S("user_id"), m->user_id);
    json_member_str(j, S("role"), m->role == MEMBER_INSTALLER ? S("installer") : S("user"));
}

static RC find_member(struct admin_call *c, struct member *out) {
    struct account account;
    struct user user;
    TRY(admin_find_account(c, c->in.account.v, &account));
    if (!admin_refused(c)) TRY(admin_find_user(c, c->in.user.v, &user));
    if (admin_refused(c)) return RC_OK;
    int32_t role = str_eq(c->in.role.v, S("installer")) ? MEMBER_INSTALLER : MEMBER_USER;
    *out = (struct member){.user_id = user.user_id, .hub_id = account.hub_id, .role = role};
    return RC_OK;
}

RC admin_do_member_add(struct admin_call *c) {
    struct edit edit = {.kind = EDIT_MEMBER_PUT, .now_ms = c->now_ms};
    TRY(find_member(c, &edit.member));
    if (admin_refused(c)) return RC_OK;
    TRY(admin_edit(c, &edit, "the membership changed at this moment; try again", NULL));
    write_member(&c->json, &edit.member);
    return RC_OK;
}

static RC list_members(struct admin_call *c, int32_t hub_id, struct listed *out) {
    struct listing listing = {.kind = LISTING_MEMBERS, .hub_id = hub_id};
    return storage_list(c->instance->admin, &listing, c->arena, out);
}

RC admin_check_belongs(struct admin_call *c, const struct member *member) {
    struct listing listing = {.kind = LISTING_MEMBERS, .user_id = member->user_id};
    struct listed listed = {0};
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    const struct member *rows = listed.rows;
    for (size_t i = 0; i < listed.n; i++)
        if (rows[i].hub_id == member->hub_id) return RC_OK;
    admin_refuse(c, 404, "not_found", "user %d does not belong to account %d", member->user_id, member->hub_id);
    return RC_OK;
}

RC admin_do_member_remove(struct admin_call *c) {
    struct edit edit = {.kind = EDIT_MEMBER_DELETE, .now_ms = c->now_ms};
    TRY(find_member(c, &edit.member));
    if (!admin_refused(c)) TRY(admin_check_belongs(c, &edit.member));
    if (admin_refused(c)) return RC_OK;
    TRY(admin_edit(c, &edit, "the person does not belong to the account", NULL));
    json_member_int(&c->json, S("hub_id"), edit.member.hub_id);
    json_member_int(&c->json, S("user_id"), edit.member.user_id);
    json_member_str(&c->json, S("status"), S("removed"));
    return RC_OK;
}

RC admin_do_member_list(struct admin_call *c) {
    struct account account;
    struct listed listed = {0};
    TRY(admin_find_account(c, c->in.account.v, &account));
    if (admin_refused(c)) return RC_OK;
    TRY(list_members(c, account.hub_id, &listed));
    const struct member *rows = listed.rows;
    json_key(&c->json, S("members"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n; i++) {
        struct listing one = {.kind = LISTING_USERS, .user_id = rows[i].user_id};
        struct listed users = {0};
        TRY(storage_list(c->instance->admin, &one, c->arena, &users));
        json_open(&c->json);
        write_member(&c->json, &rows[i]);
        if (users.n) json_member_str(&c->json, S("email"), ((const struct user *)users.rows)->email);
        json_close(&c->json);
    }
    json_close_array(&c->json);
    return RC_OK;
}
