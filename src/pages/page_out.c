#include "page_out.h"

#include "page_lang.h"
#include "page_url.h"
#include "timetext.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static str reference_of(char c) {
    switch (c) {
    case '&': return S("&amp;");
    case '<': return S("&lt;");
    case '>': return S("&gt;");
    case '"': return S("&quot;");
    case '\'': return S("&#39;");
    default: return (str){NULL, 0};
    }
}

/* Bytes of the character at s.p; 0 when it is not UTF-8. */
static size_t character_length(str s) {
    unsigned char lead = (unsigned char)s.p[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return n <= s.n && (n == 1 || str_is_utf8(str_head(s, n))) ? n : 0;
}

static bool turns_direction(str c) {
    if (c.n != 3) return false;
    static const char *const turners[] = {"\xE2\x80\xAA", "\xE2\x80\xAB", "\xE2\x80\xAC",
                                          "\xE2\x80\xAD", "\xE2\x80\xAE", "\xE2\x81\xA6",
                                          "\xE2\x81\xA7", "\xE2\x81\xA8", "\xE2\x81\xA9"};
    for (size_t i = 0; i < sizeof(turners) / sizeof(turners[0]); i++)
        if (memcmp(c.p, turners[i], 3) == 0) return true;
    return false;
}

static bool is_control(str c) {
    unsigned char first = (unsigned char)c.p[0];
    if (c.n == 2) return first == 0xC2 && (unsigned char)c.p[1] < 0xA0; /* U+0080-009F */
    return c.n == 1 && (first == 0x7F || (first < 0x20 && first != '\t' && first != '\n' && first != '\r'));
}

void page_put_text(struct buf *out, str s) {
    while (s.n > 0) {
        size_t n = character_length(s);
        str c = str_head(s, n);
        str reference = n == 1 ? reference_of(s.p[0]) : (str){NULL, 0};
        if (reference.n)
            buf_add(out, reference);
        else if (n == 0 || is_control(c) || turns_direction(c))
            buf_add(out, S(REPLACEMENT));
        else
            buf_add(out, c);
        s = str_from(s, n ? n : 1);
    }
}

void page_put_url(struct buf *out, str url) {
    if (page_url_ok(url)) page_put_text(out, url);
}

void page_put_image(struct buf *out, str url) {
    if (page_image_ok(url)) page_put_text(out, url);
}

void page_put_url_in(struct buf *out, str path, str lang) {
    if (!page_url_ok(path) || path.p[0] != '/') return;
    str query = str_head(path, str_find(path, '#'));
    page_put_text(out, str_take(&query, '?'));
    buf_add(out, S("?"));
    while (query.n) {
        str parameter = str_take(&query, '&');
        if (parameter.n == 0 || str_starts_with(parameter, S("lang="))) continue;
        page_put_text(out, parameter);
        buf_add(out, S("&amp;"));
    }
    buf_add(out, S("lang="));
    page_put_text(out, lang);
}

void page_put_host(struct buf *out, str url) { page_put_text(out, page_url_host(url)); }

void page_put_initial(struct buf *out, str name) {
    name = str_trim(name);
    if (name.n == 0) return;
    size_t n = character_length(name);
    if (name.p[0] >= 'a' && name.p[0] <= 'z')
        buf_add_char(out, (char)(name.p[0] - 'a' + 'A'));
    else
        page_put_text(out, str_head(name, n ? n : 1));
}

static int64_t digits_of(const char *p, size_t n) {
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v * 10 + (p[i] - '0');
    return v;
}

void page_put_date(struct buf *out, enum page_lang lang, int64_t time_ms) {
    int64_t last_ms = 253402300799999; /* the end of the year 9999 */
    if (time_ms < 0 || time_ms > last_ms) return;
    char iso[TIMETEXT_ISO_BYTES];
    timetext_iso(time_ms, iso);
    const str *m = page_messages_of(lang);
    struct page_arg args[3] = {
        {.number = digits_of(iso + 8, 2), .is_number = true},
        {.text = m[page_month_messages[digits_of(iso + 5, 2) - 1]]},
        {.number = digits_of(iso, 4), .is_number = true},
    };
    buf_add(out, S("<time datetime=\""));
    buf_add(out, (str){iso, 10});
    buf_add(out, S("\">"));
    page_put_message(out, m[page_date_message], args, 3);
    buf_add(out, S("</time>"));
}

void page_put_message(struct buf *out, str message, const struct page_arg *args, size_t n) {
    while (message.n) {
        buf_add(out, str_take(&message, '\001'));
        if (message.n == 0) return;
        size_t i = (size_t)(message.p[0] - '0');
        message = str_from(message, 1);
        if (i >= n) continue;
        if (args[i].is_number)
            buf_add_i64(out, args[i].number);
        else
            page_put_text(out, args[i].text);
    }
}
