/* Which language a page is shown in. */
#ifndef GRANTD_PAGE_LANG_H
#define GRANTD_PAGE_LANG_H

#include "pages.h"

/* The language of a BCP 47 tag by its first subtag ("de-AT" is German). False, and *out untouched, when there is none. */
bool page_lang_of(str tag, enum page_lang *out);

/* What the person chose on a page (`cookie`, one tag) wins over what the app asks for (`ui_locales`, tags in order of preference,
 * OpenID Connect Core s3.1.2.1), that over what the browser says (Accept-Language, RFC 9110 s12.5.4: the highest q, the
 * first of equals, q=0 never). English when nothing fits. Looks at the first 16 tags of each, whatever is sent. */
enum page_lang page_lang_choose(str ui_locales, str cookie, str accept_language);

/* lang, or English when it is no language of ours: for indexing tables. */
static inline enum page_lang page_lang_known(enum page_lang lang) {
    return (unsigned)lang < PAGE_LANGS ? lang : PAGE_LANG_EN;
}

#endif
