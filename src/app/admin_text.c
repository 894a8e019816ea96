#include "admin_text.h"

#include <jansson.h>
#include <stdlib.h>

#define COLUMNS_MAX 12

struct admin_answer {
    const struct admin_command *command;
    json_t *root; /* of a listing: the first page, with the rows of all */
};

struct admin_answer *admin_answer_new(const struct admin_command *command) {
    struct admin_answer *a = calloc(1, sizeof *a);
    if (!a) abort();
    a->command = command;
    return a;
}

void admin_answer_free(struct admin_answer *a) {
    if (!a) return;
    json_decref(a->root);
    free(a);
}

static bool is_listing(const struct admin_answer *a) { return a->command->rows[0] != '\0'; }

static json_t *rows_of(const struct admin_answer *a, json_t *root) {
    return is_listing(a) ? json_object_get(root, a->command->rows) : NULL;
}

size_t admin_answer_rows(const struct admin_answer *a) { return json_array_size(rows_of(a, a->root)); }

static str copy_text(struct arena *arena, const json_t *value) {
    return json_is_string(value) ? arena_copy(arena, (str){json_string_value(value), json_string_length(value)})
                                 : (str){NULL, 0};
}

str admin_answer_text(const struct admin_answer *a, const char *member, struct arena *arena) {
    return copy_text(arena, json_object_get(a->root, member));
}

int64_t admin_answer_number(const struct admin_answer *a, const char *member) {
    return json_integer_value(json_object_get(a->root, member));
}

bool admin_answer_add(struct admin_answer *a, str body, size_t max, struct arena *arena, str *out_next) {
    json_error_t error;
    json_t *root = json_loadb(body.p, body.n, 0, &error);
    json_t *rows = rows_of(a, root);
    *out_next = (str){NULL, 0};
    if (!json_is_object(root) || (is_listing(a) && !json_is_array(rows))) {
        json_decref(root);
        return false;
    }
    *out_next = copy_text(arena, json_object_get(root, "next"));
    if (a->root && is_listing(a)) {
        json_array_extend(rows_of(a, a->root), rows);
        json_decref(root);
    } else {
        json_decref(a->root);
        a->root = root;
    }
    json_t *kept = rows_of(a, a->root);
    while (max && json_array_size(kept) > max) json_array_remove(kept, json_array_size(kept) - 1);
    if (max && json_array_size(kept) == max) *out_next = (str){NULL, 0};
    json_object_del(a->root, "next"); /* pages are joined: nothing comes after */
    return true;
}

void admin_answer_write_json(const struct admin_answer *a, struct buf *out) {
    char *text = json_dumps(a->root, JSON_COMPACT);
    if (!text) abort();
    buf_add(out, str_of(text));
    buf_add_char(out, '\n');
    free(text);
}

/* ---- text for people ---- */

/* No control character reaches a terminal, whoever wrote it into the store. */
static void add_harmless(struct buf *out, str s) {
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = (uint8_t)s.p[i];
        bool c1 = ch == 0xC2 && i + 1 < s.n && (uint8_t)s.p[i + 1] < 0xA0;
        buf_add_char(out, ch < 0x20 || ch == 0x7F || c1 ? '?' : s.p[i]);
        if (c1) i++;
    }
}

static void add_value(struct buf *out, const json_t *value);

/* "a, b" or, of objects, "a b; c d". */
static void add_array(struct buf *out, const json_t *array) {
    if (json_array_size(array) == 0) buf_add_char(out, '-');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i) buf_add(out, S(", "));
        add_value(out, json_array_get(array, i));
    }
}

static void add_members(struct buf *out, const json_t *object) {
    const char *key = NULL;
    json_t *value = NULL;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (!first) buf_add_char(out, ' ');
        first = false;
        add_value(out, value);
    }
}

static void add_value(struct buf *out, const json_t *value) {
    if (json_is_string(value) && json_string_length(value))
        add_harmless(out, (str){json_string_value(value), json_string_length(value)});
    else if (json_is_integer(value))
        buf_add_i64(out, json_integer_value(value));
    else if (json_is_boolean(value))
        buf_add(out, json_is_true(value) ? S("yes") : S("no"));
    else if (json_is_array(value))
        add_array(out, value);
    else if (json_is_object(value))
        add_members(out, value);
    else
        buf_add_char(out, '-');
}

