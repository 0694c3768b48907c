/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: a new home, made whole beside its final place and renamed into it, so that there is a complete home
 * or none. Keys are generated and used here once, in this process; afterwards only a signer opens them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/role.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parts.h"

#define DAY_S ((int64_t)86400)
#define ROOT_DAYS 7305    /* 20 years: outlives two generations of issuing CAs */
#define ISSUING_DAYS 3653 /* 10 years: a leaf of 5 years can be issued during the first half */
#define ADMIN_DAYS                                                                                           \
    730 /* as long as an administrator's certificate should go without a look at who holds it */
#define BACKDATE_S                                                                                           \
    3600 /* CA certificates: clocks of what is set up at the same time may differ by minutes                 \
          */
#define NAME_CHARS_MAX 40u /* "<name> RSA Issuing CA G1" must fit the 64 characters of a commonName */
#define ISSUERS 4

struct plan {
    const char *id, *parent, *key, *ocsp_key, *title;
    int64_t days;
    int path_len;       /* -1: none */
    const char *issues; /* NULL: a root */
    const char *crl_every;
};

/* Both hierarchies of INTERFACE 3. RSA keys are 3072 bits because some phones refuse CA keys of 4096 (DOMAIN
 * 3). An issuing CA's pathLenConstraint of 1 leaves room for CAPF's subordinate CA. Responder keys: RSA for
 * who may lack EC. */
static const struct plan plans[ISSUERS] = {
    {"rsa-root-g1", "", "rsa-3072", "rsa-2048", "RSA Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    {"rsa-g1", "rsa-root-g1", "rsa-3072", "rsa-2048", "RSA Issuing CA G1", ISSUING_DAYS, 1, "rsa", "24h"},
    {"ec-root-g1", "", "ec-384", "ec-256", "EC Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    {"ec-g1", "ec-root-g1", "ec-384", "ec-256", "EC Issuing CA G1", ISSUING_DAYS, 1, "ec", "24h"},
};

struct made { /* one issuer of the new home */
    struct buf name, certificate, spki;
    struct signer_key *key;
    uint16_t no;
};

struct init {
    const struct init_options *o;
    char dir[PATH_LEN_MAX]; /* where it is being made */
    char public_url[256];
    struct made made[ISSUERS];
    struct buf admin; /* certificate DER */
    struct store *store;
    int64_t now_s;
    struct fault f;
};

/* ---- files ---- */

static enum err put_file(struct init *in, const char *name, struct span content, mode_t mode)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, in->dir, name, &in->f);

    return e == OK ? file_replace(path, content, mode, &in->f) : e;
}

static enum err put_pem(struct init *in, const char *name, const char *label, const struct span *ders,
                        size_t n, mode_t mode)
{
    struct buf pem;
    enum err e;

    buf_init(&pem, PEM_MAX);
    for (size_t i = 0; i < n; i++)
        pem_put(&pem, label, ders[i]);
    e = put_file(in, name, buf_span(&pem), mode);
    buf_free(&pem);
    return e;
}

static enum err make_directories(struct init *in)
{
    static const struct {
        const char *name;
        mode_t mode;
    } dirs[] = {{"keys", 0700},      {"issuers", 0755},    {"store", 0700}, {"public", 0755},
                {"public/ca", 0755}, {"public/crl", 0755}, {"admin", 0700}, {"listener", 0700}};
    char path[PATH_LEN_MAX];

    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        enum err e = path_join(path, in->dir, dirs[i].name, &in->f);

        if (e != OK)
            return e;
        if (mkdir(path, dirs[i].mode) != 0 || chmod(path, dirs[i].mode) != 0)
            return fault_set(&in->f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return OK;
}

/* ---- keys and certificates ---- */

static enum err make_key(struct init *in, const char *kind, const char *file, struct buf *spki)
{
    char path[PATH_LEN_MAX];
    uint8_t *der = NULL;
    size_t len = 0;
    enum err e = path_join(path, in->dir, file, &in->f);

