/* Every page, in every language and state, with hostile strings in every member: the markup must be that of harmless strings. */
#include "pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "arena.h"
#include "page_lang.h"
#include "page_meta.h"

#define LIST_ITEMS 2
#define STATES     6 /* more than any enum has values */

/* How a struct is filled: one string for all texts, `state` decides enums and booleans. */
struct filling {
    struct arena *arena;
    str text;
    unsigned state;
    bool full_lists;
    enum page_lang lang;
};

static void fill(const struct filling *f, const struct page_shape *shape, void *p);

static void fill_list(const struct filling *f, const struct page_field *field, char *base) {
    size_t n = f->full_lists ? LIST_ITEMS : 0;
    char *items = arena_zalloc(f->arena, field->shape->size * LIST_ITEMS);
    for (size_t i = 0; i < n; i++) fill(f, field->shape, items + i * field->shape->size);
    memcpy(base + field->offset, &items, sizeof(items));
    memcpy(base + field->count_offset, &n, sizeof(n));
}

static void fill_field(const struct filling *f, const struct page_field *field, char *base) {
    void *at = base + field->offset;
    unsigned choice = field->values ? f->state % field->values : 0;
    int64_t number = f->state % 2 ? 1795312800000 : -1;
    bool truth = f->state % 2 == 0;
    switch (field->type) {
    case PAGE_FIELD_STR: memcpy(at, &f->text, sizeof(f->text)); break;
    case PAGE_FIELD_BOOL: memcpy(at, &truth, sizeof(truth)); break;
    case PAGE_FIELD_INT: memcpy(at, &number, sizeof(number)); break;
    case PAGE_FIELD_LANG: memcpy(at, &f->lang, sizeof(f->lang)); break;
    case PAGE_FIELD_ENUM: memcpy(at, &choice, sizeof(choice)); break;
    case PAGE_FIELD_RECORD: fill(f, field->shape, at); break;
    case PAGE_FIELD_LIST: fill_list(f, field, base); break;
    }
}

static void fill(const struct filling *f, const struct page_shape *shape, void *p) {
    for (size_t i = 0; i < shape->n_fields; i++) fill_field(f, &shape->fields[i], p);
}

static void render(const struct filling *f, const struct page_row *page, struct buf *out) {
    void *p = arena_zalloc(f->arena, page->shape->size);
    struct page_context ctx;
    memset(&ctx, 0, sizeof(ctx));
    fill(f, page->shape, p);
    fill(f, page_context_shape, &ctx);
    page->render(out, p, &ctx);
    assert_false(buf_failed(out));
}

static bool is_address(str attribute) {
    return str_eq(attribute, S("href")) || str_eq(attribute, S("src")) || str_eq(attribute, S("action"));
}

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '!';
}

static str take_name(str *rest) {
    size_t n = 0;
    while (n < rest->n && is_name(rest->p[n])) n++;
    str name = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return name;
}

/* One tag behind '<': its name and its attributes' names into `shape`; addresses must be harmless. */
static void read_tag(str *rest, struct buf *shape) {
    bool closing = rest->n && rest->p[0] == '/';
    if (closing) *rest = str_from(*rest, 1);
    buf_add_char(shape, closing ? '/' : '<');
    str tag = take_name(rest);
    if (tag.n == 0) fail_msg("a stray < before %.*s", STR_ARG(str_head(*rest, 40)));
    buf_add(shape, tag);
    while (rest->n && rest->p[0] != '>') {
        str name = take_name(rest);
        if (name.n == 0) {
            *rest = str_from(*rest, 1); /* white space, / */
            continue;
        }
        buf_add_char(shape, ' ');
        buf_add(shape, name);
        if (!str_starts_with(*rest, S("=\""))) continue;
        *rest = str_from(*rest, 2);
        str value = str_take(rest, '"');
        if (is_address(name) && value.n && value.p[0] != '/' && value.p[0] != '#' && !str_eq(value, S("data:,")) &&
            !str_starts_with(value, S("https://")))
            fail_msg("address %.*s", STR_ARG(value));
    }
    *rest = str_from(*rest, 1);
}

/* The markup of a page without its texts and attribute values. */
static void read_shape(str html, struct buf *shape) {
    while (html.n) {
        str text = str_take(&html, '<');
        if (str_find(text, '>') < text.n || str_find(text, '"') < text.n || str_find(text, '\'') < text.n)
            fail_msg("unescaped in text: %.*s", STR_ARG(text));
        if (html.n) read_tag(&html, shape);
    }
}

static const str hostile[] = {
    S("<script>alert(1)</script>"),
    S("\"><img src=x onerror=alert(1)>"),
    S("' onmouseover='alert(1)"),
    S("\" autofocus onfocus=\"alert(1)"),
    S("javascript:alert(1)"),
    S("data:text/html,<script>alert(1)</script>"),
    S("</title><script>"),
    S("<!--"),
    S("]]>"),
    S("&lt;script&gt;"),
    S("{{csrf}}"),
    S("\001"
      "0"),
    S("\xFF\xFE\xC0\xBC"),
    S("\xE2\x80\xAE"
      "evil"),
    {"a\0<b>", 6},
    S("//evil.example/\"x"),
    S("https://evil.example/\"onclick=\"x"),
};

