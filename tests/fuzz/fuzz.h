/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz: what every fuzzer is. libFuzzer calls it with one input after another. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
