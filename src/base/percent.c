#include "percent.h"

#include "b64.h"

/* Length of the part that stands for itself. */
static size_t plain_run(str s, enum percent_kind kind) {
    size_t n = 0;
    while (n < s.n && s.p[n] != '%' && (s.p[n] != '+' || kind != PERCENT_FORM)) n++;
    return n;
}

bool percent_decode(str s, enum percent_kind kind, char *out, size_t *out_n) {
    size_t n = 0;
    while (s.n) {
        size_t run = plain_run(s, kind);
        if (run) memmove(out + n, s.p, run); /* out may be s.p: it never gets ahead */
        n += run;
        s = str_from(s, run);
        if (s.n == 0) break;
        uint8_t byte = ' ';
        if (s.p[0] == '%' && !hex_decode(str_head(str_from(s, 1), 2), &byte, 1)) return false;
        s = str_from(s, s.p[0] == '%' ? 3 : 1);
        out[n++] = (char)byte;
    }
    if (!str_is_utf8((str){out, n})) return false; /* refuses NUL as well */
    *out_n = n;
    return true;
}

void percent_encode(struct buf *b, str s) {
    static const char digits[] = "0123456789ABCDEF"; /* RFC 3986 s2.1: upper case should be written */
    for (size_t i = 0; i < s.n; i++) {
        str one = {s.p + i, 1};
        uint8_t c = (uint8_t)s.p[i];
        char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        buf_add(b, str_is_all(one, 'U') ? one : (str){escape, sizeof escape});
    }
}