static void compare_shapes(struct filling *f, const struct page_row *page, struct buf *wanted, struct buf *got) {
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct buf html = buf_growing(1 << 20);
        f->text = hostile[i];
        render(f, page, &html);
        assert_true(str_is_utf8(buf_str(&html)));
        buf_clear(got);
        read_shape(buf_str(&html), got);
        if (!str_eq(buf_str(wanted), buf_str(got)))
            fail_msg("%s changes its markup for hostile string %zu", page->name, i);
        buf_free(&html);
    }
}

static void each_variant(void (*look)(struct filling *f, const struct page_row *page)) {
    for (size_t page = 0; page < page_count; page++)
        for (unsigned lang = 0; lang < PAGE_LANGS; lang++)
            for (unsigned state = 0; state < STATES * 2; state++) {
                struct filling f = {arena_new(16384), S("x"), state / 2, state % 2 == 0, (enum page_lang)lang};
                look(&f, &page_rows[page]);
                arena_free(f.arena);
            }
}

static void look_hostile(struct filling *f, const struct page_row *page) {
    struct buf html = buf_growing(1 << 20), wanted = buf_growing(1 << 20), got = buf_growing(1 << 20);
    render(f, page, &html);
    read_shape(buf_str(&html), &wanted);
    compare_shapes(f, page, &wanted, &got);
    buf_free(&html);
    buf_free(&wanted);
    buf_free(&got);
}

static void test_hostile(void **state) {
    (void)state;
    each_variant(look_hostile);
}

static bool contains(str text, str part) {
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (memcmp(text.p + i, part.p, part.n) == 0) return true;
    return false;
}

static size_t count(str text, str part) {
    size_t n = 0;
    for (size_t i = 0; i + part.n <= text.n; i++) n += memcmp(text.p + i, part.p, part.n) == 0;
    return n;
}

static void look_promises(struct filling *f, const struct page_row *page) {
    struct buf html = buf_growing(1 << 20), again = buf_growing(1 << 20);
    render(f, page, &html);
    render(f, page, &again);
    str text = buf_str(&html);
    assert_true(str_eq(text, buf_str(&again)));

    char head[64];
    snprintf(head, sizeof(head), "<!doctype html>\n<html lang=\"%.*s\" dir=\"ltr\">", STR_ARG(page_langs[f->lang].tag));
    assert_true(str_starts_with(text, str_of(head)));
    assert_int_equal(count(text, S("<h1>")), 1);
    assert_int_equal(count(text, S("<main ")), 1);
    assert_int_equal(count(text, S("<title>")), 1);
    assert_int_equal(count(text, S("<form ")), count(text, S("<input type=\"hidden\" name=\"csrf\" value=\"x\">")));
    assert_int_equal(count(text, S("<form ")), count(text, S("<input type=\"hidden\" name=\"flow\" value=\"x\">")));
    assert_int_equal(count(text, S("method=\"post\"")), count(text, S("<form ")));
    assert_false(contains(text, S("<script")) || contains(text, S(" style=")) || contains(text, S("{{")) ||
                 contains(text, S("\001")));
    buf_free(&html);
    buf_free(&again);
}

static void test_promises(void **state) {
    (void)state;
    each_variant(look_promises);
}

static void test_small_buffer(void **state) {
    (void)state;
    struct filling f = {arena_new(16384), S("x"), 0, true, PAGE_LANG_EN};
    char memory[100];
    for (size_t page = 0; page < page_count; page++) {
        void *p = arena_zalloc(f.arena, page_rows[page].shape->size);
        struct page_context ctx = {.lang = (enum page_lang)77}; /* and an unknown language is English */
        struct buf out = buf_on(memory, sizeof(memory));
        page_rows[page].render(&out, p, &ctx);
        assert_true(buf_failed(&out));
        assert_true(contains((str){memory, sizeof(memory)}, S("lang=\"en\"")));
    }
    arena_free(f.arena);
}

static void test_error_page(void **state) {
    (void)state;
    struct buf html = buf_growing(1 << 16);
    struct page_context ctx = {.lang = PAGE_LANG_DE, .brand = {.name = S("Acme")}, .correlation_id = S("0000-1111")};
    struct page_error p = {
        .kind = PAGE_ERROR_KIND_REQUEST, .http = 400, .error = S("invalid_request"), .status = S("BAD_REDIRECT_URI")};
    page_error(&html, &p, &ctx);
    assert_true(contains(buf_str(&html), S("<code>0000-1111</code>")));
    assert_true(contains(buf_str(&html), S("<code>BAD_REDIRECT_URI</code>")));
    assert_true(contains(buf_str(&html), S("<h1>Dieser Link funktioniert nicht</h1>")));
    buf_clear(&html);
    p.error = (str){NULL, 0}; /* nothing for a developer */
    page_error(&html, &p, &ctx);
    assert_false(contains(buf_str(&html), S("for-developers")));
    buf_free(&html);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_promises),
        cmocka_unit_test(test_small_buffer),
        cmocka_unit_test(test_error_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
