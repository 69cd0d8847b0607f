#ifndef SUREFOOT_VERIFY_CMS_H
#define SUREFOOT_VERIFY_CMS_H

/* cms.h: the structure of a SignedData (RFC 5652, PKCS#7 v1.5 as Authenticode has it), read exactly
 * from DER into spans of the caller's bytes. Nothing is verified here and no key is touched.
 *
 * ContentInfo ::= SEQUENCE { OID signedData, [0] SignedData }
 * SignedData  ::= SEQUENCE { version, digestAlgorithms SET, EncapsulatedContentInfo, certificates
 * [0] IMPLICIT OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos SET } */

#include "platform/base/err.h"
#include "verify/cert.h"
#include "verify/der.h"
#include "verify/digest.h"
#include "verify/oid.h"
#include "verify/verdict.h"

#define CMS_ATTRS_MAX 24
#define CMS_SIGNERS_MAX 1 /* more is Malformed: one SignerInfo per signature */

struct cms_attr {
    struct span type; /* OID content */
    enum oid oid;
    struct der values; /* the SET */
    uint64_t at;
    size_t len; /* of the whole Attribute */
};

struct cms_attrs {
    size_t n;
    struct cms_attr items[CMS_ATTRS_MAX];
};

struct cms_signer {
    struct der whole;
    uint32_t version;
    struct span issuer, serial; /* Name TLV, INTEGER content; or: */
    struct span key_id;         /* [0] subjectKeyIdentifier */
    enum digest_alg digest;     /* DIGEST_NONE for an OID that we do not know */
    bool has_signed_attrs;
    struct der signed_attrs_der; /* the [0] TLV; signed as if its tag were SET */
    struct cms_attrs signed_attrs, unsigned_attrs;
    struct span signature_algorithm; /* TLV */
    struct span signature;           /* content */
};

struct cms {
    uint32_t version;
    uint32_t digest_algs;     /* DIGEST_BIT of each known */
    struct span content_type; /* OID content */
    enum oid content_oid;
    bool has_content;
    struct der content; /* the value inside [0] EXPLICIT: an OCTET STRING, or with PKCS#7 v1.5 any
                           SEQUENCE */
    struct der certs;   /* whole [0], tag 0 where absent */
    struct der crls;    /* whole [1], tag 0 where absent */
    struct cms_signer signer;
};

/* cms_read reads exactly one ContentInfo that fills `bytes`. `at` is the offset of the bytes, for
 * messages. E_MALFORMED, E_TRUNCATED, E_LIMIT. */
MUST_USE enum errc cms_read(struct span bytes, uint64_t at, struct cms *out, struct err *err);

/* cms_attr_find gives the only attribute of this kind, NULL where there is none; E_MALFORMED where
 * there are two. cms_attr_value gives the only value of an attribute. */
MUST_USE enum errc cms_attr_find(const struct cms_attrs *attrs, enum oid oid,
                                 const struct cms_attr **out, struct err *err);
MUST_USE enum errc cms_attr_value(const struct cms_attr *attr, struct der *out, struct err *err);

/* cms_read_certs reads the bag. Duplicates are kept once; attribute certificates are passed over; a
 * certificate that is not DER-exact is left out and added to `report` as uncovered data
 * (WEIGHT_COVERAGE), as is one that no key in the bag or the trust signs (cms_check_bag). */
MUST_USE enum errc cms_read_certs(const struct cms *cms, struct cert_bag *bag,
                                  struct report *report, struct err *err);

struct trust;
MUST_USE enum errc cms_check_bag(const struct cert_bag *bag, const struct cms *cms,
                                 const struct trust *trust, struct report *report, struct err *err);

/* cms_check_signer proves what one SignerInfo says of `content` (the bytes that its messageDigest
 * covers: the content octets, without tag and length): signedAttrs present and exact, contentType
 * and messageDigest once each with one value, contentType equal to the eContentType, digests
 * agreeing, the signature. What fails is added to `findings`; *out_proven gets FACT_SIGNATURE if
 * all of it holds. *out_signer is borrowed from the bag, NULL where the signer's certificate is not
 * there (ChainUntrusted is added). `content_digest` is the digest of the content under
 * signer.digest. */
MUST_USE enum errc cms_check_signer(const struct cms *cms, const struct digest *content_digest,
                                    const struct cert_bag *bag, struct findings *findings,
                                    uint32_t *out_proven, const struct cert **out_signer,
                                    struct err *err);

#endif
