/* SPDX-License-Identifier: Apache-2.0 */
/* Does the running role answer everything on the right port, stay in step whatever is sent, and end when it
 * should? */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/seal.h"
#include "forge.h"

static struct forge f;
static int certificate[2], crl[2], ocsp[2];
static pid_t role;

static void role_start(unsigned workers)
{
    struct signer_spec spec = forge_spec(&f), ocsp_spec = {.id = "ca", .uri = f.uri, .is_ocsp = true};
    struct signer_spec audit_spec = {.id = SEAL_KEY_ID, .uri = f.uri, .is_audit = true};
    struct signer_key *keys[3] = {forge_key(&f, spec), forge_key(&f, ocsp_spec), forge_key(&f, audit_spec)};

    cr_assert(wire_pair(certificate) == OK && wire_pair(crl) == OK && wire_pair(ocsp) == OK);
    role = fork();
    if (role == 0) {
        struct signer_role r = {.keys = keys,
                                .key_count = 3,
                                .certificate_fd = certificate[1],
                                .crl_fd = crl[1],
                                .ocsp_fd = ocsp[1],
                                .workers = workers};

        close(certificate[0]);
        close(crl[0]);
        close(ocsp[0]);
        _exit(signer_run(&r) == OK ? 0 : 3);
    }
    close(certificate[1]);
    close(crl[1]);
    close(ocsp[1]);
    signer_key_free(keys[0]);
    signer_key_free(keys[1]);
    signer_key_free(keys[2]);
}

static void setup(void)
{
    forge_open(&f, "ec-256", -1);
    role_start(3);
}

static int role_wait(void)
{
    int status = -1;

    waitpid(role, &status, 0);
    role = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void teardown(void)
{
    if (role != 0) {
        kill(role, SIGKILL);
        waitpid(role, NULL, 0);
    }
    forge_close(&f);
}

TestSuite(role, .init = setup, .fini = teardown, .timeout = 300);

static void verify(struct span tbs, const struct port_answer *a)
{
    forge_verify(&f, tbs, span_of(a->signature, a->signature_len));
}

/* As the role's clock wants it: of now. */
static struct span list_of(unsigned count)
{
    X509_CRL *crl = forge_crl(&f, count);

    forge_crl_times(crl, time(NULL), time(NULL) + FORGE_DAY);
    return forge_crl_tbs(&f, crl);
}

static struct port_answer take(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct port_answer a;

    cr_assert_eq(poll(&p, 1, 20000), 1);
    cr_assert_eq(port_take(fd, &a), OK);
    return a;
}

struct job {
    const char *key_id;
    struct span tbs;
    struct port_answer answer;
};

/* As many at a time as the wire holds. */
static void ask_all(int fd, enum port_kind kind, struct job *jobs, size_t n)
{
    size_t sent = 0, answered = 0;
    struct port_answer a;

    while (answered < n) {
        while (sent < n && sent - answered < PORT_WINDOW &&
               port_ask(fd, kind, sent, jobs[sent].key_id, jobs[sent].tbs) == OK)
            sent++;
        a = take(fd);
        cr_assert_lt(a.number, sent);
        jobs[a.number].answer = a;
        answered++;
    }
}

Test(role, workers_share_a_batch_and_each_answer_is_its_own)
{
    static struct job jobs[300];
    struct span tbs[3] = {forge_tbs(&f, forge_leaf(&f)), forge_tbs(&f, forge_subordinate(&f, 0)), list_of(0)};
    size_t n = sizeof jobs / sizeof *jobs;

    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){.key_id = i % 10 == 9 ? "nobody" : "ca", .tbs = tbs[i % 3]};
    ask_all(certificate[0], PORT_CERTIFICATE, jobs, n);
    for (size_t i = 0; i < n; i++) {
        if (i % 10 == 9) {
            cr_assert_eq(jobs[i].answer.err, ERR_NOT_FOUND);
        } else if (i % 3 == 2) {
            cr_assert_eq(jobs[i].answer.err, ERR_MALFORMED);
            cr_assert_eq(jobs[i].answer.signature_len, 0);
        } else {
            cr_assert_eq(jobs[i].answer.err, OK, "%s", jobs[i].answer.reason);
            verify(tbs[i % 3], &jobs[i].answer);
        }
    }
    for (size_t i = 0; i < 3; i++)
        forge_span_free(tbs[i]);
}

static struct port_answer ask(int fd, enum port_kind kind, const char *key, struct span tbs)
{
    cr_assert_eq(port_ask(fd, kind, 42, key, tbs), OK);
    return take(fd);
}

