/* show: screens (what the rules say is to be shown) become pages, with the brand of the company that runs the server. */
#ifndef GRANTD_SHOW_H
#define GRANTD_SHOW_H

#include "options.h"
#include "page_asset.h"
#include "registry.h"
#include "screen.h"

/* What the options say about how pages look. */
struct brand {
    struct page_brand page;
    str recovery_url;
    str style_path, accent_path; /* behind the path of the issuer */
    bool has_accent;
    struct page_asset accent;
    str login_origin; /* of a sign-in elsewhere, where forms may lead; empty: none */
};

/* In the arena. FAULT_CONFIG when the colour is none. */
RC brand_make(const struct options *o, str issuer, struct arena *arena, struct brand *out);

/* The asset of a name ("style.0123.css"); NULL: none. */
const struct page_asset *brand_asset(const struct brand *brand, str name);

struct show_request {
    const struct screen *screen;
    const struct brand *brand;
    const struct registry *registry;
    str accept_language, correlation_id;
};

/* The page, in the arena. */
str show_screen(const struct show_request *request, struct arena *arena);

/* Its Content-Security-Policy, in the arena. */
str show_policy(const struct show_request *request, struct arena *arena);

#endif
