#include "config.h"

#include "admin_http.h"

#include <stdlib.h>

#define ANSWER_DEADLINE_MS 10000

/* host[:port] of the issuer, for requests in absolute form. */
static const char *authority_of(str issuer, struct arena *arena) {
    str rest = str_from(issuer, str_find(issuer, ':') + 3);
    return arena_cstr(arena, str_head(rest, str_find(rest, '/')));
}

static struct web_options web_options_of(const struct options *o, const char *authority) {
    enum certificate_style style = CERTIFICATE_STYLE_NONE;
    (void)certificate_style_named(o->proxy_certificate, &style); /* it was checked */
    return (struct web_options){
        .limits = {.head_max = 16384, .target_max = 8192, .headers_max = HTTP_HEADERS_MAX, .body_max = 65536},
        .header_deadline_ms = o->header_deadline_s * 1000,
        .body_deadline_ms = o->body_deadline_s * 1000,
        .handshake_deadline_ms = o->handshake_deadline_s * 1000,
        .idle_deadline_ms = o->idle_deadline_s * 1000,
        .answer_deadline_ms = ANSWER_DEADLINE_MS,
        .connections_max = (unsigned)o->connections_max,
        .connections_per_address = (unsigned)o->connections_per_address,
        .requests_per_connection = (unsigned)o->requests_per_connection,
        .exchanges_max = (unsigned)o->requests_under_way_max,
        .turn_wait_max_ms = o->turn_wait_max_ms,
        .refused_pause_ms = WEB_RETRY_AFTER_S * 1000,
        .streams_max = (unsigned)o->streams_per_connection,
        .bytes_per_connection = (size_t)o->bytes_per_connection,
        .bytes_max = (size_t)o->bytes_in_flight_max,
        .proxy_protocol = o->proxy_protocol.items,
        .n_proxy_protocol = o->proxy_protocol.n,
        .authority = authority,
        .trusted_proxies = o->trusted_proxies.items,
        .n_trusted_proxies = o->trusted_proxies.n,
        .certificate_style = style,
        .trust_forwarded = str_eq(o->proxy_headers, S("forwarded")),
    };
}

/* Where clients that show certificates come in: what was said, or the port of the first address of ours that asks for them. */
static str mtls_url_of(const struct options *o, str issuer, struct arena *arena) {
    str rest = str_from(issuer, str_find(issuer, ':') + 3),
        address = o->mtls_listen.n ? o->mtls_listen.items[0] : S("");
    str host = str_head(rest, str_find(rest, '/'));
    if (o->mtls_url.n || address.n == 0 || str_starts_with(address, S("unix:"))) return o->mtls_url;
    size_t colon = address.n, end = host.n && host.p[0] == '[' ? str_find(host, ']') + 1 : str_find(host, ':');
    while (colon && address.p[colon - 1] != ':') colon--;
    str port = str_from(address, colon);
    if (str_eq(port, S("0"))) return o->mtls_url;
    bool usual = str_eq(port, S("443"));
    return arena_printf(arena, "https://%.*s%s%.*s", STR_ARG(str_head(host, end)), usual ? "" : ":",
                        STR_ARG(usual ? S("") : port));
}

static struct settings settings_of(const struct options *o, const struct settings *before, struct arena *arena) {
    struct settings settings = options_settings(o);
    settings.issuer = before->issuer;
    settings.mtls_url = mtls_url_of(o, before->issuer, arena);
    settings.auto_approve = before->auto_approve;
    settings.auto_user_id = before->auto_user_id;
    settings.auto_hub_id = before->auto_hub_id;
    return settings;
}

static RC read_token(struct config *c) {
    const struct options *o = &c->options;
    if (o->admin_token_file.n == 0) return RC_OK;
    return admin_token_read(arena_cstr(c->arena, o->admin_token_file), c->arena, &c->admin_token);
}

RC config_make(const struct options *options, const struct settings *before, struct arena *arena, struct config **out) {
    struct config *c = calloc(1, sizeof *c);
    if (!c) abort();
    atomic_init(&c->holders, 1);
    c->arena = arena;
    c->options = *options;
    c->settings = settings_of(options, before, arena);
    c->web = web_options_of(options, authority_of(c->settings.issuer, arena));
    struct rc rc = read_token(c);
    if (rc_ok(rc)) rc = brand_make(options, c->settings.issuer, arena, &c->brand);
    if (rc_ok(rc))
        *out = c;
    else
        config_release(c);
    return rc;
}

struct config *config_hold(struct config *c) {
    if (c) atomic_fetch_add_explicit(&c->holders, 1, memory_order_relaxed);
    return c;
}

void config_release(struct config *c) {
    if (!c || atomic_fetch_sub_explicit(&c->holders, 1, memory_order_acq_rel) != 1) return;
    arena_free(c->arena);
    free(c);
}