    if (e == OK)
        e = signer_key_generate(kind, path, &der, &len, &in->f);
    if (e == OK && spki != NULL)
        buf_put(spki, der, len);
    free(der);
    return e;
}

static enum err load_key(struct init *in, const struct plan *p, bool is_new_root, struct span certificate,
                         struct signer_key **out)
{
    char uri[PATH_LEN_MAX + 64];
    struct signer_spec spec = {.uri = uri,
                               .certificate = certificate,
                               .is_new_root = is_new_root,
                               .may_leaf = p->issues != NULL,
                               .may_subordinate = !is_new_root};

    snprintf(spec.id, sizeof spec.id, "%s", p->id);
    snprintf(uri, sizeof uri, "file:%s/keys/%s.key", in->dir, p->id);
    return signer_key_load(&spec, out, &in->f);
}

static enum err sign(struct init *in, const struct signer_key *key, struct tbs *t, struct buf *certificate)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len = 0;
    struct buf tbs;
    enum err e;

    serial_new(1, t->not_after_s, t->serial);
    buf_init(&tbs, 16384);
    tbs_write(&tbs, t);
    e = signer_sign(key, PORT_CERTIFICATE, buf_span(&tbs), in->now_s, signature, &signature_len, &in->f);
    if (e == OK)
        certificate_write(certificate, buf_span(&tbs), t->alg, span_of(signature, signature_len));
    buf_free(&tbs);
    return e;
}

static size_t parent_of(size_t i)
{
    for (size_t k = 0; k < ISSUERS; k++)
        if (strcmp(plans[k].id, plans[i].parent) == 0)
            return k;
    return i; /* a root is its own */
}

static enum sig_alg algorithm_of(struct span spki)
{
    struct key_kind kind;

    return key_kind_of(spki, &kind) ? sig_alg_for(&kind) : SIG_NONE;
}

static enum err make_issuer(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct made *m = &in->made[i], *parent = &in->made[parent_of(i)];
    char cn[128], file[64], ocsp_url[300], issuer_url[300], crl_url[300];
    uint8_t aki[SKI_LEN] = {0};
    struct signer_key *fresh = NULL;
    bool is_root = m == parent;
    enum err e;

    snprintf(file, sizeof file, "keys/%s.key", p->id);
    snprintf(cn, sizeof cn, "%s %s", in->o->name, p->title);
    name_write(&m->name, in->o->name, cn);
    e = make_key(in, p->key, file, &m->spki);
    if (e == OK && is_root)
        e = load_key(in, p, true, (struct span){0}, &fresh);
    if (e != OK)
        return e;
    if (!ski_of(buf_span(&parent->spki), aki))
        e = fault_set(&in->f, ERR_INTERNAL, "the new key of %s cannot be read",
                      parent == m ? p->id : p->parent);
    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", in->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", in->public_url, p->parent);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", in->public_url, p->parent);
    if (e == OK) {
        struct tbs t = {
            .alg = algorithm_of(buf_span(&parent->spki)),
            .issuer = buf_span(&parent->name),
            .subject = buf_span(&m->name),
            .spki = buf_span(&m->spki),
            .not_before_s = in->now_s - BACKDATE_S,
            .not_after_s = in->now_s - BACKDATE_S + p->days * DAY_S - 1,
            .ku = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
            .is_ca = true,
            .path_len = p->path_len,
            .aki = span_of(aki, sizeof aki),
            .ocsp_url = is_root ? NULL : ocsp_url,
            .issuer_url = is_root ? NULL : issuer_url,
            .crl_url = is_root ? NULL : crl_url,
        };

        e = sign(in, is_root ? fresh : parent->key, &t, &m->certificate);
    }
    signer_key_free(fresh);
    if (e == OK)
        e = load_key(in, p, false, buf_span(&m->certificate), &m->key);
    return e;
}

