/* Commands on apps. */
#include "admin_handlers.h"
#include "admin_secrets.h"
#include "b64.h"
#include "client_certificate.h"
#include "jwt_access.h"
#include "key_address.h"
#include "random.h"
#include "redirect_uri.h"

/* ---- answers ---- */

static void write_grants(struct json *j, uint32_t grants) {
    json_key(j, S("grants"));
    json_open_array(j);
    if (grants & APP_GRANT_CODE) json_str(j, S("authorization_code"));
    if (grants & APP_GRANT_REFRESH) json_str(j, S("refresh_token"));
    if (grants & APP_GRANT_CLIENT_CREDENTIALS) json_str(j, S("client_credentials"));
    json_close_array(j);
}

static str status_of(const struct app *app) {
    return app_has(app, APP_DELETED) ? S("deleted") : app_has(app, APP_DISABLED) ? S("disabled") : S("enabled");
}

/* The client type is recorded and shown (RFC 8252 s8.4). */
static void write_head(struct json *j, const struct app *app) {
    json_member_int(j, S("app_id"), app->app_id);
    json_member_str(j, S("client_id"), app->client_id);
    json_member_str(j, S("name"), app->name);
    json_member_str(j, S("type"), app_has(app, APP_PUBLIC) ? S("public") : S("confidential"));
    json_member_str(j, S("status"), status_of(app));
}

static void write_flags(struct json *j, const struct app *app) {
    bool is_public = app_has(app, APP_PUBLIC);
    json_member_bool(j, S("public"), is_public);
    json_member_bool(j, S("rotate"), is_public || app_has(app, APP_ROTATE));
    json_member_bool(j, S("require_pkce"), is_public || app_has(app, APP_REQUIRE_PKCE));
    json_member_bool(j, S("resource_server"), app_has(app, APP_RESOURCE_SERVER));
    json_member_bool(j, S("retry_until_used"), app_has(app, APP_RETRY_UNTIL_USED));
    json_member_bool(j, S("private"), app_has(app, APP_PRIVATE_DISTRIBUTION));
    json_member_str(j, S("token_format"), app_has(app, APP_JWT) ? S("jwt") : S("opaque"));
    json_member_str(j, S("id_token_signed_response_alg"), app_has(app, APP_ID_TOKEN_ES256) ? S("ES256") : S("RS256"));
}

/* How the app proves itself. */
static str authentication_of(const struct app *app) {
    if (app_has(app, APP_PUBLIC)) return S("none");
    if (app->tls_auth.n) return certificate_rule_method(app->tls_auth);
    return app_has_keys(app) ? S("private_key_jwt") : S("client_secret");
}

static void write_uris(struct json *j, str member, const str *uris, size_t n) {
    json_key(j, member);
    json_open_array(j);
    for (size_t i = 0; i < n; i++) json_str(j, uris[i]);
    json_close_array(j);
}

static void write_app(struct admin_call *c, const struct app *app) {
    struct json *j = &c->json;
    write_head(j, app);
    write_uris(j, S("redirect_uris"), app->redirect_uris, app->n_redirect_uris);
    write_uris(j, S("post_logout_redirect_uris"), app->post_logout_redirect_uris, app->n_post_logout_redirect_uris);
    admin_write_scopes(c, S("scopes"), &app->scopes);
    admin_write_scopes(c, S("optional_scopes"), &app->optional_scopes);
    write_grants(j, app->grants);
    write_flags(j, app);
    json_member_str(j, S("developer"), app->developer);
    json_member_str(j, S("site_url"), app->site_url);
    json_member_str(j, S("logo_url"), app->logo_url);
    json_member_int(j, S("access_ttl_s"), app->access_ttl_s);
    json_member_int(j, S("code_ttl_s"), app->code_ttl_s);
    json_member_int(j, S("retry_window_s"), app->retry_window_s);
    json_member_int(j, S("refresh_idle_s"), app->refresh_idle_s);
    json_member_int(j, S("refresh_absolute_s"), app->refresh_absolute_s);
    json_member_int(j, S("bound_hub_id"), app->bound_hub_id);
    json_member_str(j, S("authentication"), authentication_of(app));
    json_member_str(j, S("tls_client_auth"), app->tls_auth);
    json_member_bool(j, S("tls_client_certificate_bound_access_tokens"), app_has(app, APP_CERTIFICATE_BOUND));
    json_member_str(j, S("jwks_uri"), app->jwks_uri);
    json_member_int(j, S("live_secrets"), (int64_t)app->n_secrets);
    admin_write_time(j, S("created_at"), app->created_ms);
    admin_write_time(j, S("updated_at"), app->updated_ms);
}

