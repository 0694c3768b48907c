/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: "/", for people: one self-contained page without scripts, fonts or anything from elsewhere. Every
 * text that is not written here goes through text(), which escapes; the policy admits this one style sheet by
 * its hash and nothing else.
 */
#include "api/public.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"

#define PAGE_MAX (1024u * 1024) /* octets: sixteen issuers take 50 KiB */

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6675;--line:#d9dee6;--paper:#f5f6f8;--card:#fff;"
    "--link:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#98a3b3;--line:#333b47;--paper:#14181e;"
    "--card:#1c222b;--link:#7db7f2}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main,header,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}"
    "header{padding-top:2.5rem;padding-bottom:1rem}"
    "h1{font-size:1.7rem;line-height:1.25;margin:0}"
    "h2{font-size:1.15rem;margin:0;overflow-wrap:anywhere}"
    "header p,footer,.kind,dt{color:var(--soft)}"
    "header p{margin:.4rem 0 0}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.25rem;"
    "margin:0 0 1.25rem}"
    ".kind{margin:.1rem 0 1rem;font-size:.9rem}"
    "dl{display:grid;grid-template-columns:10rem 1fr;gap:.45rem 1rem;margin:0}"
    "dt{font-size:.9rem}dd{margin:0;min-width:0;overflow-wrap:anywhere}"
    "code{font:.85rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}"
    ".print{display:inline-block;max-width:48.5ch}"
    "a{color:var(--link)}footer{padding-bottom:2.5rem;font-size:.9rem}"
    "@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}"
    "@media(max-width:30rem){.print{max-width:24.5ch}}";

const char *page_policy(char *out, size_t cap)
{
    uint8_t digest[HASH_LEN];
    struct buf base64;

    sha256_of(span_str(style), digest);
    buf_init(&base64, 2 * HASH_LEN);
    base64_put(&base64, span_of(digest, sizeof digest));
    snprintf(out, cap,
             "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             (int)base64.len, (const char *)base64.data);
    buf_free(&base64);
    return out;
}

/* ---- pieces ---- */

static void text(struct buf *b, const char *s)
{
    xml_escape(b, s);
}

static void term(struct buf *b, const char *name)
{
    buf_printf(b, "<dt>%s</dt><dd>", name);
}

static void end_term(struct buf *b)
{
    buf_put_str(b, "</dd>\n");
}

static void moment(struct buf *b, int64_t t_s)
{
    char machine[CLOCK_TEXT_MAX];

    clock_rfc3339(t_s, machine);
    buf_printf(b, "<time datetime=\"%s\">%.10s %.8s UTC</time>", machine, machine, machine + 11);
}

static void link_to(struct buf *b, const char *dir, const char *id, const char *suffix, const char *label)
{
    buf_printf(b, "<a href=\"/%s/", dir);
    text(b, id);
    buf_printf(b, "%s\">%s</a>", suffix, label);
}

/* Octets as people compare them and as openssl prints them, unbroken, so that who searches the page for one
 * finds it; as programs write them in the title. Where a line ends is the style's: after sixteen or eight
 * octets, three characters each. */
static void fingerprint(struct buf *b, const char *name, const uint8_t *octets, size_t len)
{
    char plain[2 * HASH_LEN_MAX + 1];

    hex_encode(span_of(octets, len), plain);
    term(b, name);
    buf_printf(b, "<code class=\"print\" title=\"%s\">", plain);
    for (size_t i = 0; i < len; i++)
        buf_printf(b, i == 0 ? "%02X" : ":%02X", octets[i]);
    buf_put_str(b, "</code>");
    end_term(b);
}

static void crl_parts_terms(struct buf *b, const struct page_issuer *i)
{
    if (i->delta.number > 0) {
        term(b, "Changes since");
        link_to(b, "crl", i->id, "-delta.crl", "DER");
        buf_put_str(b, " · ");
        link_to(b, "crl", i->id, "-delta.pem", "PEM");
        buf_printf(b, " · number %llu, until ", (unsigned long long)i->delta.number);
        moment(b, i->delta.next_update_s);
        end_term(b);
    }
    if (i->shards > 0) {
        term(b, "Shorter lists");
        buf_printf(b, "%u, each for a part of the serial numbers; a certificate names its own", i->shards);
        end_term(b);
    }
}

static void crl_terms(struct buf *b, const struct page_issuer *i)
{
    const struct crl_state *s = &i->crl;

    term(b, "Revocation list");
    if (s->number == 0) {
        buf_put_str(b, "not published yet");
        end_term(b);
        return;
    }
    link_to(b, "crl", i->id, ".crl", "DER");
    buf_put_str(b, " · ");
    link_to(b, "crl", i->id, ".pem", "PEM");
    buf_printf(b, " · number %llu, %llu %s, %llu octets", (unsigned long long)s->number,
               (unsigned long long)s->count, s->count == 1 ? "entry" : "entries",
               (unsigned long long)s->size);
    end_term(b);
    crl_parts_terms(b, i);
    term(b, "List issued");
    moment(b, s->this_update_s);
    end_term(b);
    term(b, "Next list by");
    moment(b, s->next_update_s);
    end_term(b);
}

static bool is_shown(const struct page *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->issuers[i].id, id) == 0)
            return true;
    return false;
}

