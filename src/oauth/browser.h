/* browser: what the pages for people share: cookies, sessions, and forms that only our own pages in the same browser can send.
 *
 * A browser has a random id (a cookie). The token in each form is a keyed hash of it, so that nobody else can make one (CSRF, also before anybody is
 * signed in). What a page must remember until its form comes back is sealed into the form (a ticket): two tabs, the back button and a slow
 * person disturb nobody, and nothing is stored. */
#ifndef GRANTD_BROWSER_H
#define GRANTD_BROWSER_H

#include "authorize_request.h"
#include "screen.h"

#define BROWSER_ID_BYTES  24
#define SESSION_ID_BYTES  32
#define BROWSER_TAG_BYTES 16

struct browser {
    uint8_t id[BROWSER_ID_BYTES];
    bool is_new; /* it sent no id: it gets this one */
    bool has_session;
    uint8_t session_hash[SESSION_HASH_BYTES]; /* of the cookie; zeros: none */
    str device;                               /* the cookie by which it is known to an account; empty: none */
    str lang;                                 /* chosen on a page; empty: none */
    bool lang_is_new;
};

/* Reads the cookies; `lang` is the parameter of that name. */
void browser_read(struct oauth_call *c, str lang, struct browser *out);

/* True when a form came from a page of ours, as far as the browser itself tells (Origin, Sec-Fetch-Site). */
bool browser_is_same_origin(const struct oauth_call *c);

/* Refuses the call with the page "expired". Always false. */
bool browser_refuse_form(struct oauth_call *c);

/* ---- sessions ---- */

struct ask session_ask(const struct browser *b);

/* With the facts: the session counts now. */
bool session_is_live(const struct oauth_call *c, const struct browser *b);

/* The accounts that the session is for, as asks want them; empty: all of the person. */
str session_hub_list(const struct oauth_call *c, const struct session *session);

/* True when the session is for the account, or for all accounts. */
bool session_is_for(const struct session *session, int32_t hub_id);

/* A new session for a person who has just signed in; the one that the browser had ends. After the answer has been made. */
void session_start(struct oauth_call *c, const struct browser *b, int32_t user_id);

/* Puts the idle end off, if that is due and the call changes nothing else. */
void session_extend(struct oauth_call *c, const struct browser *b);

/* Ends it. After the answer has been made. */
void session_end(struct oauth_call *c, const struct browser *b);

/* The cookie by which a browser is known to the account of an e-mail address, and whether it has it: then *out_key names the two together. */
void device_remember(struct oauth_call *c, str email);
bool device_is_known(const struct oauth_call *c, const struct browser *b, str email, str *out_key);

/* ---- forms ---- */

enum ticket_step {
    TICKET_SIGN_IN = 1,
    TICKET_ACCOUNT,
    TICKET_CONSENT,
    TICKET_REMOVE,
    TICKET_SIGN_OUT,
    TICKET_CHALLENGE,
    TICKET_VERIFIER,
    TICKET_PAGE,
    TICKET_LOGOUT
};

/* What a form carries. The browser and the session are bound by sealing. */
struct ticket {
    enum ticket_step step;
    int64_t expires_ms;
    uint8_t browser[BROWSER_TAG_BYTES];
    uint8_t session[SESSION_HASH_BYTES];
    int32_t user_id, hub_id, app_id;
    struct grant_id grant_id;
    str hub_ids; /* of a verifier: as in struct session */
    str query;   /* of the authorization request; empty: none */
};

/* With b NULL the browser of the ticket stays the one that it names, without a session. */
str ticket_seal(const struct oauth_call *c, const struct browser *b, const struct ticket *ticket);

/* Opens any ticket of a step that is not too old, for whichever browser. out_id names it, for what is used once. */
bool ticket_read(const struct oauth_call *c, enum ticket_step step, str text, struct ticket *out,
                 uint8_t out_id[TOKEN_ID_BYTES]);
bool ticket_is_of_browser(const struct oauth_call *c, const struct ticket *ticket, const struct browser *b);

/* The hidden fields of a form. */
struct sealed_form {
    str csrf, flow;
};

/* Opens the form of a step; refuses the call and gives false when it was not made here, for this browser, or is too old. */
bool ticket_open(struct oauth_call *c, const struct browser *b, enum ticket_step step, struct sealed_form form,
                 struct ticket *out);

/* True when the form was made in the session that the browser has now. */
bool ticket_is_of_session(const struct ticket *ticket, const struct browser *b);

/* Reads the authorization request of a flow. False when it is refused by now. */
bool ticket_request(struct oauth_call *c, const struct ticket *ticket, struct authorize_request *out);

/* ---- answers ---- */

/* Shows a page, with cookies and the token of its form. */
void answer_screen(struct oauth_call *c, const struct browser *b, const struct screen *screen, int http);

/* Sends the browser on (RFC 9110 s15.4.4). */
void answer_see_other(struct oauth_call *c, str location);

/* The page on which one signs in; on the way to an app, or (r NULL) to the list of connected apps. */
void answer_sign_in(struct oauth_call *c, const struct browser *b, const struct authorize_request *r,
                    const struct screen *with, int http);

#endif
