#include "admin_parse.h"

#include <jansson.h>

#include "percent.h"
#include "timetext.h"

#define MEMBER(c, arg, type) ((type *)(void *)((char *)&(c)->in + (arg)->offset))

static bool refuse_value(struct admin_call *c, const struct admin_arg *arg, const char *problem) {
    if (arg->shape == SHAPE_NUM && str_eq(str_of(problem), S("is out of range")))
        admin_refuse(c, 400, "invalid_argument", "%s must be between %lld and %lld", arg->name, (long long)arg->min,
                     (long long)arg->max);
    else if (arg->shape == SHAPE_STR && arg->min > 1 && str_eq(str_of(problem), S("is too short")))
        admin_refuse(c, 400, "invalid_argument", "%s must have at least %lld bytes", arg->name, (long long)arg->min);
    else if (str_eq(str_of(problem), S("is too long")))
        admin_refuse(c, 400, "invalid_argument", "%s must have at most %lld bytes", arg->name, (long long)arg->max);
    else
        admin_refuse(c, 400, "invalid_argument", "%s %s", arg->name, problem);
    return false;
}

static bool put_list_item(struct admin_call *c, const struct admin_arg *arg, str value) {
    struct admin_list *list = MEMBER(c, arg, struct admin_list);
    if (list->n >= arg->items_max) {
        admin_refuse(c, 400, "invalid_argument", "%s takes at most %zu values", arg->name, arg->items_max);
        return false;
    }
    if (!list->v) list->v = ARENA_ARRAY(c->arena, str, arg->items_max);
    str *items = (str *)(uintptr_t)list->v; /* ours until the parse is over */
    items[list->n++] = value;
    list->given = true;
    return true;
}

/* Checks a text and puts it into its member. `value` lives in the arena. */
static bool put(struct admin_call *c, const struct admin_arg *arg, str value) {
    const char *problem = admin_value_problem(arg, value);
    if (problem) return refuse_value(c, arg, problem);
    uint64_t number = 0;
    switch (arg->shape) {
    case SHAPE_STR: *MEMBER(c, arg, struct admin_str) = (struct admin_str){true, value}; break;
    case SHAPE_LIST: return put_list_item(c, arg, value);
    case SHAPE_FLAG: *MEMBER(c, arg, struct admin_flag) = (struct admin_flag){true, str_eq(value, S("true"))}; break;
    case SHAPE_NUM: {
        struct admin_num *num = MEMBER(c, arg, struct admin_num);
        num->given = true;
        if (arg->kind == KIND_DURATION)
            num->given = timetext_duration_s(value, arg->max, &num->v);
        else if (str_to_u64(value, (uint64_t)arg->max, &number))
            num->v = (int64_t)number;
        break;
    }
    }
    return true;
}

static const struct admin_arg *find_member(const struct admin_command *command, str name) {
    for (const struct admin_use *u = command->uses; u->use != USE_NONE; u++)
        if (u->use != USE_PATH && str_eq(name, str_of(admin_use_arg(u)->name))) return admin_use_arg(u);
    return NULL;
}

static bool is_given(const struct admin_call *c, const struct admin_arg *arg) {
    return *(const bool *)((const char *)&c->in + arg->offset); /* `given` stands first in each of the four types */
}
_Static_assert(offsetof(struct admin_str, given) == 0 && offsetof(struct admin_num, given) == 0 &&
                   offsetof(struct admin_flag, given) == 0 && offsetof(struct admin_list, given) == 0,
               "is_given reads the first member");

static bool refuse_member(struct admin_call *c, const char *what, str name) {
    if (name.n <= 64 && str_is_all(name, 'N'))
        admin_refuse(c, 400, "invalid_argument", "%s: %.*s", what, STR_ARG(name));
    else
        admin_refuse(c, 400, "invalid_argument", "%s", what);
    return false;
}

/* RFC 3986 s2.1 or form decoding into the arena; a sentence when it is broken. */
static bool decode(struct admin_call *c, str raw, enum percent_kind kind, str *out) {
    char *text = arena_alloc(c->arena, raw.n + 1);
    size_t n = 0;
    if (!percent_decode(raw, kind, text, &n)) {
        admin_refuse(c, 400, "malformed", "the address has a broken percent escape or is not UTF-8");
        return false;
    }
    *out = (str){text, n};
    return true;
}

bool admin_parse_path(struct admin_call *c, const struct admin_arg *arg, str segment) {
    str value;
    return decode(c, segment, PERCENT_URI, &value) && put(c, arg, value);
}

