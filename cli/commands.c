/* SPDX-License-Identifier: Apache-2.0 */
/* commands: what can be typed, in one table, and the usage made from it. */
#include <string.h>

#include "cli/inner.h"

#define B(o) OPT_BIT(OPT_##o)
#define F(f) FORMAT_BIT(FORMAT_##f)
/* Also of one thing that is in a list: CSV has its row. */
#define LIST_FORMATS (F(TABLE) | F(JSON) | F(JSONL) | F(CSV))
#define SHOW_FORMATS (F(TABLE) | F(JSON) | F(JSONL))

const struct command commands[] = {
    {"csr", "check", "FILE", "--profile P [--days N] [--certificate CERT]",
     "would it be signed? The verdict, every finding and the plan for the upload; exits 3 when refused. With "
     "CERT, a certificate that any CA issued: would the product take it?",
     B(PROFILE) | B(DAYS) | B(CERTIFICATE), B(PROFILE), LIST_FORMATS, FORMAT_TABLE, run_csr_check},
    {"csr", "sign", "FILE", "--profile P [--days N] [--out FILE] [--run ID]",
     "sign a request; PEM, leaf first, then its chain. A .tgz, .zip or directory of requests: all of them, "
     "into "
     "--out ANSWERS.tgz; given again it goes on where it was",
     B(PROFILE) | B(DAYS) | B(OUT) | B(RUN), B(PROFILE), SHOW_FORMATS | F(PEM) | F(DER) | F(P7B), FORMAT_PEM,
     run_csr_sign},
    {"cert", "list", NULL,
     "[--cn GLOB] [--san NAME] [--profile P] [--issuer ID] [--status valid|revoked|expired|held]"
     " [--key-type rsa|ec] [--expires-within 30d] [--limit N] [--after CURSOR]",
     "certificates, 100 unless --limit says otherwise (0: all)",
     B(CN) | B(SAN) | B(PROFILE) | B(ISSUER) | B(STATUS) | B(KEY_TYPE) | B(EXPIRES_WITHIN) | B(LIMIT) |
         B(AFTER),
     0, LIST_FORMATS, FORMAT_TABLE, run_cert_list},
    {"cert", "show", "SERIAL", "", "all that is known about one", 0, 0,
     LIST_FORMATS | F(PEM) | F(DER) | F(P7B), FORMAT_TABLE, run_cert_show},
    {"cert", "export", "SERIAL", "[--out FILE]", "the certificate itself, or with its chain", B(OUT), 0,
     F(PEM) | F(DER) | F(P7B) | F(CHAIN), FORMAT_PEM, run_cert_export},
    {"cert", "revoke", "SERIAL", "--reason R [--invalidity-date T]",
     "revoke, for good unless the reason is certificateHold", B(REASON) | B(INVALIDITY_DATE), B(REASON),
     LIST_FORMATS, FORMAT_TABLE, run_cert_revoke},
    {"cert", "unhold", "SERIAL", "", "take back a certificateHold", 0, 0, LIST_FORMATS, FORMAT_TABLE,
     run_cert_unhold},
    {"crl", "publish", NULL, "[--issuer ID]", "publish now, outside the schedule", B(ISSUER), 0, LIST_FORMATS,
     FORMAT_TABLE, run_crl_publish},
    {"crl", "show", NULL, "[--issuer ID]", "the CRLs in force; pem: they themselves; der: one of them",
     B(ISSUER), 0, LIST_FORMATS | F(PEM) | F(DER), FORMAT_TABLE, run_crl_show},
    {"ocsp", "query", "CERT", "[--issuer-cert F] [--url U] [--get]",
     "ask a responder, verify its answer and say what a client sees of it, with times; --get: by GET without "
     "a nonce, "
     "as caches answer",
     B(ISSUER_CERT) | B(URL) | B(GET), 0, SHOW_FORMATS, FORMAT_TABLE, run_ocsp_query},
    {"ocsp", "export", "DIR", "[--url U]",
     "the answer about every certificate as a file under its GET path, for any web server; again: what "
     "changed or "
     "is half through its life. manifest.jsonl has the headers",
     B(URL), 0, SHOW_FORMATS, FORMAT_TABLE, run_ocsp_export},
    {"ca", "list", NULL, "", "the issuers", 0, 0, LIST_FORMATS, FORMAT_TABLE, run_ca_list},
    {"ca", "show", "ID", "", "one issuer; pem, der: its certificate", 0, 0, LIST_FORMATS | F(PEM) | F(DER),
     FORMAT_TABLE, run_ca_show},
    {"ca", "chain", "ID", "[--out FILE]", "its certificate and those above, up to the root", B(OUT), 0,
     F(PEM) | F(P7B), FORMAT_PEM, run_ca_chain},
    {"profile", "list", NULL, "", "the purposes a certificate can have", 0, 0, LIST_FORMATS, FORMAT_TABLE,
     run_profile_list},
    {"profile", "show", "P", "", "one of them", 0, 0, LIST_FORMATS, FORMAT_TABLE, run_profile_show},
    {"request", "list", NULL, "[--status pending|approved|denied|expired] [--limit N] [--after CURSOR]",
     "requests that need an approval, the latest first", B(STATUS) | B(LIMIT) | B(AFTER), 0, LIST_FORMATS,
     FORMAT_TABLE, run_request_list},
    {"request", "show", "ID", "", "what is asked for, by whom, and what became of it", 0, 0, LIST_FORMATS,
     FORMAT_TABLE, run_request_show},
    {"request", "approve", "ID", "", "issue what was asked for, by the rules of now", 0, 0, LIST_FORMATS,
     FORMAT_TABLE, run_request_approve},
    {"request", "deny", "ID", "--reason TEXT", "refuse it; the asker is told why", B(REASON), B(REASON),
     LIST_FORMATS, FORMAT_TABLE, run_request_deny},
    {"audit", "list", NULL,
     "[--kind K] [--actor WHO] [--serial S] [--since T|24h] [--until T|1h] [--order newest|oldest] [--limit "
     "N] "
     "[--after CURSOR]",
     "what was done and by whom, 100 rows unless --limit says otherwise (0: all)",
     B(KIND) | B(ACTOR) | B(SERIAL) | B(SINCE) | B(UNTIL) | B(ORDER) | B(LIMIT) | B(AFTER), 0, LIST_FORMATS,
     FORMAT_TABLE, run_audit_list},
    {"audit", "export", NULL, "[--after CURSOR]",
     "every row, oldest first, complete enough to be verified anywhere", B(AFTER), 0, F(JSONL), FORMAT_JSONL,
     run_audit_export},
    {"audit", "head", NULL, "",
     "number and hash of the newest row, to be kept elsewhere, and the public key of seals", 0, 0,
     SHOW_FORMATS, FORMAT_TABLE, run_audit_head},
    {"audit", "verify", NULL, "[--store DIR | --export FILE] [--seal-key PUB] [--head SEQ:HASH]",
     "is every row there and as it was written? Of the service, a copied store or an export; exits 3 when "
     "not",
     B(STORE) | B(EXPORT) | B(SEAL_KEY) | B(HEAD), 0, SHOW_FORMATS, FORMAT_TABLE, run_audit_verify},
    {"profile", "replay", "P", "--against NEW-PROFILES.XML [--limit N]",
     "which certificates of this profile would be refused or come out differently under a changed catalogue; "
     "--limit: the newest N alone",
     B(AGAINST) | B(LIMIT), B(AGAINST), LIST_FORMATS, FORMAT_TABLE, run_profile_replay},
    {"token", "create", NULL, "--role R [--profile GLOB]... [--name SUFFIX]... [--issuer ID]... [--days N]",
     "make a token; its secret is printed once. R: viewer, requester, operator, auditor, administrator. It "
     "ends "
     "after 90 days unless N says otherwise",
     B(ROLE) | B(PROFILE) | B(NAME) | B(ISSUER) | B(DAYS) | OPTS_REPEAT, B(ROLE), LIST_FORMATS, FORMAT_TABLE,
     run_token_create},
    {"token", "list", NULL, "", "the tokens, without their secrets", 0, 0, LIST_FORMATS, FORMAT_TABLE,
     run_token_list},
    {"token", "delete", "ID", "", "it is refused from now on", 0, 0, LIST_FORMATS, FORMAT_TABLE,
     run_token_delete},
    {"permit", "list", NULL, "",
     "from where the listeners take connections and logins; none: from everywhere", 0, 0, LIST_FORMATS,
     FORMAT_TABLE, run_permit_list},
    {"permit", "add", "RANGE", "[--listener http|https] [--role R]",
     "permit an address or CIDR range; the first closes the listener (https unless said otherwise), or that "
     "role, to "
     "all others",
     B(LISTENER) | B(ROLE), 0, SHOW_FORMATS, FORMAT_TABLE, run_permit_add},
    {"permit", "remove", "RANGE", "[--listener http|https] [--role R]",
     "take it back; without the last one everybody is permitted again", B(LISTENER) | B(ROLE), 0,
     SHOW_FORMATS, FORMAT_TABLE, run_permit_remove},
    {"health", NULL, NULL, "", "each check of the service; exits 0 ok, 2 warning or no service, 4 critical",
     0, 0, LIST_FORMATS, FORMAT_TABLE, run_health},
};
const size_t command_count = COUNT_OF(commands);

