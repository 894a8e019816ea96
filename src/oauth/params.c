#include "params.h"

#include "buf.h"
#include "percent.h"

#include <assert.h>

static const struct param *find_row(const struct params_table *table, str name) {
    for (size_t i = 0; i < table->n; i++)
        if (str_eq(table->rows[i].name, name)) return &table->rows[i];
    return NULL;
}

static enum refusal check_value(const struct param *row, str value) {
    if (row->max && value.n > row->max) return REFUSAL_PARAMETER_TOO_LONG;
    if (row->class_letter && !str_is_all(value, row->class_letter)) return REFUSAL_PARAMETER_TOO_LONG;
    return REFUSAL_NONE;
}

/* Where the next value of a parameter goes; NULL: it may not come again. */
static str *next_place(const struct param *row, void *out) {
    char *member = (char *)out + row->offset;
    if (row->many) {
        struct param_list *list = (struct param_list *)(void *)member;
        list->more = list->more || list->n == PARAM_LIST_MAX;
        return list->more ? &list->v[PARAM_LIST_MAX - 1] : &list->v[list->n++];
    }
    str *one = (str *)(void *)member;
    return one->n ? NULL : one;
}

struct params_problem params_fill(const struct form *form, const struct params_table *table, void *out) {
    struct params_problem problem = {REFUSAL_NONE, NULL, 0};
    assert(table->n <= PARAM_ROWS_MAX);
    for (size_t i = 0; i < form->n; i++) {
        const struct form_pair *pair = &form->pairs[i];
        const struct param *row = find_row(table, pair->name);
        if (!row || pair->value.n == 0) continue;
        str *place = next_place(row, out);
        enum refusal refused = place ? check_value(row, pair->value) : REFUSAL_PARAMETER_REPEATED;
        if (place) *place = pair->value;
        if (!place) problem.repeated |= UINT32_C(1) << (row - table->rows);
        if (!refused || problem.refusal) continue;
        problem.refusal = refused;
        problem.row = row;
    }
    return problem;
}

bool params_read(struct oauth_call *c, const struct params_table *table, void *out) {
    struct form form;
    enum refusal refused = form_read(&c->req, c->arena, &form);
    if (refused) {
        oauth_refuse(c, refused);
        return false;
    }
    struct params_problem problem = params_fill(&form, table, out);
    if (!problem.refusal) return true;
    oauth_refuse(c, problem.refusal);
    c->refused_parameter = problem.row->name;
    return false;
}

bool params_is_repeated(const struct params_problem *problem, const struct params_table *table, size_t offset) {
    for (size_t i = 0; i < table->n; i++)
        if (table->rows[i].offset == offset && (problem->repeated >> i & 1)) return true;
    return false;
}

/* ---- writing ---- */

/* RFC 3986 s3.4: what may stand in a query as it is, without "&", "=" and "+", which mean something in a form. */
static void add_encoded(struct buf *b, str s) {
    while (s.n) {
        size_t plain = 0;
        while (plain < s.n && (str_is_all(str_head(str_from(s, plain), 1), 'U') || strchr(":/?@!$()*,;", s.p[plain])))
            plain++;
        buf_add(b, str_head(s, plain));
        s = str_from(s, plain);
        if (s.n == 0) break;
        if (s.p[0] == ' ')
            buf_add_char(b, '+');
        else
            percent_encode(b, str_head(s, 1));
        s = str_from(s, 1);
    }
}

/* The values that the member of a row has. */
static const str *values_of(const struct param *row, const void *params, size_t *out_n) {
    const char *member = (const char *)params + row->offset;
    const struct param_list *list = (const struct param_list *)(const void *)member;
    const str *one = (const str *)(const void *)member;
    *out_n = row->many ? list->n : one->n > 0;
    return row->many ? list->v : one;
}

static void add_pair(struct buf *b, str name, str value) {
    if (b->n) buf_add_char(b, '&');
    buf_add(b, name);
    buf_add_char(b, '=');
    add_encoded(b, value);
}

/* An alias stands behind the row that it is one of, and is not written. */
str params_write(const struct params_table *table, const void *in, struct arena *arena) {
    size_t room = 64, n;
    for (size_t i = 0; i < table->n; i++) {
        const str *values = values_of(&table->rows[i], in, &n);
        for (size_t k = 0; k < n; k++) room += table->rows[i].name.n + 2 + 3 * values[k].n;
    }
    struct buf b = buf_on(arena_alloc_secret(arena, room), room);
    for (size_t i = 0; i < table->n; i++) {
        const struct param *row = &table->rows[i];
        const str *values = values_of(row, in, &n);
        if (i > 0 && row->offset == row[-1].offset) continue;
        for (size_t k = 0; k < n; k++) add_pair(&b, row->name, values[k]);
    }
    return buf_str(&b);
}
