#include "help_text.h"

static void add_spaces(struct buf *out, size_t n) {
    for (size_t i = 0; i < n; i++) buf_add_char(out, ' ');
}

void help_add_wrapped(struct buf *out, str text, size_t at, size_t indent) {
    while (text.n) {
        str word = str_take(&text, ' ');
        if (at > indent && at + 1 + word.n > HELP_COLUMNS) {
            buf_add_char(out, '\n');
            add_spaces(out, indent);
            at = indent;
        } else if (at > indent) {
            buf_add_char(out, ' ');
            at++;
        }
        buf_add(out, word);
        at += word.n;
    }
    buf_add_char(out, '\n');
}

void help_add_row(struct buf *out, str left, str text) {
    size_t used = 2 + left.n;
    buf_add(out, S("  "));
    buf_add(out, left);
    add_spaces(out, used < HELP_ROW_COLUMN ? HELP_ROW_COLUMN - used : 1);
    help_add_wrapped(out, text, used < HELP_ROW_COLUMN ? HELP_ROW_COLUMN : used + 1, HELP_ROW_COLUMN);
}
