/* What the generated pages write with: every value goes through one of these, and each of them escapes. Private to pages. */
#ifndef GRANTD_PAGE_OUT_H
#define GRANTD_PAGE_OUT_H

#include "pages.h"

/* One argument of a translation. */
struct page_arg {
    str text;
    int64_t number;
    bool is_number;
};

/* Text or attribute value: & < > " ' become references. Bytes that are not UTF-8, control characters, and the characters that turn
 * the direction of what follows (U+202A-202E, U+2066-2069) become U+FFFD, so that a name cannot rearrange the sentence around it. */
void page_put_text(struct buf *out, str s);

/* The address, or nothing when page_url_ok (page_image_ok) says no. */
void page_put_url(struct buf *out, str url);
void page_put_image(struct buf *out, str url);

/* The same page in another language: `path` with its `lang` parameter set. */
void page_put_url_in(struct buf *out, str path, str lang);

/* The host of an address (page_url_host), as text. */
void page_put_host(struct buf *out, str url);

/* The first character of a name, a capital if it is an ASCII letter; for a picture in place of a logo. */
void page_put_initial(struct buf *out, str name);

/* <time>22 November 2026</time> in the language; UTC. */
void page_put_date(struct buf *out, enum page_lang lang, int64_t time_ms);

/* A translation (already HTML) with its arguments put in, escaped. */
void page_put_message(struct buf *out, str message, const struct page_arg *args, size_t n);

/* Generated: the translations of a language, and which of them make a date. */
const str *page_messages_of(enum page_lang lang);
extern const uint16_t page_month_messages[12];
extern const uint16_t page_date_message;

#endif
