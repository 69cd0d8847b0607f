#ifndef SUREFOOT_VERIFY_AUTHENTICODE_H
#define SUREFOOT_VERIFY_AUTHENTICODE_H

/* authenticode.h: the order of proof for an embedded signature and those nested in it (Microsoft's
 * "Windows Authenticode Portable Executable Signature Format", and [MS-OSHARED] 2.3.2.4.3 for the
 * attributes). */

#include "platform/base/err.h"
#include "verify/cms.h"
#include "verify/format.h"
#include "verify/policy.h"
#include "verify/verdict.h"

/* SpcIndirectDataContent, read exactly (authenticode_spc.c). */
struct spc {
    enum oid type;
    uint8_t sip_guid[16]; /* for OID_SPC_SIP_INFO */
    enum digest_alg digest_alg;
    struct span digest;
    enum digest_alg page_alg; /* DIGEST_NONE where there are no page hashes */
    struct span page_hashes;
};

/* spc_read reads the SEQUENCE's content octets (what messageDigest covers). E_MALFORMED,
 * E_TRUNCATED; E_UNSUPPORTED for a digest algorithm that we do not know. A type that is not known
 * is OID_UNKNOWN, and its value is not looked at. */
MUST_USE enum errc spc_read(struct span content, uint64_t at, struct spc *out, struct err *err);

/* spc_check_binding adds ContentTypeMismatch, and is false, unless the type and GUID are the file's
 * own kind. */
bool spc_check_binding(const struct spc *spc, const struct spc_binding *binding,
                       struct findings *findings);

/* authenticode_judge proves the signature `der` of an opened file and all nested ones, one
 * sig_verdict each; file-level findings go to v->report. E_NOMEM, E_IO: could not find out. Bad
 * signatures are findings, and E_OK. */
MUST_USE enum errc authenticode_judge(struct format *f, const struct policy *policy,
                                      struct verdict *v, struct err *err);

/* authenticode_judge_signer is the rest of the proof, shared with catalog.c and detached.c: the
 * signer's mathematics, the timestamp, the chain, with what each proves recorded in `sig`. */
struct signed_content {
    const struct cms *cms;
    const struct digest *content_digest; /* of the content octets under cms->signer.digest */
    enum sig_system system;              /* decides the purpose of the chain */
};
MUST_USE enum errc authenticode_judge_signer(const struct signed_content *content,
                                             const struct policy *policy, struct sig_verdict *sig,
                                             struct report *report, struct err *err);

#endif
