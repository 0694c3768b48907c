/* SPDX-License-Identifier: Apache-2.0 */
/* hall: what stands around a courier, for tests: an issuer, public/crl, one target, which is a local
 * directory until a test says otherwise, and its state. Failures of its own end the test. */
#ifndef TESTS_WATCH_HALL_H
#define TESTS_WATCH_HALL_H

#include "tests/unit/watch/press.h"
#include "tests/unit/watch/stand.h"
#include "watch/courier.h"

struct hall {
    struct press press;
    char public_dir[PATH_LEN_MAX], target_dir[PATH_LEN_MAX], state_dir[PATH_LEN_MAX];
    struct watch_config config;
    struct board *board;
    struct bell *bell;
    struct trust *trust;
    struct shelf *shelf;
    struct courier courier;
    struct stand *stand; /* NULL: none */
};

/* Opens with a courier; the test may change `config` between hall_end() and hall_begin(): a restart. */
void hall_open(struct hall *h);
/* The target is a stand over target_dir, of that type; published are a.crl and ca.crl, number 5 of each. No
 * courier is there before hall_begin(). */
void hall_open_stand(struct hall *h, enum target_type type);
void hall_close(struct hall *h);
void hall_begin(struct hall *h);
void hall_end(struct hall *h);

void hall_put(const char *dir, const char *name, struct span octets);
/* A list of that number, signed anew. */
void hall_list(struct hall *h, const char *dir, const char *name, uint64_t number);
void hall_long_list(struct hall *h, const char *dir, const char *name, uint64_t number, size_t entries);
void hall_copy(const char *from, const char *to, const char *name);
/* A list of that number as ca.crl, and a look at the shelf. */
void hall_publish(struct hall *h, const char *dir, uint64_t number);
/* The number of the list in a directory; 0: none, or no whole one. */
uint64_t hall_number_in(const char *dir);
/* What the alarm says; "": none stands. Until the next call. */
const char *hall_alarm(struct hall *h, const char *code);
void hall_expect_alarm(struct hall *h, const char *code, const char *words); /* it says these among others */
bool hall_is_critical(struct hall *h, const char *code);                     /* it stands, and is */
/* A turn, as if the pause were over. */
void hall_deliver(struct hall *h);
/* A turn, as if it were time to read back. */
void hall_check(struct hall *h);

#endif
