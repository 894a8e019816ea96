#include "suggest.h"

#define WORD_MAX 48 /* longer words get no suggestion */

static char lower(char c) { return c == '_' ? '-' : char_lower(c); }

static size_t min3(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment). */
static size_t edit_distance(str a, str b) {
    size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++) last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = lower(a.p[i - 1]) == lower(b.p[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
            bool swapped =
                i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]);
            if (swapped && before[j - 2] + 1 < now[j]) now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n];
}

void suggest_add(struct suggestion *s, const char *candidate) {
    str c = str_of(candidate);
    if (s->word.n == 0 || s->word.n > WORD_MAX || c.n > WORD_MAX) return;
    size_t distance = edit_distance(s->word, c);
    size_t near = c.n < 4 ? 1 : c.n / 3;
    if (distance > near || (s->best && distance >= s->distance)) return;
    s->best = candidate;
    s->distance = distance;
}
