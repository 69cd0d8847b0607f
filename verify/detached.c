#include "verify/detached.h"

#include "verify/authenticode.h"
#include "verify/cms.h"
#include "verify/minisign.h"

#define LONG_LENGTH 0x80 /* of more than 127 bytes: no text starts like that */

static bool looks_like_der(struct span signature)
{
    return signature.len > 1 && signature.ptr[0] == DER_SEQUENCE &&
           (signature.ptr[1] & LONG_LENGTH) != 0;
}

enum sig_system detached_system(struct span signature)
{
    if (minisign_looks_like(signature))
        return SYSTEM_MINISIGN;
    if (looks_like_der(signature) || detached_is_pem(signature))
        return SYSTEM_CMS;
    return SYSTEM_NONE;
}

/* check_shape adds what makes a SignedData no detached signature of a file; true if it is one. */
static bool check_shape(const struct cms *cms, struct findings *findings)
{
    size_t before = findings->n;
    if (cms->content_oid != OID_CMS_DATA)
        findings_add(findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "CMS: eContentType is not data (1.2.840.113549.1.7.1)");
    if (cms->has_content)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "CMS: a detached signature carries a content of its own");
    if (!cms->signer.has_signed_attrs)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "CMS: no signedAttrs, so it could be a signature over attributes");
    if (cms->signer.digest == DIGEST_NONE)
        findings_add(findings, REASON_UNSUPPORTED, WEIGHT_FATAL, NO_OFFSET,
                     "CMS: a digestAlgorithm that is not judged here");
    return findings->n == before;
}

/* prove_digest records FACT_DIGEST where the messageDigest is the file's. What is wrong with the
 * attribute is said by cms_check_signer. */
static void prove_digest(const struct cms *cms, const struct digest *file, struct sig_verdict *sig)
{
    struct err err;
    const struct cms_attr *attr = NULL;
    struct der value;
    enum errc rc = cms_attr_find(&cms->signer.signed_attrs, OID_MESSAGE_DIGEST, &attr, &err);
    if (rc != E_OK || attr == NULL || cms_attr_value(attr, &value, &err) != E_OK)
        return;
    if (value.tag == DER_OCTET_STRING && span_equal(value.content, digest_span(file)))
        sig_verdict_prove(sig, FACT_DIGEST);
}

/* judge_signer hands over to the shared part of the proof. What it says of bytes that nothing
 * covers is about the signature's bytes, not the file's: it goes to the signature, without ranges.
 */
static enum errc judge_signer(const struct signed_content *content, const struct policy *policy,
                              struct sig_verdict *sig, struct err *err)
{
    struct report own = { 0 };
    enum errc rc = authenticode_judge_signer(content, policy, sig, &own, err);
    for (size_t i = 0; i < own.findings.n; i++)
        findings_add(&sig->findings, own.findings.items[i].reason, own.findings.items[i].weight,
                     NO_OFFSET, "in the signature: %s", own.findings.items[i].text);
    report_fini(&own);
    return rc;
}

static enum errc judge_cms(struct source *src, struct span der, const struct policy *policy,
                           struct sig_verdict *sig, struct err *err)
{
    struct cms cms;
    enum errc rc = cms_read(der, 0, &cms, err);
    if (rc != E_OK && errc_is_about_bytes(rc)) {
        findings_add_err(&sig->findings, err, NO_OFFSET);
        return E_OK;
    }
    if (rc != E_OK)
        return rc;
    sig->digest = cms.signer.digest;
    if (!check_shape(&cms, &sig->findings))
        return E_OK;

    struct digest_set digests;
    rc = digest_source(src, DIGEST_BIT(cms.signer.digest), &digests, err);
    if (rc != E_OK)
        return rc;
    const struct digest *file = &digests.of[cms.signer.digest];
    prove_digest(&cms, file, sig);
    struct signed_content content = { .cms = &cms, .content_digest = file, .system = SYSTEM_CMS };
    return judge_signer(&content, policy, sig, err);
}

/* read_der gives the signature's DER: itself, or what its PEM block spells, kept in `room`. */
static enum errc read_der(struct span signature, struct buf *room, struct findings *findings,
                          struct span *out, struct err *err)
{
    if (looks_like_der(signature)) {
        *out = signature;
        return E_OK;
    }
    size_t around;
    enum errc rc = detached_read_pem(signature, room, &around, err);
    if (rc != E_OK)
        return rc;
    if (around != 0)
        findings_add(findings, REASON_UNCOVERED_DATA, WEIGHT_NOTE, NO_OFFSET,
                     "CMS: %zu bytes of text around the PEM block of the signature file", around);
    *out = buf_span(room);
    return E_OK;
}

static enum errc judge_cms_text(struct source *src, struct span signature,
                                const struct policy *policy, struct verdict *v, struct err *err)
{
    struct sig_verdict *sig;
    enum errc rc = verdict_add_sig(v, &sig, err);
    if (rc != E_OK)
        return rc;
    sig->system = SYSTEM_CMS;
    sig->required = FACTS_ALL;

    struct buf room;
    struct span der;
    buf_init(&room, DETACHED_SIGNATURE_MAX);
    rc = read_der(signature, &room, &sig->findings, &der, err);
    if (rc == E_OK) {
        rc = judge_cms(src, der, policy, sig, err);
    } else if (errc_is_about_bytes(rc)) {
        findings_add_err(&sig->findings, err, NO_OFFSET);
        rc = E_OK;
    }
    buf_fini(&room);
    return rc;
}

static enum errc refuse(struct verdict *v, const char *why, struct err *err)
{
    struct sig_verdict *sig;
    enum errc rc = verdict_add_sig(v, &sig, err);
    if (rc != E_OK)
        return rc;
    sig->required = FACTS_ALL;
    findings_add(&sig->findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET, "%s", why);
    return E_OK;
}

enum errc detached_judge(struct source *src, struct span signature, const struct policy *policy,
                         struct verdict *v, struct err *err)
{
    if (signature.len > DETACHED_SIGNATURE_MAX)
        return refuse(v, "a detached signature of more than 1 MiB", err);
    switch (detached_system(signature)) {
    case SYSTEM_MINISIGN: return minisign_judge(src, signature, policy, v, err);
    case SYSTEM_CMS: return judge_cms_text(src, signature, policy, v, err);
    default: break;
    }
    return refuse(v, "a detached signature that is neither CMS nor minisign", err);
}

enum errc detached_judge_bytes(struct span content, struct span signature,
                               const struct policy *policy, struct verdict *v, struct err *err)
{
    struct source *src;
    enum errc rc = source_memory_new(content, &src, err);
    if (rc != E_OK)
        return rc;
    rc = detached_judge(src, signature, policy, v, err);
    source_close(src);
    return rc;
}
