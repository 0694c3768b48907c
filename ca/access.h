/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: who asks, and what he may: the configuration of it, and principals as the store and the
 * configuration know them. A part of the room's door, ca/ca.h, which other rooms include.
 */
#ifndef CA_ACCESS_H
#define CA_ACCESS_H

#include "base/xml.h"
#include "store/store.h"

struct facts; /* ca.h */
struct ca_config;

/* ---- configuration: access_config.c ---- */

#define ACCESS_PRINCIPALS_MAX 64u /* people and machines whose certificates are not of our own making */
#define ACCESS_PEERS_MAX 32u      /* local users and groups */
#define ACCESS_AUTHORITIES_MAX 8u /* foreign CAs */
#define ACCESS_SUBJECT_MAX 512u   /* octets of a subject as text, with the NUL */
#define ACCESS_NAME_MAX 32u       /* of what the configuration names, with the NUL */
#define ACCESS_PATH_MAX 1024u

/* <certificate-authority>: whose client certificates are taken besides our own. */
struct access_authority {
    char id[ACCESS_NAME_MAX];
    char file[ACCESS_PATH_MAX], crl[ACCESS_PATH_MAX]; /* PEM; relative ones are in the home */
};
/* <principal>: a subject of such an authority and its role; or, without authority, what limits the
 * certificate of our own with that subject, whose profile is its role. */
struct access_principal {
    char name[ACCESS_NAME_MAX];
    char authority[ACCESS_NAME_MAX];  /* "" our own */
    char subject[ACCESS_SUBJECT_MAX]; /* as our lists print it: RFC 2253, a blank after each comma */
    bool is_pinned;
    uint8_t sha256[HASH_LEN]; /* of the certificate's DER */
    enum access_role role;    /* ACCESS_NOBODY without authority */
    struct scope scope;
};
/* <peer>: a local user or group on the control socket. */
struct access_peer {
    bool is_group;
    uint32_t id;
    enum access_role role;
    struct scope scope;
};
struct access_config {
    struct access_authority authorities[ACCESS_AUTHORITIES_MAX];
    size_t authority_count;
    struct access_principal principals[ACCESS_PRINCIPALS_MAX];
    size_t principal_count;
    struct access_peer peers[ACCESS_PEERS_MAX];
    size_t peer_count;
};
enum err access_config_read(const struct xml_node *root, struct access_config *out, struct fault *f);

/* ---- principals: access.c ---- */

#define TOKENS_MAX 4096u /* kept at once, ended ones included: beyond what anybody manages by hand */
/* A token made by a token made by …: each is a read when its person is looked up. A token that makes its own
 * successor every 90 days comes to the end after sixteen years. Longer chains, of earlier versions, are
 * followed all the same. */
#define CHAIN_OF_TOKENS_MAX 64u
#define IDENTITY_MAX (2 * HASH_LEN + 8) /* "person:" and a SHA-256 in hex, with the NUL */

/* Somebody who may ask. The name is how audit rows and certificates show it, and says how it logged in:
 *   uid:N            a local user: root, the service's own, or one of the configuration
 *   gid:G,uid:N      a local user by a group of the configuration
 *   cert:SERIAL      a certificate of ours
 *   login:NAME       a certificate of a foreign CA, NAME from the configuration
 *   token:ID         a token
 * The identity is who stands behind it: two certificates of one subject (of ours, or of one foreign CA) are
 * one person, and so are a token and who made it. Whoever must be somebody else (an approval) is compared by
 * that. */
struct principal {
    char name[PRINCIPAL_MAX];
    char identity[IDENTITY_MAX];
    bool is_local_master; /* root or the service's own user, who could write the store itself */
    enum access_role role;
    struct scope scope;
};
/* Role, scope and identity of a name, from the store and the configuration alone: the api says who asks, and
 * what he may is looked up again here. ERR_UNAUTHENTICATED: unknown, expired, revoked, deleted;
 * ERR_FORBIDDEN: known and without a role; ERR_UNAVAILABLE: the store cannot be read. */
enum err principal_find(struct view *v, const struct access_config *c, const char *name, int64_t now_s,
                        struct principal *out, struct fault *f);
/* The identity alone, also of who may do nothing any more; a name that leads nowhere is its own. */
void principal_identity(struct view *v, const struct access_config *c, const char *name,
                        char out[static IDENTITY_MAX]);
/* False of a name that leads to nobody: a login that the configuration does not name any more, a certificate
 * whose row is gone or damaged, a token that one of these has made. It may be anybody's. */
bool identity_is_person(const char *identity);
/* False at the end of CHAIN_OF_TOKENS_MAX tokens that made each other. */
bool principal_may_make_token(struct view *v, const char *name);
/* "chancery/operator": what a certificate of this profile makes of who has it. False for other profiles. */
bool profile_role(const char *profile_id, enum access_role *out);
/* Is everything about this certificate within the scope? */
bool scope_has_cert(const struct scope *s, struct view *v, const struct cert *c);
/* Every name that a request asks for; without any, a scope with names does not cover it. */
bool scope_has_facts(const struct scope *s, const struct facts *f);
/* By what it asks for and the issuer that its key would get. Facts written by another version of this program
 * count as not covered, whatever limits the scope has. */
bool scope_has_request(const struct scope *s, const struct ca_config *c, const struct request *r);

#endif
