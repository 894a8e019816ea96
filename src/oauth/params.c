#include "params.h"

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

struct params_problem params_fill(const struct form *form, const struct params_table *table, void *out) {
    struct params_problem problem = {REFUSAL_NONE, NULL, 0};
    assert(table->n <= PARAM_ROWS_MAX);
    for (size_t i = 0; i < form->n; i++) {
        const struct form_pair *pair = &form->pairs[i];
        const struct param *row = find_row(table, pair->name);
        if (!row || pair->value.n == 0) continue;
        str *member = (str *)(void *)((char *)out + row->offset);
        enum refusal refused = member->n ? REFUSAL_PARAMETER_REPEATED : check_value(row, pair->value);
        if (member->n) problem.repeated |= UINT32_C(1) << (row - table->rows);
        if (!member->n) *member = pair->value;
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
