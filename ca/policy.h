/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what the files behind profile_check() share. Each *_check adds its findings and its part of the
 * grant; together they are one walk over one request. Pure: no clock, no store, no keys.
 */
#ifndef CA_POLICY_H
#define CA_POLICY_H

#include "ca/ca.h"

#define KU_ENCIPHERMENT (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)
#define KU_ISSUING (KU_KEY_CERT_SIGN | KU_CRL_SIGN)

struct check {
    const struct profile *profile;
    const struct facts *facts;
    struct key_kind key; /* type KEY_NONE when the SPKI cannot be read */
    struct grant *grant;
    struct findings *findings;
};

/* mirror.c: keyUsage and extendedKeyUsage. */
void mirror_check(struct check *c);
/* usage.c: usages for people, "none" for none. A set of extended key usages is a mask of 1 << enum eku. */
#define USAGE_TEXT_MAX 400 /* octets: all names of either table */
void ku_names(uint16_t bits, char out[static USAGE_TEXT_MAX]);
void eku_names(uint32_t set, char out[static USAGE_TEXT_MAX]);
uint32_t eku_set_of(const enum eku *list, size_t count);
/* names.c: subject, common name and SAN. Wants the grant's extendedKeyUsage. */
void names_check(struct check *c);

#define RSA_BITS_MOST 4096u /* of any certificate uploaded: docs/products.md, 3 */

/* upload.c: one finding about one text of a certificate; "empty" stands for none. */
void upload_find(struct findings *fs, const char *rule, const char *field, struct span got, struct span want);
/* upload_chain.c: the part of upload_check() about the certificates above. */
void upload_chain(const struct upload *u, struct findings *out);
/* upload_usage.c: the part of upload_check() about usages and CA rights. */
void upload_usages(const struct upload *u, struct findings *out);
/* What a phone or an Expressway fails without, by the rule that is named after it; nothing of other profiles.
 * `field`: of the request or of the certificate. */
void phone_usage_find(struct findings *fs, const char *field, const struct profile *p, enum key_type key,
                      uint16_t ku);
void expressway_usage_find(struct findings *fs, const char *field, const struct profile *p, uint32_t eku);

/* naming.c: the purpose's own naming, and the names a site permits. */
void naming_check(struct check *c, bool is_multi);
void name_limits_check(struct check *c);
/* lint_name.c: string types and lengths of a subject; adds lint.* findings. */
void lint_subject(struct span subject, struct findings *out);
/* weak_key.c: RSA keys that anyone could break. */
void weak_key_check(struct check *c);

/* subject.c: one AttributeTypeAndValue. */
struct attribute {
    struct span type; /* content of the OID */
    uint8_t tag;      /* of the value */
    struct span value;
    struct span whole;
};
/* In order. False for what is no Name. */
bool subject_each(struct span subject, void (*fn)(const struct attribute *a, void *arg), void *arg);
/* The same name, RFC 5280 7.1: whatever the types of the strings, the case of their ASCII letters and the
 * number of blanks, as OpenSSL compares them: less than all of RFC 4518. False for what is no Name. */
bool subject_matches(struct span a, struct span b);

/* attribute.c */
bool attribute_is_cn(const struct attribute *a);
bool attribute_is_ou(const struct attribute *a);
bool attribute_is_email(const struct attribute *a); /* emailAddress of PKCS#9 */
/* What it says, as UTF-8, at most twice as long; false for what is no text, or is more than `out` takes. */
bool attribute_text(const struct attribute *a, struct buf *out);

/* other_name.c: appends what kind of name it is, with its OID when it is an otherName. */
void other_name_text(struct span general_name, struct buf *out);

/* host.c: what a text is as the name of a host. */
enum host_kind {
    HOST_BAD,  /* no host name: empty label, a character that is none of LDH, over 63 or 253, a number as
                  the last label of several */
    HOST_NAME, /* letters, digits, hyphens: RFC 1123 2.1; a bare host counts */
    HOST_UNDERSCORE, /* a host name but for '_' */
    HOST_ADDRESS,    /* an IPv4 address in text */
    HOST_WILDCARD,   /* "*." before a host name of two labels or more */
    HOST_STAR,       /* '*' anywhere else */
};
enum host_kind host_kind_of(struct span text);
/* Labels are compared without regard to case, RFC 4343. */
bool host_eq(struct span a, struct span b);
/* "example.com" is the domain of "a.example.com" and of "b.a.example.com". */
bool host_is_domain_of(struct span domain, struct span name);
struct span host_first_label(struct span name);
bool host_ends_with(struct span label, const char *suffix);

/* The names that one finding is about, ", " between: the first LISTED_MAX of them, then how many more. */
struct listing {
    struct buf text;
    size_t count;
};
void listing_init(struct listing *l);
void listing_add(struct listing *l, struct span item);
/* Adds the finding when there is anything in the list, then empties it. */
void listing_find(struct listing *l, struct findings *fs, const char *rule, const char *field,
                  const char *want);
/* A name as san_text() shows it. */
void listing_add_san(struct listing *l, const struct san *s);
/* One finding about one name. */
void name_finding(struct check *c, const char *rule, const char *field, struct span got, const char *want);

#endif