static RC write_current(struct admin_call *c, int32_t app_id) {
    const struct app *app = registry_app_by_id(c->instance->registry, app_id);
    if (!app) return rc_fail(FAULT_INTERNAL, "app %d is not in the registry after its change", app_id);
    write_app(c, app);
    return RC_OK;
}

/* ---- arguments to an app ---- */

static void set_flag(struct app *app, uint32_t flag, const struct admin_flag *in) {
    if (!in->given) return;
    app->flags = in->v ? app->flags | flag : app->flags & ~flag;
}

static uint32_t grants_of(const struct admin_list *names) {
    uint32_t grants = 0;
    for (size_t i = 0; i < names->n; i++) {
        str name = names->v[i];
        grants |= str_eq(name, S("refresh_token"))        ? (uint32_t)APP_GRANT_REFRESH
                  : str_eq(name, S("client_credentials")) ? (uint32_t)APP_GRANT_CLIENT_CREDENTIALS
                                                          : (uint32_t)APP_GRANT_CODE;
    }
    return grants;
}

static void set_grants(struct app *app, const struct admin_input *in) {
    if (in->grants.given) app->grants = grants_of(&in->grants);
    if (!in->client_credentials.given) return;
    if (in->client_credentials.v)
        app->grants |= APP_GRANT_CLIENT_CREDENTIALS;
    else
        app->grants &= ~(uint32_t)APP_GRANT_CLIENT_CREDENTIALS;
}

static void set_num(int64_t *value, const struct admin_num *in) {
    if (in->given) *value = in->v;
}

static void set_str(str *value, const struct admin_str *in) {
    if (in->given) *value = in->v;
}

/* What create and update share; scopes apart, because they may change the registry. */
static void set_fields(struct app *app, const struct admin_input *in) {
    set_str(&app->name, &in->name);
    set_str(&app->developer, &in->developer);
    set_str(&app->site_url, &in->site_url);
    set_str(&app->logo_url, &in->logo_url);
    set_str(&app->jwks, &in->jwks);
    set_str(&app->tls_auth, &in->tls_auth);
    set_str(&app->jwks_uri, &in->jwks_uri);
    if (in->jwks_uri.v.n && !in->jwks.given) app->jwks = (str){NULL, 0}; /* one or the other (RFC 7591 s2) */
    if (in->jwks.v.n && !in->jwks_uri.given) app->jwks_uri = (str){NULL, 0};
    if (in->redirect_uris.given) {
        app->redirect_uris = in->redirect_uris.v;
        app->n_redirect_uris = in->redirect_uris.n;
    }
    if (in->post_logout_redirect_uris.given) {
        app->post_logout_redirect_uris = in->post_logout_redirect_uris.v;
        app->n_post_logout_redirect_uris = in->post_logout_redirect_uris.n;
    }
    set_flag(app, APP_ROTATE, &in->rotate);
    set_flag(app, APP_JWT, &(struct admin_flag){in->token_format.given, str_eq(in->token_format.v, S("jwt"))});
    set_flag(app, APP_ID_TOKEN_ES256,
             &(struct admin_flag){in->id_token_alg.given, str_eq(in->id_token_alg.v, S("ES256"))});
    set_flag(app, APP_CERTIFICATE_BOUND, &in->certificate_bound);
    set_flag(app, APP_REQUIRE_PKCE, &in->require_pkce);
    set_flag(app, APP_RESOURCE_SERVER, &in->resource_server);
    set_flag(app, APP_RETRY_UNTIL_USED, &in->retry_until_used);
    set_flag(app, APP_PRIVATE_DISTRIBUTION, &in->is_private);
    if (app_has(app, APP_PUBLIC)) app->flags |= APP_ROTATE | APP_REQUIRE_PKCE;
    set_num(&app->access_ttl_s, &in->access_ttl_s);
    set_num(&app->code_ttl_s, &in->code_ttl_s);
    set_num(&app->retry_window_s, &in->retry_window_s);
    set_num(&app->refresh_idle_s, &in->refresh_idle_s);
    set_num(&app->refresh_absolute_s, &in->refresh_absolute_s);
    if (in->bound_hub_id.given) app->bound_hub_id = (int32_t)in->bound_hub_id.v;
    set_grants(app, in);
}

