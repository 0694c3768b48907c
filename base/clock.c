/* SPDX-License-Identifier: Apache-2.0 */
/* clock: strict text forms over timegm and gmtime_r. */
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

static struct tm split(int64_t t_s)
{
    struct tm tm;
    time_t t = t_s;

    assert(t_s >= CLOCK_MIN && t_s <= CLOCK_MAX);
    gmtime_r(&t, &tm);
    return tm;
}

void clock_rfc3339(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    struct tm tm = split(t_s);

    snprintf(out, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void clock_http(int64_t t_s, char out[static CLOCK_TEXT_MAX])
{
    struct tm tm = split(t_s);

    snprintf(out, CLOCK_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[tm.tm_wday], tm.tm_mday,
             month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* By hand: a CRL has two times an entry, and snprintf would be most of its cost. */
static char *put_digits(char *at, int v, int count)
{
    for (int i = count; i-- > 0; v /= 10)
        at[i] = (char)('0' + v % 10);
    return at + count;
}

static void put_generalized(const struct tm *tm, char *at)
{
    at = put_digits(at, tm->tm_year + 1900, 4);
    at = put_digits(at, tm->tm_mon + 1, 2);
    at = put_digits(at, tm->tm_mday, 2);
    at = put_digits(at, tm->tm_hour, 2);
    at = put_digits(at, tm->tm_min, 2);
    at = put_digits(at, tm->tm_sec, 2);
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

/* The fields must survive the round trip through timegm: that is what makes 31 February an error. */
static bool join(int year, int month, int day, int hour, int minute, int second, int64_t *out_s)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    struct tm same = tm;
    time_t t = timegm(&tm);

    if (tm.tm_year != same.tm_year || tm.tm_mon != same.tm_mon || tm.tm_mday != same.tm_mday ||
        tm.tm_hour != same.tm_hour || tm.tm_min != same.tm_min || tm.tm_sec != same.tm_sec)
        return false;
    *out_s = t;
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

bool clock_parse_rfc3339(const char *text, int64_t *out_s)
{
    int d[14] = {0};

    if (picture(text, "9999-99-99", d))
        return from_digits(d, out_s);
    return picture(text, "9999-99-99T99:99:99Z", d) && from_digits(d, out_s);
}

bool clock_parse_generalized(const char *text, int64_t *out_s)
{
    int d[14];

    return picture(text, "99999999999999Z", d) && from_digits(d, out_s);
}

bool clock_parse_utctime(const char *text, int64_t *out_s)
{
    int d[14];

    if (!picture(text, "999999999999Z", d + 2))
        return false;
    d[0] = d[2] >= 5 ? 1 : 2; /* RFC 5280 4.1.2.5.1: 50..99 is 19xx */
    d[1] = d[2] >= 5 ? 9 : 0;
    return from_digits(d, out_s);
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
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const int64_t century = (int64_t)36525 * 86400;
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
