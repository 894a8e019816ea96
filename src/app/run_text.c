#include "run_text.h"

#include "buf.h"

#define TEXT_MAX (1U << 20)

struct text_answer {
    struct arena *arena;
    str text;
};

static void write_response(void *arg, const struct web_response *response) {
    struct text_answer *answer = arg;
    struct buf b = buf_growing(TEXT_MAX);
    buf_printf(&b, "%d\n", response->status);
    if (response->content_type.n) buf_printf(&b, "Content-Type: %.*s\n", STR_ARG(response->content_type));
    if (response->no_store) buf_add(&b, S("Cache-Control: no-store\nPragma: no-cache\n"));
    for (size_t i = 0; i < response->n_headers; i++)
        buf_printf(&b, "%.*s: %.*s\n", STR_ARG(response->headers[i].name), STR_ARG(response->headers[i].value));
    buf_add_char(&b, '\n');
    buf_add(&b, response->body);
    answer->text = arena_copy(answer->arena, buf_str(&b));
    buf_free(&b);
}

/* The head as the front wants it: CRLF, a version, a Host, a length of a body that is there. */
static str complete_head(str head, size_t body_n, bool is_post, struct arena *arena) {
    struct buf b = buf_growing(TEXT_MAX);
    str line = str_take(&head, '\n');
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    buf_add(&b, line);
    bool has_version = line.n > 9 && str_starts_with(str_from(line, line.n - 9), S(" HTTP/1."));
    buf_add(&b, has_version ? S("\r\n") : S(" HTTP/1.1\r\n"));
    bool has_host = false, has_length = false;
    while (head.n) {
        line = str_take(&head, '\n');
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        has_host = has_host || str_starts_with_nocase(line, S("host:"));
        has_length = has_length || str_starts_with_nocase(line, S("content-length:"));
        buf_add(&b, line);
        buf_add(&b, S("\r\n"));
    }
    if (!has_host) buf_add(&b, S("Host: localhost\r\n"));
    if (!has_length && (is_post || body_n)) buf_printf(&b, "Content-Length: %zu\r\n", body_n);
    buf_add(&b, S("\r\n"));
    str text = arena_copy(arena, buf_str(&b));
    buf_free(&b);
    return text;
}

/* Where the empty line stands: the head is before it, the body behind it. */
static str take_head(str *rest) {
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] != '\n') continue;
        size_t skip = i + 1 < rest->n && rest->p[i + 1] == '\r' ? 2 : 1;
        if (i + skip >= rest->n || rest->p[i + skip] != '\n') continue;
        str head = str_head(*rest, i);
        *rest = str_from(*rest, i + skip + 1);
        return head;
    }
    str head = *rest;
    *rest = (str){0};
    return head;
}

str run_text(const struct run_env *env, str request, str peer, struct arena *arena) {
    static const struct http_limits limits = {16384, 8192, HTTP_HEADERS_MAX, TEXT_MAX}; /* run has its own of bodies */
    str body = request;
    str given = take_head(&body);
    str head_text = complete_head(given, body.n, str_starts_with(given, S("POST ")), arena);
    struct http_head *head = ARENA_NEW(arena, struct http_head);
    struct http_scan scan = {0};
    int n = http_head_scan(&scan, &limits, head_text);
    int status = n < 0 ? -n : n == 0 ? 400 : http_head_parse(&limits, head_text, head);
    if (status) return arena_printf(arena, "%d\n\n", status);
    struct run_input input = run_input_of(head);
    input.body = body;
    input.peer = peer;
    struct shown_certificate shown;
    if (certificate_header_read(head, CERTIFICATE_STYLE_NGINX, arena, &shown)) {
        input.certificate = shown.der;
        input.certificate_verified = shown.verified;
    }
    struct text_answer answer = {.arena = arena};
    run_request(env, &input, arena, write_response, &answer);
    return answer.text;
}

int run_text_status(str response) {
    uint64_t status = 0;
    return str_to_u64(str_take(&response, '\n'), 999, &status) ? (int)status : 0;
}

str run_text_header(str response, str name) {
    str_take(&response, '\n');
    while (response.n) {
        str line = str_take(&response, '\n');
        if (line.n == 0) break;
        str key = str_take(&line, ':');
        if (str_eq_nocase(key, name)) return str_trim(line);
    }
    return (str){0};
}

str run_text_body(str response) {
    str rest = response;
    take_head(&rest);
    return rest;
}