/* Those that main() runs itself: they concern this machine, not the service. */
static const struct {
    const char *text, *summary;
} local_commands[] = {
    {"init [--name \"Example UC\"] [--host ca.example.com] [--http ADDR:PORT] [--https ADDR:PORT] "
     "[--rsa-ocsp-key rsa-2048|ec-256]",
     "create a home"},
    {"serve [--ready-file FILE]", "run the service in the foreground"},
    {"config check [FILE]", "is the configuration right"},
    {"config show", "the configuration as the files have it"},
    {"store check [DIR]",
     "read every row of the store and hold it against the others; exit 1 when one is wrong"},
    {"store backup DIR", "write the whole home to DIR, keys included, beside a running service"},
    {"store restore DIR", "make the home given by --home out of a backup"},
    {"store snapshot DIR [--host NAME]",
     "write what an OCSP responder on another host reads to DIR/data.mdb, replacing the snapshot before"},
    {"ca renew ID [--parent ID]",
     "a new generation of an issuer, with a new key and name, which issues in its place; the service is "
     "stopped"},
};

bool cli_has_noun(const char *noun)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].noun, noun) == 0)
            return true;
    return false;
}

static bool is_of(const char *text, const char *noun, const char *verb)
{
    size_t len = strlen(noun);

    if (strncmp(text, noun, len) != 0 || (text[len] != ' ' && text[len] != '\0'))
        return false;
    return verb == NULL ||
           (strncmp(text + len, " ", 1) == 0 && strncmp(text + len + 1, verb, strlen(verb)) == 0 &&
            strchr(" ", text[len + 1 + strlen(verb)]) != NULL);
}