Test(role, what_belongs_to_another_port_is_refused)
{
    struct span leaf = forge_tbs(&f, forge_leaf(&f)), data = forge_response_data(&f, forge_basic(&f));

    cr_assert_eq(ask(certificate[0], PORT_CERTIFICATE, "ca", leaf).err, OK);
    cr_assert_eq(ask(ocsp[0], PORT_OCSP, "ca", data).err, OK);
    cr_assert_eq(ask(ocsp[0], PORT_CERTIFICATE, "ca", leaf).err, ERR_POLICY);
    cr_assert_eq(ask(crl[0], PORT_CERTIFICATE, "ca", leaf).err, ERR_POLICY);
    cr_assert_eq(ask(certificate[0], PORT_OCSP, "ca", data).err, ERR_POLICY);
    cr_assert_eq(ask(certificate[0], PORT_CRL_BEGIN, "ca", span_str("\0\0\0\0\0\0\0\1")).err, ERR_POLICY);
    cr_assert_eq(ask(certificate[0], 99, "ca", leaf).err, ERR_POLICY);
    forge_span_free(leaf);
    forge_span_free(data);
}

Test(role, a_probe_is_answered_on_every_port)
{
    cr_assert_eq(ask(certificate[0], PORT_PROBE, "ca", span_str("")).err, OK);
    cr_assert_eq(ask(crl[0], PORT_PROBE, "ca", span_str("")).err, OK);
    cr_assert_eq(ask(ocsp[0], PORT_PROBE, "ca", span_str("0123456789abcdef")).err, OK);
    cr_assert_eq(ask(ocsp[0], PORT_PROBE, "nobody", span_str("")).err, ERR_NOT_FOUND);
}

/* The workers know of one another's. */
Test(role, a_seal_of_one_number_is_signed_once)
{
    static struct job jobs[60];
    uint8_t tbs[SEAL_TBS_LEN];
    unsigned good = 0;

    seal_tbs_write(&(struct sealed){.seq = 9, .at_s = time(NULL)}, tbs);
    for (size_t i = 0; i < 60; i++)
        jobs[i] = (struct job){.key_id = SEAL_KEY_ID, .tbs = span_of(tbs, sizeof tbs)};
    cr_assert_eq(ask(crl[0], PORT_SEAL, SEAL_KEY_ID, jobs[0].tbs).err, ERR_POLICY);
    cr_assert_neq(ask(ocsp[0], PORT_SEAL, SEAL_KEY_ID, jobs[0].tbs).err, OK);
    cr_assert_eq(ask(certificate[0], PORT_SEAL, "ca", jobs[0].tbs).err, ERR_POLICY);
    ask_all(certificate[0], PORT_SEAL, jobs, 60);
    for (size_t i = 0; i < 60; i++)
        good += jobs[i].answer.err == OK;
    cr_assert_eq(good, 1);
}

Test(role, broken_messages_are_answered_and_nothing_dies)
{
    static uint8_t noise[WIRE_MSG_MAX + 10];
    struct span leaf = forge_tbs(&f, forge_leaf(&f));
    uint32_t dice = 5;

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((dice = dice * 1103515245 + 12345) >> 16);
    for (size_t len = 1; len < 400; len++) {
        cr_assert_eq(wire_send(certificate[0], span_of(noise + len, len)), OK);
        cr_assert_neq(take(certificate[0]).err, OK);
    }
    cr_assert_eq(wire_send(certificate[0], span_of(noise, sizeof noise)), OK);
    cr_assert_eq(ask(certificate[0], PORT_CERTIFICATE, "ca", leaf).err, OK);
    forge_span_free(leaf);
}

/* ---- several in a message ---- */

static struct port_answers take_several(int fd)
{
    static struct port_answers a;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    cr_assert_eq(poll(&p, 1, 20000), 1);
    cr_assert_eq(port_take_several(fd, &a), OK);
    return a;
}

static struct port_answers ask_several(int fd, enum port_kind kind, const struct port_question *q, size_t n)
{
    size_t sent;

    cr_assert_eq(port_ask_several(fd, kind, q, n, &sent), OK);
    cr_assert_eq(sent, n);
    return take_several(fd);
}

