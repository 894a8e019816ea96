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

/* The bytes of the words are looked at together, since this is asked of every field of every request and answer. */
static uint8_t classes_of_all(str s) {
    uint8_t all = UINT8_MAX;
    size_t i = 0;
    for (; i + 4 <= s.n; i += 4)
        all &= http_classes[(uint8_t)s.p[i]] & http_classes[(uint8_t)s.p[i + 1]] & http_classes[(uint8_t)s.p[i + 2]] &
               http_classes[(uint8_t)s.p[i + 3]];
    for (; i < s.n; i++) all &= http_classes[(uint8_t)s.p[i]];
    return all;
}

#define EACH(byte) (UINT64_MAX / 0xff * (byte))

/* Whether any of eight bytes is below 0x20 or is 0x7f: the borrow of a subtraction shows in the highest bit of a byte, of the lowest such byte
 * for certain. */
static bool has_control(const char *p) {
    uint64_t word, del;
    memcpy(&word, p, sizeof word);
    del = word ^ EACH(0x7f);
    return ((((word - EACH(0x20)) & ~word) | ((del - EACH(0x01)) & ~del)) & EACH(0x80)) != 0;
}

/* Nearly all values are free of controls altogether; the bytes of one that is not are asked one by one. The last word overlaps the one before. */
static bool is_value(str s) {
    bool found = false;
    if (s.n < 8) return (classes_of_all(s) & HTTP_VALUE) != 0;
    for (size_t i = 0; i + 8 < s.n; i += 8) found |= has_control(s.p + i);
    found |= has_control(s.p + s.n - 8);
    return !found || (classes_of_all(s) & HTTP_VALUE);
}

bool http_is_all(str s, enum http_class class) {
    return class == HTTP_VALUE ? is_value(s) : (classes_of_all(s) & class) != 0;
}

/* Of eight ASCII characters: the highest bit of a byte shows whether it is between 'A' and 'Z', and becomes the bit that makes it small. */
static void lower_word(const char *p, char *out) {
    uint64_t word, upper;
    memcpy(&word, p, sizeof word);
    upper = (word + EACH(0x80 - 'A')) & ~(word + EACH(0x7f - 'Z')) & EACH(0x80);
    word |= upper >> 2;
    memcpy(out, &word, sizeof word);
}

void http_lower(str token, char *out) {
    size_t i = 0;
    for (; i + 8 <= token.n; i += 8) lower_word(token.p + i, out + i);
    if (i < token.n && token.n >= 8)
        lower_word(token.p + token.n - 8, out + token.n - 8);
    else
        for (; i < token.n; i++) out[i] = char_lower(token.p[i]);
}
