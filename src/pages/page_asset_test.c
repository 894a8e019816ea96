#include "page_asset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "b64.h"
#include "random.h"

#define DEFAULT_ACCENT "#3451d1"

static bool contains(str text, str part) {
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (memcmp(text.p + i, part.p, part.n) == 0) return true;
    return false;
}

/* The part of the text behind the n-th `mark`. */
static str behind(str text, str mark, int n) {
    for (size_t i = 0; i + mark.n <= text.n; i++)
        if (memcmp(text.p + i, mark.p, mark.n) == 0 && n-- == 0) return str_from(text, i + mark.n);
    return (str){NULL, 0};
}

/* The colour of "--name:#rrggbb" in the light (0) or dark (1) part of an accent sheet. */
static uint32_t colour_of(str css, const char *name, int part) {
    char mark[40];
    uint8_t b[3];
    snprintf(mark, sizeof(mark), "--%s:#", name);
    str value = behind(css, str_of(mark), part);
    assert_true(hex_decode(str_head(value, 6), b, 3));
    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static void test_contrast(void **state) {
    (void)state;
    static const struct {
        uint32_t a, b;
        double ratio;
    } pairs[] = {{0, 0xFFFFFF, 21.0},
                 {0xFFFFFF, 0xFFFFFF, 1.0},
                 {0x767676, 0xFFFFFF, 4.54},
                 {0xFF0000, 0xFFFFFF, 4.0},
                 {0x0000FF, 0xFFFFFF, 8.59}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_true(fabs(page_colour_contrast(pairs[i].a, pairs[i].b) - pairs[i].ratio) < 0.01);
}

static const uint32_t grounds[2][2] = {{0xFFFFFF, 0xF4F5F7}, {0x191C23, 0x0F1116}};

static void check_scheme(str css, int dark, const char *accent) {
    uint32_t fill = colour_of(css, "accent", dark), on = colour_of(css, "accent-on", dark);
    uint32_t ink = colour_of(css, "accent-ink", dark), edge = colour_of(css, "accent-edge", dark);
    bool good =
        page_colour_contrast(fill, on) >= 4.5 && page_colour_contrast(colour_of(css, "accent-hover", dark), on) >= 4.5;
    good = good && page_colour_contrast(ink, colour_of(css, "accent-soft", dark)) >= 4.5;
    for (int i = 0; i < 2; i++) {
        good = good && page_colour_contrast(ink, grounds[dark][i]) >= 4.5;
        good = good && page_colour_contrast(edge, grounds[dark][i]) >= 3.0;
    }
    if (!good) fail_msg("accent %s, %s", accent, dark ? "dark" : "light");
}

static void test_accents(void **state) {
    (void)state;
    struct arena *arena = arena_new(65536);
    struct page_asset asset;
    for (uint32_t c = 0; c < 512; c++) { /* eight steps of each channel */
        char text[8];
        snprintf(text, sizeof(text), "#%02x%02x%02x", (c >> 6) * 255 / 7, (c >> 3 & 7) * 255 / 7, (c & 7) * 255 / 7);
        assert_true(page_accent_make(str_of(text), arena, &asset));
        check_scheme(asset.body, 0, text);
        check_scheme(asset.body, 1, text);
        uint8_t b[3];
        assert_true(hex_decode(str_of(text + 1), b, 3));
        assert_int_equal(colour_of(asset.body, "accent", 0),
                         (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]); /* the brand's own */
    }
    arena_free(arena);
}

static void test_colour_syntax(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {{"#3451d1", true}, {"#ABC", true},        {"#aBcDeF", true},    {"", false},          {"#", false},
                {"3451d1", false}, {"#3451d", false},     {"#3451d1f", false},  {"#34 1d1", false},   {"#ggg", false},
                {"red", false},    {"#fff}body{", false}, {"#12345678", false}, {"rgb(1,2,3)", false}};
    struct arena *arena = arena_new(4096);
    struct page_asset asset;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (page_accent_make(str_of(rows[i].text), arena, &asset) != rows[i].ok) fail_msg("%s", rows[i].text);
    assert_true(page_accent_make(S("#fa0"), arena, &asset));
    struct page_asset same;
    assert_true(page_accent_make(S("#FFAA00"), arena, &same));
    assert_true(str_eq(asset.body, same.body) && str_eq(asset.path, same.path) && str_eq(asset.etag, same.etag));
    assert_true(page_accent_make(S("#ffaa01"), arena, &same));
    assert_false(str_eq(asset.path, same.path));
    arena_free(arena);
}

/* style.css has the colours that page_accent.c computes with, and those that it computes for the default. */
static void test_style_agrees(void **state) {
    (void)state;
    static const char *const names[] = {"accent",      "accent-on",  "accent-hover",
                                        "accent-edge", "accent-ink", "accent-soft"};
    static const char *const surfaces[] = {"--card: #ffffff", "--ground: #f4f5f7", "--card: #191c23",
                                           "--ground: #0f1116"};
    struct arena *arena = arena_new(4096);
    struct page_asset accent;
    assert_true(page_accent_make(S(DEFAULT_ACCENT), arena, &accent));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int dark = 0; dark < 2; dark++) {
            str mark = arena_printf(arena, "--%s: #", names[i]);
            str wanted = arena_printf(arena, "%06x", colour_of(accent.body, names[i], dark));
            str got = str_head(behind(page_style.body, mark, dark), 6);
            if (!str_eq(wanted, got))
                fail_msg("--%s %d: computed %.*s, in style.css %.*s", names[i], dark, STR_ARG(wanted), STR_ARG(got));
        }
    for (size_t i = 0; i < sizeof(surfaces) / sizeof(surfaces[0]); i++)
        assert_true(contains(page_style.body, str_of(surfaces[i])));
    arena_free(arena);
}

static void test_style(void **state) {
    (void)state;
    assert_true(str_starts_with(page_style.path, S("/oauth/assets/style.")));
    assert_true(contains(page_style.path, str_head(str_from(page_style.etag, 1), 16)));
    assert_true(page_style.body.n < 32768);
    assert_false(contains(page_style.body, S("url(")) || contains(page_style.body, S("@import")) ||
                 contains(page_style.body, S("/*")));
    assert_true(contains(page_style.body, S("prefers-color-scheme: dark")));
}

static void test_policy(void **state) {
    (void)state;
    static const struct {
        const char *redirect_uri, *forms;
    } rows[] = {
        {"", "form-action 'self'"},
        {"https://app.example/cb", "form-action 'self' https://app.example"},
        {"https://app.example:8443/cb;x", "form-action 'self' https://app.example:8443"},
        {"http://127.0.0.1:5000/", "form-action 'self' http://127.0.0.1:5000"},
        {"http://[::1]:5000/", "form-action 'self' http://[::1]:5000"},
        {"com.example.app:/done", "form-action 'self' com.example.app:"},
        {"https://a.example;script-src * /", "form-action 'self'"},
        {"https://a.example;script-src/", "form-action 'self'"},
        {"https://a.example,x/", "form-action 'self'"},
        {"https://'none'/", "form-action 'self'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char memory[1024];
        struct buf out = buf_on(memory, sizeof(memory));
        page_policy_write(&out, str_of(rows[i].redirect_uri));
        str forms = behind(buf_str(&out), S("frame-ancestors 'none'; "), 0);
        if (!str_eq(forms, str_of(rows[i].forms))) fail_msg("row %zu: %.*s", i, STR_ARG(forms));
        assert_true(str_starts_with(buf_str(&out), S("default-src 'none'; style-src 'self';")));
        assert_false(contains(buf_str(&out), S("unsafe")) || contains(buf_str(&out), S("script-src")));
    }
}

int main(void) {
    if (!crypto_start()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contrast),     cmocka_unit_test(test_accents), cmocka_unit_test(test_colour_syntax),
        cmocka_unit_test(test_style_agrees), cmocka_unit_test(test_style),   cmocka_unit_test(test_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
