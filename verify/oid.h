#ifndef SUREFOOT_VERIFY_OID_H
#define SUREFOOT_VERIFY_OID_H

/* oid.h: the object identifiers that we know, compared as content bytes of their DER. */

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/digest.h"

#define OIDS(X)                                                                                    \
    X(CMS_DATA, "1.2.840.113549.1.7.1")                                                            \
    X(CMS_SIGNED_DATA, "1.2.840.113549.1.7.2")                                                     \
    X(CONTENT_TYPE, "1.2.840.113549.1.9.3")                                                        \
    X(MESSAGE_DIGEST, "1.2.840.113549.1.9.4")                                                      \
    X(SIGNING_TIME, "1.2.840.113549.1.9.5")                                                        \
    X(COUNTERSIGNATURE, "1.2.840.113549.1.9.6")                                                    \
    X(TST_INFO, "1.2.840.113549.1.9.16.1.4")                                                       \
    X(SIGNING_CERTIFICATE, "1.2.840.113549.1.9.16.2.12")                                           \
    X(SIGNING_CERTIFICATE_V2, "1.2.840.113549.1.9.16.2.47")                                        \
    X(TIMESTAMP_TOKEN, "1.2.840.113549.1.9.16.2.14")                                               \
    X(SPC_INDIRECT_DATA, "1.3.6.1.4.1.311.2.1.4")                                                  \
    X(SPC_STATEMENT_TYPE, "1.3.6.1.4.1.311.2.1.11")                                                \
    X(SPC_SP_OPUS_INFO, "1.3.6.1.4.1.311.2.1.12")                                                  \
    X(SPC_PE_IMAGE_DATA, "1.3.6.1.4.1.311.2.1.15")                                                 \
    X(SPC_CAB_DATA, "1.3.6.1.4.1.311.2.1.25")                                                      \
    X(SPC_LINK, "1.3.6.1.4.1.311.2.1.28")                                                          \
    X(SPC_SIP_INFO, "1.3.6.1.4.1.311.2.1.30")                                                      \
    X(SPC_PAGE_HASHES_V1, "1.3.6.1.4.1.311.2.3.1")                                                 \
    X(SPC_PAGE_HASHES_V2, "1.3.6.1.4.1.311.2.3.2")                                                 \
    X(SPC_ENHANCED_HASH, "1.3.6.1.4.1.311.2.5.1")                                                  \
    X(SPC_NESTED_SIGNATURE, "1.3.6.1.4.1.311.2.4.1")                                               \
    X(SPC_TIMESTAMP, "1.3.6.1.4.1.311.3.3.1")                                                      \
    X(CTL, "1.3.6.1.4.1.311.10.1")                                                                 \
    X(CAT_NAME_VALUE, "1.3.6.1.4.1.311.12.2.1")                                                    \
    X(CAT_MEMBER_INFO, "1.3.6.1.4.1.311.12.2.2")                                                   \
    X(CAT_MEMBER_INFO2, "1.3.6.1.4.1.311.12.2.3")                                                  \
    X(CAT_LIST, "1.3.6.1.4.1.311.12.1.1")                                                          \
    X(CAT_LIST_MEMBER, "1.3.6.1.4.1.311.12.1.2")                                                   \
    X(CAT_LIST_MEMBER2, "1.3.6.1.4.1.311.12.1.3")                                                  \
    X(MD5, "1.2.840.113549.2.5")                                                                   \
    X(SHA1, "1.3.14.3.2.26")                                                                       \
    X(SHA256, "2.16.840.1.101.3.4.2.1")                                                            \
    X(SHA384, "2.16.840.1.101.3.4.2.2")                                                            \
    X(SHA512, "2.16.840.1.101.3.4.2.3")

enum oid {
    OID_UNKNOWN = 0,
#define X(name, dotted) OID_##name,
    OIDS(X)
#undef X
};

#define OID_EKU_CODE_SIGNING "1.3.6.1.5.5.7.3.3"
#define OID_EKU_TIME_STAMPING "1.3.6.1.5.5.7.3.8"
#define OID_EKU_LIFETIME_SIGNING "1.3.6.1.4.1.311.10.3.13"

/* oid_of names the content bytes of an OBJECT IDENTIFIER, OID_UNKNOWN for all others. */
enum oid oid_of(struct span content);

/* oid_digest is the hash that an OID names, DIGEST_NONE for all others. */
enum digest_alg oid_digest(enum oid oid);

/* oid_text writes dotted text (room bytes, cut with "..." where it does not fit; "(bad OID)" where
 * the bytes are none). */
const char *oid_text(struct span content, char *to, size_t room);

/* oid_from_text writes the content bytes of a dotted OID; E_ARGUMENT where it is none, E_LIMIT past
 * `room`. */
MUST_USE enum errc oid_from_text(const char *dotted, uint8_t *to, size_t room, size_t *out_len,
                                 struct err *err);

#endif
