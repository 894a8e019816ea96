#include "token_text.h"

#include "b64.h"
#include "crc62.h"
#include "rows_test.h"

static void test_known_text(void **state) {
    (void)state;
    static const struct { /* the checksums are zlib's */
        enum token_kind kind;
        str body;
        str text;
    } rows[] = {
        {TOKEN_ACCESS, S("hello"), S("gda_aGVsbG80aiWzu")},
        {TOKEN_REFRESH, S(""), S("gdr_0r2HFb")},
        {TOKEN_CODE, S("\xFB\xEF\xFF"), S("gdc_--__1Tsh3N")},
        {TOKEN_SECRET, S("\0"), S("gds_AA18l6pN")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TOKEN_TEXT_MAX];
        uint8_t body[TOKEN_BODY_MAX];
        size_t n = token_text_write(rows[i].kind, rows[i].body, text), body_n;
        CHECK(i, str_eq((str){text, n}, rows[i].text));
        CHECK(i, token_text_read(rows[i].kind, rows[i].text, body, &body_n));
        CHECK(i, str_eq((str){(char *)body, body_n}, rows[i].body));
    }
}

static void test_every_length(void **state) {
    (void)state;
    char bytes[TOKEN_BODY_MAX], text[TOKEN_TEXT_MAX + 1];
    uint8_t body[TOKEN_BODY_MAX];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 77 + 5);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t body_n;
        memset(text, '#', sizeof text);
        size_t text_n = token_text_write(TOKEN_ACCESS, (str){bytes, n}, text);
        CHECK(n, text_n <= TOKEN_TEXT_MAX && text[text_n] == '#' && str_is_all((str){text, text_n}, 'U'));
        CHECK(n, token_text_read(TOKEN_ACCESS, (str){text, text_n}, body, &body_n));
        CHECK(n, str_eq((str){(char *)body, body_n}, (str){bytes, n}));
    }
}

static void test_kinds_do_not_mix(void **state) {
    (void)state;
    for (int made = 0; made < TOKEN_KINDS; made++) {
        char text[TOKEN_TEXT_MAX];
        uint8_t body[TOKEN_BODY_MAX];
        str whole = {text, token_text_write((enum token_kind)made, S("body"), text)};
        size_t n;
        enum token_kind kind;
        CHECK(made, token_text_kind(whole, &kind) && kind == (enum token_kind)made);
        CHECK(made, str_starts_with(whole, token_prefix((enum token_kind)made)));
        for (int asked = 0; asked < TOKEN_KINDS; asked++)
            CHECK(made, token_text_read((enum token_kind)asked, whole, body, &n) == (made == asked));
    }
}

static void test_foreign_texts_have_no_kind(void **state) {
    (void)state;
    static const str rows[] = {S(""),         S("gda"),     S("gdx_abc"),   S("GDA_abc"),
                               S(" gda_abc"), S("gda-abc"), S("eyJhbGciOi")};
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum token_kind kind = TOKEN_KINDS;
        CHECK(i, !token_text_kind(rows[i], &kind) && kind == TOKEN_KINDS);
    }
    enum token_kind kind;
    assert_true(token_text_kind(S("gds_"), &kind)); /* by prefix alone */
    assert_int_equal(kind, TOKEN_SECRET);
}

/* Every change of one character, to any byte, at every place, is seen; so is every character lost, doubled or swapped. */
static void test_every_typing_error(void **state) {
    (void)state;
    char text[TOKEN_TEXT_MAX], wrong[TOKEN_TEXT_MAX + 1];
    uint8_t body[TOKEN_BODY_MAX];
    size_t n = token_text_write(TOKEN_REFRESH, S("\x07 a body of 45 bytes, like a refresh token's."), text), body_n;
    for (size_t at = 0; at < n; at++) {
        memcpy(wrong, text, n);
        for (unsigned c = 0; c < 256; c++) {
            wrong[at] = (char)c;
            CHECK(at, token_text_read(TOKEN_REFRESH, (str){wrong, n}, body, &body_n) == (wrong[at] == text[at]));
        }
        memcpy(wrong, text, n);
        memmove(wrong + at, text + at + 1, n - at - 1);
        CHECK(at, !token_text_read(TOKEN_REFRESH, (str){wrong, n - 1}, body, &body_n));
        memcpy(wrong, text, n);
        memmove(wrong + at + 1, text + at, n - at);
        CHECK(at, !token_text_read(TOKEN_REFRESH, (str){wrong, n + 1}, body, &body_n));
        if (at + 1 == n || text[at] == text[at + 1]) continue;
        memcpy(wrong, text, n);
        wrong[at] = text[at + 1], wrong[at + 1] = text[at];
        CHECK(at, !token_text_read(TOKEN_REFRESH, (str){wrong, n}, body, &body_n));
    }
    for (size_t length = 0; length < n; length++)
        CHECK(length, !token_text_read(TOKEN_REFRESH, (str){text, length}, body, &body_n));
}

/* A right checksum does not make a token of what is no base64url, or of what is too long. */
static void test_refused_in_spite_of_the_checksum(void **state) {
    (void)state;
    char text[TOKEN_TEXT_MAX + 8];
    uint8_t body[TOKEN_BODY_MAX];
    static const str bodies[] = {S("Zg=="),  S("Z"),    S("Zh"),       S("Zm9v!"),
                                 S("Zm 9v"), S("Zm9+"), S("\xC3\xA4"), S("A\0AA")};
    size_t n;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        memcpy(text, "gda_", 4);
        memcpy(text + 4, bodies[i].p, bodies[i].n);
        crc62_write(crc32_ieee((str){text, 4 + bodies[i].n}), text + 4 + bodies[i].n);
        CHECK(i, !token_text_read(TOKEN_ACCESS, (str){text, 4 + bodies[i].n + 6}, body, &n));
    }
    memset(text, 'A', sizeof text);
    memcpy(text, "gda_", 4);
    for (size_t checked = TOKEN_TEXT_MAX - 6; checked <= TOKEN_TEXT_MAX - 2; checked += 2) { /* 502 digits and 504 */
        crc62_write(crc32_ieee((str){text, checked}), text + checked);
        CHECK(checked,
              token_text_read(TOKEN_ACCESS, (str){text, checked + 6}, body, &n) == (checked + 6 <= TOKEN_TEXT_MAX));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_text),         cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_kinds_do_not_mix),   cmocka_unit_test(test_foreign_texts_have_no_kind),
        cmocka_unit_test(test_every_typing_error), cmocka_unit_test(test_refused_in_spite_of_the_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
