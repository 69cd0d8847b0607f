#ifndef SUREFOOT_VERIFY_CMS_H
#define SUREFOOT_VERIFY_CMS_H

/* cms.h: the structure of a SignedData (RFC 5652, PKCS#7 v1.5 as Authenticode has it), read exactly
 * from DER into spans of the caller's bytes. Nothing is verified here and no key is touched.
 *
 * ContentInfo ::= SEQUENCE { OID signedData, [0] SignedData }
 * SignedData  ::= SEQUENCE { version, digestAlgorithms SET, EncapsulatedContentInfo, certificates
 * [0] IMPLICIT OPTIONAL, crls [1] IMPLICIT OPTIONAL, signerInfos SET } */

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "verify/cert.h"
#include "verify/der.h"
#include "verify/digest.h"
#include "verify/oid.h"
#include "verify/policy.h"
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
    struct span digest_oid;     /* OID content */
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

/* cms_read reads exactly one ContentInfo that fills `bytes`, with exactly one SignerInfo, whose
 * digest algorithm alone is in digestAlgorithms. All of it is exact DER, but for the certificates
 * and lists, which others judge, and the values of unsigned attributes, which are read one by one.
 * `at` is the offset of the bytes, for messages. E_MALFORMED, E_TRUNCATED, E_LIMIT. */
MUST_USE enum errc cms_read(struct span bytes, uint64_t at, struct cms *out, struct err *err);

/* cms_read_signer reads one SignerInfo off `r`, as cms_read does; a countersignature is one. */
MUST_USE enum errc cms_read_signer(struct reader *r, struct cms_signer *out, struct err *err);

/* cms_read_digest_alg reads an AlgorithmIdentifier whose parameters are NULL or absent. */
MUST_USE enum errc cms_read_digest_alg(struct reader *r, const char *what, struct span *out_oid,
                                       struct err *err);

/* cms_attr_find gives the only attribute of this kind, NULL where there is none; E_MALFORMED where
 * there are two. cms_attr_value gives the only value of an attribute. */
MUST_USE enum errc cms_attr_find(const struct cms_attrs *attrs, enum oid oid,
                                 const struct cms_attr **out, struct err *err);
MUST_USE enum errc cms_attr_value(const struct cms_attr *attr, struct der *out, struct err *err);

/* cms_read_certs reads the bag (bag->memo is set or NULL before). Duplicates are kept once. What is
 * no certificate, or none that is DER-exact, is left out and added to `report` as uncovered data
 * (WEIGHT_COVERAGE), and so are attribute certificates (a token of Microsoft's authority carries
 * one that no key at hand signs) and revocation lists. E_LIMIT past CERT_BAG_MAX in one bag, and
 * past these limits over all bags that were read into the same report. Caller frees *bag with
 * cert_bag_fini, also after an error.
 */
#define CMS_FILE_CERTS_MAX 128
#define CMS_FILE_CERT_BYTES_MAX (512 * 1024)
MUST_USE enum errc cms_read_certs(const struct cms *cms, struct cert_bag *bag,
                                  struct report *report, struct err *err);

/* cms_check_bag adds each certificate as uncovered data whose own signature nothing vouches for.
 * Vouched for is what is an anchor, pinned by its SHA-256, signed by an anchor, or signed by the
 * key of a certificate in the bag that itself hangs together with the signer, a countersigner or an
 * anchor. A stranger's chain put into the bag is complete in itself and yet vouched for by no
 * one. E_LIMIT where the names in the bags of one report make more pairs of issuer and issued than
 * CMS_FILE_CHECKS_MAX: each is a signature to verify. */
#define CMS_FILE_CHECKS_MAX 256
MUST_USE enum errc cms_check_bag(const struct cert_bag *bag, const struct cms *cms,
                                 const struct policy *policy, struct report *report,
                                 struct err *err);

/* cms_check_signer proves what one SignerInfo says of `content` (the bytes that its messageDigest
 * covers: the content octets, without tag and length): versions, signedAttrs present and exact, no
 * attribute twice, contentType and messageDigest there with one value, contentType equal to the
 * eContentType, digests agreeing, the signature. What fails is added to `findings`; *out_proven
 * gets FACT_SIGNATURE if all of it holds. *out_signer is borrowed from the bag, NULL where the
 * signer's certificate is not there (ChainUntrusted is added). `content_digest` is the digest of
 * the content under signer.digest (of any value where that is DIGEST_NONE: Unsupported is added). A
 * SHA-1 digest is WeakDigest (WEIGHT_SHA1), MD5 fatal. */
MUST_USE enum errc cms_check_signer(const struct cms *cms, const struct digest *content_digest,
                                    const struct cert_bag *bag, struct findings *findings,
                                    uint32_t *out_proven, const struct cert **out_signer,
                                    struct err *err);

/* The pieces of it, for countersignatures. cms_check_attributes is true if all holds. */
struct cms_expected {
    struct span content_type; /* OID content */
    bool type_may_be_absent;
    const struct digest *digest;
    enum reason digest_reason; /* what a wrong messageDigest is */
    enum weight unsorted;      /* how much signedAttrs out of order weigh */
};
bool cms_check_attributes(const struct cms_signer *signer, const struct cms_expected *expected,
                          struct findings *findings);

/* cms_signed_bytes appends what is signed: signedAttrs with the tag of a SET. */
MUST_USE enum errc cms_signed_bytes(const struct cms_signer *signer, struct buf *out,
                                    struct err *err);

/* cms_find_signer gives the SignerInfo's certificate, NULL where it is not in the bag. */
const struct cert *cms_find_signer(const struct cms_signer *signer, const struct cert_bag *bag);

#endif
