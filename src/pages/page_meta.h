/* The shape of the pages' parameters as data: for tests that fill every member of every page, and for sample pages. */
#ifndef GRANTD_PAGE_META_H
#define GRANTD_PAGE_META_H

#include "pages.h"

enum page_field_type {
    PAGE_FIELD_STR,
    PAGE_FIELD_BOOL,
    PAGE_FIELD_INT,
    PAGE_FIELD_LANG,
    PAGE_FIELD_ENUM,
    PAGE_FIELD_RECORD,
    PAGE_FIELD_LIST,
};

struct page_shape;

struct page_field {
    const char *name;
    enum page_field_type type;
    size_t offset;
    size_t count_offset;            /* lists */
    unsigned values;                /* enums */
    const struct page_shape *shape; /* records and lists */
};

struct page_shape {
    const char *name;
    size_t size;
    const struct page_field *fields;
    size_t n_fields;
};

struct page_row {
    const char *name;
    const struct page_shape *shape;
    void (*render)(struct buf *out, const void *p, const struct page_context *ctx);
};

extern const struct page_row page_rows[];
extern const size_t page_count;
extern const struct page_shape *const page_context_shape;

#endif
