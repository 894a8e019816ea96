#include "b64.h"

#include "rows_test.h"

/* RFC 4648 s10, and bytes that tell the two alphabets apart. */
static const struct {
    str bytes, padded, url;
} vectors[] = {
    {S(""), S(""), S("")},
    {S("f"), S("Zg=="), S("Zg")},
    {S("fo"), S("Zm8="), S("Zm8")},
    {S("foo"), S("Zm9v"), S("Zm9v")},
    {S("foob"), S("Zm9vYg=="), S("Zm9vYg")},
    {S("fooba"), S("Zm9vYmE="), S("Zm9vYmE")},
    {S("foobar"), S("Zm9vYmFy"), S("Zm9vYmFy")},
    {S("\xFB\xEF\xFF"), S("++//"), S("--__")},
};

static void test_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t n;
        const uint8_t *in = (const uint8_t *)vectors[i].bytes.p;
        b64_encode(in, vectors[i].bytes.n, text);
        CHECK(i, str_eq((str){text, b64_length(vectors[i].bytes.n)}, vectors[i].padded));
        b64url_encode(in, vectors[i].bytes.n, text);
        CHECK(i, str_eq((str){text, b64url_length(vectors[i].bytes.n)}, vectors[i].url));
        CHECK(i, b64_decode(vectors[i].padded, bytes, &n) && str_eq((str){(char *)bytes, n}, vectors[i].bytes));
        CHECK(i, b64url_decode(vectors[i].url, bytes, &n) && str_eq((str){(char *)bytes, n}, vectors[i].bytes));
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        str text;
        bool url, padded;
    } rows[] = {
        {S("Zg"), true, false},        {S("Zg=="), false, true},     {S("Zg="), false, false},
        {S("Zg==="), false, false},    {S("Z"), false, false},       {S("Zm9vY"), false, false},
        {S("===="), false, false},     {S("="), false, false},       {S("Z==="), false, false},
        {S("Zh"), false, false},       {S("Zh=="), false, false},    {S("Zm9"), false, false},
        {S("Zm9="), false, false},     {S("Zm8"), true, false},      {S("Zm8="), false, true},
        {S("Zg==Zg=="), false, false}, {S("Zm 9v"), false, false},   {S("Zm9v\n"), false, false},
        {S("Zm9\0"), false, false},    {S("Zm9\xFF"), false, false}, {S("++//"), false, true},
        {S("--__"), true, false},      {S("+-/_"), false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t out[16];
        size_t n;
        CHECK(i, b64url_decode(rows[i].text, out, &n) == rows[i].url);
        CHECK(i, b64_decode(rows[i].text, out, &n) == rows[i].padded);
    }
}

/* Exactly one text for each byte string: of all texts of two and three characters just 256 and 65536 are good. */
static void test_one_text_per_value(void **state) {
    (void)state;
    size_t good[4] = {0};
    for (unsigned v = 0; v < 0x1000000; v += v < 0x10000 ? 1 : 61) {
        char text[3] = {(char)v, (char)(v >> 8), (char)(v >> 16)}, again[4];
        uint8_t out[2];
        size_t length = v < 0x10000 ? 2 : 3, n;
        if (!b64url_decode((str){text, length}, out, &n)) continue;
        good[length]++;
        b64url_encode(out, n, again);
        CHECK(v, b64url_length(n) == length && memcmp(text, again, length) == 0);
    }
    assert_int_equal(good[2], 256);
    assert_true(good[3] > 500);
}

static void test_every_character_and_place(void **state) {
    (void)state;
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t place = 0; place < 8; place++)
        for (unsigned c = 0; c < 256; c++) {
            char text[8] = {'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'};
            text[place] = (char)c;
            uint8_t out[6];
            size_t n;
            CHECK(c, b64url_decode((str){text, 8}, out, &n) == (c && memchr(digits, (int)c, 64) != NULL));
        }
}

static void test_round_trips(void **state) {
    (void)state;
    uint8_t bytes[100], back[100];
    char text[137];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 151 + 3);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t got;
        text[b64url_length(n)] = '#';
        b64url_encode(bytes, n, text);
        CHECK(n, text[b64url_length(n)] == '#');
        CHECK(n, b64url_decode((str){text, b64url_length(n)}, back, &got) && got == n && memcmp(back, bytes, n) == 0);
        text[b64_length(n)] = '#';
        b64_encode(bytes, n, text);
        CHECK(n, text[b64_length(n)] == '#');
        CHECK(n, b64_decode((str){text, b64_length(n)}, back, &got) && got == n && memcmp(back, bytes, n) == 0);
    }
}

static void test_hex(void **state) {
    (void)state;
    uint8_t out[3];
    char text[6];
    hex_encode((const uint8_t *)"\x00\xAB\xFF", 3, text);
    assert_memory_equal(text, "00abff", 6);
    assert_true(hex_decode(S("00AbfF"), out, 3));
    assert_memory_equal(out, "\x00\xAB\xFF", 3);
    assert_false(hex_decode(S("00abf"), out, 3));
    assert_false(hex_decode(S("00abff0"), out, 3));
    for (unsigned c = 0; c < 256; c++) {
        char pair[2] = {'0', (char)c};
        bool digit = c && memchr("0123456789abcdefABCDEF", (int)c, 22);
        CHECK(c, hex_decode((str){pair, 2}, out, 1) == digit);
        pair[0] = (char)c, pair[1] = '0';
        CHECK(c, hex_decode((str){pair, 2}, out, 1) == digit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_text_per_value),
        cmocka_unit_test(test_every_character_and_place),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
