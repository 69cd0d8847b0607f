#include "platform/base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_S 86400

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in 400-year eras
 * that begin in March. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool text_time_of(int year, int month, int day, int hour, int minute, int second,
                  int64_t *out_unix_s)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    *out_unix_s = days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    return true;
}

const char *text_format_time(int64_t unix_s, char to[32])
{
    int64_t days = unix_s / DAY_S;
    int64_t rest = unix_s % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days -= 1;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t mp = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * mp + 2) / 5 + 1;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    char wide[128]; /* what the compiler believes a year can take */
    (void)snprintf(wide, sizeof(wide),
                   "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
                   ":%02" PRId64 "Z",
                   year, month, day, rest / 3600, rest / 60 % 60, rest % 60);
    return text_copy(to, 32, wide);
}

static bool take_digits(struct span *s, size_t n, int *out)
{
    int value = 0;
    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        value = value * 10 + (s->ptr[i] - '0');
    }
    *s = span_sub(*s, n, s->len);
    *out = value;
    return true;
}

static bool take_char(struct span *s, char upper, char lower)
{
    if (s->len == 0 || (s->ptr[0] != (uint8_t)upper && s->ptr[0] != (uint8_t)lower))
        return false;
    *s = span_sub(*s, 1, s->len);
    return true;
}

static bool take_zone(struct span *s, int *out_offset_s)
{
    if (take_char(s, 'Z', 'z')) {
        *out_offset_s = 0;
        return true;
    }
    int sign = take_char(s, '+', '+') ? 1 : take_char(s, '-', '-') ? -1 : 0;
    int hour, minute;
    if (sign == 0 || !take_digits(s, 2, &hour) || !take_char(s, ':', ':') ||
        !take_digits(s, 2, &minute))
        return false;
    *out_offset_s = sign * (hour * 3600 + minute * 60);
    return hour <= 23 && minute <= 59;
}

bool text_parse_time(struct span in, int64_t *out_unix_s)
{
    int year, month, day, hour, minute, second, ignored, offset_s;
    if (!take_digits(&in, 4, &year) || !take_char(&in, '-', '-') || !take_digits(&in, 2, &month) ||
        !take_char(&in, '-', '-') || !take_digits(&in, 2, &day) || !take_char(&in, 'T', 't') ||
        !take_digits(&in, 2, &hour) || !take_char(&in, ':', ':') || !take_digits(&in, 2, &minute) ||
        !take_char(&in, ':', ':') || !take_digits(&in, 2, &second))
        return false;
    if (take_char(&in, '.', '.')) {
        if (!take_digits(&in, 1, &ignored))
            return false;
        while (take_digits(&in, 1, &ignored)) {
        }
    }
    int64_t at;
    if (!take_zone(&in, &offset_s) || in.len != 0 ||
        !text_time_of(year, month, day, hour, minute, second, &at))
        return false;
    *out_unix_s = at - offset_s;
    return true;
}
