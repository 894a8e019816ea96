#include "options_parse.h"

#include "suggest.h"
#include "timetext.h"

#include <stdio.h>

const struct option_row *option_find(str name) {
    for (size_t i = 0; i < option_count; i++)
        if (str_eq(name, str_of(option_rows[i].name))) return &option_rows[i];
    return NULL;
}

const struct option_row *option_find_nocase(str name) {
    for (size_t i = 0; i < option_count; i++)
        if (str_eq_nocase(name, str_of(option_rows[i].name))) return &option_rows[i];
    return NULL;
}

const char *option_hint(str name) {
    static _Thread_local char text[80];
    struct suggestion s = suggest_for(name);
    for (size_t i = 0; i < option_count; i++) suggest_add(&s, option_rows[i].name);
    text[0] = 0;
    if (s.best) snprintf(text, sizeof text, "; did you mean %s?", s.best);
    return text;
}

static RC parse_bool(const struct option_row *row, str text, bool *out) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_eq_nocase(text, str_of(words[i].word))) continue;
        *out = words[i].value;
        return RC_OK;
    }
    return rc_fail(FAULT_CONFIG, "%s is true or false", row->name);
}

static RC parse_int(const struct option_row *row, str text, int64_t *out) {
    uint64_t value;
    if (!str_to_u64(text, (uint64_t)row->max, &value) || (int64_t)value < row->min)
        return rc_fail(FAULT_CONFIG, "%s is a number from %lld to %lld", row->name, (long long)row->min,
                       (long long)row->max);
    *out = (int64_t)value;
    return RC_OK;
}

static RC parse_duration(const struct option_row *row, str text, int64_t *out) {
    int64_t value;
    if (!timetext_duration_s(text, row->max, &value) || value < row->min)
        return rc_fail(FAULT_CONFIG, "%s is a duration from %lld to %lld seconds, such as 90, 90s, 15m or 24h",
                       row->name, (long long)row->min, (long long)row->max);
    *out = value;
    return RC_OK;
}

static void append_items(struct strs *list, str text, struct arena *arena) {
    while (text.n) {
        str item = str_trim(str_take(&text, ','));
        if (str_is_empty(item)) continue;
        str *items = ARENA_ARRAY(arena, str, list->n + 1);
        if (list->n) memcpy(items, list->items, list->n * sizeof *items);
        items[list->n] = item;
        *list = (struct strs){items, list->n + 1};
    }
}

RC option_set(struct options *o, const struct option_row *row, str text, enum option_source source,
              struct arena *arena) {
    void *member = (char *)o + row->offset;
    uint8_t *from = &o->source[row - option_rows];
    text = str_trim(text);
    switch (row->type) {
    case OPTION_STR: *(str *)member = text; break;
    case OPTION_BOOL: TRY(parse_bool(row, text, member)); break;
    case OPTION_INT: TRY(parse_int(row, text, member)); break;
    case OPTION_DURATION_S: TRY(parse_duration(row, text, member)); break;
    case OPTION_LIST:
        if (*from != source) *(struct strs *)member = (struct strs){0};
        append_items(member, text, arena);
        break;
    }
    *from = (uint8_t)source;
    return RC_OK;
}

static str list_text(const struct strs *list, struct arena *arena) {
    str text = {0};
    for (size_t i = 0; i < list->n; i++)
        text = arena_printf(arena, "%.*s%s%.*s", STR_ARG(text), i ? ", " : "", STR_ARG(list->items[i]));
    return text;
}

str options_value_text(const struct options *o, const struct option_row *row, struct arena *arena) {
    const void *member = (const char *)o + row->offset;
    switch (row->type) {
    case OPTION_STR: return *(const str *)member;
    case OPTION_LIST: return list_text(member, arena);
    case OPTION_BOOL: return *(const bool *)member ? S("true") : S("false");
    case OPTION_INT:
    case OPTION_DURATION_S: return arena_printf(arena, "%lld", (long long)*(const int64_t *)member);
    }
    return (str){0};
}

const char *option_source_name(enum option_source source) {
    static const char *const names[] = {"default", "file", "environment", "flag"};
    return names[source];
}
