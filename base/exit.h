/* SPDX-License-Identifier: Apache-2.0 */
/* exit: what a process of this program ends with: docs/interface.md, 2. */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

enum exit_code {
    DONE,
    WRONG_USE,      /* the command line, a local file, or what was sent is wrong */
    SERVICE_FAILED, /* the service could not be reached, or failed */
    REFUSED,        /* by a rule, or by the state of the thing */
    PENDING,        /* accepted and waiting for an approval */
    NOT_FOUND,      /* there is no such thing */
    NOT_PERMITTED,
};

#endif
