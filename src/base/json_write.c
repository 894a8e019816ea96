#include "json_write.h"

enum { PLAIN, ESCAPE, HIGH };

/* RFC 8259 s7 wants the quote, the backslash and the controls; the rest keeps an answer harmless inside a page. */
static const uint8_t kind_of[256] = {
    [0x00 ... 0x1F] = ESCAPE, ['"'] = ESCAPE, ['\\'] = ESCAPE, ['<'] = ESCAPE,
    ['>'] = ESCAPE,           ['&'] = ESCAPE, [0x7F] = ESCAPE, [0x80 ... 0xFF] = HIGH,
};

static void separate(struct json *j) {
    if (j->comma) buf_add_char(j->out, ',');
    j->comma = true;
}

static void open_with(struct json *j, char bracket) {
    separate(j);
    buf_add_char(j->out, bracket);
    j->comma = false;
}

static void close_with(struct json *j, char bracket) {
    buf_add_char(j->out, bracket);
    j->comma = true;
}

void json_open(struct json *j) { open_with(j, '{'); }
void json_close(struct json *j) { close_with(j, '}'); }
void json_open_array(struct json *j) { open_with(j, '['); }
void json_close_array(struct json *j) { close_with(j, ']'); }

void json_key(struct json *j, str name) {
    char *p = buf_room(j->out, name.n + 4);
    if (!p) return;
    char *from = p;
    if (j->comma) *p++ = ',';
    *p++ = '"';
    memcpy(p, name.p, name.n);
    p += name.n;
    *p++ = '"';
    *p++ = ':';
    buf_advance(j->out, (size_t)(p - from));
    j->comma = false;
}

static void add_u_escape(struct buf *out, unsigned code) {
    static const char digits[] = "0123456789abcdef";
    char text[6] = {
        '\\', 'u', digits[code >> 12 & 15], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]};
    buf_add(out, (str){text, sizeof text});
}

static void add_escape(struct buf *out, char c) {
    switch (c) {
    case '"': buf_add(out, S("\\\"")); return;
    case '\\': buf_add(out, S("\\\\")); return;
    case '\n': buf_add(out, S("\\n")); return;
    case '\r': buf_add(out, S("\\r")); return;
    case '\t': buf_add(out, S("\\t")); return;
    default: add_u_escape(out, (uint8_t)c); return;
    }
}

/* Writes the character above ASCII that s begins with; returns its length. One byte that is not UTF-8 is one U+FFFD. */
static size_t add_high(struct buf *out, str s) {
    size_t length = str_utf8_length(s);
    if (length == 0) {
        buf_add(out, S("\xEF\xBF\xBD"));
        return 1;
    }
    bool line_end = length == 3 && memcmp(s.p, "\xE2\x80", 2) == 0 && (s.p[2] & 0xFE) == 0xA8;
    if (line_end)
        add_u_escape(out, 0x2000u | ((uint8_t)s.p[2] & 0x3Fu));
    else
        buf_add(out, str_head(s, length));
    return length;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of every byte of v that is 0, and perhaps of those above one. */
static uint64_t zeros(uint64_t v) { return (v - EACH(0x01)) & ~v & EACH(0x80); }

/* Whether eight bytes are PLAIN: under 0x7F, no controls, none of the five; < and > differ in one bit. A false "no" costs only time. */
static bool are_plain(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    uint64_t out_of_range = (v | (v + EACH(0x01)) | (v - EACH(0x20))) & EACH(0x80);
    uint64_t special =
        zeros(v ^ EACH('"')) | zeros(v ^ EACH('\\')) | zeros(v ^ EACH('&')) | zeros((v | EACH(2)) ^ EACH('>'));
    return (out_of_range | special) == 0;
}

static size_t plain_run(str s) {
    size_t run = 0;
    while (s.n - run >= 8 && are_plain(s.p + run)) run += 8;
    while (run < s.n && kind_of[(uint8_t)s.p[run]] == PLAIN) run++;
    return run;
}

void json_str(struct json *j, str s) {
    separate(j);
    buf_add_char(j->out, '"');
    while (s.n) {
        size_t run = plain_run(s);
        buf_add(j->out, str_head(s, run));
        s = str_from(s, run);
        if (s.n == 0) break;
        size_t used = 1;
        if (kind_of[(uint8_t)s.p[0]] == ESCAPE)
            add_escape(j->out, s.p[0]);
        else
            used = add_high(j->out, s);
        s = str_from(s, used);
    }
    buf_add_char(j->out, '"');
}

void json_int(struct json *j, int64_t v) {
    separate(j);
    buf_add_i64(j->out, v);
}

void json_bool(struct json *j, bool v) {
    separate(j);
    buf_add(j->out, v ? S("true") : S("false"));
}

void json_nil(struct json *j) {
    separate(j);
    buf_add(j->out, S("null"));
}

void json_member_str(struct json *j, str name, str value) {
    json_key(j, name);
    json_str(j, value);
}

void json_member_int(struct json *j, str name, int64_t value) {
    json_key(j, name);
    json_int(j, value);
}

void json_member_bool(struct json *j, str name, bool value) {
    json_key(j, name);
    json_bool(j, value);
}
