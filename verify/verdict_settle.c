/* The one place where a policy turns findings into a ruling. */

#include "verify/policy.h"
#include "verify/verdict.h"

static uint32_t allowance_for(enum reason reason)
{
    switch (reason) {
    case REASON_UNSIGNED_METADATA: return ALLOW_UNSIGNED_METADATA;
    case REASON_UNCOVERED_DATA: return ALLOW_UNCOVERED_DATA;
    case REASON_CERTIFICATE_TABLE_PADDING: return ALLOW_CERTIFICATE_TABLE_PADDING;
    case REASON_CHECKSUM_MISMATCH: return ALLOW_CHECKSUM;
    default: return 0;
    }
}

/* whole_file: every byte of the file is proven by other means (a pinned hash, an accepted detached
 * signature). */
static bool is_fatal(const struct finding *f, const struct policy *p, bool whole_file,
                     bool signed_whole)
{
    bool strict = p->profile == PROFILE_STRICT;
    switch (f->weight) {
    case WEIGHT_FATAL: return true;
    case WEIGHT_COVERAGE:
        return strict && !whole_file && (p->allowed & allowance_for(f->reason)) == 0;
    case WEIGHT_LENIENT: return strict;
    case WEIGHT_SHA1: return strict && (p->allowed & ALLOW_SHA1) == 0;
    case WEIGHT_RSA1024: return (p->allowed & ALLOW_RSA1024) == 0;
    case WEIGHT_RSA1024_ANCHOR: return strict && (p->allowed & ALLOW_RSA1024) == 0;
    case WEIGHT_CONTAINER: return !signed_whole;
    case WEIGHT_NOTE: return false;
    }
    return true;
}

bool verdict_would_refuse(const struct findings *findings, const struct policy *policy)
{
    for (size_t i = 0; i < findings->n; i++)
        if (is_fatal(&findings->items[i], policy, true, true))
            return true;
    return false;
}

static bool settle_findings(struct findings *list, const struct policy *p, bool whole_file,
                            bool signed_whole)
{
    bool any = false;
    for (size_t i = 0; i < list->n; i++) {
        list->items[i].fatal = is_fatal(&list->items[i], p, whole_file, signed_whole);
        any = any || list->items[i].fatal;
    }
    return any;
}

