/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured ca, crl or ocsp could send the signer: its checks end with a verdict on any octets. */
#include <assert.h>

#include "base/clock.h"
#include "signer/inner.h"
#include "tests/fuzz/fuzz.h"

static void check_pieces(const struct purpose *p, struct span tbs)
{
    struct crl_check *check = crl_check_new(p, tbs.len, clock_now_s());
    struct fault f = {0};
    size_t half = tbs.len / 2;
    enum err e;

    crl_check_add(check, span_of(tbs.data, half));
    crl_check_add(check, span_of(tbs.data + half, tbs.len - half));
    e = crl_check_end(check, &f);
    assert((e == OK) == (f.detail[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
                                   0x55, 0x04, 0x03, 0x0c, 0x02, 'c',  'a'};
    static const uint8_t ski[SKI_LEN] = {0};
    struct purpose p = {.id = "ca",
                        .alg = SIG_ECDSA_SHA384,
                        .may_leaf = true,
                        .may_subordinate = true,
                        .name = span_of(name, sizeof name),
                        .ski = span_of(ski, sizeof ski),
                        .not_after_s = CLOCK_MAX,
                        .path_len = 1};
    struct span tbs = span_of(data, size);
    struct fault f = {0};

    (void)!check_certificate(&p, tbs, &f);
    check_pieces(&p, tbs);
    p.is_ocsp = true;
    (void)!check_ocsp(&p, tbs, 1800000000, &f);
    return 0;
}
