#include "client_certificate.h"

#include "b64.h"

/* ---- who it is ---- */

/* RFC 4514 s2.4 lets no space stand around a separator; people write one behind it all the same. */
static str skip_spaces(str s) {
    while (s.n && s.p[0] == ' ') s = str_from(s, 1);
    return s;
}

/* Names are compared as they are written, but for spaces behind a comma that is not escaped. */
static bool subject_fits(const struct certificate *certificate, str wanted) {
    str have = certificate->subject;
    bool escaped = false;
    while (have.n && wanted.n && have.p[0] == wanted.p[0]) {
        bool separates = have.p[0] == ',' && !escaped;
        escaped = have.p[0] == '\\' && !escaped;
        have = str_from(have, 1);
        wanted = separates ? skip_spaces(str_from(wanted, 1)) : str_from(wanted, 1);
    }
    return have.n == 0 && wanted.n == 0 && certificate->subject.n > 0;
}

static bool has_name(const struct certificate *certificate, enum certificate_name_kind kind, str wanted) {
    for (size_t i = 0; i < certificate->n_names; i++) {
        const struct certificate_name *name = &certificate->names[i];
        bool same = kind == CERTIFICATE_DNS ? str_eq_nocase(name->text, wanted) : str_eq(name->text, wanted);
        if (name->kind == kind && same) return true;
    }
    return false;
}

static bool dns_fits(const struct certificate *c, str wanted) { return has_name(c, CERTIFICATE_DNS, wanted); }
static bool uri_fits(const struct certificate *c, str wanted) { return has_name(c, CERTIFICATE_URI, wanted); }
static bool ip_fits(const struct certificate *c, str wanted) { return has_name(c, CERTIFICATE_IP, wanted); }
static bool email_fits(const struct certificate *c, str wanted) { return has_name(c, CERTIFICATE_EMAIL, wanted); }

static bool thumbprint_fits(const struct certificate *c, str wanted) {
    while (wanted.n) {
        uint8_t bytes[SHA256_BYTES];
        str one = str_take(&wanted, ' ');
        if (one.n == 2 * SHA256_BYTES && hex_decode(one, bytes, SHA256_BYTES) &&
            memcmp(bytes, c->thumbprint, SHA256_BYTES) == 0)
            return true;
    }
    return false;
}

static const struct rule {
    str prefix;
    bool (*fits)(const struct certificate *certificate, str wanted);
    bool by_chain; /* the name is worth what the chain behind it is worth */
} rules[] = {
    {S("subject_dn:"), subject_fits, true}, {S("san_dns:"), dns_fits, true},     {S("san_uri:"), uri_fits, true},
    {S("san_ip:"), ip_fits, true},          {S("san_email:"), email_fits, true}, {S("sha256:"), thumbprint_fits, false},
};

static const struct rule *find_rule(str text) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (str_starts_with(text, rules[i].prefix)) return &rules[i];
    return NULL;
}

static bool thumbprints_are_valid(str list) {
    uint8_t bytes[SHA256_BYTES];
    if (list.n == 0) return false;
    while (list.n) {
        str one = str_take(&list, ' ');
        if (one.n != 2 * SHA256_BYTES || !hex_decode(one, bytes, SHA256_BYTES)) return false;
    }
    return true;
}

bool certificate_rule_is_valid(str text) {
    const struct rule *rule = find_rule(text);
    if (!rule) return false;
    str wanted = str_from(text, rule->prefix.n);
    if (!rule->by_chain) return thumbprints_are_valid(wanted);
    return !str_is_empty(wanted) && str_eq(wanted, str_trim(wanted));
}

str certificate_rule_method(str text) {
    const struct rule *rule = find_rule(text);
    return rule && rule->by_chain ? S("tls_client_auth") : S("self_signed_tls_client_auth");
}

bool certificate_proves(const struct oauth_call *c) {
    const struct certificate *certificate = c->req.certificate;
    const struct rule *rule = find_rule(c->app->tls_auth);
    if (!certificate || !rule || (rule->by_chain && !c->req.certificate_verified)) return false;
    return rule->fits(certificate, str_from(c->app->tls_auth, rule->prefix.n));
}

/* ---- what is bound to it ---- */

bool certificate_bind(struct oauth_call *c) {
    if (!app_has(c->app, APP_CERTIFICATE_BOUND) || c->req.certificate) return true;
    oauth_refuse(c, REFUSAL_CERTIFICATE_MISSING);
    return false;
}

struct access_token certificate_bound(const struct oauth_call *c, const struct access_token *token) {
    struct access_token bound = *token;
    bound.is_bound = app_has(c->app, APP_CERTIFICATE_BOUND) && c->req.certificate;
    if (bound.is_bound) memcpy(bound.certificate, c->req.certificate->thumbprint, SHA256_BYTES);
    return bound;
}

static bool is_shown(const struct oauth_call *c, const void *thumbprint) {
    return c->req.certificate && memcmp(c->req.certificate->thumbprint, thumbprint, SHA256_BYTES) == 0;
}

bool certificate_fits_token(const struct oauth_call *c, const struct access_token *token) {
    return !token->is_bound || is_shown(c, token->certificate);
}

bool certificate_fits_grant(const struct oauth_call *c, const struct grant *grant) {
    if (grant->certificate.n == 0) return true;
    return grant->certificate.n == SHA256_BYTES && is_shown(c, grant->certificate.p);
}

void certificate_write_cnf(struct json *j, const struct access_token *token) {
    char text[(SHA256_BYTES * 4 + 2) / 3];
    if (!token->is_bound) return;
    b64url_encode(token->certificate, SHA256_BYTES, text);
    json_key(j, S("cnf"));
    json_open(j);
    json_member_str(j, S("x5t#S256"), (str){text, sizeof text});
    json_close(j);
}
