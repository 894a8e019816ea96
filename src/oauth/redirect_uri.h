/* Redirect URIs: what may be registered, and when a requested one is the registered one (RFC 9700 s2.1, RFC 8252). */
#ifndef GRANTD_REDIRECT_URI_H
#define GRANTD_REDIRECT_URI_H

#include "str.h"

/* True when an app may register it: absolute, only characters of RFC 3986, no fragment, no user information, no
 * wildcard, no dot segments; https, or http on loopback (127.0.0.1, [::1], localhost), or a private scheme in
 * reverse-domain form (RFC 8252 s7.1). Administration asks this before it stores one. */
bool redirect_uri_is_registrable(str uri);

/* True when `requested` is `registered`, byte for byte; http on loopback may differ in the port (RFC 8252 s7.3). */
bool redirect_uri_matches(str registered, str requested);

/* The origin of the pages behind an http or https URI (RFC 6454 s4), a slice of it: without the scheme's own port, and on loopback without any, as
 * there the port does not count. Empty: it has none. */
str redirect_uri_origin(str uri);

/* True when it may name a resource: absolute, in one spelling, without a fragment (RFC 8707 s2). It is a name, not an address: any scheme. */
bool resource_uri_is_registrable(str uri);

#endif
