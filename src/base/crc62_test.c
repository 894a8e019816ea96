#include "crc62.h"

#include "rows_test.h"

static void test_vectors(void **state) {
    (void)state;
    static const struct {
        str in;
        uint32_t crc;
    } rows[] = {
        {S("123456789"), 0xCBF43926u}, /* the check value of CRC-32/ISO-HDLC */
        {S(""), 0},
        {S("a"), 0xE8B7BE43u},
        {S("abc"), 0x352441C2u},
        {S("message digest"), 0x20159D7Fu},
        {S("The quick brown fox jumps over the lazy dog"), 0x414FA339u},
    };
    for (size_t i = 0; i < COUNT(rows); i++) CHECK(i, crc32_ieee(rows[i].in) == rows[i].crc);
}

/* The definition, bit by bit. */
static uint32_t crc_slowly(const uint8_t *p, size_t n) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return crc ^ 0xFFFFFFFFu;
}

static void test_against_the_definition(void **state) {
    (void)state;
    uint8_t bytes[64];
    for (unsigned v = 0; v < 256; v++) /* each byte value through each of the eight tables */
        for (size_t place = 0; place < 16; place++) {
            memset(bytes, 0, sizeof bytes);
            bytes[place] = (uint8_t)v;
            CHECK(v, crc32_ieee((str){(char *)bytes, 16}) == crc_slowly(bytes, 16));
        }
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 89 + 7);
    for (size_t from = 0; from < 8; from++)
        for (size_t n = 0; n + from <= sizeof bytes; n++)
            CHECK(n, crc32_ieee((str){(char *)bytes + from, n}) == crc_slowly(bytes + from, n));
}

static void test_digits(void **state) {
    (void)state;
    static const struct {
        uint32_t crc;
        const char *text;
    } rows[] = {
        {0, "000000"},    {1, "000001"},    {9, "000009"},           {10, "00000A"},
        {35, "00000Z"},   {36, "00000a"},   {61, "00000z"},          {62, "000010"},
        {3843, "0000zz"}, {3844, "000100"}, {0xCBF43926u, "3jZRME"}, {0xFFFFFFFFu, "4gfFC3"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[7] = "######";
        crc62_write(rows[i].crc, out);
        assert_string_equal(out, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_against_the_definition),
        cmocka_unit_test(test_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
