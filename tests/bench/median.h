/* SPDX-License-Identifier: Apache-2.0 */
/* median: what is printed of samples that were taken in several rounds. */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stddef.h>

/* Both sort the samples, of which there is at least one. */
double median(double *samples, size_t n); /* of an even count the mean of the two in the middle */
double percentile(double *samples, size_t n, unsigned percent); /* 0 to 99 */

#endif