static enum err put_issuer_files(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct span chain[2] = {buf_span(&in->made[i].certificate),
                            buf_span(&in->made[parent_of(i)].certificate)};
    size_t n = parent_of(i) == i ? 1 : 2;
    char name[64];
    struct buf p7b, ocsp_spki;
    struct span ocsp;
    enum err e;

    buf_init(&p7b, PEM_MAX);
    buf_init(&ocsp_spki, 4096);
    snprintf(name, sizeof name, "issuers/%s.pem", p->id);
    e = put_pem(in, name, "CERTIFICATE", chain, 1, 0644);
    snprintf(name, sizeof name, "issuers/%s-chain.pem", p->id);
    if (e == OK)
        e = put_pem(in, name, "CERTIFICATE", chain, n, 0644);
    snprintf(name, sizeof name, "public/ca/%s.pem", p->id);
    if (e == OK)
        e = put_pem(in, name, "CERTIFICATE", chain, 1, 0644);
    snprintf(name, sizeof name, "public/ca/%s.cer", p->id);
    if (e == OK)
        e = put_file(in, name, chain[0], 0644);
    if (e == OK)
        e = p7b_put(&p7b, chain, n);
    snprintf(name, sizeof name, "public/ca/%s.p7c", p->id);
    if (e == OK)
        e = put_file(in, name, buf_span(&p7b), 0644);
    snprintf(name, sizeof name, "keys/%s-ocsp.key", p->id);
    if (e == OK)
        e = make_key(in, p->ocsp_key, name, &ocsp_spki);
    ocsp = buf_span(&ocsp_spki);
    snprintf(name, sizeof name, "issuers/%s-ocsp.pub", p->id);
    if (e == OK)
        e = put_pem(in, name, "PUBLIC KEY", &ocsp, 1, 0644);
    buf_free(&p7b);
    buf_free(&ocsp_spki);
    return e;
}

/* The first administrator's client certificate, under the EC hierarchy: every client that can do TLS 1.2 with
 * AEAD can use it. */
static enum err make_admin(struct init *in)
{
    static const enum eku eku[] = {EKU_CLIENT_AUTH};
    const size_t issuer = 3;
    struct made *m = &in->made[issuer];
    char ocsp_url[300], issuer_url[300], crl_url[300];
    uint8_t aki[SKI_LEN] = {0};
    struct buf spki, name;
    enum err e;

    buf_init(&spki, 4096);
    buf_init(&name, 1024);
    name_write(&name, in->o->name, "Administrator");
    e = make_key(in, "ec-256", "admin/admin.key", &spki);
    if (e == OK && !ski_of(buf_span(&m->spki), aki))
        e = fault_set(&in->f, ERR_INTERNAL, "the new key of %s cannot be read", plans[issuer].id);
    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", in->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", in->public_url, plans[issuer].id);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", in->public_url, plans[issuer].id);
    if (e == OK) {
        struct tbs t = {
            .alg = algorithm_of(buf_span(&m->spki)),
            .issuer = buf_span(&m->name),
            .subject = buf_span(&name),
            .spki = buf_span(&spki),
            .not_before_s = in->now_s - BACKDATE_S,
            .not_after_s = in->now_s + ADMIN_DAYS * DAY_S - 1,
            .ku = KU_DIGITAL_SIGNATURE,
            .eku = eku,
            .eku_count = 1,
            .aki = span_of(aki, sizeof aki),
            .ocsp_url = ocsp_url,
            .issuer_url = issuer_url,
            .crl_url = crl_url,
        };

        e = sign(in, m->key, &t, &in->admin);
    }
    buf_free(&spki);
    buf_free(&name);
    return e;
}

static enum err put_admin_files(struct init *in)
{
    struct span chain[] = {buf_span(&in->admin), buf_span(&in->made[3].certificate)};
    struct span roots[] = {buf_span(&in->made[0].certificate), buf_span(&in->made[2].certificate)};
    struct span p12_chain[] = {buf_span(&in->made[3].certificate), buf_span(&in->made[2].certificate)};
    char key_path[PATH_LEN_MAX];
    struct buf p12;
    enum err e = put_pem(in, "admin/admin.pem", "CERTIFICATE", chain, 2, 0644);

    buf_init(&p12, PEM_MAX);
    if (e == OK)
        e = put_pem(in, "admin/server-ca.pem", "CERTIFICATE", roots, 2, 0644);
    if (e == OK)
        e = path_join(key_path, in->dir, "admin/admin.key", &in->f);
    if (e == OK)
        e = signer_p12_write(key_path, chain[0], p12_chain, 2, "Chancery administrator", &p12, &in->f);
    if (e == OK)
        e = put_file(in, "admin/admin.p12", buf_span(&p12), 0600);
    buf_free(&p12);
    return e;
}

