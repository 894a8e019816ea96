/* Commands on sign-ins that the company's own application does. */
#include "admin_handlers.h"
#include "browser.h"
#include "packing.h"
#include "random.h"

struct login {
    struct oauth_call call; /* the rules of the pages, without a browser */
    struct ticket challenge;
    uint8_t id[TOKEN_ID_BYTES];
    struct authorize_request request;
};

/* Opens the challenge; refuses when it is none, too old, or its request is no longer good. */
static void open_challenge(struct admin_call *c, struct login *out) {
    uint8_t *random = arena_alloc_secret(c->arena, OAUTH_RANDOM_PEOPLE_BYTES);
    random_fill(random, OAUTH_RANDOM_PEOPLE_BYTES);
    *out = (struct login){
        .call = {.env = {.now_ms = c->now_ms,
                         .registry = c->instance->registry,
                         .keyring = c->instance->keyring,
                         .signers = &c->instance->snapshot->keys->signers,
                         .settings = &c->instance->settings,
                         .random = random},
                 .arena = c->arena},
    };
    if (!ticket_read(&out->call, TICKET_CHALLENGE, c->in.challenge.v, &out->challenge, out->id)) {
        admin_refuse(c, 404, "not_found",
                     "this challenge is none of ours, or is too old; the person has to begin again");
        return;
    }
    if (out->challenge.query.n && !ticket_request(&out->call, &out->challenge, &out->request))
        admin_refuse(c, 409, "conflict", "what the app asked for is no longer allowed; the person has to begin again");
}

RC admin_do_login_show(struct admin_call *c) {
    struct login login;
    open_challenge(c, &login);
    if (admin_refused(c)) return RC_OK;
    const struct authorize_request *r = &login.request;
    const struct app *app = login.call.app;
    if (app) {
        json_member_str(&c->json, S("client_id"), app->client_id);
        json_member_str(&c->json, S("app_name"), app->name);
        admin_write_scopes(c, S("scopes"), &r->required);
        admin_write_scopes(c, S("optional_scopes"), &r->optional);
    }
    if (r->hub_id) json_member_int(&c->json, S("hub_id"), r->hub_id);
    if (r->params.login_hint.n) json_member_str(&c->json, S("login_hint"), r->params.login_hint);
    if (r->params.ui_locales.n) json_member_str(&c->json, S("ui_locales"), r->params.ui_locales);
    /* a sign-in of the company's own may be older than the app takes */
    bool again = r->prompts & PROMPT_LOGIN || (app && r->max_age_s != MAX_AGE_ANY);
    json_member_bool(&c->json, S("must_sign_in_again"), again);
    if (r->hinted_user_id) json_member_int(&c->json, S("user_id"), r->hinted_user_id);
    admin_write_time(&c->json, S("expires_at"), login.challenge.expires_ms);
    return RC_OK;
}

#define HUB_ID_BYTES 4

/* The accounts that were given, which are the person's, as struct session holds them. */
static RC read_accounts(struct admin_call *c, const struct user *user, str *out) {
    const struct admin_list *given = &c->in.accounts;
    struct pen pen = {arena_alloc(c->arena, HUB_ID_BYTES * given->n + 1), 0};
    for (size_t i = 0; i < given->n && !admin_refused(c); i++) {
        uint64_t hub_id = 0;
        struct account account;
        (void)str_to_u64(given->v[i], ID_MAX, &hub_id);
        TRY(admin_find_account(c, (int64_t)hub_id, &account));
        if (admin_refused(c)) return RC_OK;
        TRY(admin_check_belongs(c, &(struct member){.user_id = user->user_id, .hub_id = account.hub_id}));
        put_uint(&pen, hub_id, HUB_ID_BYTES);
    }
    *out = (str){(const char *)pen.p, pen.n};
    return RC_OK;
}

/* Takes the challenge, so that it is answered once, and says where the browser goes. user_id 0: rejected. */
static RC answer(struct admin_call *c, struct login *login, int32_t user_id, str hub_ids) {
    enum outcome outcome = OUTCOME_DONE;
    struct change change = {.kind = CHANGE_TOKEN_TAKE, .expires_ms = login->challenge.expires_ms};
    struct ticket verifier = login->challenge;
    memcpy(change.token_id, login->id, TOKEN_ID_BYTES);
    TRY(storage_change(c->instance->admin, &change, c->arena, &outcome));
    if (outcome == OUTCOME_LOST) {
        admin_refuse(c, 409, "conflict", "this challenge was answered before");
        return RC_OK;
    }
    verifier.step = TICKET_VERIFIER;
    verifier.user_id = user_id;
    verifier.hub_ids = hub_ids;
    struct reader ids = {.rest = hub_ids};
    if (hub_ids.n == HUB_ID_BYTES) verifier.hub_id = get_id(&ids); /* the only one is chosen */
    str text = ticket_seal(&login->call, NULL, &verifier);
    str origin = settings_origin(&c->instance->settings);
    json_member_str(&c->json, S("redirect_to"),
                    arena_printf(c->arena, "%.*s/oauth/login?login_verifier=%.*s", STR_ARG(origin), STR_ARG(text)));
    return RC_OK;
}

RC admin_do_login_accept(struct admin_call *c) {
    struct login login;
    struct user user;
    str hub_ids = {NULL, 0};
    open_challenge(c, &login);
    if (!admin_refused(c)) TRY(admin_find_user(c, c->in.user.v, &user));
    if (!admin_refused(c)) TRY(read_accounts(c, &user, &hub_ids));
    if (admin_refused(c)) return RC_OK;
    if (user.disabled_ms) {
        admin_refuse(c, 409, "conflict", "this person is disabled; see `grantd user enable`");
        return RC_OK;
    }
    admin_note(c, "user", user.user_id);
    return answer(c, &login, user.user_id, hub_ids);
}

RC admin_do_login_reject(struct admin_call *c) {
    struct login login;
    open_challenge(c, &login);
    return admin_refused(c) ? RC_OK : answer(c, &login, 0, (str){NULL, 0});
}
