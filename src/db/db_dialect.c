/* Portable migrations in the words of a driver. */
#include "buf.h"
#include "db.h"

static bool is_word_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t word_length(str s) {
    size_t n = 0;
    while (n < s.n && is_word_char(s.p[n])) n++;
    return n;
}

/* 'text', with '' for a quote inside: two of these in a row read the same. */
static size_t quoted_length(str s) {
    size_t n = 1;
    while (n < s.n && s.p[n] != '\'') n++;
    return n < s.n ? n + 1 : n;
}

static str word_translate(const struct db_word *words, str word) {
    for (const struct db_word *w = words; w->portable; w++)
        if (str_eq(word, str_of(w->portable))) return str_of(w->own);
    return word;
}

const char *db_dialect(const struct db *db, struct arena *a, const char *portable_sql) {
    struct buf out = buf_growing(1 << 20);
    for (str rest = str_of(portable_sql); rest.n;) {
        size_t n = rest.p[0] == '\'' ? quoted_length(rest) : word_length(rest);
        bool word = n && rest.p[0] != '\'';
        if (n == 0) n = 1;
        buf_add(&out, word ? word_translate(db->driver->words, str_head(rest, n)) : str_head(rest, n));
        rest = str_from(rest, n);
    }
    const char *text = arena_cstr(a, buf_str(&out));
    buf_free(&out);
    return text;
}
