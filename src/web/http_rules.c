#include "http_rules.h"

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define DIGIT(c)              BETWEEN(c, '0', '9')
#define ALPHA(c)              (BETWEEN(c, 'A', 'Z') || BETWEEN(c, 'a', 'z'))
#define HEX(c)                (DIGIT(c) || BETWEEN(c, 'A', 'F') || BETWEEN(c, 'a', 'f'))
#define TCHAR(c)                                                                                                       \
    (DIGIT(c) || ALPHA(c) || (c) == '!' || BETWEEN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' ||          \
     (c) == '.' || BETWEEN(c, '^', '`') || (c) == '|' || (c) == '~')
#define VALUE(c) ((c) == '\t' || BETWEEN(c, 0x20, 0x7e) || (c) >= 0x80)
#define PCHAR(c)                                                                                                       \
    (DIGIT(c) || ALPHA(c) || (c) == '!' || BETWEEN(c, '$', '/') || BETWEEN(c, ':', ';') || (c) == '=' || (c) == '@' || \
     (c) == '_' || (c) == '~')
#define QUERY(c) (BETWEEN(c, 0x21, 0x7e) && (c) != '#')
#define NAME(c)  (DIGIT(c) || ALPHA(c) || (c) == '-' || (c) == '.' || (c) == '_')
#define IP6(c)   (HEX(c) || (c) == ':' || (c) == '.')

#define CLASSES(c)                                                                                                     \
    (TCHAR(c) ? HTTP_TCHAR : 0) | (VALUE(c) ? HTTP_VALUE : 0) | (PCHAR(c) ? HTTP_PATH : 0) |                           \
        (QUERY(c) ? HTTP_QUERY : 0) | (NAME(c) ? HTTP_NAME : 0) | (IP6(c) ? HTTP_IP6 : 0)
#define ROW4(c)  CLASSES(c), CLASSES((c) + 1), CLASSES((c) + 2), CLASSES((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

const uint8_t http_classes[256] = {ROW64(0), ROW64(64), ROW64(128), ROW64(192)};

bool http_is_all(str s, enum http_class class) {
    for (size_t i = 0; i < s.n; i++)
        if (!http_is(s.p[i], class)) return false;
    return true;
}
