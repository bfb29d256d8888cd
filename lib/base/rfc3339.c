/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/rfc3339.h"

#include <assert.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, SECONDS_PER_MINUTE = 60, SECONDS_PER_DAY = 24 * 60 * 60 };

static const int64_t wall_ms_max = 253402300799999; /* 9999-12-31T23:59:59.999Z */

/* What is left of the text being parsed. Each reader takes its part from the front, or nothing and
 * says false. */
struct date_rest {
    const char *text;
    size_t length;
};

static bool take_char(struct date_rest *rest, char low, char high, char *out)
{
    if (rest->length == 0 || rest->text[0] < low || rest->text[0] > high)
        return false;
    if (out != NULL)
        *out = rest->text[0];
    rest->text++;
    rest->length--;
    return true;
}

static bool take_number(struct date_rest *rest, size_t digits, int low, int high, int *out)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        char digit = '0';
        if (!take_char(rest, '0', '9', &digit))
            return false;
        number = number * 10 + (digit - '0');
    }
    *out = number;
    return number >= low && number <= high;
}

/* The letters of the grammar are case-insensitive, as in all ABNF. */
static bool take_letter(struct date_rest *rest, char letter)
{
    char lower = (char)(letter - 'A' + 'a');
    return take_char(rest, letter, letter, NULL) || take_char(rest, lower, lower, NULL);
}

static bool take_separator(struct date_rest *rest, char separator)
{
    return take_char(rest, separator, separator, NULL);
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool take_date(struct date_rest *rest, struct tm *moment)
{
    static const int days_of_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(rest, 4, 0, 9999, &year) || !take_separator(rest, '-') ||
        !take_number(rest, 2, 1, 12, &month) || !take_separator(rest, '-') ||
        !take_number(rest, 2, 1, 31, &day))
        return false;
    *moment = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return day <= days_of_month[month - 1] || (month == 2 && day == 29 && is_leap_year(year));
}

/* An optional "." and at least one digit; only milliseconds are kept. */
static bool take_fraction(struct date_rest *rest, int *out_ms)
{
    *out_ms = 0;
    if (!take_separator(rest, '.'))
        return true;
    char digit = '0';
    if (!take_char(rest, '0', '9', &digit))
        return false;
    int unit = 100;
    do {
        *out_ms += (digit - '0') * unit;
        unit /= 10;
    } while (take_char(rest, '0', '9', &digit));
    return true;
}

/* Without seconds there is no fraction of them. */
static bool take_time(struct date_rest *rest, struct tm *moment, int *out_ms)
{
    *out_ms = 0;
    if (!take_number(rest, 2, 0, 23, &moment->tm_hour) || !take_separator(rest, ':') ||
        !take_number(rest, 2, 0, 59, &moment->tm_min))
        return false;
    return !take_separator(rest, ':') ||
           (take_number(rest, 2, 0, 60, &moment->tm_sec) && take_fraction(rest, out_ms));
}

static bool take_offset(struct date_rest *rest, int *out_seconds)
{
    *out_seconds = 0;
    if (take_letter(rest, 'Z'))
        return true;
    bool is_behind = take_separator(rest, '-');
    if (!is_behind && !take_separator(rest, '+'))
        return false;
    int hours, minutes;
    if (!take_number(rest, 2, 0, 23, &hours) || !take_separator(rest, ':') ||
        !take_number(rest, 2, 0, 59, &minutes))
        return false;
    *out_seconds = (hours * 60 + minutes) * SECONDS_PER_MINUTE * (is_behind ? -1 : 1);
    return true;
}

/* Leap seconds come after 23:59:59 UTC only; elsewhere :60 is a mistake. They have no number of
 * their own since 1970, so the last moment before stands for them. */
static bool replace_leap_second(int64_t *seconds, int *ms)
{
    if (*seconds % SECONDS_PER_DAY != 0)
        return false;
    *seconds -= 1;
    *ms = MS_PER_SECOND - 1;
    return true;
}

bool rfc3339_parse(const char *text, size_t length, int64_t *out_ms)
{
    struct date_rest rest = {text, length};
    struct tm moment;
    int ms, offset_seconds;
    if (!take_date(&rest, &moment) || !take_letter(&rest, 'T') || !take_time(&rest, &moment, &ms) ||
        !take_offset(&rest, &offset_seconds) || rest.length > 0)
        return false;

    bool is_leap_second = moment.tm_sec == 60;
    int64_t seconds = (int64_t)timegm(&moment) - offset_seconds;
    if (is_leap_second && !replace_leap_second(&seconds, &ms))
        return false;
    int64_t wall_ms = seconds * MS_PER_SECOND + ms;
    if (wall_ms < 0 || wall_ms > wall_ms_max)
        return false;
    *out_ms = wall_ms;
    return true;
}

/* As many digits as given, and what follows them. */
static char *put(char *at, int number, int digits, char end)
{
    for (int i = digits - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
    assert(number == 0); /* all of it was written */
    at[digits] = end;
    return at + digits + 1;
}

void rfc3339_format(int64_t wall_ms, char text[RFC3339_BYTES])
{
    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > wall_ms_max)
        wall_ms = wall_ms_max;
    time_t seconds = (time_t)(wall_ms / MS_PER_SECOND);
    struct tm moment;
    (void)gmtime_r(&seconds, &moment);
    text = put(text, moment.tm_year + 1900, 4, '-');
    text = put(text, moment.tm_mon + 1, 2, '-');
    text = put(text, moment.tm_mday, 2, 'T');
    text = put(text, moment.tm_hour, 2, ':');
    text = put(text, moment.tm_min, 2, ':');
    text = put(text, moment.tm_sec, 2, '.');
    text = put(text, (int)(wall_ms % MS_PER_SECOND), 3, 'Z');
    *text = '\0';
}
