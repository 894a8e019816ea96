/* A person's browser in a flow: it keeps cookies and the last page, and sends the forms of pages. */
#ifndef GRANTD_TAB_H
#define GRANTD_TAB_H

#include "flow.h"

#define TAB_COOKIES 4

/* The cookies, and the last page. */
struct tab {
    struct flow *f;
    str names[TAB_COOKIES], values[TAB_COOKIES];
    str page;
};

/* A browser that is new, before a server that approves nothing by itself. */
void tab_open(struct tab *t, struct flow *f);

str tab_get(struct tab *t, str path);

/* The form of the last page with these fields besides; from another origin, or with another token. */
str tab_post(struct tab *t, const char *path, const char *more);
str tab_post_from(struct tab *t, const char *path, const char *origin, str csrf, const char *more);

/* The value of a hidden field of the last page, and whether the page has a text. */
str tab_field(const struct tab *t, const char *name);
bool tab_shows(const struct tab *t, str text);

/* On the page for it. */
str tab_sign_in(struct tab *t);

/* The response leads to the confidential app, with this error, or ("") with a code. */
void tab_must_go_back(struct tab *t, str response, const char *error);

#endif