static size_t width_of(str s) {
    size_t width = 0;
    for (size_t i = 0; i < s.n; i++) width += ((uint8_t)s.p[i] & 0xC0) != 0x80;
    return width;
}

static void pad(struct buf *out, size_t width, size_t column) {
    for (size_t i = width; i < column; i++) buf_add_char(out, ' ');
}

static size_t value_width(const json_t *value) {
    struct buf text = buf_growing(1 << 20);
    add_value(&text, value);
    size_t width = width_of(buf_str(&text));
    buf_free(&text);
    return width;
}

static void add_cell(struct buf *out, const json_t *value, size_t column, bool last) {
    size_t start = out->n;
    add_value(out, value);
    if (!last) pad(out, width_of((str){out->p + start, out->n - start}), column + 2);
}

struct column {
    char name[32];
    size_t width;
};

static size_t split_columns(const struct admin_answer *a, struct column out[COLUMNS_MAX]) {
    size_t n = 0;
    str rest = str_of(a->command->columns);
    while (rest.n && n < COLUMNS_MAX) {
        struct buf name = buf_on(out[n].name, sizeof out[n].name - 1);
        buf_add(&name, str_take(&rest, ' '));
        out[n].name[name.n] = '\0';
        out[n].width = name.n;
        n++;
    }
    return n;
}

static void write_table(const struct admin_answer *a, struct buf *out) {
    struct column columns[COLUMNS_MAX];
    size_t n = split_columns(a, columns);
    const json_t *rows = rows_of(a, a->root);
    for (size_t i = 0; i < json_array_size(rows); i++)
        for (size_t k = 0; k < n; k++) {
            size_t width = value_width(json_object_get(json_array_get(rows, i), columns[k].name));
            if (width > columns[k].width) columns[k].width = width;
        }
    for (size_t k = 0; k < n; k++) {
        str name = str_of(columns[k].name);
        for (size_t i = 0; i < name.n; i++) {
            char ch = name.p[i];
            buf_add_char(out, ch == '_' ? ' ' : char_upper(ch));
        }
        if (k + 1 < n) pad(out, name.n, columns[k].width + 2);
    }
    buf_add_char(out, '\n');
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t k = 0; k < n; k++)
            add_cell(out, json_object_get(json_array_get(rows, i), columns[k].name), columns[k].width, k + 1 == n);
        buf_add_char(out, '\n');
    }
}

/* One line for each value of an array, so that a long list can be read. */
static void write_field(struct buf *out, const char *name, const json_t *value, size_t column) {
    size_t n = json_is_array(value) && json_array_size(value) > 1 ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        str label = i == 0 ? str_of(name) : S("");
        buf_add(out, label);
        pad(out, label.n, column + 2);
        add_value(out, n > 1 ? json_array_get(value, i) : value);
        buf_add_char(out, '\n');
    }
}

static void write_fields(const struct admin_answer *a, struct buf *out) {
    const char *key = NULL;
    json_t *value = NULL;
    size_t column = 0;
    json_object_foreach(a->root, key, value) column = strlen(key) > column ? strlen(key) : column;
    json_object_foreach(a->root, key, value) write_field(out, key, value, column);
    if (json_object_get(a->root, "client_secret") || json_object_get(a->root, "refresh_token"))
        buf_add(out, S("\nKeep it now: it is not shown again.\n"));
}

void admin_answer_write_text(const struct admin_answer *a, struct buf *out) {
    (is_listing(a) ? write_table : write_fields)(a, out);
}

bool admin_error_read(str body, struct arena *arena, str *out_code, str *out_message) {
    json_error_t error;
    json_t *root = json_loadb(body.p, body.n, 0, &error);
    const json_t *inside = json_object_get(root, "error");
    const json_t *code = json_object_get(inside, "code"), *message = json_object_get(inside, "message");
    bool ok = json_is_string(code) && json_is_string(message);
    if (ok) {
        *out_code = copy_text(arena, code);
        struct buf line = buf_growing(4096);
        add_harmless(&line, (str){json_string_value(message), json_string_length(message)});
        *out_message = arena_copy(arena, buf_str(&line));
        buf_free(&line);
    }
    json_decref(root);
    return ok;
}
