#include "page_lang.h"

#define TAGS_MAX 16
#define TAG_MAX  35 /* a longer one is nobody's language (RFC 5646 s4.4.1) */

bool page_lang_of(str tag, enum page_lang *out) {
    tag = str_trim(tag);
    if (tag.n > TAG_MAX) return false;
    str primary = str_take(&tag, '-');
    for (size_t i = 0; i < PAGE_LANGS; i++) {
        if (!str_eq_nocase(primary, page_langs[i].tag)) continue;
        *out = (enum page_lang)i;
        return true;
    }
    return false;
}

/* The weight of `;q=0.5` in thousandths; 1000 when there is none, -1 when it is malformed (RFC 9110 s12.4.2). */
static int weight_of(str params) {
    params = str_trim(params);
    if (str_is_empty(params)) return 1000;
    if (!str_starts_with_nocase(params, S("q="))) return -1;
    str q = str_from(params, 2);
    if (q.n == 0 || q.n > 5 || (q.p[0] != '0' && q.p[0] != '1') || (q.n > 1 && q.p[1] != '.')) return -1;
    int weight = (q.p[0] - '0') * 1000;
    int unit = 100;
    for (size_t i = 2; i < q.n; i++, unit /= 10) {
        if (q.p[i] < '0' || q.p[i] > '9') return -1;
        weight += (q.p[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : -1;
}

static bool choose_by_order(str tags, enum page_lang *out) {
    for (int i = 0; i < TAGS_MAX && tags.n; i++)
        if (page_lang_of(str_take(&tags, ' '), out)) return true;
    return false;
}

static bool choose_by_weight(str header, enum page_lang *out) {
    int best = 0;
    for (int i = 0; i < TAGS_MAX && header.n; i++) {
        str range = str_take(&header, ',');
        str tag = str_trim(str_take(&range, ';'));
        int weight = weight_of(range);
        enum page_lang lang = PAGE_LANG_EN; /* what "*" means here */
        if (weight <= best || (!str_eq(tag, S("*")) && !page_lang_of(tag, &lang))) continue;
        best = weight;
        *out = lang;
    }
    return best > 0;
}

enum page_lang page_lang_choose(str ui_locales, str cookie, str accept_language) {
    enum page_lang lang = PAGE_LANG_EN;
    if (page_lang_of(cookie, &lang)) return lang;
    if (choose_by_order(ui_locales, &lang)) return lang;
    if (choose_by_weight(accept_language, &lang)) return lang;
    return PAGE_LANG_EN;
}
