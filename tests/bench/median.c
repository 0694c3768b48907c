/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/median.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, by_size);
    return n % 2 == 1 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
}

double percentile(double *samples, size_t n, unsigned percent)
{
    qsort(samples, n, sizeof *samples, by_size);
    return samples[n * percent / 100];
}
