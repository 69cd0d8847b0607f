#include "verify/stamp.h"

#include "platform/base/text.h"
#include "verify/stamp_private.h"

#define CLOCK_SKEW_S (24 * 3600) /* how far clocks may be apart */

void stamp_invalid(struct findings *to, uint64_t at, const char *text)
{
    findings_add(to, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, at, "timestamp: %s", text);
}

static enum reason reason_outside(enum reason inside)
{
    switch (inside) {
    case REASON_WEAK_DIGEST:
    case REASON_WEAK_KEY:
    case REASON_TIMESTAMP_INVALID:
    case REASON_TIMESTAMP_UNTRUSTED: return inside;
    default: return REASON_TIMESTAMP_INVALID;
    }
}

void stamp_add_findings(struct findings *to, const struct findings *inside)
{
    for (size_t i = 0; i < inside->n; i++) {
        const struct finding *f = &inside->items[i];
        findings_add(to, reason_outside(f->reason), f->weight, f->at, "timestamp: %s", f->text);
    }
}

enum errc stamp_check_uncovered(const struct cms_signer *signer, struct report *report,
                                struct err *err)
{
    for (size_t i = 0; i < signer->unsigned_attrs.n; i++) {
        const struct cms_attr *attr = &signer->unsigned_attrs.items[i];
        enum errc e =
            report_uncovered(report, attr->at, attr->len, "unsigned attribute of a timestamp", err);
        if (e != E_OK)
            return e;
        findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, attr->at,
                     "the timestamp has an unsigned attribute of %zu bytes", attr->len);
    }
    return E_OK;
}

/* --- the authority */

static bool check_time_bound(const struct stamp_ask *ask, int64_t time, struct findings *findings)
{
    if (time < cert_not_before(ask->signer)) {
        stamp_invalid(findings, NO_OFFSET, "older than the signer's certificate");
        return false;
    }
    if (time > ask->policy->now + CLOCK_SKEW_S) {
        stamp_invalid(findings, NO_OFFSET, "of a time that is yet to come");
        return false;
    }
    return true;
}

enum errc stamp_judge_authority(const struct stamp_ask *ask, const struct stamp_claim *claim,
                                struct sig_verdict *sig, struct err *err)
{
    struct chain_ask chain = { .purpose = claim->purpose,
                               .leaf = claim->authority,
                               .bag = claim->bag,
                               .policy = ask->policy,
                               .at = claim->time };
    struct chain_report report;
    uint32_t proven = 0;
    sig->stamp.time = claim->time;
    bool in_bounds = check_time_bound(ask, claim->time, &sig->findings);
    if (claim->is_sound && in_bounds)
        chain.wants = ask->policy->wants;
    struct cert_facts facts;
    cert_describe(claim->authority, &facts);
    (void)text_copy(sig->stamp.authority, sizeof(sig->stamp.authority), facts.subject);
    enum errc e = chain_judge(&chain, &sig->findings, &proven, &report, err);
    if (e == E_OK)
        sig->stamp.trusted = claim->is_sound && in_bounds && (proven & FACT_CHAIN) != 0;
    return e;
}

/* --- which attribute */

static enum stamp_kind kind_of(enum oid oid, enum sig_system system)
{
    switch (oid) {
    case OID_COUNTERSIGNATURE: return STAMP_PKCS9;
    case OID_SPC_TIMESTAMP: return system == SYSTEM_AUTHENTICODE ? STAMP_RFC3161 : STAMP_NONE;
    case OID_TIMESTAMP_TOKEN: return system == SYSTEM_CMS ? STAMP_RFC3161 : STAMP_NONE;
    default: return STAMP_NONE;
    }
}

bool stamp_is_attribute(enum oid oid, enum sig_system system)
{
    return kind_of(oid, system) != STAMP_NONE;
}

/* find_attr gives the only timestamp, NULL where there is none or more than one. */
static const struct cms_attr *find_attr(const struct cms_attrs *attrs, enum sig_system system,
                                        struct findings *findings)
{
    const struct cms_attr *found = NULL;
    for (size_t i = 0; i < attrs->n; i++) {
        if (!stamp_is_attribute(attrs->items[i].oid, system))
            continue;
        if (found != NULL) {
            stamp_invalid(findings, attrs->items[i].at, "there is more than one");
            return NULL;
        }
        found = &attrs->items[i];
    }
    return found;
}

enum errc stamp_judge(const struct cms *cms, const struct cert *signer, const struct cert_bag *bag,
                      const struct policy *policy, struct sig_verdict *sig, struct report *report,
                      struct err *err)
{
    struct stamp_ask ask = { cms, signer, bag, policy };
    struct der value;
    const struct cms_attrs *attrs = &cms->signer.unsigned_attrs;
    sig->stamp = (struct stamp_facts){ .kind = STAMP_NONE };
    for (size_t i = 0; i < attrs->n && sig->stamp.kind == STAMP_NONE; i++)
        sig->stamp.kind = kind_of(attrs->items[i].oid, sig->system);
    if (sig->stamp.kind == STAMP_NONE) {
        if (policy->require_timestamp)
            findings_add(&sig->findings, REASON_TIMESTAMP_MISSING, WEIGHT_FATAL, NO_OFFSET,
                         "no timestamp, and one is demanded");
        return E_OK;
    }
    const struct cms_attr *attr = find_attr(attrs, sig->system, &sig->findings);
    if (attr == NULL)
        return E_OK;
    if (cms_attr_value(attr, &value, err) != E_OK) {
        stamp_invalid(&sig->findings, attr->at, "not exactly one value");
        return E_OK;
    }
    if (sig->stamp.kind == STAMP_RFC3161)
        return stamp_judge_token(&ask, &value, sig, report, err);
    return stamp_judge_countersignature(&ask, &value, sig, report, err);
}
