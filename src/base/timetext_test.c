#include "timetext.h"

#include "rows_test.h"

static void test_http(void **state) {
    (void)state;
    static const struct {
        int64_t time_s;
        const char *text;
    } rows[] = {
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 s5.6.7 */
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},          {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},  {1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
        {1709251200, "Fri, 01 Mar 2024 00:00:00 GMT"}, {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
        {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"}, /* not a leap year */
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},  {-62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[TIMETEXT_HTTP_BYTES];
        timetext_http(rows[i].time_s, out);
        assert_string_equal(out, rows[i].text);
    }
}

static void test_iso(void **state) {
    (void)state;
    static const struct {
        int64_t time_ms;
        const char *text;
    } rows[] = {
        {784111777123, "1994-11-06T08:49:37.123Z"},
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {1582934400007, "2020-02-29T00:00:00.007Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[TIMETEXT_ISO_BYTES];
        timetext_iso(rows[i].time_ms, out);
        assert_string_equal(out, rows[i].text);
    }
}

static unsigned days_of_month(unsigned year, unsigned month) {
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Counts on from 1 January 1600, a Saturday, day by day through a whole cycle of the calendar. */
static void test_every_day_of_400_years(void **state) {
    (void)state;
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    unsigned weekday = 6;
    int64_t time_s = -11676096000;
    for (unsigned year = 1600; year < 2001; year++)
        for (unsigned month = 1; month <= 12; month++)
            for (unsigned day = 1; day <= days_of_month(year, month); day++) {
                char iso[TIMETEXT_ISO_BYTES], http[TIMETEXT_HTTP_BYTES];
                timetext_iso(time_s * 1000, iso);
                timetext_http(time_s, http);
                uint64_t y, m, d;
                CHECK(time_s, str_to_u64((str){iso, 4}, 9999, &y) && y == year);
                CHECK(time_s, str_to_u64((str){iso + 5, 2}, 99, &m) && m == month);
                CHECK(time_s, str_to_u64((str){iso + 8, 2}, 99, &d) && d == day);
                CHECK(time_s, memcmp(http, weekdays + 3 * weekday, 3) == 0 && memcmp(http + 5, iso + 8, 2) == 0);
                weekday = (weekday + 1) % 7;
                time_s += 86400;
            }
}

static void test_durations(void **state) {
    (void)state;
    static const struct {
        str in;
        int64_t max_s;
        bool ok;
        int64_t out_s;
    } rows[] = {
        {S("90"), 100, true, 90},
        {S("90s"), 100, true, 90},
        {S("15m"), 900, true, 900},
        {S("15m"), 899, false, 0},
        {S("24h"), 86400, true, 86400},
        {S("30d"), INT64_MAX, true, 2592000},
        {S("0"), 0, true, 0},
        {S("0d"), 0, true, 0},
        {S("1"), 0, false, 0},
        {S("1"), -1, false, 0},
        {S("9223372036854775807"), INT64_MAX, true, INT64_MAX},
        {S("9223372036854775808"), INT64_MAX, false, 0},
        {S("106751991167300d"), INT64_MAX, true, 106751991167300 * 86400},
        {S("106751991167301d"), INT64_MAX, false, 0},
        {S(""), 9, false, 0},
        {S("s"), 9, false, 0},
        {S("-1"), 9, false, 0},
        {S("1 s"), 9, false, 0},
        {S("1.5h"), 9999, false, 0},
        {S("1w"), INT64_MAX, false, 0},
        {S("1S"), 9, false, 0},
        {S("1ms"), 9, false, 0},
        {S("1h30m"), INT64_MAX, false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t out_s = 4711;
        CHECK(i, timetext_duration_s(rows[i].in, rows[i].max_s, &out_s) == rows[i].ok);
        CHECK(i, out_s == (rows[i].ok ? rows[i].out_s : 4711));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_every_day_of_400_years),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
