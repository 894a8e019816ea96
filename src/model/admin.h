/* What administration reads and changes: the same idea as asks.h and changes.h, for the rows that are few and change seldom. */
#ifndef GRANTD_ADMIN_H
#define GRANTD_ADMIN_H

#include "directory.h"
#include "grant.h"
#include "registry.h"

enum listing_kind {
    LISTING_APPS,      /* all, ascending app_id -> struct app[] (without secrets) */
    LISTING_SECRETS,   /* all, or of .app_id; live and retired -> struct listed_secret[] */
    LISTING_SCOPES,    /* all -> struct scope[] */
    LISTING_RESOURCES, /* all, ascending ids -> struct resource[] */
    LISTING_ACCOUNTS,  /* .hub_id or a page after .after -> struct account[] */
    LISTING_USERS,     /* .user_id or .email or a page after .after -> struct user[] */
    LISTING_MEMBERS,   /* of .user_id or of .hub_id -> struct member[] */
    LISTING_GRANTS, /* filters .app_id, .hub_id, .user_id (0: any), or .grant_id; a page after .after_grant -> struct grant[] */
    LISTING_KEYS,         /* all -> struct sealed_key[] */
    LISTING_SIGNING_KEYS, /* all, by use -> struct sealed_signing_key[] */
    LISTING_VERSION,      /* -> int64_t[1], raised by every administrative change */
    LISTING_SCHEMA_NEEDS, /* of steps behind .known -> int64_t[1]: the schema that a program must know to go on; 0: there are none */
    LISTING_KINDS
};

struct listing {
    enum listing_kind kind;
    int32_t app_id, hub_id, user_id, after;
    str email;
    bool by_grant_id;
    struct grant_id grant_id, after_grant;
    int32_t limit; /* rows at most; 0: 1000 for pages */
    int64_t known; /* a version of the schema */
};

struct listed_secret {
    int32_t app_id;
    struct app_secret secret;
};

/* A generation of the key ring. */
struct sealed_key {
    uint8_t number;
    int64_t created_ms;
    str sealed;
    int64_t used_ms; /* from when on it makes new things; 0: since it was created */
};

/* A key that signs tokens. */
struct sealed_signing_key {
    str kid;
    int32_t alg; /* enum jose_alg of the program that made it; the label of `sealed` names it too */
    int64_t created_ms, used_ms;
    str sealed;
};

/* Rows of one listing, in the arena that was given. `rows` points to an array of the kind's struct. */
struct listed {
    size_t n;
    void *rows;
};

enum edit_kind {
    EDIT_APP_CREATE,         /* .app; app_id 0: the next free one. -> out id. LOST when client_id or app_id exists */
    EDIT_APP_UPDATE,         /* .app whole, by app_id. LOST when there is none */
    EDIT_SECRET_ADD,         /* .app_id, .secret -> out id. LOST when SECRETS_PER_APP_MAX are live */
    EDIT_SECRET_RETIRE,      /* .app_id, .secret.secret_id, .now_ms. LOST when it is not live */
    EDIT_SCOPE_CREATE,       /* .scope; id is assigned -> out id. LOST when the name exists */
    EDIT_SCOPE_UPDATE,       /* .scope by id */
    EDIT_RESOURCE_CREATE,    /* .resource; id is assigned -> out id. LOST when the same URIs are registered */
    EDIT_RESOURCE_UPDATE,    /* .resource whole, by id */
    EDIT_ACCOUNT_CREATE,     /* .account; hub_id 0: the next free one -> out id. LOST when it exists */
    EDIT_ACCOUNT_UPDATE,     /* .account whole, by hub_id */
    EDIT_USER_CREATE,        /* .user; user_id 0: the next free one -> out id. LOST when id or e-mail exists */
    EDIT_USER_UPDATE,        /* .user whole, by user_id */
    EDIT_MEMBER_PUT,         /* .member, inserted or its role replaced */
    EDIT_MEMBER_DELETE,      /* .member */
    EDIT_KEY_INSERT,         /* .key. LOST when the number exists (another node was first) */
    EDIT_KEY_DELETE,         /* .key.number. LOST when there is none */
    EDIT_SIGNING_KEY_INSERT, /* .signing_key, .seen_ms. LOST when another node made one that is used later than .seen_ms */
    EDIT_SIGNING_KEY_DELETE, /* .signing_key.kid */
    EDIT_KINDS
};

struct edit {
    enum edit_kind kind;
    const struct app *app;
    struct app_secret secret;
    const struct scope *scope;
    const struct resource *resource;
    const struct account *account;
    const struct user *user;
    struct member member;
    struct sealed_key key;
    struct sealed_signing_key signing_key;
    int64_t seen_ms;
    int32_t app_id;
    int64_t now_ms;
};

#endif
