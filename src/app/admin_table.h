/* The table of administration: arguments (admin_args.def) and commands (admin_cmds.def) as rows, and the struct that a
 * command's arguments are read into. */
#ifndef GRANTD_ADMIN_TABLE_H
#define GRANTD_ADMIN_TABLE_H

#include "bounds.h"
#include "http_parse.h"
#include "pwhash.h"
#include "rc.h"
#include "str.h"

struct admin_str {
    bool given;
    str v;
};
struct admin_num {
    bool given;
    int64_t v;
};
struct admin_flag {
    bool given;
    bool v;
};
struct admin_list {
    bool given;
    size_t n;
    const str *v;
};

/* The arguments of one command, checked. One member per row of admin_args.def. */
struct admin_input {
#define ARG_STR(member, name, flag, meta, kind, min, max, doc)    struct admin_str member;
#define ARG_LIST(member, name, flag, meta, kind, items, max, doc) struct admin_list member;
#define ARG_NUM(member, name, flag, meta, kind, min, max, doc)    struct admin_num member;
#define ARG_FLAG(member, name, flag, doc)                         struct admin_flag member;
#include "admin_args.def"
#undef ARG_STR
#undef ARG_LIST
#undef ARG_NUM
#undef ARG_FLAG
};

enum admin_arg_id {
#define ARG_STR(member, name, flag, meta, kind, min, max, doc)    ADMIN_ARG_##member,
#define ARG_LIST(member, name, flag, meta, kind, items, max, doc) ADMIN_ARG_##member,
#define ARG_NUM(member, name, flag, meta, kind, min, max, doc)    ADMIN_ARG_##member,
#define ARG_FLAG(member, name, flag, doc)                         ADMIN_ARG_##member,
#include "admin_args.def"
#undef ARG_STR
#undef ARG_LIST
#undef ARG_NUM
#undef ARG_FLAG
    ADMIN_ARG_COUNT
};

/* What a value must look like. */
enum admin_kind {
    KIND_BOOL,
    KIND_NUMBER,
    KIND_HUB_ID,
    KIND_DURATION,
    KIND_TEXT,         /* for people: UTF-8, nothing that moves a cursor or turns the direction of writing */
    KIND_APP,          /* client id or app id */
    KIND_USER,         /* user id or e-mail address */
    KIND_REDIRECT_URI, /* the rules of RFC 8252 and RFC 9700 are the handler's */
    KIND_SCOPE,
    KIND_GRANT_TYPE,
    KIND_WEB_URL,
    KIND_DOMAIN,
    KIND_EMAIL,
    KIND_PASSWORD,
    KIND_ROLE,
    KIND_GRANT_ID,
    KIND_FILE, /* an absolute path */
    KIND_KEY,
    KIND_TOKEN_FORMAT,
    KIND_RESOURCE, /* a URI or a number */
    KIND_RESOURCE_URI,
    KIND_RESOURCE_FORMAT,
    KIND_ID_TOKEN_ALG,
    KIND_JWKS, /* the command line reads it from a file */
    KIND_PEM,  /* the same */
    KIND_CURSOR,
    KIND_CHALLENGE,
    ADMIN_KINDS
};

enum admin_shape { SHAPE_STR, SHAPE_LIST, SHAPE_NUM, SHAPE_FLAG };

struct admin_arg {
    const char *name; /* JSON member, query parameter, {segment} of a path */
    const char *flag;
    const char *meta; /* placeholder in help */
    enum admin_shape shape;
    enum admin_kind kind;
    int64_t min, max; /* bytes of a text, value of a number */
    size_t items_max; /* of a list */
    size_t offset;    /* in struct admin_input */
    const char *doc;
};
extern const struct admin_arg admin_args[ADMIN_ARG_COUNT];

/* How a command uses an argument. */
enum admin_use_kind { USE_NONE, USE_PATH, USE_WORD, USE_NEED, USE_MAY };

struct admin_use {
    uint8_t arg; /* enum admin_arg_id */
    uint8_t use; /* enum admin_use_kind */
};

#define ADMIN_USES_MAX 32

struct admin_call;

struct admin_command {
    const char *id;    /* app_create */
    const char *words; /* "app create" */
    enum http_method method;
    const char *path; /* with {name} segments */
    int status;       /* of success */
    const char *rows; /* the member that holds the rows of a listing; empty: the answer is one object */
    const char *columns;
    const char *doc;
    RC (*handler)(struct admin_call *c);
    struct admin_use uses[ADMIN_USES_MAX]; /* ends with USE_NONE */
};
extern const struct admin_command admin_commands[];
extern const size_t admin_command_count;

static inline const struct admin_arg *admin_use_arg(const struct admin_use *u) { return &admin_args[u->arg]; }

/* "POST" */
const char *admin_method_name(enum http_method method);

/* Whether a query string (true) or a JSON body (false) carries the members. */
static inline bool admin_takes_query(const struct admin_command *c) {
    return c->method == HTTP_GET || c->method == HTTP_DELETE;
}

#endif
