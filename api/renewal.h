/* SPDX-License-Identifier: Apache-2.0 */
/* renewal: what the steps of api/renew.h share: private to renew.c, renew_plan.c, renew_settle.c and
 * renew_make.c. */
#ifndef API_RENEWAL_H
#define API_RENEWAL_H

#include "api/generation.h"
#include "api/role.h"

#define KEY_KIND_MAX 16u /* octets of "rsa-3072" and its like, with the NUL */

/* A CA of the home: its element, its row and its certificate, copied. */
struct renewal_ca {
    const struct issuer_files *files;
    const struct ca_issuer *config;
    uint16_t no;
    struct buf certificate;
};

struct renewal {
    const char *old_id, *parent_id; /* as asked for */
    bool is_dry_run;
    struct config config;
    struct config_texts texts;
    struct store *store;
    int64_t now_s;
    char actor[PRINCIPAL_MAX]; /* in the audit */

    /* renew_plan.c and renew_settle.c: what is to be */
    struct renewal_ca old, parent; /* parent.files NULL: it is a root */
    char id[ISSUER_ID_MAX], cn[GENERATION_CN_MAX];
    struct buf name;
    char key_kind[KEY_KIND_MAX], ocsp_kind[KEY_KIND_MAX];
    int path_len;
    int64_t not_before_s, not_after_s;
    struct buf settings; /* chancery.xml with it */
    bool is_begun;       /* its rows are in the store: the certificate is that one */
    struct js *notes;    /* what the operator should know */

    /* renew_make.c: what is */
    struct buf spki, ocsp_spki, certificate;
    struct fault f;
};

/* A sentence for the operator. */
void renewal_note(struct renewal *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads what is there and settles what is to be. Changes nothing. ERR_NOT_FOUND: no such issuer;
 * ERR_CONFLICT: its id or name is taken, or it cannot be; ERR_CONFIG. */
enum err renewal_plan(struct renewal *r);
/* renew_settle.c, the second half of that: keys, life, chancery.xml, notes. */
enum err renewal_settle(struct renewal *r, struct view *v);
struct parts;
enum err renewal_parts(struct renewal *r, const struct renewal_ca *ca, struct parts *out); /* ERR_INTERNAL */
/* Makes it, in the steps above. ERR_CONFLICT: see the last of them; all before it is there, and the next run
 * takes it. */
enum err renewal_make(struct renewal *r);
/* The last step: puts `settings` in the place of `texts`. ERR_CONFLICT: what is there is something else by
 * now. */
enum err renewal_put_settings(struct renewal *r);

#endif
