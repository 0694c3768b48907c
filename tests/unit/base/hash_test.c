/* SPDX-License-Identifier: Apache-2.0 */
/* Are digests those of their algorithm, for the first threads that ask too? */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define THREADS 8

static const uint8_t sha256_abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                       0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                       0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

Test(hash, pieces_and_a_whole_are_the_same)
{
    uint8_t whole[32], pieces[32];
    struct hash *h = hash_begin(HASH_SHA256);

    sha256_of(span_str("abc"), whole);
    hash_add(h, span_str("a"));
    hash_add(h, span_str("bc"));
    hash_end(h, pieces);
    cr_assert_arr_eq(whole, sha256_abc, sizeof whole);
    cr_assert_arr_eq(pieces, sha256_abc, sizeof pieces);
}

struct asker {
    pthread_t thread;
    pthread_barrier_t *start;
    uint8_t out[HASH_SHA512 + 1][HASH_LEN_MAX];
};

static void *ask(void *arg)
{
    struct asker *a = arg;

    pthread_barrier_wait(a->start);
    for (enum hash_alg alg = HASH_SHA1; alg <= HASH_SHA512; alg++) {
        struct hash *h = hash_begin(alg);

        hash_add(h, span_str("abc"));
        hash_end(h, a->out[alg]);
    }
    return NULL;
}

/* Each test is a process of its own: no digest has been fetched yet when they begin. */
Test(hash, threads_may_be_the_first_to_ask)
{
    static struct asker askers[THREADS];
    pthread_barrier_t start;
    uint8_t want[HASH_LEN_MAX];

    pthread_barrier_init(&start, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i].start = &start;
        cr_assert_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(askers[i].thread, NULL);
    for (enum hash_alg alg = HASH_SHA1; alg <= HASH_SHA512; alg++) {
        hash_of(alg, span_str("abc"), want);
        for (size_t i = 0; i < THREADS; i++)
            cr_assert_arr_eq(askers[i].out[alg], want, hash_len(alg));
    }
    cr_assert_arr_eq(askers[0].out[HASH_SHA256], sha256_abc, sizeof sha256_abc);
}
