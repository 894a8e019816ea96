/* What the pages for people show, as plain data: the rules fill it, the program turns it into HTML. */
#ifndef GRANTD_SCREEN_H
#define GRANTD_SCREEN_H

#include "asks.h"
#include "refusal.h"
#include "registry.h"

enum screen_kind {
    SCREEN_ERROR,
    SCREEN_SIGN_IN,
    SCREEN_CHOOSE_ACCOUNT,
    SCREEN_CONSENT,
    SCREEN_CONNECTED_APPS,
    SCREEN_REMOVE_APP,
    SCREEN_SIGN_OUT,
    SCREEN_SIGNED_OUT,
};

enum sign_in_problem { SIGN_IN_FIRST, SIGN_IN_MISSING, SIGN_IN_WRONG, SIGN_IN_THROTTLED };

/* A scope, and whether its box is ticked. */
struct screen_scopes {
    struct scope_set all, ticked;
};

/* One app in one account: what its live grants allow together. */
struct screen_connection {
    const struct app *app;
    int32_t hub_id;
    str account_name, account_domain;
    struct scope_set scopes;
    int64_t granted_ms, last_used_ms; /* last_used_ms 0: not known */
    str remove_url;
};

struct screen {
    enum screen_kind kind;
    str action;            /* where the form goes */
    str token, flow;       /* hidden fields of the form */
    str path;              /* where a GET shows this page again, for the switch of languages; empty: nowhere */
    str lang;              /* what the person chose on a page; empty: nothing */
    str ui_locales;        /* what the app asks for */
    str redirect_uri;      /* where a form of this page may lead; empty: nowhere but here */
    const struct app *app; /* that the person is on the way to; NULL: none */
    str email;             /* who is signed in, or as it was typed */

    enum refusal refusal; /* SCREEN_ERROR */
    int http;

    enum sign_in_problem problem; /* SCREEN_SIGN_IN */
    bool email_missing, password_missing, can_cancel;
    int64_t wait_ms;

    const struct membership *memberships; /* SCREEN_CHOOSE_ACCOUNT: a page of them */
    size_t n_memberships;
    str find;                            /* what they were searched for; empty: nothing */
    str earlier_url, later_url, all_url; /* the other pages, and the list without a search; empty: there is none */

    struct account account; /* SCREEN_CONSENT */
    struct scope_set required, optional;
    struct resource_set resources; /* that the access is for alone; none: every API */
    bool is_update;

    const struct screen_connection *connections; /* SCREEN_CONNECTED_APPS; the one of SCREEN_REMOVE_APP */
    size_t n_connections;
    str older_url;             /* the next page of the list; empty: there is none */
    const struct app *removed; /* was removed just now; NULL: none */
    str sign_out_url, sign_in_url;
};

#endif
