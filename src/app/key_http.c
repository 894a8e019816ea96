#include "key_http.h"

#include "key_address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

struct transfer {
    const struct key_question *question;
    struct key_reply *reply;
    bool is_refused; /* the address */
    bool is_too_long;
};

/* The address bytes; n is 0 for a family that we do not know. */
static const uint8_t *ip_of(const struct curl_sockaddr *address, size_t *n) {
    const struct sockaddr *sa = &address->addr;
    *n = address->family == AF_INET ? 4 : address->family == AF_INET6 ? 16 : 0;
    if (address->family == AF_INET) return (const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    return (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
}

/* Called with the address that the socket is for, after the name was resolved: nothing comes between the look and the use. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
    struct transfer *t = arg;
    size_t n = 0;
    const uint8_t *ip = ip_of(address, &n);
    (void)purpose;
    bool allowed = n && (ip_is_public(ip, n) || (t->question->loopback && ip_is_loopback(ip, n)));
    if (allowed) return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    t->is_refused = true;
    return CURL_SOCKET_BAD;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg) {
    struct transfer *t = arg;
    buf_add(&t->reply->body, (str){bytes, size * n});
    t->is_too_long = buf_failed(&t->reply->body);
    return t->is_too_long ? 0 : size * n;
}

static void keep(char *out, size_t room, str value) {
    bool fits = value.n < room;
    if (fits && value.n) memcpy(out, value.p, value.n);
    out[fits ? value.n : 0] = 0;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg) {
    struct transfer *t = arg;
    str line = str_trim((str){bytes, size * n}), name = str_take(&line, ':');
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n')) line.n--;
    if (str_eq_nocase(name, S("etag"))) keep(t->reply->etag, KEY_ETAG_MAX, str_trim(line));
    if (str_eq_nocase(name, S("cache-control"))) keep(t->reply->cache_control, KEY_CONTROL_MAX, str_trim(line));
    return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct transfer *t = arg;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(t->question->stop) ? 1 : 0;
}

static void describe(const struct curl_library *library, CURL *curl, struct transfer *t, struct curl_slist *headers) {
    __typeof__(curl_easy_setopt) *setopt = library->easy_setopt;
    setopt(curl, CURLOPT_URL, t->question->uri);
    setopt(curl, CURLOPT_NOSIGNAL, 1L);
    setopt(curl, CURLOPT_PROTOCOLS_STR, t->question->loopback ? "https,http" : "https");
    setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    setopt(curl, CURLOPT_NOPROXY, "*");
    setopt(curl, CURLOPT_TIMEOUT_MS, KEY_HTTP_MS);
    setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, KEY_HTTP_MS / 2);
    setopt(curl, CURLOPT_MAXFILESIZE, (long)JOSE_JWKS_MAX);
    setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    setopt(curl, CURLOPT_HTTPHEADER, headers);
    setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    setopt(curl, CURLOPT_OPENSOCKETDATA, t);
    setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    setopt(curl, CURLOPT_WRITEDATA, t);
    setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    setopt(curl, CURLOPT_HEADERDATA, t);
    setopt(curl, CURLOPT_NOPROGRESS, 0L);
    setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    setopt(curl, CURLOPT_XFERINFODATA, t);
}

static RC judge(const struct curl_library *library, CURL *curl, CURLcode code, const struct transfer *t) {
    long status = 0;
    if (t->is_refused && code != CURLE_OK) return rc_fail(FAULT_IO, "its address is none of the internet");
    if (t->is_too_long || code == CURLE_FILESIZE_EXCEEDED)
        return rc_fail(FAULT_IO, "it has more than %d bytes", JOSE_JWKS_MAX);
    if (code != CURLE_OK) return rc_fail(FAULT_IO, "%s", library->easy_strerror(code));
    library->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    t->reply->unchanged = status == 304 && t->question->etag[0];
    if (status == 200 || t->reply->unchanged) return RC_OK;
    return rc_fail(FAULT_IO, "it was answered with status %ld", status);
}

RC key_http_get(const struct curl_library *library, const struct key_question *question, struct key_reply *out) {
    struct transfer t = {.question = question, .reply = out};
    char line[KEY_ETAG_MAX + 32];
    *out = (struct key_reply){.body = buf_growing(JOSE_JWKS_MAX)};
    CURL *curl = library->easy_init();
    if (!curl) return rc_fail(FAULT_INTERNAL, "libcurl could not be started");
    struct curl_slist *headers = library->slist_append(NULL, "Accept: application/jwk-set+json, application/json");
    snprintf(line, sizeof line, "If-None-Match: %s", question->etag);
    if (question->etag[0]) headers = library->slist_append(headers, line);
    describe(library, curl, &t, headers);
    struct rc rc = judge(library, curl, library->easy_perform(curl), &t);
    library->easy_cleanup(curl);
    library->slist_free_all(headers);
    return rc;
}
