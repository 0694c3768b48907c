/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: times are int64_t Unix seconds UTC everywhere until they are encoded.
 * Deciding code takes `now_s` as a parameter; only a role's loop asks the clock.
 * Thread rule: any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_S INT64_C(86400)
#define CLOCK_TEXT_MAX 40        /* octets for any text form here, with the NUL */
#define CLOCK_MIN (-62167219200) /* 0000-01-01T00:00:00Z, the first GeneralizedTime */
#define CLOCK_MAX 253402300799   /* 9999-12-31T23:59:59Z, the last GeneralizedTime */
#define CLOCK_UTCTIME_END                                                                                    \
    INT64_C(2524608000) /* 2050-01-01T00:00:00Z: from here on GeneralizedTime, RFC 5280 4.1.2.5 */

int64_t clock_now_s(void);        /* wall clock */
int64_t clock_monotonic_ms(void); /* for deadlines */
int64_t clock_monotonic_us(void); /* for measuring */

/* Can the texts below say it? What comes from a file, a row or a wire is asked before it is believed: a text
 * of any other time is a mistake of ours. */
static inline bool clock_is_time(int64_t t_s)
{
    return t_s >= CLOCK_MIN && t_s <= CLOCK_MAX;
}

void clock_rfc3339(int64_t t_s, char out[static CLOCK_TEXT_MAX]); /* 2026-01-31T12:00:00Z */
void clock_http(int64_t t_s,
                char out[static CLOCK_TEXT_MAX]); /* Sat, 31 Jan 2026 12:00:00 GMT, RFC 9110 5.6.7 */
void clock_generalized(int64_t t_s, char out[static CLOCK_TEXT_MAX]); /* 20260131120000Z */
void clock_utctime(int64_t t_s, char out[static CLOCK_TEXT_MAX]); /* 260131120000Z; "" outside 1950..2049 */

/* Each refuses anything but its exact form and a real calendar time. RFC 3339 takes `Z` only; a
 * fraction of up to nine digits is dropped, a bare date means its midnight. */
[[nodiscard]] bool clock_parse_rfc3339(const char *text, int64_t *out_s);
[[nodiscard]] bool clock_parse_http(const char *text, int64_t *out_s);
/* The two forms of DER: `len` octets, no NUL. */
[[nodiscard]] bool clock_parse_generalized(const void *text, size_t len, int64_t *out_s);
[[nodiscard]] bool clock_parse_utctime(const void *text, size_t len, int64_t *out_s);
/* "90s", "15m", "24h", "30d" to seconds: a positive count and one unit, at most 100 years. */
[[nodiscard]] bool clock_parse_span(const char *text, int64_t *out_s);

#endif