/* Each is held against its key as if it were alone. */
Test(role, several_are_answered_in_their_order_and_each_by_itself)
{
    struct span data = forge_response_data(&f, forge_basic(&f)), leaf = forge_tbs(&f, forge_leaf(&f));
    uint8_t *bad = OPENSSL_memdup(data.data, data.len);
    const struct port_question q[5] = {{1, "ca", data},
                                       {2, "ca", span_of(bad, data.len)},
                                       {3, "nobody", data},
                                       {4, "ca", leaf},
                                       {5, "ca", data}};
    struct port_answers a;

    bad[1] ^= 1; /* the length */
    a = ask_several(ocsp[0], PORT_OCSP, q, 5);
    cr_assert_eq(a.count, 5);
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(a.items[i].number, i + 1);
        cr_assert_eq(a.items[i].err == OK, i == 0 || i == 4, "%zu: %s", i, a.items[i].reason);
        cr_assert_eq(a.items[i].signature_len > 0, i == 0 || i == 4);
        if (i == 0 || i == 4)
            verify(data, &a.items[i]);
    }
    cr_assert_eq(a.items[2].err, ERR_NOT_FOUND);
    a = ask_several(certificate[0], PORT_CERTIFICATE, q + 2, 2);
    cr_assert(a.count == 2 && a.items[0].err == ERR_NOT_FOUND && a.items[1].err == OK);
    verify(leaf, &a.items[1]);
    OPENSSL_free(bad);
    forge_span_free(data);
    forge_span_free(leaf);
}

Test(role, several_may_be_asked_where_one_may)
{
    struct span data = forge_response_data(&f, forge_basic(&f)), leaf = forge_tbs(&f, forge_leaf(&f));
    const struct port_question q[2] = {{1, "ca", data}, {2, "ca", data}},
                               leaves[2] = {{1, "ca", leaf}, {2, "ca", leaf}};
    const struct {
        int fd;
        enum port_kind kind;
        const struct port_question *questions;
    } wrong[] = {{certificate[0], PORT_OCSP, q},      {crl[0], PORT_OCSP, q},
                 {ocsp[0], PORT_CERTIFICATE, leaves}, {crl[0], PORT_CERTIFICATE, leaves},
                 {crl[0], PORT_CRL_BEGIN, q},         {crl[0], PORT_CRL_DATA, q},
                 {ocsp[0], PORT_SEVERAL, q},          {ocsp[0], 99, q}};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct port_answers a = ask_several(wrong[i].fd, wrong[i].kind, wrong[i].questions, 2);

        cr_assert_eq(a.count, 1);
        cr_assert_eq(a.items[0].err, ERR_POLICY);
        cr_assert_eq(a.items[0].signature_len, 0);
    }
    forge_span_free(data);
    forge_span_free(leaf);
}

/* A message that is not whole signs nothing, however good what it begins with. */
Test(role, several_that_do_not_add_up_are_refused_as_a_whole)
{
    struct span data = forge_response_data(&f, forge_basic(&f));
    const uint64_t counts[] = {0, 1, 3, PORT_SEVERAL_MAX + 1, UINT64_MAX};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct port_answers a;
        struct buf b;

        buf_init(&b, WIRE_MSG_MAX);
        buf_put_u8(&b, PORT_SEVERAL);
        buf_put_u64(&b, counts[i]);
        buf_put_u8(&b, PORT_OCSP);
        for (uint64_t n = 0; n < (counts[i] > PORT_SEVERAL_MAX ? PORT_SEVERAL_MAX + 1 : 2); n++) {
            buf_put_u64(&b, n);
            buf_put_blob(&b, span_str("ca"));
            buf_put_blob(&b, data);
        }
        cr_assert_eq(wire_send(ocsp[0], buf_span(&b)), OK);
        a = take_several(ocsp[0]);
        cr_assert_eq(a.count, 1);
        cr_assert_eq(a.items[0].err, ERR_MALFORMED);
        cr_assert_eq(a.items[0].signature_len, 0);
        buf_free(&b);
    }
    cr_assert_eq(ask(ocsp[0], PORT_OCSP, "ca", data).err, OK);
    forge_span_free(data);
}

/* Found by the fuzzer: an answer to one of less than nine octets said that there were several in it. */
Test(role, several_that_are_cut_short_are_refused_as_a_whole)
{
    uint8_t octets[24] = {PORT_SEVERAL, [8] = 1, PORT_OCSP};

    for (size_t len = 1; len <= sizeof octets; len++) {
        struct port_answers a;

        cr_assert_eq(wire_send(ocsp[0], span_of(octets, len)), OK);
        a = take_several(ocsp[0]);
        cr_assert_eq(a.count, 1, "%zu octets", len);
        cr_assert_eq(a.items[0].err, ERR_MALFORMED, "%zu octets", len);
    }
}

/* ---- the streamed CRL ---- */

static struct port_answer stream(struct span tbs, uint64_t number)
{
    struct port_answer a;

    cr_assert_eq(port_crl_begin(crl[0], number, "ca", tbs.len), OK);
    cr_assert_eq(port_crl_data(crl[0], number, tbs), OK);
    cr_assert_eq(port_crl_end(crl[0], &a), OK);
    cr_assert_eq(a.number, number);
    return a;
}

