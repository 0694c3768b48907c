/* SPDX-License-Identifier: Apache-2.0 */
/* result: what a command on this machine has found, on standard output in the form of --output. The commands
 * that ask the service have cli/out.c and its like. Thread rule: pure but for standard output and standard
 * error. */
#ifndef API_RESULT_H
#define API_RESULT_H

#include "base/exit.h"
#include "base/json.h"

/* How a command on the home's files is to be run. */
struct local_run {
    const char *home, *output; /* the form; NULL: table */
    bool is_quiet, is_dry_run;
};

/* Is it text for people, which the command writes itself? */
bool result_is_table(const char *output);
/* A form that some command has. False, and said. */
bool result_has_form(const char *output);
/* One that a record can be written in: table, json, jsonl, csv. False, and said. */
bool result_is_record(const char *command, const char *output);
/* Why it could not, on standard error: what the fault says, where it says nothing what the code does. */
void result_fail(enum err e, const struct fault *f);
/* The members of `o` in such a form, a line each but in JSON. */
void result_write(const struct js *o, const char *output);

#endif
