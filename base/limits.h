/* SPDX-License-Identifier: Apache-2.0 */
/* limits: the fixed limits that more than one room needs, each with its reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define HEADER_MAX (16u * 1024)     /* HTTP header block, docs/interface.md, 5: far beyond any real client */
#define CSR_MAX (64u * 1024)        /* docs/interface.md, 5: a CSR of 1,000 SANs and RSA 4096 fits in half */
#define PREFLIGHT_MAX (192u * 1024) /* a CSR_MAX and a certificate file as large in base64, in JSON */
#define OCSP_REQUEST_MAX 4096u      /* docs/interface.md, 5: 32 CertIDs, all that are answered, take 3.5 KB */
#define JSON_BODY_MAX 4096u         /* revocation and the like: two short members */
#define TOKEN_BODY_MAX 8192u        /* what a token is to be: three lists of a scope */
#define PEM_MAX (128u * 1024)       /* a CSR_MAX of DER in base64, with its armour */
#define WIRE_MSG_MAX                                                                                         \
    (160u * 1024)      /* one message between roles: CSR + its facts; below the 208 KiB that                 \
                          the kernel's default socket buffer takes in one piece */
#define SERIAL_LEN 19u /* octets: 1 node, 2 expiry bucket, 16 random; the RFC 5280 4.1.2.2 limit is 20 */
#define SERIAL_HEX_LEN 38u
#define HASH_LEN 32u            /* SHA-256 */
#define SKI_LEN 20u             /* SHA-1 of the key bits, RFC 5280 4.2.1.2 (1) */
#define ISSUER_ID_MAX 32u       /* "rsa-root-g1": short names, with the final NUL */
#define PROFILE_ID_MAX 64u      /* "imp/cup-xmpp-s2s-ECDSA", with the final NUL */
#define PRINCIPAL_MAX 128u      /* who asks, as audit rows name them, with the final NUL */
#define SAN_COUNT_MAX 1000u     /* names in one certificate: beyond any multi-server cluster */
#define ISSUERS_MAX 16u         /* four from init, and twelve new generations of any of them */
#define SIGNATURE_MAX 512u      /* octets: RSA 4096; EC P-521 needs 141 */
#define CN_MAX 64u              /* characters, RFC 5280 ub-common-name */
#define DNS_NAME_MAX 253u       /* characters, RFC 1035 2.3.4 without the final dot */
#define LIST_LIMIT_DEFAULT 100u /* rows of a list page unless asked */
#define LIST_LIMIT_MAX 1000u    /* rows of a list page at most: some 500 KiB of JSON */
/* Octets that stay free where the store lies: a group of the ca's dirties some 3,000 pages of 4 KiB, and the
 * log and short lists grow beside it. */
#define DISK_RESERVE (32u * 1024 * 1024)
#define TOKEN_DAYS_MAX 3650 /* ten years: a machine's token that is forgotten ends with the machine */
#define CRL_DAYS_MAX 400    /* thisUpdate to nextUpdate: a year and its overlap */
#define OCSP_DAYS_MAX 30    /* likewise: beyond a month a client could hold a revocation back for too long */
/* An OCSP answer is given no longer in the last sixteenth of its life: who takes it can use it a while. */
#define OCSP_END_SHARE 16

#endif
