#include "timetext.h"

#define DAY_S      86400
#define TIME_MIN_S (-62167219200) /* 0000-01-01T00:00:00Z */
#define TIME_MAX_S 253402300799   /* 9999-12-31T23:59:59Z: years have four digits in both formats */

struct civil {
    unsigned year, month, day, weekday, hour, minute, second; /* month 1..12, weekday 0 is Sunday */
};

/* The proleptic Gregorian calendar, computed from a year that begins in March, so that the leap day is the last one. */
static struct civil civil_of(int64_t time_s) {
    if (time_s < TIME_MIN_S) time_s = TIME_MIN_S;
    if (time_s > TIME_MAX_S) time_s = TIME_MAX_S;
    uint64_t since_march_0000 = (uint64_t)(time_s + 719468 * (int64_t)DAY_S + 146097 * (int64_t)DAY_S);
    unsigned second = (unsigned)(since_march_0000 % DAY_S);
    unsigned days = (unsigned)(since_march_0000 / DAY_S); /* one era of 400 years was added: never negative */
    unsigned era = days / 146097, day_of_era = days % 146097;
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    return (struct civil){
        .year = year_of_era + era * 400 + (month <= 2) - 400,
        .month = month,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
        .weekday = (days + 3) % 7, /* 1 March of year 0 was a Wednesday, and an era is whole weeks */
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
    };
}

static char *put_digits(char *at, unsigned v, int width) {
    for (int i = width; i-- > 0; v /= 10) at[i] = (char)('0' + v % 10);
    return at + width;
}

static char *put(char *at, str s) { return (char *)memcpy(at, s.p, s.n) + s.n; }

static char *put_clock(char *at, struct civil c) {
    at = put(put_digits(at, c.hour, 2), S(":"));
    at = put(put_digits(at, c.minute, 2), S(":"));
    return put_digits(at, c.second, 2);
}

void timetext_http(int64_t time_s, char out[TIMETEXT_HTTP_BYTES]) {
    static const char weekdays[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_of(time_s);
    char *at = put(out, (str){weekdays + 3 * c.weekday, 3});
    at = put_digits(put(at, S(", ")), c.day, 2);
    at = put(put(at, S(" ")), (str){months + 3 * (c.month - 1), 3});
    at = put_digits(put(at, S(" ")), c.year, 4);
    at = put_clock(put(at, S(" ")), c);
    put(at, (str){" GMT", 5});
}

void timetext_iso(int64_t time_ms, char out[TIMETEXT_ISO_BYTES]) {
    int64_t time_s = time_ms / 1000, rest_ms = time_ms % 1000;
    if (rest_ms < 0) { /* before 1970: seconds count down, milliseconds within them up */
        time_s--;
        rest_ms += 1000;
    }
    unsigned ms = (unsigned)rest_ms;
    if (time_s < TIME_MIN_S) ms = 0;
    if (time_s > TIME_MAX_S) ms = 999;
    struct civil c = civil_of(time_s);
    char *at = put_digits(out, c.year, 4);
    at = put_digits(put(at, S("-")), c.month, 2);
    at = put_digits(put(at, S("-")), c.day, 2);
    at = put_clock(put(at, S("T")), c);
    at = put_digits(put(at, S(".")), ms, 3);
    put(at, (str){"Z", 2});
}

static const struct {
    char letter;
    uint64_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};

bool timetext_duration_s(str s, int64_t max_s, int64_t *out_s) {
    uint64_t unit = 1, count;
    if (s.n == 0 || max_s < 0) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (s.p[s.n - 1] != units[i].letter) continue;
        unit = units[i].seconds;
        s.n--;
        break;
    }
    if (!str_to_u64(s, (uint64_t)max_s / unit, &count)) return false;
    *out_s = (int64_t)(count * unit);
    return true;
}
