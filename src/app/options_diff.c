/* What a second reading of the options would change. */
#include "options.h"

size_t options_diff(const struct options *before, const struct options *after, struct arena *arena,
                    struct option_change out[OPTION_ROWS]) {
    size_t n = 0;
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_rows[i];
        str old_text = options_value_text(before, row, arena), new_text = options_value_text(after, row, arena);
        if (str_eq(old_text, new_text)) continue;
        bool secret = row->reload & SECRET;
        out[n++] = (struct option_change){
            .row = row,
            .before = secret ? S("(hidden)") : old_text,
            .after = secret ? S("(changed)") : new_text,
        };
    }
    return n;
}

static void keep(struct options *o, const struct options *before, const struct option_row *row) {
    const void *from = (const char *)before + row->offset;
    void *to = (char *)o + row->offset;
    switch (row->type) {
    case OPTION_STR: *(str *)to = *(const str *)from; break;
    case OPTION_LIST: *(struct strs *)to = *(const struct strs *)from; break;
    case OPTION_BOOL: *(bool *)to = *(const bool *)from; break;
    case OPTION_INT:
    case OPTION_DURATION_S: *(int64_t *)to = *(const int64_t *)from; break;
    }
    o->source[row - option_rows] = before->source[row - option_rows];
}

void options_keep_fixed(struct options *o, const struct options *before) {
    for (size_t i = 0; i < option_count; i++)
        if (option_rows[i].reload & RESTART) keep(o, before, &option_rows[i]);
}
