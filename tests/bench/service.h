/* SPDX-License-Identifier: Apache-2.0 */
/* service: a throw-away service for a bench: home and ports of its own, gone at the end. */
#ifndef BENCH_SERVICE_H
#define BENCH_SERVICE_H

#include <sys/types.h>

struct service {
    pid_t pid;
    char dir[64], home[128], http[64], https[64]; /* "127.0.0.1:40001" */
};
/* `program` is build/chancery. Dies when it does not start; its log is DIR/log. */
void service_start(struct service *s, const char *program);
/* Starts one in a home that exists; `s` has dir and home. */
void service_serve(struct service *s, const char *program);
void service_stop(struct service *s); /* ends the process alone */
void service_remove(struct service *s);

/* Processor time that the processes of each role have used so far, workers included, in seconds. */
#define SERVICE_ROLES_MAX 16
struct service_cpu {
    char role[16];
    double seconds;
};
size_t service_cpu(const struct service *s, struct service_cpu out[static SERVICE_ROLES_MAX]);

/* A connected TCP socket without delay. Dies. */
int service_connect(const char *where);

#endif
