/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk: the messages between the ca (only writer) and the crl publisher, who must not know each other's
 * rooms. Every message starts with u8 kind, u64 number; an answer repeats its question's number.
 *
 *  ca -> crl : DESK_PUBLISH  (blob issuer id, u8 cause, u64 changes): a complete run now, or one under way
 *                            that shows so many changes (struct crl_part); answered by DESK_DONE
 *  crl -> ca : DESK_RESERVE  (blob issuer id); answered by DESK_RESERVED (u8 err, u64 CRL number, blob
 *                            public URL: what stands before /crl/ in the lists from now on)
 *              DESK_RECORD   (blob issuer id, u16 shard, u8 is delta, u64 CRL number, i64 thisUpdate, i64
 *                            nextUpdate, u64 size in octets of the DER, u64 entries, 32 octets SHA-256 of the
 *                            DER, u64 changes and i64 end of what it shows (struct crl_part), blob cause
 *                            text); one for each list; answered by DESK_RECORDED (u8 err)
 *              DESK_DONE     (u8 err, u64 CRL number, blob reason text)
 */
#ifndef BASE_DESK_H
#define BASE_DESK_H

enum desk_kind { DESK_PUBLISH = 32, DESK_RESERVE, DESK_RESERVED, DESK_RECORD, DESK_RECORDED, DESK_DONE };

enum desk_cause { CAUSE_START, CAUSE_SCHEDULE, CAUSE_REQUEST, CAUSE_REVOCATION, CAUSE_CONFIGURATION };
#define CAUSE_REQUEST_TEXT "request" /* the cause text of a run that is made because somebody asked */

#endif
