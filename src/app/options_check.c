#include "options.h"

#include "db.h"
#include "front_listen.h"
#include "front_tls.h"
#include "log.h"
#include "web.h"

#include <sys/stat.h>
#include <sys/un.h>

#define FAIL(...) return rc_fail(FAULT_CONFIG, __VA_ARGS__)

/* The parts of "scheme://host[:port]/path". */
struct url {
    str scheme, host, rest;
};

static bool split_url(str text, struct url *out) {
    size_t end = str_find(text, ':');
    out->scheme = str_head(text, end);
    str after = str_from(text, end);
    if (!str_starts_with(after, S("://"))) return false;
    after = str_from(after, 3);
    size_t slash = str_find(after, '/');
    str authority = str_head(after, slash);
    out->rest = str_from(after, slash);
    bool bracket = authority.n && authority.p[0] == '[';
    size_t host_end = bracket ? str_find(authority, ']') + 1 : str_find(authority, ':');
    out->host = str_head(authority, host_end);
    str port = str_from(authority, host_end);
    uint64_t number;
    if (port.n && (port.p[0] != ':' || !str_to_u64(str_from(port, 1), 65535, &number))) return false;
    return out->host.n > 0;
}

/* Our own machine, where nobody listens in between (RFC 8252 s8.3). */
static bool is_loopback_host(str host) {
    uint64_t number;
    if (str_eq_nocase(host, S("localhost")) || str_eq(host, S("[::1]"))) return true;
    if (!str_starts_with(host, S("127."))) return false;
    while (host.n) /* an address, not a name that looks like one */
        if (!str_to_u64(str_take(&host, '.'), 255, &number)) return false;
    return true;
}

/* RFC 8414 s2: an issuer has no query and no fragment; it is compared as text, so a trailing slash would be another one. */
static RC check_issuer(str issuer) {
    struct url url;
    if (str_find(issuer, '?') < issuer.n || str_find(issuer, '#') < issuer.n)
        FAIL("the issuer %.*s may have no query and no fragment; leave them out", STR_ARG(issuer));
    if (!str_is_all(issuer, 'N') || !split_url(issuer, &url) || str_find(issuer, '@') < issuer.n)
        FAIL("the issuer \"%.*s\" is no URL; write for example --issuer https://login.example.com", STR_ARG(issuer));
    if (issuer.p[issuer.n - 1] == '/') FAIL("the issuer %.*s ends with a slash; write it without", STR_ARG(issuer));
    if (str_eq(url.scheme, S("https"))) return RC_OK;
    if (!str_eq(url.scheme, S("http")))
        FAIL("the issuer %.*s must begin with https:// (http:// only on loopback)", STR_ARG(issuer));
    if (is_loopback_host(url.host)) return RC_OK;
    return rc_fail(
        FAULT_UNSAFE,
        "the issuer %.*s would send tokens in clear; use an https:// URL (http:// is only for 127.0.0.1, [::1] and "
        "localhost)",
        STR_ARG(issuer));
}

static RC check_address(const char *option, str address) {
    if (str_starts_with(address, S("unix:"))) {
        size_t room = sizeof((struct sockaddr_un *)0)->sun_path - 1, n = address.n - 5;
        if (n == 0) FAIL("%s: unix: needs a path", option);
        if (n > room)
            FAIL("%s: the socket path has %zu bytes, the system takes %zu; choose a shorter directory", option, n,
                 room);
        return RC_OK;
    }
    size_t colon = address.n;
    while (colon && address.p[colon - 1] != ':') colon--;
    uint64_t port;
    if (colon < 2 || !str_to_u64(str_from(address, colon), 65535, &port))
        FAIL("%s: \"%.*s\" is no address; write ADDR:PORT, [ADDR]:PORT or unix:PATH", option,
             STR_ARG(str_head(address, 100)));
    return RC_OK;
}

/* An issuer in clear is for one's own machine: secrets that others send to it could be read on their way. */
static RC check_reach(const struct options *o, const struct front_address *address) {
    if (str_starts_with(o->issuer, S("https:")) || front_is_local(address->text)) return RC_OK;
    return rc_fail(FAULT_UNSAFE,
                   "%s %.*s can be reached from elsewhere, but the issuer is no https:// URL; use https, or listen on "
                   "127.0.0.1",
                   address->option, STR_ARG(str_head(address->text, 100)));
}

/* People type their passwords there. */
static RC check_login_url(const struct options *o) {
    struct url url;
    if (o->login_url.n == 0) return RC_OK;
    if (!str_is_all(o->login_url, 'N') || !split_url(o->login_url, &url) ||
        str_find(o->login_url, '#') < o->login_url.n)
        FAIL("login_url is no URL; write for example --login-url https://www.example.com/sign-in");
    if (str_eq(url.scheme, S("https")) || (str_eq(url.scheme, S("http")) && is_loopback_host(url.host))) return RC_OK;
    return rc_fail(FAULT_UNSAFE, "login_url must be https (http is only for 127.0.0.1, [::1] and localhost)");
}

