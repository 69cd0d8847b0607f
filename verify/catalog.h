#ifndef SUREFOOT_VERIFY_CATALOG_H
#define SUREFOOT_VERIFY_CATALOG_H

/* catalog.h: a signed list of hashes (CAT; CTL in a SignedData, 1.3.6.1.4.1.311.10.1) that vouches
 * for other files.
 *
 * CertificateTrustList ::= SEQUENCE { subjectUsage, listIdentifier, ctlThisUpdate,
 * subjectAlgorithm, SEQUENCE OF TrustedSubject { OCTET STRING subjectIdentifier, SET OF Attribute
 * }, [0] extensions OPTIONAL } */

#include "platform/source.h"
#include "verify/digest.h"
#include "verify/format.h"
#include "verify/policy.h"
#include "verify/verdict.h"

struct catalog;

#define CATALOG_BYTES_MAX (64 * 1024 * 1024)

/* catalog_open reads a catalog file, its structure and its members (sorted, for look-up by hash),
 * and judges its signature once against `policy`: E_MALFORMED where it is no catalog; a bad
 * signature is kept in the catalog's own verdict. Safe to use from many threads afterwards. `src`
 * is read whole and not kept. */
MUST_USE enum errc catalog_open(struct source *src, const struct policy *policy,
                                struct catalog **out, struct err *err);
void catalog_free(struct catalog *c);
size_t catalog_n_members(const struct catalog *c);

/* catalog_judge judges one file by membership: computes its Authenticode hash where `f` is not
 * NULL, and the hash of the whole file, each once and only in algorithms that the catalog uses;
 * adds a sig_verdict copied from the catalog's own, FACT_DIGEST only where a member matches (else
 * NotInCatalog), and says in `member` which hash matched. A member must be bound to the file's kind
 * where it carries SpcIndirectData. */
MUST_USE enum errc catalog_judge(const struct catalog *c, struct source *src, struct format *f,
                                 const struct policy *policy, struct verdict *v, struct err *err);

/* catalog_check_content reads the CTL in a SignedData's content octets: E_MALFORMED where it is not
 * exactly one. Used for a CAT that is itself the file to judge. */
MUST_USE enum errc catalog_check_content(struct span content, uint64_t at, struct err *err);

#endif
