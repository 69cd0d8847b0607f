/* Who signed, when, and whether that is enough: the part of the proof that every SignedData shares,
 * be its content inside it, in a file around it or beside it. */

#include "verify/authenticode.h"

#include "platform/base/text.h"
#include "verify/authenticode_private.h"
#include "verify/chain.h"
#include "verify/crl_points.h"
#include "verify/stamp.h"

/* --- what nothing signs */

static bool is_judged(const struct cms_attr *attr, const struct sig_verdict *sig)
{
    if (stamp_is_attribute(attr->oid, sig->system))
        return true;
    return attr->oid == OID_SPC_NESTED_SIGNATURE && sig->system == SYSTEM_AUTHENTICODE;
}

static enum errc check_unsigned_attrs(const struct cms_attrs *attrs, struct sig_verdict *sig,
                                      struct report *report, struct err *err)
{
    for (size_t i = 0; i < attrs->n; i++) {
        const struct cms_attr *attr = &attrs->items[i];
        char text[64];
        if (attr->oid == OID_SPC_NESTED_SIGNATURE && sig->nested)
            findings_add(&sig->findings, REASON_MALFORMED, WEIGHT_FATAL, attr->at,
                         "a signature nested in a nested one");
        if (is_judged(attr, sig))
            continue;
        enum errc e = report_uncovered(report, attr->at, attr->len, "unsigned attribute", err);
        if (e != E_OK)
            return e;
        findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, attr->at,
                     "unsigned attribute %s: %zu bytes in the signature that nothing signs",
                     oid_text(attr->type, text, sizeof(text)), attr->len);
    }
    return E_OK;
}

/* --- what the signer says, for people */

static enum errc read_opus(const struct cms_attrs *attrs, struct sig_verdict *sig, struct err *err)
{
    const struct cms_attr *attr = NULL;
    struct der value;
    if (cms_attr_find(attrs, OID_SPC_SP_OPUS_INFO, &attr, err) != E_OK || attr == NULL)
        return E_OK; /* two of them: cms_check_attributes says so */
    enum errc e = cms_attr_value(attr, &value, err);
    if (e == E_OK)
        e = opus_read(&value, sig, err);
    if (!errc_is_about_bytes(e))
        return e;
    findings_add(&sig->findings, REASON_MALFORMED, WEIGHT_NOTE, attr->at,
                 "the program's name and address do not read: %s", err->text);
    return E_OK;
}

/* --- when */

/* signing_time gives the time to judge at, and records FACT_TIME where it is proven: now, unless
 * there is a timestamp. */
static int64_t signing_time(const struct policy *policy, const struct cert *signer,
                            struct sig_verdict *sig, bool *out_is_stamped)
{
    *out_is_stamped = false;
    if (sig->stamp.kind == STAMP_NONE || sig->stamp.trusted)
        sig_verdict_prove(sig, FACT_TIME);
    if (!sig->stamp.trusted)
        return policy->now;
    sig->has_signed_at = true;
    sig->signed_at = sig->stamp.time;
    /* The certificate says that nothing it signed shall outlive it. */
    if (cert_has_eku(signer, OID_EKU_LIFETIME_SIGNING))
        return policy->now;
    *out_is_stamped = true;
    return sig->stamp.time;
}

/* --- who */

static enum errc judge_chain(const struct signed_content *content, const struct policy *policy,
                             const struct cert *signer, const struct cert_bag *bag,
                             struct sig_verdict *sig, struct err *err)
{
    struct chain_ask ask = {
        .purpose = content->system == SYSTEM_CMS ? CHAIN_CMS : CHAIN_CODE_SIGNING,
        .leaf = signer,
        .bag = bag,
        .policy = policy,
    };
    struct chain_report chain = { .n = 0 };
    uint32_t proven = 0;
    ask.at = signing_time(policy, signer, sig, &ask.at_is_proven);
    if ((sig->proven & FACT_SIGNATURE) != 0)
        ask.wants = policy->wants;
    enum errc e = chain_judge(&ask, &sig->findings, &proven, &chain, err);
    if (e != E_OK)
        return e;
    sig->proven |= proven & (FACT_CHAIN | FACT_SIGNER);
    sig->n_chain = chain.n;
    for (size_t i = 0; i < chain.n; i++)
        (void)text_copy(sig->chain[i], sizeof(sig->chain[i]), chain.subjects[i]);
    return E_OK;
}

/* --- lists that are to be fetched */

/* may_become_good is true where what is wrong so far may all be for want of a list: without one a
 * timestamp is not believed, and without its time a certificate may have expired. */
static bool may_become_good(const struct sig_verdict *sig)
{
    for (size_t i = 0; i < sig->findings.n; i++)
        if (sig->findings.items[i].weight == WEIGHT_FATAL &&
            sig->findings.items[i].reason != REASON_REVOCATION_UNKNOWN &&
            sig->findings.items[i].reason != REASON_CHAIN_EXPIRED)
            return false;
    return (sig->proven & FACT_SIGNATURE) != 0;
}

/* judge_time_and_chain: nobody is asked on behalf of a signature that is refused in any case, not
 * even about the authority of its timestamp. */
static enum errc judge_time_and_chain(const struct signed_content *content,
                                      const struct policy *policy, const struct cert *signer,
                                      const struct cert_bag *bag, struct sig_verdict *sig,
                                      struct report *report, struct err *err)
{
    struct crl_wants *wants = policy->wants;
    const size_t n_before = wants == NULL ? 0 : wants->n;
    enum errc e = stamp_judge(content->cms, signer, bag, policy, sig, report, err);
    if (e == E_OK)
        e = judge_chain(content, policy, signer, bag, sig, err);
    if (wants != NULL && (e != E_OK || !may_become_good(sig)))
        crl_wants_cut(wants, n_before);
    return e;
}

static enum errc judge_with_bag(const struct signed_content *content, const struct policy *policy,
                                const struct cert_bag *bag, struct sig_verdict *sig,
                                struct report *report, struct err *err)
{
    const struct cms *cms = content->cms;
    const struct cert *signer = NULL;
    uint32_t proven = 0;
    enum errc e = check_unsigned_attrs(&cms->signer.unsigned_attrs, sig, report, err);
    if (e == E_OK)
        e = cms_check_bag(bag, cms, policy, report, err);
    if (e == E_OK)
        e = cms_check_signer(cms, content->content_digest, bag, &sig->findings, &proven, &signer,
                             err);
    if (e != E_OK)
        return e;
    sig->proven |= proven & FACT_SIGNATURE;
    e = read_opus(&cms->signer.signed_attrs, sig, err);
    if (e != E_OK || signer == NULL)
        return e;
    cert_describe(signer, &sig->signer);
    sig->has_signer = true;
    return judge_time_and_chain(content, policy, signer, bag, sig, report, err);
}

enum errc authenticode_judge_signer(const struct signed_content *content,
                                    const struct policy *policy, struct sig_verdict *sig,
                                    struct report *report, struct err *err)
{
    struct cert_bag bag = { .memo = trust_memo(policy->trust) };
    sig->system = content->system;
    sig->required = FACTS_ALL;
    enum errc e = cms_read_certs(content->cms, &bag, report, err);
    if (e == E_OK)
        e = judge_with_bag(content, policy, &bag, sig, report, err);
    cert_bag_fini(&bag);
    if (!errc_is_about_bytes(e))
        return e;
    findings_add_err(&sig->findings, err, NO_OFFSET);
    return E_OK;
}