/* ---- the store ---- */

static enum err add_certificate(struct init *in, struct txn *t, struct span der, const char *cn,
                                const char *profile, uint16_t issuer_no)
{
    struct cert_about about = {.der = der,
                               .cn = span_str(cn),
                               .profile = profile,
                               .requester = "init",
                               .issuer_no = issuer_no,
                               .now_s = in->now_s};
    struct buf sans, subject;
    struct parts parts;
    struct cert row;
    uint64_t number;
    enum err e = OK;

    buf_init(&sans, 1024);
    buf_init(&subject, 1024);
    if (parts_of(der, &parts))
        name_text(parts.subject, &subject);
    about.subject_text = buf_span(&subject);
    if (cert_row(&about, &sans, &row))
        cert_add(t, &row, &number);
    else
        e = fault_set(&in->f, ERR_INTERNAL, "the new certificate of %s cannot be read back", cn);
    buf_free(&sans);
    buf_free(&subject);
    return e;
}

static enum err add_issuer(struct init *in, struct txn *t, size_t i)
{
    struct made *m = &in->made[i];
    struct issuer row = {.certificate = buf_span(&m->certificate)};
    char cn[128];

    snprintf(row.id, sizeof row.id, "%s", plans[i].id);
    snprintf(row.parent, sizeof row.parent, "%s", plans[i].parent);
    snprintf(cn, sizeof cn, "%s %s", in->o->name, plans[i].title);
    issuer_add(t, &row, &m->no);
    return add_certificate(in, t, buf_span(&m->certificate), cn, "chancery/issuer",
                           in->made[parent_of(i)].no);
}

static enum err fill_store(struct init *in)
{
    struct audit_row row = {
        .at_s = in->now_s, .kind = AUDIT_INIT, .actor = span_str("init"), .detail = span_str(in->o->name)};
    char path[PATH_LEN_MAX];
    struct txn *t = NULL;
    enum err e = path_join(path, in->dir, "store", &in->f);

    if (e == OK)
        e = store_open(path, STORE_CREATE, 0, &in->store, &in->f);
    if (e != OK)
        return e;
    if (txn_begin(in->store, &t) != OK)
        return fault_set(&in->f, ERR_IO, "%s: the new store refuses a transaction", path);
    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = add_issuer(in, t, i);
    if (e == OK)
        e = add_certificate(in, t, buf_span(&in->admin), "Administrator", "chancery/administrator",
                            in->made[3].no);
    audit_append(t, &row);
    if (e != OK) {
        txn_abort(t);
        return e;
    }
    return txn_commit(t) == OK ? OK : fault_set(&in->f, ERR_IO, "%s: the first commit failed", path);
}

/* ---- configuration ---- */

static void put_issuer_element(struct buf *b, const struct plan *p)
{
    buf_printf(b, "  <issuer id=\"%s\"", p->id);
    if (p->issues != NULL)
        buf_printf(b, " parent=\"%s\" issues=\"%s\"", p->parent, p->issues);
    buf_printf(b, " key=\"file:keys/%s.key\" ocsp-key=\"file:keys/%s-ocsp.key\">\n", p->id, p->id);
    buf_printf(b, "    <crl every=\"%s\" overlap=\"72h\"/>\n  </issuer>\n", p->crl_every);
}

static void put_attr(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, " %s=\"", name);
    xml_escape(b, value);
    buf_put_str(b, "\"");
}

/* The host of ADDR:PORT without brackets. */
static void listen_host(const char *where, char *out, size_t cap)
{
    const char *colon = strrchr(where, ':');
    size_t len = colon != NULL ? (size_t)(colon - where) : strlen(where);

    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    }
    snprintf(out, cap, "%.*s", (int)len, where);
}

