#include "metadata.h"

#include "claims.h"
#include "id_token.h"

static void write_list(struct json *j, str member, const str *names, size_t n) {
    json_key(j, member);
    json_open_array(j);
    for (size_t i = 0; i < n; i++) json_str(j, names[i]);
    json_close_array(j);
}

/* What somebody may ask for; hidden scopes are for the grants that have them. */
static void write_scopes(struct json *j, const struct registry *registry) {
    json_key(j, S("scopes_supported"));
    json_open_array(j);
    for (size_t i = 0; i < registry->n_scopes; i++)
        if (!registry->scopes[i].hidden) json_str(j, registry->scopes[i].name);
    json_close_array(j);
}

/* Each endpoint takes the ways of authentication that its rule takes. */
static void write_auth(struct json *j, const struct settings *settings) {
    str methods[OAUTH_LIST_MAX];
    size_t n = oauth_list_auth_methods(settings, true, methods);
    write_list(j, S("token_endpoint_auth_methods_supported"), methods, n);
    write_list(j, S("revocation_endpoint_auth_methods_supported"), methods, n);
    str algs[JOSE_ALGS];
    for (unsigned i = 0; i < JOSE_ALGS; i++) algs[i] = jose_alg_name((enum jose_alg)i);
    write_list(j, S("token_endpoint_auth_signing_alg_values_supported"), algs, JOSE_ALGS);
    write_list(j, S("revocation_endpoint_auth_signing_alg_values_supported"), algs, JOSE_ALGS);
    write_list(j, S("introspection_endpoint_auth_signing_alg_values_supported"), algs, JOSE_ALGS);
    n = oauth_list_auth_methods(settings, false, methods);
    write_list(j, S("introspection_endpoint_auth_methods_supported"), methods, n);
}

/* OpenID Connect Discovery s3. What is said to be unsupported is what a client would otherwise take for granted. */
static void write_openid(struct json *j) {
    static const str public[] = {S("public")}, normal[] = {S("normal")};
    static const str standard[] = {S("sub"),       S("iss"), S("aud"),   S("exp"),    S("iat"),
                                   S("auth_time"), S("acr"), S("nonce"), S("at_hash")};
    static const str acrs[] = {ID_TOKEN_ACR};
    str algs[OAUTH_LIST_MAX];
    write_list(j, S("subject_types_supported"), public, 1);
    write_list(j, S("id_token_signing_alg_values_supported"), algs, oauth_list_id_token_algs(algs));
    write_list(j, S("acr_values_supported"), acrs, 1);
    write_list(j, S("claim_types_supported"), normal, 1);
    json_key(j, S("claims_supported"));
    json_open_array(j);
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++) json_str(j, standard[i]);
    for (size_t i = 0; i < CLAIMS; i++) json_str(j, claim_rows[i].name);
    json_close_array(j);
    json_member_bool(j, S("claims_parameter_supported"), true);
    json_member_bool(j, S("request_parameter_supported"), false);
    json_member_bool(j, S("request_uri_parameter_supported"), false);
}

/* RFC 8705 s3.3, s5. */
static void write_mtls(struct json *j, const struct metadata *m) {
    if (!m->settings->mtls) return;
    json_member_bool(j, S("tls_client_certificate_bound_access_tokens"), true);
    if (m->n_aliases == 0) return;
    json_key(j, S("mtls_endpoint_aliases"));
    json_open(j);
    for (size_t i = 0; i < m->n_aliases; i++) json_member_str(j, m->aliases[i].member, m->aliases[i].url);
    json_close(j);
}

/* RFC 9728 s4: the APIs that have a name in its form (s1.2: https, no fragment). Each says by a document of its own that we are its server; that one is not
 * ours to publish. */
static void write_protected_resources(struct json *j, const struct registry *registry) {
    enum { LISTED_MAX = 1000 }; /* not all have to be told */
    size_t n = 0;
    for (size_t i = 0; i < registry->n_resources && n < LISTED_MAX; i++) {
        const struct resource *r = &registry->resources[i];
        if (r->flags & RESOURCE_DELETED || !str_starts_with(r->uris[0], S("https://"))) continue;
        if (n++ == 0) json_key(j, S("protected_resources"));
        if (n == 1) json_open_array(j);
        json_str(j, r->uris[0]);
    }
    if (n) json_close_array(j);
}

void metadata_write(const struct metadata *m, struct buf *out) {
    static const str code[] = {S("code")}, query[] = {S("query")}, s256[] = {S("S256")};
    struct json j = json_on(out);
    str grants[OAUTH_LIST_MAX];
    json_open(&j);
    json_member_str(&j, S("issuer"), m->issuer);
    bool openid = openid_is_offered(m->registry);
    for (size_t i = 0; i < m->n_endpoints; i++)
        if (openid || !m->endpoints[i].is_openid) json_member_str(&j, m->endpoints[i].member, m->endpoints[i].url);
    write_list(&j, S("response_types_supported"), code, 1);
    write_list(&j, S("response_modes_supported"), query, 1);
    write_list(&j, S("grant_types_supported"), grants, oauth_list_grant_types(grants));
    write_auth(&j, m->settings);
    write_mtls(&j, m);
    write_list(&j, S("code_challenge_methods_supported"), s256, 1);
    json_member_bool(&j, S("authorization_response_iss_parameter_supported"), true); /* RFC 9207 s3 */
    write_scopes(&j, m->registry);
    write_protected_resources(&j, m->registry);
    if (openid) write_openid(&j);
    json_close(&j);
}
