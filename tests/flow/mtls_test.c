/* Mutual TLS: every rule by which an app is known, and what is bound to a certificate. The front is a proxy that writes headers as nginx does. */
#include "flow.h"

#include "client_certificate.h"
#include "mtls_certificates.h"

#include <stdio.h>

enum shown { NOBODY, ONE, ONE_UNVERIFIED, OTHER };

static const char *header_of(enum shown shown) {
    switch (shown) {
    case ONE: return "X-SSL-Client-Cert: " CERTIFICATE_ONE "\nX-SSL-Client-Verify: SUCCESS\n";
    case ONE_UNVERIFIED: return "X-SSL-Client-Cert: " CERTIFICATE_ONE "\nX-SSL-Client-Verify: NONE\n";
    case OTHER: return "X-SSL-Client-Cert: " CERTIFICATE_OTHER "\nX-SSL-Client-Verify: SUCCESS\n";
    case NOBODY: break;
    }
    return "";
}

/* The app as the registry has it: these tests change it in place. */
static struct app *app_of(struct flow *f, enum flow_app which) {
    return (struct app *)(uintptr_t)registry_app_by_client_id(f->instance.registry, f->seed.apps[which].client_id);
}

__attribute__((format(printf, 4, 5))) static str post(struct flow *f, const char *path, enum shown shown,
                                                      const char *format, ...) {
    char fields[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(fields, sizeof fields, format, args);
    va_end(args);
    return flow_send(f, "POST /oauth/v3/%s\n%sContent-Type: application/x-www-form-urlencoded\n\n%s", path,
                     header_of(shown), fields);
}

static str id_of(const struct flow *f, enum flow_app app) { return f->seed.apps[app].client_id; }

/* norm: P01 P08 */
static void test_who_it_is(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    static const struct {
        const char *rule;
        enum shown shown;
        bool good;
    } rows[] = {
        {"subject_dn:CN=app,O=Example\\, Inc.,C=US", ONE, true},
        {"subject_dn:CN=app, O=Example\\, Inc., C=US", ONE, true},
        {"subject_dn:CN=app,O=Example\\, Inc.,C=US", ONE_UNVERIFIED, false},
        {"subject_dn:CN=app,O=Example\\, Inc.,C=US", OTHER, false},
        {"subject_dn:CN=app,O=Example\\, Inc.,C=US", NOBODY, false},
        {"subject_dn:CN=app,O=Example\\,  Inc.,C=US", ONE, false}, /* a comma that belongs to the name */
        {"subject_dn:CN=app", ONE, false},
        {"subject_dn:CN=app,O=Example\\, Inc.,C=US,X=Y", ONE, false},
        {"subject_dn:CN=APP,O=Example\\, Inc.,C=US", ONE, false},
        {"san_dns:app.example.com", ONE, true},
        {"san_dns:App.Example.com", ONE, true},
        {"san_dns:app.example.com", ONE_UNVERIFIED, false},
        {"san_dns:example.com", ONE, false},
        {"san_dns:spiffe://example/app", ONE, false},
        {"san_uri:spiffe://example/app", ONE, true},
        {"san_uri:spiffe://example/App", ONE, false},
        {"san_ip:192.0.2.7", ONE, true},
        {"san_ip:2001:db8::1", ONE, true},
        {"san_ip:192.0.2.70", ONE, false},
        {"san_email:ops@example.com", ONE, true},
        {"san_email:ops@example.org", ONE, false},
        {"sha256:" THUMBPRINT_ONE, ONE, true},
        {"sha256:" THUMBPRINT_ONE, ONE_UNVERIFIED, true}, /* RFC 8705 s2.2: nobody has to have signed it */
        {"sha256:" THUMBPRINT_OTHER " " THUMBPRINT_ONE, ONE, true},
        {"sha256:" THUMBPRINT_ONE, OTHER, false},
        {"sha256:" THUMBPRINT_ONE, NOBODY, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        app_of(&f, FLOW_CONFIDENTIAL)->tls_auth = str_of(rows[i].rule);
        assert_true(certificate_rule_is_valid(str_of(rows[i].rule)));
        str response = post(&f, "token", rows[i].shown, "client_id=%.*s&grant_type=client_credentials&scope=oauth",
                            STR_ARG(id_of(&f, FLOW_CONFIDENTIAL)));
        if ((run_text_status(response) == 200) != rows[i].good) fail_msg("row %zu: %.*s", i, STR_ARG(response));
        if (!rows[i].good) flow_must_refuse(&f, response, 400, "BAD_CLIENT_SECRET"); /* REFUSAL_CLIENT_CERTIFICATE */
    }
    str response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=oauth");
    flow_must_refuse(&f, response, 400, "BAD_CLIENT_SECRET");
    flow_close(&f);
}

static void test_rules(void **state) {
    (void)state;
    static const str bad[] = {S(""),
                              S("dns:a"),
                              S("san_dns:"),
                              S("san_dns: a"),
                              S("subject_dn"),
                              S("sha256:"),
                              S("sha256:0"),
                              S("sha256:zz"),
                              S("SAN_DNS:a"),
                              S("sha256:" THUMBPRINT_ONE "0"),
                              S("sha256: " THUMBPRINT_ONE)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (certificate_rule_is_valid(bad[i])) fail_msg("row %zu", i);
    assert_true(str_eq(certificate_rule_method(S("san_dns:a")), S("tls_client_auth")));
    assert_true(str_eq(certificate_rule_method(S("sha256:" THUMBPRINT_ONE)), S("self_signed_tls_client_auth")));
}

/* norm: T17 */
static void test_bound_tokens(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    struct app *app = app_of(&f, FLOW_CONFIDENTIAL);
    for (int jwt = 0; jwt < 2; jwt++) {
        app->flags = APP_CERTIFICATE_BOUND | (jwt ? (uint32_t)APP_JWT : 0);
        const struct dev_app *seed = &f.seed.apps[FLOW_CONFIDENTIAL];
        str response =
            post(&f, "token", ONE, "client_id=%.*s&client_secret=%.*s&grant_type=client_credentials&scope=oauth",
                 STR_ARG(seed->client_id), STR_ARG(seed->client_secret));
        str token = flow_member(&f, response, "access_token");
        response = flow_form(&f, "token/introspect", FLOW_RESOURCE_SERVER, "token=%.*s", STR_ARG(token));
        assert_non_null(memmem(response.p, response.n, "\"cnf\":{\"x5t#S256\":\"" X5T_ONE "\"}",
                               sizeof "\"cnf\":{\"x5t#S256\":\"" X5T_ONE "\"}" - 1));
        response = flow_form(&f, "token", FLOW_CONFIDENTIAL, "grant_type=client_credentials&scope=oauth");
        flow_must_refuse(&f, response, 400, "BAD_REQUEST"); /* REFUSAL_CERTIFICATE_MISSING */
    }
    flow_close(&f);
}

/* RFC 8705 s4. norm: T17 F04 */
static void test_bound_grants(void **state) {
    static struct flow f;
    (void)state;
    flow_open(&f);
    app_of(&f, FLOW_PUBLIC)->flags |= APP_CERTIFICATE_BOUND;
    str id = id_of(&f, FLOW_PUBLIC), code = flow_code(&f, FLOW_PUBLIC);
    flow_must_refuse(&f, flow_redeem(&f, FLOW_PUBLIC, code), 400, "BAD_REQUEST");
    str response = post(&f, "token", ONE,
                        "client_id=%.*s&grant_type=authorization_code&code=%.*s&code_verifier=" FLOW_VERIFIER
                        "&redirect_uri=http%%3A%%2F%%2Flocalhost%%3A3000%%2Foauth-callback",
                        STR_ARG(id), STR_ARG(code));
    assert_int_equal(run_text_status(response), 200);
    str refresh = flow_member(&f, response, "refresh_token"), access = flow_member(&f, response, "access_token");
    response = post(&f, "token", OTHER, "client_id=%.*s&grant_type=refresh_token&refresh_token=%.*s", STR_ARG(id),
                    STR_ARG(refresh));
    flow_must_refuse(&f, response, 400, "BAD_REFRESH_TOKEN");
    response = post(&f, "token", ONE, "client_id=%.*s&grant_type=refresh_token&refresh_token=%.*s", STR_ARG(id),
                    STR_ARG(refresh));
    assert_int_equal(run_text_status(response), 200);
    /* where we are the API */
    response = flow_send(&f, "DELETE /appinstalls/v3/external-install\n%sAuthorization: Bearer %.*s\n\n",
                         header_of(OTHER), STR_ARG(access));
    flow_must_refuse(&f, response, 401, "BAD_TOKEN");
    response = flow_send(&f, "DELETE /appinstalls/v3/external-install\n%sAuthorization: Bearer %.*s\n\n",
                         header_of(ONE), STR_ARG(access));
    assert_int_equal(run_text_status(response), 204);
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_it_is),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bound_tokens),
        cmocka_unit_test(test_bound_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
