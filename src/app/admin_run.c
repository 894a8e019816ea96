#include "admin_run.h"

#include "admin_parse.h"
#include "clock.h"

#define SEGMENTS_MAX 10

struct segments {
    size_t n;
    str s[SEGMENTS_MAX];
};

/* "//" collapses, a trailing slash is ignored. False when there are too many. */
static bool split(str path, struct segments *out) {
    out->n = 0;
    while (path.n) {
        str segment = str_take(&path, '/');
        if (segment.n == 0) continue;
        if (out->n == SEGMENTS_MAX) return false;
        out->s[out->n++] = segment;
    }
    return true;
}

static bool is_variable(str segment) { return segment.n > 2 && segment.p[0] == '{'; }

static bool path_matches(const struct admin_command *command, const struct segments *path) {
    struct segments pattern;
    if (!split(str_of(command->path), &pattern) || pattern.n != path->n) return false;
    for (size_t i = 0; i < pattern.n; i++)
        if (!is_variable(pattern.s[i]) && !str_eq(pattern.s[i], path->s[i])) return false;
    return true;
}

/* The command of a path and method; NULL with *out_allow filled when the path takes other methods. */
static const struct admin_command *find_command(const struct segments *path, enum http_method method,
                                                struct arena *arena, str *out_allow) {
    struct buf allow = buf_on(arena_alloc(arena, 64), 64);
    for (size_t i = 0; i < admin_command_count; i++) {
        const struct admin_command *command = &admin_commands[i];
        if (!path_matches(command, path)) continue;
        if (command->method == method) return command;
        if (allow.n) buf_add(&allow, S(", "));
        buf_add(&allow, str_of(admin_method_name(command->method)));
    }
    *out_allow = buf_str(&allow);
    return NULL;
}

static const struct admin_arg *path_arg(const struct admin_command *command, str variable) {
    str name = {variable.p + 1, variable.n - 2};
    for (const struct admin_use *u = command->uses; u->use != USE_NONE; u++)
        if (u->use == USE_PATH && str_eq(name, str_of(admin_use_arg(u)->name))) return admin_use_arg(u);
    return NULL;
}

static bool read_path(struct admin_call *c, const struct segments *path) {
    struct segments pattern;
    if (!split(str_of(c->command->path), &pattern)) return false;
    for (size_t i = 0; i < pattern.n; i++) {
        if (!is_variable(pattern.s[i])) continue;
        const struct admin_arg *arg = path_arg(c->command, pattern.s[i]);
        if (!arg || !admin_parse_path(c, arg, path->s[i])) return false;
    }
    return true;
}

static bool is_json(str content_type) {
    str rest = content_type;
    return str_eq_nocase(str_trim(str_take(&rest, ';')), S("application/json"));
}

static bool read_arguments(struct admin_call *c, const struct admin_request *r, const struct segments *path) {
    if (!read_path(c, path)) return false;
    if (admin_takes_query(c->command)) {
        if (!admin_parse_query(c, r->query)) return false;
    } else {
        if (r->body.n && !is_json(r->content_type)) {
            admin_refuse(c, 415, "media_type", "the body must be application/json");
            return false;
        }
        if (!admin_parse_body(c, r->body)) return false;
    }
    return admin_parse_complete(c);
}

str admin_error_body(struct arena *arena, const char *code, str message) {
    size_t room = 128 + strlen(code) + message.n * 6;
    struct buf out = buf_on(arena_alloc(arena, room), room);
    struct json j = json_on(&out);
    json_open(&j);
    json_key(&j, S("error"));
    json_open(&j);
    json_member_str(&j, S("code"), str_of(code));
    json_member_str(&j, S("message"), message);
    json_close(&j);
    json_close(&j);
    return buf_str(&out);
}

static struct admin_reply reply_error(struct arena *arena, int status, const char *code, str message) {
    return (struct admin_reply){.status = status, .code = code, .body = admin_error_body(arena, code, message)};
}

/* Which faults may pass, and which are ours. */
static struct admin_reply reply_fault(struct arena *arena, struct rc rc) {
    bool passing = rc.fault == FAULT_DB_BUSY || rc.fault == FAULT_DB_FULL || rc.fault == FAULT_DB_READONLY ||
                   rc.fault == FAULT_DB_IO;
    str message = arena_printf(arena, "%s (%s)", rc_text(rc), rc_detail());
    return reply_error(arena, passing ? 503 : 500, passing ? "unavailable" : "internal", message);
}

static struct admin_reply run_handler(struct admin_call *c, struct buf *out) {
    c->json = json_on(out);
    json_open(&c->json);
    struct rc rc = c->command->handler(c);
    json_close(&c->json);
    if (!rc_ok(rc)) return reply_fault(c->arena, rc);
    if (admin_refused(c)) return reply_error(c->arena, c->refusal.http, c->refusal.code, c->refusal.message);
    if (buf_failed(out)) return reply_error(c->arena, 500, "internal", S("the answer is too large, ask for less"));
    char *body = arena_alloc_secret(c->arena, out->n);
    memcpy(body, out->p, out->n);
    return (struct admin_reply){.status = c->command->status, .code = "", .body = {body, out->n}};
}

struct admin_reply admin_serve(struct instance *instance, struct admin_backup *backup,
                               const struct admin_request *request, struct arena *arena) {
    struct segments path;
    str allow = {NULL, 0};
    const struct admin_command *command =
        split(request->path, &path) ? find_command(&path, request->method, arena, &allow) : NULL;
    if (!command) {
        struct admin_reply reply =
            allow.n ? reply_error(arena, 405, "method_not_allowed", S("this address does not take that method"))
                    : reply_error(arena, 404, "not_found", S("there is nothing at this address"));
        reply.allow = allow;
        return reply;
    }
    struct admin_call *c = ARENA_NEW(arena, struct admin_call);
    *c = (struct admin_call){.instance = instance, .backup = backup, .arena = arena, .command = command};
    c->now_ms = clock_now_ms();
    struct admin_reply reply;
    if (read_arguments(c, request, &path)) {
        struct buf out = buf_growing(ADMIN_ANSWER_MAX);
        reply = run_handler(c, &out);
        if (out.p) secret_wipe(out.p, out.n); /* an answer can hold a secret that is shown once */
        buf_free(&out);
    } else {
        reply = reply_error(arena, c->refusal.http, c->refusal.code, c->refusal.message);
    }
    reply.command = command;
    reply.target = c->target;
    return reply;
}