static void issuer_kind(struct buf *b, const struct page_issuer *i, const struct page *p)
{
    buf_put_str(b, "<p class=\"kind\"><code>");
    text(b, i->id);
    buf_put_str(b, "</code> · ");
    if (i->parent[0] == '\0') {
        buf_put_str(b, "root");
    } else if (!is_shown(p, i->parent)) { /* an OCSP host without a key for it */
        buf_put_str(b, "issued by ");
        text(b, i->parent);
    } else {
        buf_put_str(b, "issued by <a href=\"#");
        text(b, i->parent);
        buf_put_str(b, "\">");
        text(b, i->parent);
        buf_put_str(b, "</a>");
    }
    buf_put_str(b, "</p>\n");
}

static void certificate_term(struct buf *b, const struct page_issuer *i)
{
    term(b, "Certificate");
    link_to(b, "ca", i->id, ".cer", "DER");
    buf_put_str(b, " · ");
    link_to(b, "ca", i->id, ".pem", "PEM");
    buf_put_str(b, " · ");
    link_to(b, "ca", i->id, ".p7c", "chain (PKCS #7)");
    end_term(b);
}

static void copy_section(struct buf *b, int64_t as_of_s)
{
    buf_put_str(b, "<section id=\"data\">\n<h2>Data</h2>\n<dl>\n");
    term(b, "As of");
    moment(b, as_of_s);
    end_term(b);
    buf_put_str(b, "</dl>\n</section>\n");
}

static void issuer_section(struct buf *b, const struct page_issuer *i, const struct page *p)
{
    buf_put_str(b, "<section id=\"");
    text(b, i->id);
    buf_put_str(b, "\">\n<h2>");
    text(b, i->subject);
    buf_put_str(b, "</h2>\n");
    issuer_kind(b, i, p);
    buf_put_str(b, "<dl>\n");
    if (!p->is_copy)
        certificate_term(b, i);
    term(b, "Valid");
    moment(b, i->not_before_s);
    buf_put_str(b, " to ");
    moment(b, i->not_after_s);
    end_term(b);
    fingerprint(b, "SHA-256 fingerprint", i->sha256, HASH_LEN);
    fingerprint(b, "SHA-1 fingerprint", i->sha1, 20);
    if (!p->is_copy)
        crl_terms(b, i);
    term(b, "OCSP");
    buf_put_str(b, "<code>");
    text(b, p->public_url);
    buf_put_str(b, "/ocsp</code>");
    end_term(b);
    buf_put_str(b, "</dl>\n</section>\n");
}

