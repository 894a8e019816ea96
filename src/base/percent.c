#include "percent.h"

#include "b64.h"

bool percent_decode(str s, enum percent_kind kind, char *out, size_t *out_n) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++, n++) {
        char c = s.p[i];
        if (c == '%') {
            uint8_t byte;
            if (s.n - i < 3 || !hex_decode((str){s.p + i + 1, 2}, &byte, 1)) return false;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && kind == PERCENT_FORM) {
            c = ' ';
        }
        out[n] = c;
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