Test(role, a_crl_in_pieces_is_signed)
{
    struct span small = list_of(0), large = list_of(20000);
    struct port_answer a = stream(small, 1);

    cr_assert_eq(a.err, OK, "%s", a.reason);
    verify(small, &a);
    a = stream(large, 2);
    cr_assert_eq(a.err, OK, "%s", a.reason);
    verify(large, &a);
    forge_span_free(small);
    forge_span_free(large);
}

Test(role, a_refused_crl_is_drained_and_the_port_stays_in_step)
{
    struct span good = list_of(20000);
    uint8_t *bad = OPENSSL_memdup(good.data, good.len);
    struct port_answer a;

    bad[6] ^= 1; /* the version */
    a = stream(span_of(bad, good.len), 1);
    cr_assert_eq(a.err, ERR_MALFORMED);
    cr_assert_str_eq(a.reason, "crl.version: not v2");
    cr_assert_eq(a.signature_len, 0);
    cr_assert_eq(stream(good, 2).err, OK);
    cr_assert_eq(port_crl_begin(crl[0], 3, "nobody", good.len), OK);
    cr_assert_eq(port_crl_data(crl[0], 3, good), OK);
    cr_assert_eq(port_crl_end(crl[0], &a), OK);
    cr_assert_eq(a.err, ERR_NOT_FOUND);
    cr_assert_eq(stream(good, 4).err, OK);
    OPENSSL_free(bad);
    forge_span_free(good);
}

Test(role, lengths_that_do_not_add_up_are_refused)
{
    struct span good = list_of(3);
    struct port_answer a;

    cr_assert_eq(port_crl_begin(crl[0], 1, "ca", 0), OK);
    cr_assert_eq(take(crl[0]).err, ERR_MALFORMED);
    cr_assert_eq(port_crl_begin(crl[0], 2, "ca", good.len - 1), OK);
    cr_assert_eq(port_crl_data(crl[0], 2, good), OK);
    cr_assert_eq(take(crl[0]).err, ERR_MALFORMED);
    cr_assert_eq(port_crl_data(crl[0], 3, good), OK);
    a = take(crl[0]);
    cr_assert_eq(a.err, ERR_MALFORMED);
    cr_assert_str_eq(a.reason, "port.data: nothing was begun");
    cr_assert_eq(ask(crl[0], PORT_CRL_BEGIN, "ca", span_str("short")).err, ERR_MALFORMED);
    cr_assert_eq(stream(good, 5).err, OK);
    forge_span_free(good);
}

Test(role, a_list_given_up_half_way_is_forgotten)
{
    struct span good = list_of(3);
    struct port_answer a;

    cr_assert_eq(port_crl_begin(crl[0], 1, "ca", good.len), OK);
    cr_assert_eq(port_crl_data(crl[0], 1, span_of(good.data, good.len / 2)), OK);
    a = stream(good, 2);
    cr_assert_eq(a.err, OK, "%s", a.reason);
    verify(good, &a);
    forge_span_free(good);
}

/* ---- the end ---- */

static size_t workers_of(pid_t pid, pid_t out[8])
{
    char path[64];
    FILE *in;
    size_t n = 0;
    int child;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    in = fopen(path, "r");
    while (in != NULL && n < 8 && fscanf(in, "%d", &child) == 1)
        out[n++] = child;
    if (in != NULL)
        fclose(in);
    return n;
}

/* Every worker answers once the role does, so the list is complete after the first answer. */
static size_t workers_when_up(pid_t out[8])
{
    cr_assert_eq(ask(crl[0], PORT_PROBE, "ca", span_str("")).err, OK);
    return workers_of(role, out);
}

Test(role, any_closed_port_ends_it_well_and_its_workers_with_it)
{
    int *ports[] = {&certificate[0], &crl[0], &ocsp[0]};

    for (size_t i = 0; i < 3; i++) {
        pid_t workers[8];
        size_t n = workers_when_up(workers);

        cr_assert_eq(n, 2);
        close(*ports[i]);
        cr_assert_eq(role_wait(), 0);
        for (size_t w = 0; w < n; w++)
            cr_assert_eq(kill(workers[w], 0), -1);
        role_start(3);
    }
}

Test(role, a_lost_worker_ends_it_as_a_failure)
{
    pid_t workers[8];

    cr_assert_eq(workers_when_up(workers), 2);
    kill(workers[1], SIGKILL);
    cr_assert_eq(role_wait(), 3);
    cr_assert_eq(kill(workers[0], 0), -1);
}