static RC check_listen(const struct options *o, bool production, struct arena *arena) {
    const struct front_address *addresses;
    size_t n = front_addresses(o, arena, &addresses);
    if (production && n == 0)
        FAIL("no address to serve on; give --listen ADDR:PORT, for example --listen 127.0.0.1:8080");
    for (size_t i = 0; i < n; i++) {
        TRY(check_address(addresses[i].option, addresses[i].text));
        if (production) TRY(check_reach(o, &addresses[i]));
    }
    return RC_OK;
}

/* Every user of the machine can read a command line. */
static RC check_postgres(const struct options *o, struct arena *arena) {
    bool has_password = false;
    if (!db_pg_url_is_valid(arena_cstr(arena, o->store), &has_password))
        FAIL("the URL of the store cannot be read; write postgres://USER@HOST/DATABASE");
    if (has_password && o->source[OPTION_ROW_store] == SOURCE_FLAG)
        return rc_fail(FAULT_UNSAFE,
                       "others can read a password in --store; put it into ~/.pgpass or passfile=FILE, or the "
                       "URL into the options file");
    return RC_OK;
}

static RC check_store(const struct options *o, struct arena *arena) {
    if (o->store.n == 0) return RC_OK;
    str path = str_from(o->store, 7);
    if (options_store_is_postgres(o)) return check_postgres(o, arena);
    if (!str_starts_with(o->store, S("sqlite:")) || path.n == 0)
        FAIL("the store \"%.*s\" is unknown; write sqlite:PATH or postgres://USER@HOST/DATABASE",
             STR_ARG(str_head(o->store, str_find(o->store, ':'))));
    if (path.p[0] == ':' || str_starts_with(path, S("file:"))) FAIL("the store needs a plain file; write sqlite:PATH");
    return RC_OK;
}

/* A TCP port can be reached by every user of the machine, so it needs a token that only its owner can read. */
static RC check_admin(const struct options *o, struct arena *arena) {
    if (o->data.n || o->admin_listen.n) TRY(check_address("admin_listen", options_admin_address(o, arena)));
    bool tcp = o->admin_listen.n && !str_starts_with(o->admin_listen, S("unix:"));
    if (!tcp) return RC_OK;
    if (o->admin_token_file.n == 0)
        return rc_fail(FAULT_UNSAFE,
                       "admin_listen is a TCP address, so the admin API needs a token; give --admin-token-file FILE");
    struct stat info;
    if (stat(arena_cstr(arena, o->admin_token_file), &info))
        FAIL("the admin token file %.*s cannot be read: %m", STR_ARG(o->admin_token_file));
    if (info.st_mode & 077)
        return rc_fail(FAULT_UNSAFE, "the admin token file %.*s can be read by others; run: chmod 600 %.*s",
                       STR_ARG(o->admin_token_file), STR_ARG(o->admin_token_file));
    return RC_OK;
}

/* web knows what an address is; a loop that is opened for nothing tells. */
static RC check_proxies(const struct options *o) {
    struct web_options web = {.trusted_proxies = o->trusted_proxies.items,
                              .n_trusted_proxies = o->trusted_proxies.n,
                              .proxy_protocol = o->proxy_protocol.items,
                              .n_proxy_protocol = o->proxy_protocol.n};
    struct web_loop *loop = NULL;
    if (!str_eq(o->proxy_headers, S("x-forwarded")) && !str_eq(o->proxy_headers, S("forwarded")))
        FAIL("proxy_headers is x-forwarded or forwarded");
    enum certificate_style style;
    if (!certificate_style_named(o->proxy_certificate, &style)) FAIL("proxy_certificate is rfc9440, nginx or envoy");
    if (style && o->trusted_proxies.n == 0)
        FAIL("proxy_certificate is for trusted proxies; give --trusted-proxy ADDRESS");
    if (o->trusted_proxies.n + o->proxy_protocol.n == 0) return RC_OK;
    TRY(web_loop_open(&web, &loop));
    web_loop_close(loop);
    return RC_OK;
}

static RC check(const struct options *o, bool production, struct arena *arena) {
    enum log_level level;
    if (production && o->data.n == 0) FAIL("no data directory; give --data DIR, for example --data /var/lib/grantd");
    if (production && o->issuer.n == 0)
        FAIL("no issuer; give --issuer URL, the https URL that clients know this server by");
    if (production && o->clock_at_s) FAIL("clock_at_s is for tests, with grantd dev");
    if (o->issuer.n) TRY(check_issuer(o->issuer));
    TRY(check_listen(o, production, arena));
    TRY(front_tls_check(o));
    TRY(check_store(o, arena));
    TRY(check_admin(o, arena));
    TRY(check_login_url(o));
    TRY(check_proxies(o));
    if (!log_level_parse(o->log_level, &level)) FAIL("log_level is debug, info, warn or error");
    return RC_OK;
}

RC options_check(const struct options *o, bool production) {
    struct arena *arena = arena_new(1024);
    struct rc rc = check(o, production, arena);
    arena_free(arena);
    return rc;
}
