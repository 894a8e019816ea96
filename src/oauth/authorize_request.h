/* The authorization request: its parameters, what is checked without the store (RFC 6749 s4.1.1, RFC 7636 s4.3, OpenID Connect Core s3.1.2.1),
 * and the same request as an address, so that a browser can be sent back to it. */
#ifndef GRANTD_AUTHORIZE_REQUEST_H
#define GRANTD_AUTHORIZE_REQUEST_H

#include "params.h"
#include "tokens.h"

struct authorize_params {
    str client_id, redirect_uri, response_type, scope, optional_scope, state, code_challenge, code_challenge_method,
        nonce, prompt, max_age, id_token_hint, claims, response_mode, request, request_uri, registration, login_hint,
        ui_locales, lang, account_find, account_page;
    struct param_list resource;
};

#define MAX_AGE_ANY INT64_MAX

enum prompt { PROMPT_NONE = 1, PROMPT_LOGIN = 2, PROMPT_CONSENT = 4, PROMPT_SELECT_ACCOUNT = 8 };

struct authorize_request {
    struct authorize_params params;
    struct params_problem problem; /* told to the app, once it is known where that is */
    unsigned prompts;              /* enum prompt */
    int64_t max_age_s;             /* how old the sign-in may be; MAX_AGE_ANY: any age will do */
    int32_t hinted_user_id;    /* whom the app means (id_token_hint, or a `sub` among the claims); 0: whoever it is */
    int32_t hub_id;            /* of the path: the account that the app asks for; 0: any */
    str account_find;          /* what the person looks for among many accounts; empty: nothing */
    int32_t account_page;      /* of that list, from 0 */
    struct scope_set required; /* asked for in `scope` */
    struct scope_set optional; /* asked for in `optional_scope`, and available */
    struct resource_set resources; /* what it shall be for alone; none: every API */
    struct code code;              /* what the code will carry, as far as the request tells */
};

/* Reads and checks a form into a zeroed *out. False when it was refused: as a page until the redirect URI is verified, from then on back to
 * the app. Sets c->app, c->client_id and where a refusal goes. */
bool authorize_request_read(struct oauth_call *c, const struct form *form, struct authorize_request *out);

/* The same request as an address of this server's, with these prompts (others are left out; and max_age with PROMPT_LOGIN, as both ask for a sign-in) and this account in the path (0: none). At
 * most AUTHORIZE_URL_MAX bytes, which authorize_request_read sees to. */
#define AUTHORIZE_URL_MAX 8000
str authorize_request_url(const struct oauth_call *c, const struct authorize_request *r, unsigned prompts,
                          int32_t hub_id);

/* The same, at a page of the person's accounts. What is looked for is cut, so that the address stays within what a request line may have. */
#define ACCOUNT_FIND_MAX 48
str authorize_request_accounts_url(const struct oauth_call *c, const struct authorize_request *r, str find,
                                   int32_t page);

/* The sign-in, if there is one, will do for what the app asks: young enough, and of the person whom it means. */
bool authorize_request_takes(const struct authorize_request *r, const struct session *session, int64_t now_ms);

/* Its query alone, with every prompt that was sent; authorize_request_read reads it again. */
str authorize_request_query(const struct oauth_call *c, const struct authorize_request *r, unsigned prompts);

/* Who consents to what. */
struct consent {
    const struct authorize_request *request;
    int32_t user_id, hub_id;
    int64_t auth_time_ms, uninstalled_ms;
    struct scope_set scopes;
    const struct grant_id *grant_id; /* NULL: a new one */
};

/* Sends the browser to the app with a code (RFC 6749 s4.1.2). */
void answer_code(struct oauth_call *c, const struct consent *consent);

#endif
