/* certificate_header: a client's certificate as the proxy in front writes it, where TLS ends there. Only asked of trusted proxies, which must take
 * such a header off what clients send. */
#ifndef GRANTD_CERTIFICATE_HEADER_H
#define GRANTD_CERTIFICATE_HEADER_H

#include "arena.h"
#include "http_parse.h"

/* How the proxy writes it. */
enum certificate_style {
    CERTIFICATE_STYLE_NONE,    /* it does not */
    CERTIFICATE_STYLE_RFC9440, /* Client-Cert: :base64 of DER: */
    CERTIFICATE_STYLE_NGINX, /* X-SSL-Client-Cert: $ssl_client_escaped_cert, X-SSL-Client-Verify: $ssl_client_verify */
    CERTIFICATE_STYLE_ENVOY, /* X-Forwarded-Client-Cert: ...;Cert="escaped PEM";... */
};

/* "", "rfc9440", "nginx", "envoy". */
bool certificate_style_named(str name, enum certificate_style *out);

struct shown_certificate {
    str der;       /* in the arena */
    bool verified; /* the proxy has checked its chain */
};

/* False when there is none, when there are two, or when what is there cannot be read. */
bool certificate_header_read(const struct http_head *head, enum certificate_style style, struct arena *arena,
                             struct shown_certificate *out);

#endif
