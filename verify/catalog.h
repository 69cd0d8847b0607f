#ifndef SUREFOOT_VERIFY_CATALOG_H
#define SUREFOOT_VERIFY_CATALOG_H

/* catalog.h: a signed list of hashes (CAT; CTL in a SignedData, 1.3.6.1.4.1.311.10.1) that vouches
 * for other files.
 *
 * CertificateTrustList ::= SEQUENCE { version INTEGER OPTIONAL, subjectUsage SEQUENCE OF OID,
 *   listIdentifier OCTET STRING OPTIONAL, sequenceNumber INTEGER OPTIONAL, ctlThisUpdate Time,
 *   ctlNextUpdate Time OPTIONAL, subjectAlgorithm AlgorithmIdentifier,
 *   SEQUENCE OF TrustedSubject OPTIONAL, [0] extensions OPTIONAL }
 * TrustedSubject ::= SEQUENCE { subjectIdentifier OCTET STRING, SET OF Attribute OPTIONAL }
 *
 * Which hash a member states, and of what, is said by its attributes alone.
 *
 * SpcIndirectDataContent (311.2.1.4) gives the digest; its type and value give the kind. An empty
 * SpcLink (311.2.1.25 with A2 02 80 00) is a flat file, hashed whole. All else is an Authenticode
 * hash: of a PE (311.2.1.15), of a CAB (311.2.1.25 with another value, or 311.2.1.28), or of a file
 * of the SIP that SpcSipInfo (311.2.1.30) names.
 *
 * Without it, in a list of the second version (311.12.1.3), the subjectIdentifier is the hash, and
 * CatalogMemberInfo2 (311.12.2.3) says of what: [0] a PE, [2] a flat file.
 *
 * A member that states neither, or a digest that we do not know, vouches for nothing here.
 *
 * What it does not check: the names that a catalog gives its members, ctlNextUpdate. */

#include "platform/source.h"
#include "verify/digest.h"
#include "verify/format.h"
#include "verify/oid.h"
#include "verify/policy.h"
#include "verify/verdict.h"

struct catalog;

#define CATALOG_BYTES_MAX FORMAT_SIGNATURE_MAX
#define CATALOG_MEMBERS_MAX (256 * 1024)

/* catalog_open reads a catalog file, its structure and its members (sorted, for look-up by hash),
 * and judges its signature once against `policy`. E_MALFORMED where it is not even one DER
 * SEQUENCE, E_LIMIT past CATALOG_BYTES_MAX. Anything else that is wrong (no catalog's list, a list
 * that does not read or has more than CATALOG_MEMBERS_MAX members, no signature, a bad one) is kept
 * in the catalog's own verdict, and every file judged by it is refused for that reason. Safe to use
 * from many threads afterwards. `src` is read whole and not kept. Caller frees *out with
 * catalog_free. */
MUST_USE enum errc catalog_open(struct source *src, const struct policy *policy,
                                struct catalog **out, struct err *err);
void catalog_free(struct catalog *c);
size_t catalog_n_members(const struct catalog *c);

/* catalog_judge judges one file by membership: computes its Authenticode hash where `f` is not
 * NULL, and the hash of the whole file, each at most once and only in algorithms that the catalog
 * uses; adds a sig_verdict copied from the catalog's own, FACT_DIGEST only where a member matches
 * (else NotInCatalog), and says in `member` which hash matched. Where it was the Authenticode hash,
 * signatures inside the file are judged as well: the catalog says nothing of their bytes. A
 * signature nested in the catalog's own speaks for no member. */
MUST_USE enum errc catalog_judge(const struct catalog *c, struct source *src, struct format *f,
                                 const struct policy *policy, struct verdict *v, struct err *err);

/* catalog_check_content reads the CTL in a SignedData's content octets (those of its SEQUENCE,
 * without tag and length): E_MALFORMED where it is not exactly one, or not a catalog's. Used for a
 * CAT that is itself the file to judge. */
MUST_USE enum errc catalog_check_content(struct span content, uint64_t at, struct err *err);

/* format_cat_has_read tells a catalog's format that exactly these content octets, which lie in its
 * bytes, have been read as a list. */
void format_cat_has_read(struct format *f, struct span list);

/* One hash that a catalog states. */
struct catalog_member {
    uint64_t first; /* 8 bytes of the hash as a number, for catalog_members_sort, which sets it */
    enum digest_alg alg;
    bool flat;     /* of the whole file; else the Authenticode hash of a file of this kind: */
    enum oid type; /* of the SpcIndirectDataContent */
    struct span sip_guid; /* 16 bytes for OID_SPC_SIP_INFO, else empty */
    struct span hash;     /* digest_len(alg) bytes; both borrowed from the content */
};

struct catalog_members {
    size_t n, room;
    struct catalog_member *items;
};
void catalog_members_fini(struct catalog_members *m);

/* catalog_read_members appends the members of a CTL that state a hash we know, in the list's order.
 * `out` may be NULL: then everything is read and nothing kept. */
MUST_USE enum errc catalog_read_members(struct span content, uint64_t at,
                                        struct catalog_members *out, struct err *err);

/* catalog_members_sort orders by algorithm and hash; catalog_members_find gives the first of those
 * with this digest, or the number of members where there is none. Equal ones follow each other. */
void catalog_members_sort(struct catalog_members *m);
size_t catalog_members_find(const struct catalog_members *m, const struct digest *digest);

#endif
