/* Which addresses may stand in a page, and how they are shown to people. */
#ifndef GRANTD_PAGE_URL_H
#define GRANTD_PAGE_URL_H

#include "pages.h"

/* True for an address that a page may link to: https with a plain host, http on loopback (127.0.0.1, [::1], localhost), or a path of
 * this origin ("/x", never "//x"). Printable ASCII only; no user info, so that nothing before an @ can pose as the host. */
bool page_url_ok(str url);

/* The same, or an image in base64 (data:image/png and its family). */
bool page_image_ok(str url);

/* What a person can recognise of an address: its host and port; of a private-use scheme ("com.example.app:/done") the scheme.
 * Empty when there is neither. A slice of `url`. */
str page_url_host(str url);

/* Where the browser goes after consent: a web site, this device (loopback, RFC 8252 s7.3), or an app on it (a private-use scheme). */
enum page_target page_url_target(str redirect_uri);

#endif
