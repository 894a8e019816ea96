#include "admin_http.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_run.h"
#include "config.h"
#include "log.h"

#define TOKEN_FILE_MAX 512

static void respond(struct web_exchange *x, int status, str body, const struct web_header *header) {
    struct web_response response = {
        .status = status,
        .content_type = S("application/json;charset=utf-8"),
        .body = body,
        .headers = header,
        .n_headers = header ? 1 : 0,
        .no_store = true,
    };
    web_respond(x, &response);
}

/* RFC 6750 s2.1. The digests have one length, so the comparison tells nothing about the token. */
static bool is_administrator(const struct web_request *req, const struct admin_http *admin) {
    if (req->is_unix) return true;
    const struct http_header *header = http_find_header(req->head, S("authorization"));
    str token = admin->instance->config->admin_token;
    if (!header || token.n < ADMIN_TOKEN_MIN || !str_starts_with_nocase(header->value, S("Bearer "))) return false;
    uint8_t sent[SHA256_BYTES], expected[SHA256_BYTES];
    digest_sha256(str_trim(str_from(header->value, 7)), sent);
    digest_sha256(token, expected);
    return secret_equal(sent, expected, SHA256_BYTES);
}

/* What was changed, and on what. Reading is not logged, and neither is what was refused. */
static void log_change(const struct web_request *req, const struct admin_reply *reply) {
    if (!reply->command || reply->command->method == HTTP_GET || reply->status >= 400) return;
    LOG(EVENT_ADMIN_CHANGED, NULL, reply->command->id, arena_cstr(req->arena, reply->target));
}

static void serve_command(struct web_exchange *x, const struct web_request *req, const struct admin_http *admin) {
    const struct http_header *type = http_find_header(req->head, S("content-type"));
    struct admin_request request = {
        .method = req->head->method,
        .path = req->head->path,
        .query = req->head->query,
        .content_type = type ? type->value : (str){NULL, 0},
        .body = req->body,
    };
    struct admin_reply reply = admin_serve(admin->instance, admin->backup, &request, req->arena);
    struct web_header allow = {S("Allow"), reply.allow};
    log_change(req, &reply);
    respond(x, reply.status, reply.body, reply.allow.n ? &allow : NULL);
}

void admin_http_handle(struct web_exchange *x, const struct web_request *req, void *arg) {
    const struct admin_http *admin = arg;
    if (health_handle(x, req, admin->health)) return;
    if (is_administrator(req, admin)) {
        serve_command(x, req, admin);
        return;
    }
    struct web_header challenge = {S("WWW-Authenticate"), S("Bearer")};
    str message = S("the admin API on TCP needs the bearer token of --admin-token-file");
    respond(x, 401, admin_error_body(req->arena, "unauthorized", message), &challenge);
}

static RC read_private(int fd, const char *path, struct arena *arena, str *out) {
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) return rc_fail(FAULT_CONFIG, "%s: %s", path, strerror(errno));
    if (st.st_mode & 077) return rc_fail(FAULT_UNSAFE, "%s can be read by others; run: chmod 600 %s", path, path);
    char *text = arena_alloc_secret(arena, TOKEN_FILE_MAX);
    ssize_t n = read(fd, text, TOKEN_FILE_MAX);
    if (n < 0) return rc_fail(FAULT_IO, "%s: %s", path, strerror(errno));
    *out = (str){text, (size_t)n};
    return RC_OK;
}

RC admin_token_read(const char *path, struct arena *arena, str *out_token) {
    str text = {NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct rc rc = read_private(fd, path, arena, &text);
    if (fd >= 0) close(fd);
    if (!rc_ok(rc)) return rc;
    str line = str_trim(str_take(&text, '\n'));
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    if (line.n < ADMIN_TOKEN_MIN || line.n >= TOKEN_FILE_MAX - 1 || !str_is_all(line, 'N'))
        return rc_fail(FAULT_CONFIG,
                       "%s must hold one line of %d to 500 visible characters, for example from: openssl rand -hex 32",
                       path, ADMIN_TOKEN_MIN);
    *out_token = line;
    return RC_OK;
}