static void put_listener_names(struct buf *b, const struct init_options *o)
{
    char host[128];
    const char *const names[] = {o->host, "localhost", "127.0.0.1", "::1", host};
    size_t count = 4;

    listen_host(o->https, host, sizeof host);
    if (host[0] != '\0' && strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
        count = 5;
    for (size_t i = 0; i < count; i++) {
        bool twice = false;

        for (size_t k = 0; k < i; k++)
            twice = twice || strcasecmp(names[i], names[k]) == 0;
        if (twice)
            continue;
        buf_put_str(b, "    <name");
        put_attr(b, "value", names[i]);
        buf_put_str(b, "/>\n");
    }
}

static void write_settings(struct init *in, struct buf *b)
{
    const struct init_options *o = in->o;

    buf_put_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<!-- The whole configuration of this home. `chancery config check` explains every "
                   "mistake; SIGHUP loads profiles.xml anew,\n"
                   "     everything here is read at start. See docs/configuration.md. -->\n"
                   "<chancery xmlns=\"urn:chancery:configuration:1\">\n  <service");
    put_attr(b, "name", o->name);
    put_attr(b, "host", o->host);
    buf_put_str(b, " node=\"1\"/>\n  <http");
    put_attr(b, "listen", o->http);
    put_attr(b, "public-url", in->public_url);
    buf_put_str(b, "/>\n  <https");
    put_attr(b, "listen", o->https);
    buf_put_str(b, " validity=\"90d\">\n");
    put_listener_names(b, o);
    buf_put_str(b, "  </https>\n  <store map-size-mib=\"1024\"/>\n"
                   "  <ocsp validity=\"24h\" signer-validity=\"14d\"/>\n  <crl on-revocation=\"false\"/>\n");
    for (size_t i = 0; i < ISSUERS; i++)
        put_issuer_element(b, &plans[i]);
    buf_put_str(b, "</chancery>\n");
}

/* What was written must be readable by the service: it is held against the schema before the home is put in
 * place. */
static enum err put_settings(struct init *in)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct buf b;
    enum err e;

    buf_init(&b, XML_DOC_MAX);
    write_settings(in, &b);
    snprintf(c->home, sizeof c->home, "%s", in->o->home);
    e = config_read("chancery.xml", buf_span(&b), c, NULL, &in->f);
    if (e == OK)
        e = put_file(in, "chancery.xml", buf_span(&b), 0644);
    if (e == OK)
        e = put_file(in, "profiles.xml", catalogue_installed(), 0644);
    buf_free(&b);
    free(c);
    return e;
}

/* ---- the home as a whole ---- */

static bool is_empty_directory(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (d == NULL)
        return false;
    while ((entry = readdir(d)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(d);
    return empty;
}

static enum err check_home(struct init *in)
{
    struct stat st;

    if (lstat(in->o->home, &st) != 0)
        return errno == ENOENT ? OK : fault_set(&in->f, ERR_IO, "%s: %s", in->o->home, strerror(errno));
    if (!S_ISDIR(st.st_mode) || !is_empty_directory(in->o->home))
        return fault_set(&in->f, ERR_EXISTS, "%s exists already: nothing was changed", in->o->home);
    return OK;
}

/* 1..40 characters of UTF-8 without control characters: the name becomes part of every CA's subject. */
static enum err check_name(struct init *in)
{
    size_t chars = 0;

    for (const unsigned char *p = (const unsigned char *)in->o->name; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return fault_set(&in->f, ERR_USAGE, "--name: control characters are not permitted");
        chars += (*p & 0xc0) != 0x80;
    }
    if (chars == 0 || chars > NAME_CHARS_MAX)
        return fault_set(&in->f, ERR_USAGE, "--name: 1 to %u characters, so that every CA's name fits 64",
                         NAME_CHARS_MAX);
    return OK;
}

/* http://HOST:PORT as it stands in certificates; port 80 is left out, and 0 (any port, for trials) cannot be
 * in a URL. */
static void set_public_url(struct init *in)
{
    const char *colon = strrchr(in->o->http, ':');
    const char *port = colon != NULL ? colon + 1 : "80";

    if (strcmp(port, "80") == 0 || strcmp(port, "0") == 0)
        snprintf(in->public_url, sizeof in->public_url, "http://%.200s", in->o->host);
    else
        snprintf(in->public_url, sizeof in->public_url, "http://%.200s:%.8s", in->o->host, port);
}

static enum err make_home(struct init *in)
{
    enum err e = make_directories(in);

    if (e == OK)
        e = put_settings(in);
    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = make_issuer(in, i);
    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = put_issuer_files(in, i);
    if (e == OK)
        e = make_admin(in);
    if (e == OK)
        e = put_admin_files(in);
    if (e == OK)
        e = make_key(in, "rsa-2048", "keys/https-rsa.key", NULL);
    if (e == OK)
        e = make_key(in, "ec-256", "keys/https-ec.key", NULL);
    return e == OK ? fill_store(in) : e;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    char child[PATH_LEN_MAX];

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            path_join(child, path, entry->d_name, NULL) != OK)
            continue;
        if (unlink(child) != 0 && errno == EISDIR)
            remove_tree(child);
    }
    if (d != NULL)
        closedir(d);
    rmdir(path);
}