bool admin_parse_query(struct admin_call *c, str query) {
    while (query.n) {
        str value = str_take(&query, '&');
        str name = str_take(&value, '=');
        if (name.n == 0) continue;
        if (!decode(c, name, PERCENT_FORM, &name) || !decode(c, value, PERCENT_FORM, &value)) return false;
        const struct admin_arg *arg = find_member(c->command, name);
        if (!arg) return refuse_member(c, "there is no such parameter here", name);
        if (arg->shape != SHAPE_LIST && is_given(c, arg)) return refuse_member(c, "a parameter was given twice", name);
        if (!put(c, arg, value)) return false;
    }
    return true;
}

/* Brackets inside brackets, outside of strings; bounds the recursion of the parser before it runs. */
static bool is_shallow(str body) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.n; i++) {
        char ch = body.p[i];
        if (in_string) {
            if (ch == '\\') i++;
            if (ch == '"') in_string = false;
        } else if (ch == '"') {
            in_string = true;
        } else if (ch == '{' || ch == '[') {
            if (++depth > ADMIN_JSON_DEPTH_MAX) return false;
        } else if ((ch == '}' || ch == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static str json_text(struct admin_call *c, const json_t *value) {
    str text = {json_string_value(value), json_string_length(value)};
    char *copy = arena_alloc_secret(c->arena, text.n + 1); /* it may be a password */
    if (text.n) memcpy(copy, text.p, text.n);
    return (str){copy, text.n};
}

static bool put_json_scalar(struct admin_call *c, const struct admin_arg *arg, const json_t *value) {
    if (json_is_string(value) && arg->shape != SHAPE_FLAG) return put(c, arg, json_text(c, value));
    if (json_is_boolean(value) && arg->shape == SHAPE_FLAG)
        return put(c, arg, json_is_true(value) ? S("true") : S("false"));
    if (json_is_integer(value) && json_integer_value(value) >= 0 && arg->shape != SHAPE_FLAG)
        return put(c, arg, arena_printf(c->arena, "%lld", (long long)json_integer_value(value)));
    admin_refuse(c, 400, "invalid_argument", "%s has a value of the wrong type", arg->name);
    return false;
}

static bool refuse_array(struct admin_call *c, const struct admin_arg *arg) {
    admin_refuse(c, 400, "invalid_argument", "%s must be an array of %s", arg->name,
                 arg->kind == KIND_HUB_ID ? "numbers" : "strings");
    return false;
}

static bool put_json_list(struct admin_call *c, const struct admin_arg *arg, const json_t *value) {
    if (!json_is_array(value)) return refuse_array(c, arg);
    MEMBER(c, arg, struct admin_list)->given = true; /* an empty array empties a list */
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        bool fits = json_is_string(item) || (arg->kind == KIND_HUB_ID && json_is_integer(item));
        if (!fits) return refuse_array(c, arg);
        if (!put_json_scalar(c, arg, item)) return false;
    }
    return true;
}

static bool put_json_members(struct admin_call *c, json_t *body) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(body, key, value) {
        const struct admin_arg *arg = find_member(c->command, str_of(key));
        if (!arg) return refuse_member(c, "there is no such member here", str_of(key));
        if (json_is_null(value)) continue;
        if (!(arg->shape == SHAPE_LIST ? put_json_list : put_json_scalar)(c, arg, value)) return false;
    }
    return true;
}

bool admin_parse_body(struct admin_call *c, str body) {
    if (str_is_empty(str_trim(body))) return true; /* nothing was sent: no members */
    json_error_t error;
    json_t *root = is_shallow(body) ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error) : NULL;
    bool ok = root && json_is_object(root);
    if (ok)
        ok = put_json_members(c, root);
    else
        admin_refuse(c, 400, "malformed", "the body must be one JSON object");
    json_decref(root);
    return ok;
}

bool admin_parse_complete(struct admin_call *c) {
    bool any = false, patch = c->command->method == HTTP_PATCH;
    for (const struct admin_use *u = c->command->uses; u->use != USE_NONE; u++) {
        bool given = is_given(c, admin_use_arg(u));
        if (!given && u->use != USE_MAY) {
            admin_refuse(c, 400, "invalid_argument", "%s is missing", admin_use_arg(u)->name);
            return false;
        }
        any = any || (given && u->use != USE_PATH);
    }
    if (patch && !any) admin_refuse(c, 400, "invalid_argument", "nothing to change was given");
    return !admin_refused(c);
}
