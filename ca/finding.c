/* SPDX-License-Identifier: Apache-2.0 */
/* finding: the list that a check fills. The wire carries rule, field, got and want; the rest is the rule
 * table's on both sides. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "ca/ca.h"

#define TEXT_MAX 512u /* octets of one text of a finding: names in it come from strangers */

static const char *const severities[] = {
    [SEVERITY_NOTE] = "note", [SEVERITY_WARN] = "warn", [SEVERITY_REFUSE] = "refuse"};

const char *severity_name(enum severity s)
{
    return severities[s];
}

/* Copies at most TEXT_MAX octets, whole characters; what is no printable UTF-8 becomes '?'. */
static void put_clean(struct buf *b, const char *text)
{
    struct span rest = span_str(text);

    while (rest.len > 0) {
        uint32_t code = 0;
        size_t n = utf8_next(rest, &code);
        bool printable = n > 0 && code >= 0x20 && (code < 0x7f || code > 0x9f);

        if (n == 0)
            n = 1;
        if (b->len + n > TEXT_MAX)
            return;
        if (printable)
            buf_put(b, rest.data, n);
        else
            buf_put_u8(b, '?');
        rest = span_of(rest.data + n, rest.len - n);
    }
}

static char *cleaned(const char *text)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    put_clean(&b, text != NULL ? text : "");
    return (char *)buf_take(&b, NULL);
}

/* A rule's text with {got} and {want} filled in. */
static char *filled(const char *text, const struct finding *f)
{
    struct buf b;

    buf_init(&b, 4 * TEXT_MAX);
    while (*text != '\0') {
        if (strncmp(text, "{got}", 5) == 0) {
            buf_put_str(&b, f->got);
            text += 5;
        } else if (strncmp(text, "{want}", 6) == 0) {
            buf_put_str(&b, f->want);
            text += 6;
        } else {
            size_t plain = 1 + strcspn(text + 1, "{");

            buf_put(&b, text, plain);
            text += plain;
        }
    }
    return (char *)buf_take(&b, NULL);
}

static void finding_free(struct finding *f)
{
    free(f->field);
    free(f->got);
    free(f->want);
    *f = (struct finding){0};
}

/* The place for one more: past the end, that of a milder one, so that a refusal is never lost. NULL: no
 * place. */
static struct finding *place_for(struct findings *fs, enum severity s)
{
    struct finding *mildest = &fs->items[0];

    if (fs->count < FINDINGS_MAX)
        return &fs->items[fs->count++];
    for (size_t i = 1; i < fs->count; i++)
        if (fs->items[i].severity < mildest->severity)
            mildest = &fs->items[i];
    if (mildest->severity >= s)
        return NULL;
    finding_free(mildest);
    return mildest;
}

void finding_add(struct findings *fs, const char *name, const char *field, const char *got, const char *want)
{
    const struct rule *rule = rule_find(name);
    struct finding *f;

    assert(rule != NULL);
    f = place_for(fs, rule->severity);
    if (f == NULL)
        return;
    *f = (struct finding){
        .rule = rule->name,
        .severity = rule->severity,
        .field = cleaned(field),
        .got = cleaned(got),
        .want = cleaned(want),
    };
}

char *finding_message(const struct finding *f)
{
    return filled(rule_find(f->rule)->message, f);
}

char *finding_fix(const struct finding *f)
{
    return filled(rule_find(f->rule)->fix, f);
}

void findings_free(struct findings *fs)
{
    for (size_t i = 0; i < fs->count; i++)
        finding_free(&fs->items[i]);
    fs->count = 0;
}

bool findings_refuse(const struct findings *fs)
{
    for (size_t i = 0; i < fs->count; i++)
        if (fs->items[i].severity == SEVERITY_REFUSE)
            return true;
    return false;
}

void findings_write(struct buf *b, const struct findings *fs)
{
    buf_put_u8(b, (uint8_t)fs->count);
    for (size_t i = 0; i < fs->count; i++) {
        buf_put_blob(b, span_str(fs->items[i].rule));
        buf_put_blob(b, span_str(fs->items[i].field));
        buf_put_blob(b, span_str(fs->items[i].got));
        buf_put_blob(b, span_str(fs->items[i].want));
    }
}

bool findings_read(struct rd *r, struct findings *out)
{
    size_t count = rd_u8(r);
    char rule[64], field[TEXT_MAX + 1], got[TEXT_MAX + 1], want[TEXT_MAX + 1];

    out->count = 0;
    for (size_t i = 0; i < count && i < FINDINGS_MAX && !r->failed; i++) {
        bool fits = span_to_str(rd_blob(r), rule, sizeof rule);

        fits = span_to_str(rd_blob(r), field, sizeof field) && fits;
        fits = span_to_str(rd_blob(r), got, sizeof got) && fits;
        fits = span_to_str(rd_blob(r), want, sizeof want) && fits;
        if (r->failed || !fits || rule_find(rule) == NULL)
            break;
        finding_add(out, rule, field, got, want);
    }
    if (!r->failed && out->count == count)
        return true;
    findings_free(out);
    return false;
}