void page_write(struct buf *b, const struct page *p)
{
    buf_put_str(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    text(b, p->name);
    buf_printf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n<h1>", style);
    text(b, p->name);
    buf_put_str(
        b, "</h1>\n<p>Certificates, revocation lists and certificate status of this certificate authority. "
           "Compare a fingerprint over another channel before you trust a root.</p>\n</header>\n<main>\n");
    for (size_t i = 0; i < p->count; i++)
        issuer_section(b, &p->issuers[i], p);
    if (p->is_copy)
        copy_section(b, p->as_of_s);
    buf_put_str(b, "</main>\n<footer>\n<p>Status requests (RFC 6960) go to <code>");
    text(b, p->public_url);
    buf_put_str(b, "/ocsp</code>, by POST or GET.</p>\n</footer>\n</body>\n</html>\n");
}

/* ---- from the store ---- */

struct gathered {
    const struct config *config;
    struct view *view;
    struct issuer rows[ISSUERS_MAX];
    struct x509_info infos[ISSUERS_MAX];
    struct page_issuer issuers[ISSUERS_MAX];
    size_t count;
    enum err err;
};

static bool gather_one(const struct issuer *i, void *arg)
{
    struct gathered *g = arg;
    struct issuer *row = &g->rows[g->count];
    struct x509_info *info = &g->infos[g->count];
    struct page_issuer *out = &g->issuers[g->count];
    struct crl_track track = {0};

    if (!config_has_issuer(g->config, i->id))
        return true; /* nothing is published for it here */
    if (g->count == ISSUERS_MAX)
        return false;
    *row = *i;
    g->err = x509_info_read(i->certificate, info);
    if (g->err != OK)
        return false;
    g->count++;
    *out = (struct page_issuer){
        .id = row->id,
        .parent = row->parent,
        .subject = info->subject,
        .sha256 = info->sha256,
        .sha1 = info->sha1,
        .not_before_s = info->not_before_s,
        .not_after_s = info->not_after_s,
    };
    g->err = crl_state_find(g->view, row->no, &out->crl);
    if (g->err == OK)
        g->err = crl_part_find(g->view, row->no, SHARD_ALL, true, &out->delta);
    if (g->err == OK)
        g->err = crl_track_find(g->view, row->no, &track);
    out->shards = track.shards;
    return g->err == OK;
}

static void gathered_free(struct gathered *g)
{
    for (size_t i = 0; i < g->count; i++)
        x509_info_free(&g->infos[i]);
    free(g);
}

static enum err page_make(struct public *p, struct view *v, struct buf *out)
{
    struct gathered *g = xcalloc(1, sizeof *g);
    enum err e;

    g->config = p->config;
    g->view = v;
    e = issuer_each(v, gather_one, g);
    if (g->err != OK)
        e = g->err;
    if (e == ERR_NOT_FOUND)
        e = ERR_INTERNAL; /* of something that must be there */
    if (e == OK)
        page_write(out, &(struct page){.name = p->config->name,
                                       .public_url = p->config->public_url,
                                       .issuers = g->issuers,
                                       .count = g->count,
                                       .is_copy = host_as_of(p) != NO_TIME,
                                       .as_of_s = host_as_of(p)});
    gathered_free(g);
    return e;
}

void page_get(struct public *p, struct http_request *r, const char *rest)
{
    char policy[256];
    const struct http_field fields[] = {
        {"Content-Type", "text/html; charset=utf-8"},
        {"Content-Security-Policy", page_policy(policy, sizeof policy)},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {NULL, NULL},
    };
    const struct made_kind kind = {
        .what = "the page",
        .octets_max = PAGE_MAX,
        .cache_control = "no-cache",
        .fields = fields,
        .write = page_make,
    };

    (void)rest;
    made_get(p, r, &p->page, &kind);
}