/* ---- rules of an app as a whole ---- */

/* OAuth 2.1 s2.3, RFC 9700 s2.1, s2.6, RFC 8252 s8.4. */
static void check_uris(struct admin_call *c, const str *uris, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!redirect_uri_is_registrable(uris[i]))
            admin_refuse(c, 400, "redirect_uri",
                         "the redirect URI %.*s cannot be registered: it must be https, http on loopback, or a "
                         "private scheme with a dot (com.example.app:/done), without fragment, user or wildcard",
                         STR_ARG(str_head(uris[i], 200)));
        for (size_t k = 0; k < i; k++)
            if (str_eq(uris[i], uris[k])) admin_refuse(c, 400, "redirect_uri", "a redirect URI was given twice");
    }
}

static void check_grants(struct admin_call *c, const struct app *app) {
    bool is_public = app_has(app, APP_PUBLIC), api = app_has(app, APP_RESOURCE_SERVER);
    if (is_public && (app->grants & APP_GRANT_CLIENT_CREDENTIALS))
        admin_refuse(c, 400, "public_app", "a public app cannot use client_credentials: it has no secret");
    if (is_public && api)
        admin_refuse(c, 400, "public_app", "a public app cannot be a resource server: it has no secret");
    if ((app->grants & APP_GRANT_CODE) && app->n_redirect_uris == 0)
        admin_refuse(c, 400, "redirect_uri", "the authorization code grant needs at least one --redirect-uri");
    if (app->grants == 0 && !api)
        admin_refuse(c, 400, "no_grant",
                     "the app could do nothing: give --redirect-uri, --client-credentials or "
                     "--resource-server");
    if (app->bound_hub_id && !(app->grants & APP_GRANT_CLIENT_CREDENTIALS))
        admin_refuse(c, 400, "no_grant", "--bound-account is for client_credentials: give --client-credentials too");
}

/* A public app proves nothing; and keys that nobody could use are found now, not at the first token. */
static void check_jwks(struct admin_call *c, const struct app *app) {
    struct jose_keys *keys = NULL;
    if (app->jwks.n == 0 || !c->in.jwks.given) return;
    if (app_has(app, APP_PUBLIC)) admin_refuse(c, 400, "public_app", "a public app has no keys: it proves nothing");
    struct rc rc = jose_keys_read(app->jwks, &keys);
    if (!rc_ok(rc)) admin_refuse(c, 400, "jwks", "the key set cannot be used: %s", rc_detail());
    jose_keys_free(keys);
}

/* What is kept of certificates are their thumbprints. An address is kept in the form in which certificates have it. */
static void set_certificates(struct admin_call *c, struct app *app) {
    struct buf rule = buf_on(arena_alloc(c->arena, APP_TLS_AUTH_MAX), APP_TLS_AUTH_MAX);
    str pem = c->in.tls_certificate.v;
    struct certificate certificate;
    if (str_starts_with(app->tls_auth, S("san_ip:"))) {
        str address = certificate_address(str_from(app->tls_auth, 7), c->arena);
        app->tls_auth = arena_printf(c->arena, "san_ip:%.*s", STR_ARG(address));
    }
    if (!c->in.tls_certificate.given) return;
    while (certificate_read_pem(&pem, c->arena, &certificate)) {
        char hex[2 * SHA256_BYTES];
        hex_encode(certificate.thumbprint, SHA256_BYTES, hex);
        buf_add(&rule, rule.n ? S(" ") : S("sha256:"));
        buf_add(&rule, (str){hex, sizeof hex});
    }
    if (rule.n == 0 || buf_failed(&rule))
        admin_refuse(c, 400, "certificate", "the file must hold one to %d certificates in PEM",
                     (APP_TLS_AUTH_MAX - 7) / (2 * SHA256_BYTES + 1));
    app->tls_auth = buf_str(&rule);
}

