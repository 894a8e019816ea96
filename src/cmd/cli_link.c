#include "cli_link.h"

#include <stdlib.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin_http.h"
#include "admin_run.h"
#include "admin_table.h"
#include "curl_load.h"

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS  120000L
#define LOCK_WAIT_MS       10000 /* another command has the directory: it needs milliseconds */
#define LOCK_STEP_MS       25
#define ANSWER_MAX         (ADMIN_ANSWER_MAX + 4096)

struct cli_link {
    const struct options *options;
    struct arena *arena;
    const struct curl_library *library; /* NULL: not loaded yet */
    CURL *curl;
    struct instance *instance; /* NULL: not opened here */
    struct admin_backup *backup;
};

struct cli_link *cli_link_new(const struct options *options, struct arena *arena) {
    struct cli_link *link = calloc(1, sizeof *link);
    if (!link) abort();
    link->options = options;
    link->arena = arena;
    return link;
}

void cli_link_free(struct cli_link *link) {
    if (!link) return;
    admin_backup_free(link->backup);
    if (link->instance) instance_close(link->instance);
    if (link->curl) link->library->easy_cleanup(link->curl);
    free(link);
}

/* ---- through the server ---- */

static size_t on_body(char *bytes, size_t size, size_t n, void *arg) {
    struct buf *body = arg;
    buf_add(body, (str){bytes, size * n});
    return buf_failed(body) ? 0 : size * n;
}

struct call {
    enum http_method method;
    str target, body;
};

/* The address of the admin API as curl wants it. False when nothing can be there. */
static bool aim(struct cli_link *link, const struct call *call) {
    str address = options_admin_address(link->options, link->arena);
    const char *host = "localhost";
    if (str_starts_with(address, S("unix:"))) {
        str path = str_from(address, 5);
        if (path.n >= sizeof((struct sockaddr_un *)NULL)->sun_path) return false;
        const char *socket = arena_cstr(link->arena, path);
        if (access(socket, F_OK) != 0) return false;
        link->library->easy_setopt(link->curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    } else {
        host = arena_cstr(link->arena, address);
    }
    str url = arena_printf(link->arena, "http://%s%.*s", host, STR_ARG(call->target));
    link->library->easy_setopt(link->curl, CURLOPT_URL, arena_cstr(link->arena, url));
    return true;
}

static RC add_token(struct cli_link *link, struct curl_slist **headers) {
    str token = {NULL, 0};
    if (link->options->admin_token_file.n == 0) return RC_OK;
    TRY(admin_token_read(arena_cstr(link->arena, link->options->admin_token_file), link->arena, &token));
    char *line = arena_alloc_secret(link->arena, token.n + 32);
    struct buf header = buf_on(line, token.n + 31);
    buf_add(&header, S("Authorization: Bearer "));
    buf_add(&header, token);
    line[header.n] = '\0';
    *headers = link->library->slist_append(*headers, line);
    return RC_OK;
}

static void describe(struct cli_link *link, const struct call *call, struct buf *body, struct curl_slist *headers) {
    __typeof__(curl_easy_setopt) *setopt = link->library->easy_setopt;
    CURL *curl = link->curl;
    setopt(curl, CURLOPT_NOSIGNAL, 1L);
    setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    setopt(curl, CURLOPT_NOPROXY, "*");
    setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_TIMEOUT_MS);
    setopt(curl, CURLOPT_CUSTOMREQUEST, admin_method_name(call->method));
    if (call->body.n) {
        setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->body.n);
        setopt(curl, CURLOPT_POSTFIELDS, call->body.p);
    }
    setopt(curl, CURLOPT_HTTPHEADER, headers);
    setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    setopt(curl, CURLOPT_WRITEDATA, body);
}

/* *out_absent: no server is there, nothing was sent. */
static RC perform(struct cli_link *link, struct buf *body, struct cli_reply *out, bool *out_absent) {
    long status = 0;
    CURLcode code = link->library->easy_perform(link->curl);
    *out_absent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    if (*out_absent) return RC_OK;
    if (code != CURLE_OK)
        return rc_fail(FAULT_IO, "the server did not answer (%s); look whether the change was made",
                       link->library->easy_strerror(code));
    link->library->easy_getinfo(link->curl, CURLINFO_RESPONSE_CODE, &status);
    char *copy = arena_alloc_secret(link->arena, body->n);
    if (body->n) memcpy(copy, body->p, body->n);
    *out = (struct cli_reply){(int)status, {copy, body->n}};
    return RC_OK;
}

static RC start_curl(struct cli_link *link) {
    if (!link->library) TRY(curl_load(&link->library));
    if (!link->curl) link->curl = link->library->easy_init();
    if (!link->curl) return rc_fail(FAULT_INTERNAL, "libcurl did not start");
    link->library->easy_reset(link->curl);
    return RC_OK;
}

static RC ask_server(struct cli_link *link, const struct call *call, struct cli_reply *out, bool *out_absent) {
    *out_absent = true;
    TRY(start_curl(link));
    struct curl_slist *headers = link->library->slist_append(NULL, "Content-Type: application/json");
    struct buf body = buf_growing(ANSWER_MAX);
    struct rc rc = RC_OK;
    if (aim(link, call)) {
        rc = add_token(link, &headers);
        describe(link, call, &body, headers);
        if (rc_ok(rc)) rc = perform(link, &body, out, out_absent);
    }
    link->library->slist_free_all(headers);
    if (body.p) secret_wipe(body.p, body.n);
    buf_free(&body);
    return rc;
}

/* ---- here ---- */

static void serve_here(struct cli_link *link, const struct call *call, struct cli_reply *out) {
    str query = call->target;
    str path = str_take(&query, '?');
    struct admin_request request = {
        .method = call->method,
        .path = path,
        .query = query,
        .content_type = S("application/json"),
        .body = call->body,
    };
    struct admin_reply reply = admin_serve(link->instance, link->backup, &request, link->arena);
    *out = (struct cli_reply){reply.status, reply.body};
}

static RC open_here(struct cli_link *link, const struct call *call) {
    const char *data = arena_cstr(link->arena, link->options->data);
    if (link->options->data.n == 0)
        return rc_fail(FAULT_CONFIG,
                       "no server answers at the admin address; start it, or say where the data is: --data DIR");
    if (call->method == HTTP_GET && access(data, F_OK) != 0)
        return rc_fail(FAULT_CONFIG,
                       "there is no data directory %s; `grantd serve` or a command that creates something makes it",
                       data);
    TRY(instance_open(link->options, true, &link->instance));
    if (!link->backup) link->backup = admin_backup_new();
    return RC_OK;
}

static void sleep_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Whoever has the directory is a server (it may be starting, then its socket comes) or a command (then it ends). */
RC cli_link_call(struct cli_link *link, enum http_method method, str target, str body, struct cli_reply *out) {
    struct call call = {method, target, body};
    struct rc rc = RC_OK;
    for (int waited_ms = 0; !link->instance; waited_ms += LOCK_STEP_MS) {
        bool absent = true;
        TRY(ask_server(link, &call, out, &absent));
        if (!absent) return RC_OK;
        rc = open_here(link, &call);
        if (rc_ok(rc)) break;
        if (rc.fault != FAULT_LOCKED || waited_ms >= LOCK_WAIT_MS) return rc;
        sleep_ms(LOCK_STEP_MS);
    }
    serve_here(link, &call, out);
    return RC_OK;
}
