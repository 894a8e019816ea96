/* str: a slice of bytes, pointer and length, passed by value. Never owns, is not NUL-ended. */
#ifndef GRANTD_STR_H
#define GRANTD_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
    const char *p;
    size_t n;
} str;

/* A str of a string literal. */
#define S(lit) ((str){(lit), sizeof(lit) - 1})
/* A number that is a macro, as a literal. */
#define AS_TEXT_OF(x) #x
#define AS_TEXT(x)    AS_TEXT_OF(x)

/* For printf: "%.*s", STR_ARG(s). Never use it with a secret. */
#define STR_ARG(s) (int)(s).n, (s).p

/* The slice of a NUL-ended string; NULL gives the empty slice. */
static inline str str_of(const char *z) { return z ? (str){z, strlen(z)} : (str){NULL, 0}; }

static inline bool str_is_empty(str s) { return s.n == 0; }

static inline bool str_eq(str a, str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

static inline bool str_starts_with(str s, str prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* ASCII alone, whatever the locale. */
static inline bool char_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool char_is_lower(char c) { return c >= 'a' && c <= 'z'; }
static inline char char_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }
static inline char char_upper(char c) { return char_is_lower(c) ? (char)(c & ~0x20) : c; }
static inline bool char_is_alpha(char c) { return char_is_lower(char_lower(c)); }
static inline bool char_is_alnum(char c) { return char_is_alpha(c) || char_is_digit(c); }
/* 0 to 15; -1: no hexadecimal digit. */
static inline int char_hex_value(char c) {
    if (char_is_digit(c)) return c - '0';
    return char_lower(c) >= 'a' && char_lower(c) <= 'f' ? char_lower(c) - 'a' + 10 : -1;
}
static inline bool char_is_hex(char c) { return char_hex_value(c) >= 0; }

/* The part of s from byte `from` on; empty when s is shorter. */
static inline str str_from(str s, size_t from) {
    return from >= s.n ? (str){s.p ? s.p + s.n : NULL, 0} : (str){s.p + from, s.n - from};
}

/* The first n bytes of s, or all of s when it is shorter. */
static inline str str_head(str s, size_t n) { return (str){s.p, s.n < n ? s.n : n}; }

/* ASCII letters compare without case; for header names, schemes and media types. */
bool str_eq_nocase(str a, str b);
bool str_starts_with_nocase(str s, str prefix);

/* Index of the first byte c, or s.n when there is none. */
size_t str_find(str s, char c);

/* Takes the part before the first `sep` off *rest and returns it; without a `sep` takes everything.
 * Loop with: while (rest.n) { str part = str_take(&rest, ' '); ... } */
str str_take(str *rest, char sep);

/* s without leading and trailing space and tab. */
str str_trim(str s);

/* Decimal digits only, no sign, no space, at most max. False (and *out untouched) otherwise. */
bool str_to_u64(str s, uint64_t max, uint64_t *out);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
bool str_is_utf8(str s);

/* Length of the well-formed UTF-8 sequence that s begins with, 1 to 4 (a NUL counts as one); 0 when there is none. */
size_t str_utf8_length(str s);

/* True when every byte is one of the class: 'V' VSCHAR %x20-7E, 'N' NQCHAR %x21 / %x23-5B / %x5D-7E (RFC 6749 A),
 * 'U' unreserved ALPHA / DIGIT / "-" / "." / "_" / "~" (RFC 7636 s4.1). */
bool str_is_all(str s, char class_letter);

#endif
