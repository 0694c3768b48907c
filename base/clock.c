/* SPDX-License-Identifier: Apache-2.0 */
/* clock: strict text forms. */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char day_names[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char month_names[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t clock_now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

int64_t clock_monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* By arithmetic: a CRL has two times an entry, written by one process and read by another, and the library's
 * gmtime_r and timegm, which look after time zones and leap seconds, would be most of its cost. Years are
 * counted from March here, so that a leap day is the last of its year. */
#define CYCLE_DAYS 146097 /* of 400 years */
#define MARCH_0000 719468 /* days from 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void split_date(int64_t days, struct tm *tm)
{
    unsigned day = (unsigned)(days + MARCH_0000 + CYCLE_DAYS); /* one cycle more: never negative */
    unsigned cycle = day / CYCLE_DAYS, of_cycle = day % CYCLE_DAYS;
    unsigned year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    unsigned of_year = of_cycle - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */

    tm->tm_mday = (int)(of_year - (153 * month + 2) / 5 + 1);
    tm->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
    tm->tm_year = (int)(400 * cycle + year + (month >= 10)) - 400 - 1900;
}

static struct tm split(int64_t t_s)
{
    int64_t days = floor_div(t_s, DAY_S);
    unsigned of_day = (unsigned)(t_s - days * DAY_S);
    struct tm tm = {.tm_hour = (int)(of_day / 3600),
                    .tm_min = (int)(of_day / 60 % 60),
                    .tm_sec = (int)(of_day % 60),
                    .tm_wday = (int)(((days + 4) % 7 + 7) % 7)}; /* 1970-01-01 was a Thursday */

    assert(clock_is_time(t_s));
    split_date(days, &tm);
    return tm;
}

void clock_rfc3339(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    struct tm tm = split(t_s);

    snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static char *put_pair(char *at, int v)
{
    at[0] = (char)('0' + v / 10);
    at[1] = (char)('0' + v % 10);
    return at + 2;
}

void clock_http(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    struct tm tm = split(t_s);
    char *at = stpcpy(stpcpy(out, day_names[tm.tm_wday]), ", ");

    at = stpcpy(put_pair(at, tm.tm_mday), " ");
    at = stpcpy(stpcpy(at, month_names[tm.tm_mon]), " ");
    at = put_pair(at, (tm.tm_year + 1900) / 100);
    at = stpcpy(put_pair(at, (tm.tm_year + 1900) % 100), " ");
    at = stpcpy(put_pair(at, tm.tm_hour), ":");
    at = stpcpy(put_pair(at, tm.tm_min), ":");
    stpcpy(put_pair(at, tm.tm_sec), " GMT");
}

static void put_generalized(const struct tm *tm, char *at)
{
    at = put_pair(at, (tm->tm_year + 1900) / 100);
    at = put_pair(at, (tm->tm_year + 1900) % 100);
    at = put_pair(at, tm->tm_mon + 1);
    at = put_pair(at, tm->tm_mday);
    at = put_pair(at, tm->tm_hour);
    at = put_pair(at, tm->tm_min);
    at = put_pair(at, tm->tm_sec);
    strcpy(at, "Z");
}

void clock_generalized(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    struct tm tm = split(t_s);

    put_generalized(&tm, out);
}

void clock_utctime(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    char text[CLOCK_TEXT_MAX];
    struct tm tm = split(t_s);

    out[0] = '\0';
    if (tm.tm_year < 50 || tm.tm_year > 149)
        return;
    put_generalized(&tm, text);
    strcpy(out, text + 2);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* 31 February is an error, and so is second 60. */
static bool join(int year, int month, int day, int hour, int minute, int second, int64_t *out_s)
{
    int from_march = month > 2 ? month - 3 : month + 9, y = year - (month <= 2) + 400, of_year;
    int64_t days;

    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    of_year = (153 * from_march + 2) / 5 + day - 1;
    days = (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + of_year - CYCLE_DAYS - MARCH_0000;
    *out_s = days * DAY_S + hour * 3600 + minute * 60 + second;
    return true;
}

/* Matches `text` against a picture in which each 9 is a digit; gives the digits' values in order. */
static bool picture(const char *text, const char *pic, int *digits)
{
    for (; *pic != '\0'; pic++, text++) {
        if (*pic == '9') {
            if (*text < '0' || *text > '9')
                return false;
            *digits++ = *text - '0';
        } else if (*text != *pic) {
            return false;
        }
    }
    return *text == '\0';
}

static bool from_digits(const int *d, int64_t *out_s)
{
    return join(d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3], d[4] * 10 + d[5], d[6] * 10 + d[7],
                d[8] * 10 + d[9], d[10] * 10 + d[11], d[12] * 10 + d[13], out_s);
}

/* "2026-01-31T12:00:00.000Z", as JavaScript writes times, without the fraction; a text that has none, or one
 * of no digit or more than nine, as it is. */
static void drop_fraction(const char *text, char out[static CLOCK_TEXT_MAX])
{
    size_t whole = strlen("9999-99-99T99:99:99"), len = strnlen(text, CLOCK_TEXT_MAX), digits = 0;

    snprintf(out, CLOCK_TEXT_MAX, "%s", text);
    if (len < whole + 3 || len == CLOCK_TEXT_MAX || text[whole] != '.')
        return;
    digits = strspn(text + whole + 1, "0123456789");
    if (digits >= 1 && digits <= 9 && strcmp(text + whole + 1 + digits, "Z") == 0)
        strcpy(out + whole, "Z");
}

bool clock_parse_rfc3339(const char *text, int64_t *out_s)
{
    char plain[CLOCK_TEXT_MAX];
    int d[14] = {0};

    if (picture(text, "9999-99-99", d))
        return from_digits(d, out_s);
    drop_fraction(text, plain);
    return picture(plain, "9999-99-99T99:99:99Z", d) && from_digits(d, out_s);
}

#define PAIRS_MAX 7 /* century, year, month, day, hour, minute, second */

/* Pairs of digits and a Z. */
static bool read_pairs(const uint8_t *text, size_t n, int *pairs)
{
    for (size_t i = 0; i < n; i++, text += 2) {
        unsigned tens = text[0] - (unsigned)'0', ones = text[1] - (unsigned)'0';

        if (tens > 9 || ones > 9)
            return false;
        pairs[i] = (int)(10 * tens + ones);
    }
    return *text == 'Z';
}

bool clock_parse_generalized(const void *text, size_t len, int64_t *out_s)
{
    int p[PAIRS_MAX];

    return len == 2 * PAIRS_MAX + 1 && read_pairs(text, PAIRS_MAX, p) &&
           join(100 * p[0] + p[1], p[2], p[3], p[4], p[5], p[6], out_s);
}

/* RFC 5280 4.1.2.5.1: 50..99 is 19xx */
bool clock_parse_utctime(const void *text, size_t len, int64_t *out_s)
{
    int p[PAIRS_MAX - 1];

    return len == 2 * (PAIRS_MAX - 1) + 1 && read_pairs(text, PAIRS_MAX - 1, p) &&
           join((p[0] >= 50 ? 1900 : 2000) + p[0], p[1], p[2], p[3], p[4], p[5], out_s);
}

bool clock_parse_http(const char *text, int64_t *out_s)
{
    char again[CLOCK_TEXT_MAX], month[4];
    int day, year, hour, minute, second;

    if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &day, month, &year, &hour, &minute, &second) != 6)
        return false;
    for (int m = 0; m < 12; m++) {
        if (strcmp(month, month_names[m]) != 0 || !join(year, m + 1, day, hour, minute, second, out_s))
            continue;
        clock_http(*out_s, again);
        return strcmp(again, text) == 0;
    }
    return false;
}

bool clock_parse_span(const char *text, int64_t *out_s)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
    const int64_t century = 36525 * DAY_S;
    char *end;
    long long n;

    if (*text < '0' || *text > '9')
        return false;
    n = strtoll(text, &end, 10);
    if (n <= 0 || n > century || end[0] == '\0' || end[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].unit == *end && n <= century / units[i].seconds) {
            *out_s = n * units[i].seconds;
            return true;
        }
    }
    return false;
}