size_t local_usage(FILE *out, const char *noun, const char *verb)
{
    size_t shown = 0;

    for (size_t i = 0; i < COUNT_OF(local_commands); i++)
        if (is_of(local_commands[i].text, noun, verb)) {
            fprintf(out, "%s chancery %s\n       %s\n",
                    shown++ > 0 ? "      " : "usage:", local_commands[i].text, local_commands[i].summary);
        }
    return shown;
}

void cli_usage_local(FILE *out, const char *noun, const char *verb)
{
    if (local_usage(out, noun, verb) == 0 && local_usage(out, noun, NULL) == 0)
        cli_usage(out);
}

static const char common_text[] =
    "\nOptions of every command, anywhere on the line:\n"
    "  --home DIR           the home of a service on this machine (CHANCERY_HOME; ./run when it holds "
    "chancery.xml)\n"
    "  --server URL --cacert F [--cert F --key F | --token F]   a service elsewhere, over HTTPS; F: files."
    " Not for init, serve, config and store\n"
    "  --output FORM        table, json, jsonl, csv, pem, der or p7b; NOUN VERB --help has those of a "
    "command\n"
    "  --quiet --no-color --dry-run --yes --help\n"
    "  -                    as FILE: standard input or output\n"
    "\nExit codes: 0 done, 1 usage or local error, 2 no service or it failed, 3 refused, 4 pending approval, "
    "5 not found,"
    " 6 not permitted\n";

void cli_usage(FILE *out)
{
    fputs("usage: chancery NOUN VERB [ARGUMENT] [--option VALUE]...\n\n", out);
    for (size_t i = 0; i < COUNT_OF(local_commands); i++)
        fprintf(out, "  %s\n        %s\n", local_commands[i].text, local_commands[i].summary);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *k = &commands[i];

        fprintf(out, "  %s", k->noun);
        if (k->verb != NULL)
            fprintf(out, " %s", k->verb);
        if (k->argument != NULL)
            fprintf(out, " %s", k->argument);
        if (k->synopsis[0] != '\0')
            fprintf(out, " %s", k->synopsis);
        fprintf(out, "\n        %s\n", k->summary);
    }
    fputs(common_text, out);
}
