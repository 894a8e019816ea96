/* What pages need around them: style sheets and response headers. */
#ifndef GRANTD_PAGE_ASSET_H
#define GRANTD_PAGE_ASSET_H

#include "arena.h"
#include "pages.h"

/* A file to serve. The path names the content, so it may be cached for ever (Cache-Control: public, max-age=31536000, immutable). */
struct page_asset {
    str path, content_type, etag, body;
};

/* The style sheet; generated. It looks complete without the accent sheet. */
extern const struct page_asset page_style;

/* The accent sheet of a brand's colour, "#rgb" or "#rrggbb": the button's colour as given, and beside it colours for its text, links
 * and edges that keep the contrast of WCAG 2.2 (1.4.3: 4.5, 1.4.11: 3) on light and dark. In the arena. False when it is no colour. */
bool page_accent_make(str colour, struct arena *arena, struct page_asset *out);

/* The contrast ratio of two colours 0xRRGGBB (WCAG 2.2, relative luminance): 1 to 21. */
double page_colour_contrast(uint32_t a, uint32_t b);

/* The value of Content-Security-Policy for a page: no script at all, own style sheets, own forms. Browsers apply form-action to the
 * redirect that answers a form as well, so a page of an authorization gets its redirect URI here; empty: none. */
void page_policy_write(struct buf *out, str redirect_uri);

struct page_header {
    str name, value;
};

/* The other headers that every page is sent with. */
extern const struct page_header page_headers[];
extern const size_t page_header_count;

#endif
