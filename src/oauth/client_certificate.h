/* client_certificate: mutual TLS (RFC 8705): an app proves itself by a certificate, and its tokens are good for nobody else. */
#ifndef GRANTD_CLIENT_CERTIFICATE_H
#define GRANTD_CLIENT_CERTIFICATE_H

#include "json_write.h"
#include "tokens.h"

/* The rule by which an app is known, as it is registered (RFC 8705 s2.1.2, s2.2.2): "subject_dn:", "san_dns:", "san_uri:", "san_ip:" or
 * "san_email:" and the one name that its certificate has, or "sha256:" and the thumbprints of certificates that may sign themselves, in
 * hexadecimal with spaces between. */
bool certificate_rule_is_valid(str rule);

/* "tls_client_auth", "self_signed_tls_client_auth" */
str certificate_rule_method(str rule);

/* Whether the certificate of this request is that of c->app. A name counts only when somebody has checked the chain. */
bool certificate_proves(const struct oauth_call *c);

/* Binds the tokens of this request to its certificate where the app wants that (RFC 8705 s3). False, and refused, when there is none. */
bool certificate_bind(struct oauth_call *c);

/* The token as it is given out: bound where certificate_bind has said so. */
struct access_token certificate_bound(const struct oauth_call *c, const struct access_token *token);

/* Whether an access token may be used in this request: it is bound to no certificate, or to that of the request. */
bool certificate_fits_token(const struct oauth_call *c, const struct access_token *token);

/* The same for the refresh tokens of a grant. Those of apps that prove themselves are bound by that. */
bool certificate_fits_grant(const struct oauth_call *c, const struct grant *grant);

/* The member cnf of a token (RFC 8705 s3.1) and of what is said of it (s3.2). Nothing for one that is not bound. */
void certificate_write_cnf(struct json *j, const struct access_token *token);

#endif
