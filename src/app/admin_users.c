/* Commands on people. */
#include "admin_handlers.h"
#include "pwhash.h"

/* OWASP's first choice for Argon2id. */
static const struct pwhash_cost password_cost = {.passes = 2, .memory_kib = 19456};

/* Never the hash. */
static void write_user(struct json *j, const struct user *u) {
    json_member_int(j, S("user_id"), u->user_id);
    json_member_str(j, S("email"), u->email);
    json_member_bool(j, S("email_verified"), u->email_verified);
    json_member_str(j, S("name"), u->name);
    json_member_str(j, S("status"), u->disabled_ms ? S("disabled") : S("enabled"));
    json_member_bool(j, S("has_password"), u->password_hash.n > 0);
    admin_write_time(j, S("created_at"), u->created_ms);
    admin_write_time(j, S("disabled_at"), u->disabled_ms);
}

static RC hash_password(struct admin_call *c, str password, str *out_hash) {
    char *hash = arena_alloc_secret(c->arena, PWHASH_TEXT_BYTES);
    TRY(pwhash_make(password, password_cost, hash));
    *out_hash = str_of(hash);
    return RC_OK;
}

/* The account that a new person is to belong to, if any, must be there before the person is made. */
static RC check_account(struct admin_call *c) {
    struct account unused;
    if (c->in.role.given && !c->in.account.given)
        admin_refuse(c, 400, "invalid_argument", "a role is a role in an account: give --account too");
    return c->in.account.given && !admin_refused(c) ? admin_find_account(c, c->in.account.v, &unused) : RC_OK;
}

static RC join_account(struct admin_call *c, int32_t user_id) {
    struct edit edit = {.kind = EDIT_MEMBER_PUT, .now_ms = c->now_ms};
    int32_t role = str_eq(c->in.role.v, S("installer")) ? MEMBER_INSTALLER : MEMBER_USER;
    edit.member = (struct member){.user_id = user_id, .hub_id = (int32_t)c->in.account.v, .role = role};
    return admin_edit(c, &edit, "the account changed at this moment; use `grantd account member add`", NULL);
}

RC admin_do_user_create(struct admin_call *c) {
    struct user user = {
        .user_id = (int32_t)c->in.user_id.v,
        .email = c->in.email.v,
        .name = c->in.user_name.v,
        .email_verified = c->in.email_verified.v,
        .created_ms = c->now_ms,
        .updated_ms = c->now_ms,
    };
    TRY(check_account(c));
    if (admin_refused(c)) return RC_OK;
    if (c->in.password.given) TRY(hash_password(c, c->in.password.v, &user.password_hash));
    struct edit edit = {.kind = EDIT_USER_CREATE, .user = &user, .now_ms = c->now_ms};
    TRY(admin_edit(c, &edit, "a user of that e-mail address or user id exists", &user.user_id));
    if (!admin_refused(c) && c->in.account.given) TRY(join_account(c, user.user_id));
    write_user(&c->json, &user);
    return RC_OK;
}

RC admin_do_user_list(struct admin_call *c) {
    size_t limit = admin_page_limit(c);
    struct listing listing = {.kind = LISTING_USERS, .after = admin_page_after(c), .limit = (int32_t)limit + 1};
    struct listed listed = {0};
    if (admin_refused(c)) return RC_OK;
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    const struct user *rows = listed.rows;
    json_key(&c->json, S("users"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n && i < limit; i++) {
        json_open(&c->json);
        write_user(&c->json, &rows[i]);
        json_close(&c->json);
    }
    json_close_array(&c->json);
    bool more = listed.n > limit;
    admin_write_next(&c->json, more, more ? rows[limit - 1].user_id : 0);
    return RC_OK;
}

static RC write_accounts(struct admin_call *c, int32_t user_id) {
    struct listing listing = {.kind = LISTING_MEMBERS, .user_id = user_id};
    struct listed listed = {0};
    TRY(storage_list(c->instance->admin, &listing, c->arena, &listed));
    const struct member *rows = listed.rows;
    json_key(&c->json, S("accounts"));
    json_open_array(&c->json);
    for (size_t i = 0; i < listed.n; i++) {
        json_open(&c->json);
        json_member_int(&c->json, S("hub_id"), rows[i].hub_id);
        json_member_str(&c->json, S("role"), rows[i].role == MEMBER_INSTALLER ? S("installer") : S("user"));
        json_close(&c->json);
    }
    json_close_array(&c->json);
    return RC_OK;
}

RC admin_do_user_show(struct admin_call *c) {
    struct user user;
    TRY(admin_find_user(c, c->in.user.v, &user));
    if (admin_refused(c)) return RC_OK;
    write_user(&c->json, &user);
    return write_accounts(c, user.user_id);
}

static RC update(struct admin_call *c, const struct user *user) {
    struct edit edit = {.kind = EDIT_USER_UPDATE, .user = user, .now_ms = c->now_ms};
    TRY(admin_edit(c, &edit, "another user has that e-mail address", NULL));
    write_user(&c->json, user);
    return RC_OK;
}

RC admin_do_user_update(struct admin_call *c) {
    struct user user;
    TRY(admin_find_user(c, c->in.user.v, &user));
    if (admin_refused(c)) return RC_OK;
    if (c->in.email.given && !str_eq(user.email, c->in.email.v)) user.email_verified = false;
    if (c->in.email_verified.given) user.email_verified = c->in.email_verified.v;
    if (c->in.email.given) user.email = c->in.email.v;
    if (c->in.user_name.given) user.name = c->in.user_name.v;
    user.updated_ms = c->now_ms;
    return update(c, &user);
}

/* Doing it twice is no error and keeps the first time. */
static RC set_disabled(struct admin_call *c, bool disabled) {
    struct user user;
    TRY(admin_find_user(c, c->in.user.v, &user));
    if (admin_refused(c)) return RC_OK;
    if (!disabled)
        user.disabled_ms = 0;
    else if (!user.disabled_ms)
        user.disabled_ms = c->now_ms;
    return update(c, &user);
}

RC admin_do_user_disable(struct admin_call *c) { return set_disabled(c, true); }
RC admin_do_user_enable(struct admin_call *c) { return set_disabled(c, false); }

/* Everything that a person granted. */
static RC end_grants(struct admin_call *c, int32_t user_id) {
    enum outcome ignored; /* always done */
    const struct change change = {.kind = CHANGE_GRANTS_REVOKE,
                                  .user_id = user_id,
                                  .now_ms = c->now_ms,
                                  .expires_ms = c->now_ms + REVOKED_KEPT_MS};
    return storage_change(c->instance->admin, &change, c->arena, &ignored);
}

RC admin_do_user_set_password(struct admin_call *c) {
    struct user user;
    TRY(admin_find_user(c, c->in.user.v, &user));
    if (admin_refused(c)) return RC_OK;
    TRY(hash_password(c, c->in.password.v, &user.password_hash));
    user.sessions_not_before_ms = c->now_ms; /* whoever knew the old one is signed out */
    TRY(update(c, &user));
    return c->instance->options.password_change_ends_grants && !admin_refused(c) ? end_grants(c, user.user_id) : RC_OK;
}