/* RFC 8705 s2.1.2: one name, and no other way beside it. */
static void check_tls_auth(struct admin_call *c, const struct app *app) {
    if (c->in.tls_auth.v.n && c->in.tls_certificate.given)
        admin_refuse(c, 400, "certificate", "an app is known by a name or by its certificates: give one of the two");
    if (app->tls_auth.n == 0) return;
    if (app_has(app, APP_PUBLIC))
        admin_refuse(c, 400, "public_app", "a public app has no certificate: it proves nothing");
    if (app_has_keys(app))
        admin_refuse(c, 400, "certificate", "an app proves itself in one way: take its key set away with --jwks ''");
    if (!certificate_rule_is_valid(app->tls_auth))
        admin_refuse(c, 400, "certificate",
                     "write subject_dn:, san_dns:, san_uri:, san_ip: or san_email: and the name in the certificate");
}

static void check_jwks_uri(struct admin_call *c, const struct app *app) {
    if (app->jwks_uri.n == 0 || !c->in.jwks_uri.given) return;
    if (app_has(app, APP_PUBLIC)) admin_refuse(c, 400, "public_app", "a public app has no keys: it proves nothing");
    if (app->jwks.n) admin_refuse(c, 400, "jwks", "give --jwks or --jwks-uri, not both");
    if (!key_address_is_good(app->jwks_uri, c->instance->options.jwks_uri_loopback))
        admin_refuse(c, 400, "jwks_uri", "the jwks_uri must be an https address without user and fragment%s",
                     c->instance->options.jwks_uri_loopback ? ", or http on loopback" : "");
}

/* No token is longer than its bound: whoever keeps tokens counts on it. */
static void check_format(struct admin_call *c, const struct app *app) {
    const struct snapshot *s = c->instance->snapshot;
    const struct jose_key *key = s->keys->signers.current[JOSE_ES256];
    if (!app_has(app, APP_JWT) || admin_refused(c)) return;
    size_t longest = jwt_access_longest(s->registry, c->instance->settings.issuer, key, app);
    size_t most = jwt_access_max(app);
    if (longest > most)
        admin_refuse(
            c, 400, "token_format",
            "a signed token of this app could have %zu characters, and no token may have more than %zu: give it "
            "fewer scopes, or choose --token-format opaque",
            longest, most);
}

/* A scope list of an update stays as it is when it was not given. */
static RC set_scopes(struct admin_call *c, struct app *app) {
    bool create = c->in.create_scopes.v;
    if (c->in.scopes.given) TRY(admin_scope_set(c, &c->in.scopes, create, &app->scopes));
    if (c->in.optional_scopes.given) TRY(admin_scope_set(c, &c->in.optional_scopes, create, &app->optional_scopes));
    return RC_OK;
}

static RC check_account(struct admin_call *c, const struct app *app) {
    struct account unused;
    return app->bound_hub_id ? admin_find_account(c, app->bound_hub_id, &unused) : RC_OK;
}

/* Everything that can be said no to comes before scopes are made. */
static RC check_app(struct admin_call *c, struct app *app) {
    check_uris(c, app->redirect_uris, app->n_redirect_uris);
    check_uris(c, app->post_logout_redirect_uris, app->n_post_logout_redirect_uris);
    check_grants(c, app);
    check_jwks(c, app);
    set_certificates(c, app);
    check_tls_auth(c, app);
    check_jwks_uri(c, app);
    if (!admin_refused(c)) TRY(check_account(c, app));
    if (!admin_refused(c)) TRY(set_scopes(c, app));
    check_format(c, app);
    return RC_OK;
}

/* ---- create ---- */

