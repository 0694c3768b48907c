/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured ca, crl or ocsp could send the signer as messages: each is answered, or is a piece of a
 * list, and nothing is signed under a key that is not there. The input is pieces, each a length in two
 * octets. */
#include <assert.h>
#include <sys/socket.h>

#include "signer/role.c"

#include "tests/fuzz/fuzz.h"

static void take_answers(int fd)
{
    struct port_answer a;
    enum err e;

    while ((e = port_take(fd, &a)) == OK)
        assert(a.err != OK && a.signature_len == 0 && a.reason[0] != '\0');
    assert(e == ERR_UNAVAILABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct signer_role role = {.certificate_fd = -1, .crl_fd = -1, .ocsp_fd = -1, .workers = 1};
    static struct server s;
    struct rd r = rd_of(span_of(data, size));
    enum place place = rd_u8(&r) % PLACE_COUNT;
    int fds[2];

    assert(wire_pair(fds) == OK);
    s = (struct server){.role = &role};
    buf_init(&s.out, WIRE_MSG_MAX);
    s.fds[place] = fds[1];
    while (!r.failed && r.rest.len > 0) {
        size_t len = rd_u16(&r);

        if (len > r.rest.len)
            len = r.rest.len;
        (void)!serve_message(&s, place, span_of(r.rest.data, len));
        r.rest = span_of(r.rest.data + len, r.rest.len - len);
        take_answers(fds[0]);
    }
    session_free(s.session);
    buf_free(&s.out);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