/* A refusal must say why, also where the code that should have said so did not. */
static void explain_unproven(struct sig_verdict *sig)
{
    static const struct {
        enum fact fact;
        const char *text;
    } facts[] = {
        { FACT_DIGEST, "that the content is what was signed could not be proven" },
        { FACT_SIGNATURE, "that the signature is the signer's could not be proven" },
        { FACT_CHAIN, "that the certificate leads to an anchor could not be proven" },
        { FACT_SIGNER, "that the signer is the demanded one could not be proven" },
        { FACT_TIME, "the time of signing could not be proven" },
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if ((sig->required & ~sig->proven & (uint32_t)facts[i].fact) != 0)
            findings_add(&sig->findings, REASON_SIGNATURE_INVALID, WEIGHT_FATAL, NO_OFFSET, "%s",
                         facts[i].text);
    if (sig->required == 0)
        findings_add(&sig->findings, REASON_SIGNATURE_INVALID, WEIGHT_FATAL, NO_OFFSET,
                     "was not judged");
}

static bool settle_sig(struct sig_verdict *sig, const struct policy *p, bool whole_file)
{
    bool fatal = settle_findings(&sig->findings, p, whole_file, false);
    const bool proven = sig->required != 0 && (sig->proven & sig->required) == sig->required;
    sig->ruling = proven && !fatal ? RULING_ACCEPTED : RULING_REFUSED;
    if (!proven && !fatal)
        explain_unproven(sig);
    return sig->ruling == RULING_ACCEPTED;
}

/* Findings that say that the signature, or what hangs on it, was altered; the others say that it is
 * not enough. */
static bool breaks_integrity(const struct finding *f)
{
    switch (f->reason) {
    case REASON_MALFORMED:
    case REASON_DIGEST_MISMATCH:
    case REASON_PAGE_HASH_MISMATCH:
    case REASON_SIGNATURE_INVALID:
    case REASON_CONTENT_TYPE_MISMATCH:
    case REASON_TIMESTAMP_INVALID:
    case REASON_TRAILING_DATA:
    case REASON_UNCOVERED_DATA:
    case REASON_UNSUPPORTED: return f->fatal;
    default: return false;
    }
}

static bool sig_is_intact(const struct sig_verdict *sig)
{
    if ((sig->proven & FACTS_INTACT) != FACTS_INTACT)
        return false;
    for (size_t i = 0; i < sig->findings.n; i++)
        if (breaks_integrity(&sig->findings.items[i]))
            return false;
    return true;
}

/* Signatures over the whole file come first: an accepted one leaves nothing uncovered for the
 * others. What is uncovered in a signature that lies in a file of its own (detached, a catalog's)
 * nothing makes good: neither the file's hash nor a signature over the file says anything of it. */
static bool lies_elsewhere(const struct sig_verdict *sig)
{
    return sig->whole_file || sig->must_hold;
}

static bool settle_sigs(struct verdict *v, const struct policy *p, bool *out_signed_whole)
{
    bool signed_whole = false;
    for (size_t i = 0; i < v->n_sigs; i++)
        if (v->sigs[i]->whole_file && settle_sig(v->sigs[i], p, false))
            signed_whole = true;
    for (size_t i = 0; i < v->n_sigs; i++)
        if (!v->sigs[i]->whole_file)
            (void)settle_sig(v->sigs[i], p,
                             !lies_elsewhere(v->sigs[i]) && (p->has_sha256 || signed_whole));
    *out_signed_whole = signed_whole;

    for (size_t i = 0; i < v->n_sigs; i++)
        if (!sig_is_intact(v->sigs[i]))
            return false;
    return v->n_sigs > 0;
}

static bool enough_accepted(const struct verdict *v, const struct policy *p)
{
    size_t n_accepted = 0;
    uint32_t systems = 0;
    for (size_t i = 0; i < v->n_sigs; i++) {
        if (v->sigs[i]->ruling != RULING_ACCEPTED && v->sigs[i]->must_hold)
            return false;
        if (v->sigs[i]->ruling != RULING_ACCEPTED)
            continue;
        n_accepted++;
        systems |= (uint32_t)v->sigs[i]->system;
    }
    if (p->all_signatures && n_accepted != v->n_sigs)
        return false;
    return n_accepted > 0 && (systems & p->required_systems) == p->required_systems;
}

static void note_missing_systems(struct verdict *v, const struct policy *p)
{
    static const enum sig_system all[] = { SYSTEM_AUTHENTICODE, SYSTEM_CMS, SYSTEM_MINISIGN };
    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
        bool there = (p->required_systems & (uint32_t)all[k]) == 0;
        for (size_t i = 0; i < v->n_sigs; i++)
            there =
                there || (v->sigs[i]->system == all[k] && v->sigs[i]->ruling == RULING_ACCEPTED);
        if (!there)
            findings_add(&v->report.findings, REASON_REQUIRED_SIGNATURE_MISSING, WEIGHT_FATAL,
                         NO_OFFSET, "no %s signature meets the policy, and --require asks for one",
                         sig_system_word(all[k]));
    }
}

void verdict_settle(struct verdict *v, const struct policy *policy)
{
    bool signed_whole;
    bool intact = settle_sigs(v, policy, &signed_whole);
    if (v->n_sigs > 0)
        note_missing_systems(v, policy);
    bool fatal = settle_findings(&v->report.findings, policy, policy->has_sha256 || signed_whole,
                                 signed_whole);

    if (findings_have(&v->report.findings, REASON_READ_ERROR))
        v->outcome = OUTCOME_ERROR;
    else if (v->n_sigs == 0 && findings_have(&v->report.findings, REASON_UNSUPPORTED))
        v->outcome = OUTCOME_UNSUPPORTED;
    else if (v->n_sigs == 0 && findings_have(&v->report.findings, REASON_UNSIGNED))
        v->outcome = OUTCOME_UNSIGNED;
    else if (intact && !fatal && enough_accepted(v, policy))
        v->outcome = OUTCOME_ACCEPTED;
    else
        v->outcome = OUTCOME_REFUSED;
}