/* A version 4 UUID (RFC 9562 s5.4). */
static str make_client_id(struct arena *arena) {
    uint8_t b[16];
    random_fill(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    return arena_printf(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
                        b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void init_app(struct admin_call *c, struct app *app) {
    const struct admin_input *in = &c->in;
    const struct settings *defaults = &c->instance->settings;
    *app = (struct app){
        .client_id = make_client_id(c->arena),
        .flags = in->is_public.v ? APP_PUBLIC : 0,
        .grants = in->redirect_uris.n ? APP_GRANT_CODE | APP_GRANT_REFRESH : 0,
        .access_ttl_s = defaults->access_ttl_s,
        .code_ttl_s = defaults->code_ttl_s,
        .retry_window_s = defaults->retry_window_s,
        .created_ms = c->now_ms,
        .updated_ms = c->now_ms,
    };
    set_fields(app, in);
}

RC admin_do_app_create(struct admin_call *c) {
    struct app *app = ARENA_NEW(c->arena, struct app);
    init_app(c, app);
    TRY(check_app(c, app));
    if (admin_refused(c)) return RC_OK;
    struct edit edit = {.kind = EDIT_APP_CREATE, .app = app, .now_ms = c->now_ms};
    int32_t app_id = 0;
    TRY(admin_edit(c, &edit, "an app of that id was made at this moment; try again", &app_id));
    if (admin_refused(c)) return RC_OK;
    struct new_secret secret = {0};
    bool has_secret = !app_has(app, APP_PUBLIC) && !app_has_keys(app) && app->tls_auth.n == 0;
    if (has_secret) TRY(secret_make(c, app_id, &secret));
    if (admin_refused(c)) return RC_OK;
    TRY(write_current(c, app_id));
    if (has_secret) secret_write(c, &secret);
    return RC_OK;
}

/* ---- the others ---- */

RC admin_do_app_list(struct admin_call *c) {
    const struct registry *r = c->instance->registry;
    int32_t after = admin_page_after(c), last = 0;
    size_t limit = admin_page_limit(c), n = 0;
    bool more = false;
    json_key(&c->json, S("apps"));
    json_open_array(&c->json);
    for (size_t i = 0; i < r->n_apps; i++) {
        const struct app *app = &r->apps[i];
        if (app->app_id <= after || (app_has(app, APP_DELETED) && !c->in.all.v)) continue;
        more = n == limit;
        if (more) break;
        json_open(&c->json);
        write_app(c, app);
        json_close(&c->json);
        last = app->app_id;
        n++;
    }
    json_close_array(&c->json);
    admin_write_next(&c->json, more, last);
    return RC_OK;
}

RC admin_do_app_show(struct admin_call *c) {
    const struct app *app = admin_find_app(c, c->in.app.v);
    if (app) write_app(c, app);
    return RC_OK;
}

static RC update(struct admin_call *c, struct app *app) {
    app->updated_ms = c->now_ms;
    struct edit edit = {.kind = EDIT_APP_UPDATE, .app = app, .app_id = app->app_id, .now_ms = c->now_ms};
    return admin_edit(c, &edit, "the app was deleted at this moment", NULL);
}

static const str *copy_uris(struct admin_call *c, const str *uris, size_t n) {
    str *copy = ARENA_ARRAY(c->arena, str, n);
    for (size_t i = 0; i < n; i++) copy[i] = arena_copy(c->arena, uris[i]);
    return copy;
}

/* A copy that does not point into the registry, which a change may replace. */
static struct app *copy_app(struct admin_call *c, const struct app *app) {
    struct app *copy = ARENA_NEW(c->arena, struct app);
    *copy = *app;
    str *texts[] = {&copy->client_id, &copy->name, &copy->developer, &copy->site_url,
                    &copy->logo_url,  &copy->jwks, &copy->jwks_uri,  &copy->tls_auth};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) *texts[i] = arena_copy(c->arena, *texts[i]);
    copy->redirect_uris = copy_uris(c, app->redirect_uris, app->n_redirect_uris);
    copy->post_logout_redirect_uris = copy_uris(c, app->post_logout_redirect_uris, app->n_post_logout_redirect_uris);
    return copy;
}

RC admin_do_app_update(struct admin_call *c) {
    const struct app *found = admin_find_app(c, c->in.app.v);
    if (!found) return RC_OK;
    struct app *app = copy_app(c, found);
    set_fields(app, &c->in);
    TRY(check_app(c, app));
    if (!admin_refused(c)) TRY(update(c, app));
    return admin_refused(c) ? RC_OK : write_current(c, app->app_id);
}

/* Flags on and off by name of the command. Doing it twice is no error. */
static RC change_flag(struct admin_call *c, uint32_t flag, bool on) {
    const struct app *found = admin_find_app(c, c->in.app.v);
    if (!found) return RC_OK;
    struct app *app = copy_app(c, found);
    if (app_has(app, flag) != on) {
        set_flag(app, flag, &(struct admin_flag){true, on});
        TRY(update(c, app));
    }
    return admin_refused(c) ? RC_OK : write_current(c, app->app_id);
}

RC admin_do_app_disable(struct admin_call *c) { return change_flag(c, APP_DISABLED, true); }
RC admin_do_app_enable(struct admin_call *c) { return change_flag(c, APP_DISABLED, false); }
RC admin_do_app_delete(struct admin_call *c) { return change_flag(c, APP_DELETED, true); }
