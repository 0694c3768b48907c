/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board: where a role posts what others may know of it: figures (counters, gauges, histograms) and alarms.
 * One shared page range a role, made by the supervisor; the role alone writes its own, the fronts read all of
 * them. Reading never waits for a writer and a writer never for a reader, so a role that hangs can still be
 * read.
 *
 * A reader trusts nothing on another's board: every text and every time is bounded here, whatever is written
 * there. What stands on a board lives as long as the service: nothing here is durable.
 *
 * Thread rule: figures may be changed by any thread of the role; everything else by one thread.
 */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FIGURES_MAX 256u /* series of one role: a dozen families over sixteen issuers */
#define ALARMS_MAX 384u  /* raised at once in one role: of sixteen issuers, with nine OCSP signers each */
#define FAMILY_MAX 64u   /* octets with the NUL, as all of these */
#define LABELS_MAX 128u
#define HELP_MAX 128u
#define ALARM_CODE_MAX 48u
#define ALARM_SUBJECT_MAX 128u
#define ALARM_DETAIL_MAX 256u

struct board;

/* Two descriptors of one new board, close-on-exec: one to write, one that can only be read. ERR_IO. */
enum err board_make(int *write_fd, int *read_fd, struct fault *f);
/* Maps a board; the descriptors may be closed after. ERR_IO. A board for reading is only good for the each
 * functions. */
enum err board_open(int write_fd, struct board **out, struct fault *f);
enum err board_open_read(int read_fd, const struct board **out, struct fault *f);
/* One that nobody else sees, for tests. Dies when there is no memory. */
struct board *board_new(void);
void board_close(const struct board *b); /* NULL is fine */

/* ---- figures ---- */

enum figure_kind { FIGURE_COUNTER, FIGURE_GAUGE, FIGURE_HISTOGRAM };

/* A series in the Prometheus text format: family "ocsp_answers_total" (the prefix chancery_ is the
 * printer's), labels "status=\"good\"" or "". The same family and labels give the same figure. `b` NULL or
 * full: a figure that nobody reads. Lives as long as the board.
 *
 * A histogram, of one role and one series, is a figure for each bucket, labels "le=\"50\"" alone, in
 * ascending order up to "le=\"+Inf\"", then one without labels for the sum. A bucket counts what is in no
 * lower one: the printer adds them up, so that what it shows goes together whenever it looks. */
struct figure;
struct figure *board_figure(struct board *b, enum figure_kind kind, const char *family, const char *labels,
                            const char *help);
void figure_add(struct figure *f, uint64_t n); /* relaxed: order against other memory is not promised */
void figure_set(struct figure *f, int64_t value);
int64_t figure_value(const struct figure *f); /* for tests */

struct figure_shown {
    enum figure_kind kind;
    char family[FAMILY_MAX], labels[LABELS_MAX], help[HELP_MAX];
    int64_t value;
};
void board_each_figure(const struct board *b, bool (*fn)(const struct figure_shown *f, void *arg), void *arg);

/* ---- alarms ---- */

enum alarm_level { ALARM_WARNING = 1, ALARM_CRITICAL };

/* Raises, or says anew, the alarm of this code ("crl.late") about this subject ("rsa-g1"). Logs one line when
 * it is new or its level changes, none when it stands already: callers may raise it as often as they look. */
void alarm_raise(struct board *b, enum alarm_level level, const char *code, const char *subject,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Takes it down, with one line in the log; nothing when it does not stand. */
void alarm_clear(struct board *b, const char *code, const char *subject);

struct alarm_shown {
    enum alarm_level level;
    int64_t since_s;
    char code[ALARM_CODE_MAX], subject[ALARM_SUBJECT_MAX], detail[ALARM_DETAIL_MAX];
};
void board_each_alarm(const struct board *b, bool (*fn)(const struct alarm_shown *a, void *arg), void *arg);

#endif
