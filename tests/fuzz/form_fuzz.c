/* Any text is read as a form, and the form into the parameters of an endpoint. What comes out is decoded text within its bounds, and
 * each value that a member got stands in the form. norm: N07 */
#include "params.h"

#include <stdlib.h>

struct example {
    str one, two, three;
};
static const struct param rows[] = {
    PARAM(struct example, one, 8, 'U'),
    PARAM(struct example, two, 0, 0),
    PARAM_ALIAS(struct example, "zwei", two, 0, 0),
    PARAM(struct example, three, 0, 'N'),
};
static const struct params_table table = PARAMS_TABLE(rows);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool stands_in(const struct form *form, str value) {
    for (size_t i = 0; i < form->n; i++)
        if (form->pairs[i].value.p == value.p && form->pairs[i].value.n == value.n) return true;
    return value.n == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(4096);
    struct form form = {.n = 0};
    struct example got = {.one = {NULL, 0}};
    if (form_parse((str){(const char *)data, size}, arena, &form) == REFUSAL_NONE) {
        for (size_t i = 0; i < form.n; i++)
            if (!str_is_utf8(form.pairs[i].name) || !str_is_utf8(form.pairs[i].value)) abort();
        struct params_problem problem = params_fill(&form, &table, &got);
        if (!stands_in(&form, got.one) || !stands_in(&form, got.two) || !stands_in(&form, got.three)) abort();
        if (!problem.refusal && (got.one.n > 8 || !str_is_all(got.one, 'U') || !str_is_all(got.three, 'N'))) abort();
        if (problem.repeated && !problem.refusal) abort();
    }
    if (form.n > PARAMS_MAX) abort();
    arena_free(arena);
    return 0;
}
