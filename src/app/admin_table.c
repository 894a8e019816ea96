#include "admin_table.h"

#include "admin_handlers.h"

#define OFFSET(member) offsetof(struct admin_input, member)

const struct admin_arg admin_args[ADMIN_ARG_COUNT] = {
#define ARG_STR(member, name, flag, meta, kind, min, max, doc)                                                         \
    {name, flag, meta, SHAPE_STR, kind, min, max, 0, OFFSET(member), doc},
#define ARG_LIST(member, name, flag, meta, kind, items, max, doc)                                                      \
    {name, flag, meta, SHAPE_LIST, kind, 1, max, items, OFFSET(member), doc},
#define ARG_NUM(member, name, flag, meta, kind, min, max, doc)                                                         \
    {name, flag, meta, SHAPE_NUM, kind, min, max, 0, OFFSET(member), doc},
#define ARG_FLAG(member, name, flag, doc) {name, flag, "", SHAPE_FLAG, KIND_BOOL, 0, 1, 0, OFFSET(member), doc},
#include "admin_args.def"
#undef ARG_STR
#undef ARG_LIST
#undef ARG_NUM
#undef ARG_FLAG
};

#define PATH(a)                                                                                                        \
    { ADMIN_ARG_##a, USE_PATH }
#define WORD(a)                                                                                                        \
    { ADMIN_ARG_##a, USE_WORD }
#define NEED(a)                                                                                                        \
    { ADMIN_ARG_##a, USE_NEED }
#define MAY(a)                                                                                                         \
    { ADMIN_ARG_##a, USE_MAY }
#define CMD(name, words, method, path, status, rows, columns, doc, ...)                                                \
    {#name, words, method, path, status, rows, columns, doc, admin_do_##name, {__VA_ARGS__}},

const struct admin_command admin_commands[] = {
#include "admin_cmds.def"
};
const size_t admin_command_count = sizeof admin_commands / sizeof admin_commands[0];

const char *admin_method_name(enum http_method method) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "?"};
    return names[method];
}