static enum err place_home(struct init *in)
{
    int fd;

    if (chmod(in->dir, 0755) != 0 || rename(in->dir, in->o->home) != 0)
        return fault_set(&in->f, errno == EEXIST || errno == ENOTEMPTY ? ERR_EXISTS : ERR_IO, "%s: %s",
                         in->o->home, strerror(errno));
    fd = open(in->o->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        if (syncfs(fd) != 0)
            log_warn("init", "syncfs: %s", strerror(errno));
        close(fd);
    }
    return OK;
}

static enum err run(struct init *in)
{
    enum err e = check_name(in);
    int n;

    if (e == OK)
        e = check_home(in);
    if (e != OK)
        return e;
    set_public_url(in);
    n = snprintf(in->dir, sizeof in->dir, "%s.new-XXXXXX", in->o->home);
    if (n < 0 || n >= PATH_LEN_MAX - 128) /* room for the longest name inside */
        return fault_set(&in->f, ERR_USAGE, "--home: the path is too long");
    if (mkdtemp(in->dir) == NULL)
        return fault_set(&in->f, ERR_IO, "%s: %s", in->o->home, strerror(errno));
    e = make_home(in);
    store_close(in->store);
    in->store = NULL;
    if (e == OK)
        e = place_home(in);
    if (e != OK)
        remove_tree(in->dir);
    return e;
}

static void say_done(const struct init_options *o)
{
    fprintf(stderr,
            "Created %s: two hierarchies (RSA 3072, EC P-384), their OCSP signers and an administrator.\n"
            "  start it            chancery serve --home %s\n"
            "  the administrator   %s/admin/admin.pem, admin.key (admin.p12 for a browser, empty password)\n"
            "  trust the listener  %s/admin/server-ca.pem\n"
            "Keep a copy of %s/keys where nobody else can read it.\n",
            o->home, o->home, o->home, o->home, o->home);
}

int init_main(const struct init_options *o)
{
    struct init *in = xcalloc(1, sizeof *in);
    char home[PATH_LEN_MAX] = "", cwd[PATH_LEN_MAX];
    struct init_options options = *o;
    size_t len = strlen(o->home);
    enum err e;

    log_role("init");
    while (len > 1 && o->home[len - 1] == '/') /* the temporary name goes beside the home, not into it */
        len--;
    if (o->home[0] == '/')
        snprintf(home, sizeof home, "%.*s", (int)len, o->home);
    else if (getcwd(cwd, sizeof cwd) != NULL) /* key URIs must be absolute */
        snprintf(home, sizeof home, "%.500s/%.*s", cwd, (int)(len < 500 ? len : 500), o->home);
    options.home = home;
    in->o = &options;
    in->now_s = clock_now_s();
    buf_init(&in->admin, PEM_MAX);
    for (size_t i = 0; i < ISSUERS; i++) {
        buf_init(&in->made[i].name, 1024);
        buf_init(&in->made[i].certificate, PEM_MAX);
        buf_init(&in->made[i].spki, 4096);
    }
    e = run(in);
    if (e != OK)
        fprintf(stderr, "chancery: %s\n", in->f.detail[0] != '\0' ? in->f.detail : err_text(e));
    else
        say_done(&options);
    for (size_t i = 0; i < ISSUERS; i++) {
        signer_key_free(in->made[i].key);
        buf_free(&in->made[i].name);
        buf_free(&in->made[i].certificate);
        buf_free(&in->made[i].spki);
    }
    buf_free(&in->admin);
    free(in);
    return e == OK ? 0 : 1;
}
