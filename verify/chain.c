#include "verify/chain.h"

#include <string.h>

#include "platform/base/text.h"
#include "verify/cert_private.h"
#include "verify/chain_private.h"
#include "verify/crl.h"

/* The way that does best so far. Only one without a complaint ends the search. */
struct best {
    const struct chain_ask *ask;
    bool is_any;
    unsigned cost;
    struct chain_path path;
    struct findings findings;
};

static unsigned cost_of(const struct findings *f)
{
    unsigned cost = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->items[i].weight == WEIGHT_FATAL)
            cost += 100;
        else if (f->items[i].weight != WEIGHT_NOTE)
            cost += 1;
    }
    return cost;
}

/* --- who it must be */

static bool is_pinned(const struct policy *policy, const struct chain_path *path)
{
    for (size_t i = 0; i < path->n; i++)
        if (chain_pin_matches(policy, path->certs[i]))
            return true;
    return false;
}

/* has_pin is true, too, where none is asked for. */
static bool has_pin(const struct chain_ask *ask, const struct chain_path *path)
{
    return chain_is_for_timestamp(ask) || ask->policy->n_pins == 0 || is_pinned(ask->policy, path);
}

static void check_pins(const struct chain_ask *ask, const struct chain_path *path,
                       struct findings *findings)
{
    char name[80];
    if (!has_pin(ask, path))
        findings_add(findings, REASON_PIN_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "no pin is in the chain of %s",
                     cert_subject_text(ask->leaf, name, sizeof(name)));
}

static bool has_publisher(const struct chain_ask *ask)
{
    const struct policy *policy = ask->policy;
    for (size_t i = 0; i < policy->n_publishers; i++)
        if (cert_is_published_by(ask->leaf, policy->publishers[i]))
            return true;
    return policy->n_publishers == 0;
}

static bool check_publisher(const struct chain_ask *ask, struct findings *findings)
{
    char name[100];
    if (has_publisher(ask))
        return true;
    findings_add(findings, REASON_PUBLISHER_MISMATCH, WEIGHT_FATAL, NO_OFFSET, "signed by %s",
                 cert_subject_text(ask->leaf, name, sizeof(name)));
    return false;
}

/* --- each way */

static enum errc check_revocation(const struct chain_ask *ask, const struct chain_path *path,
                                  struct findings *findings, struct err *err)
{
    const struct crl_ask crl_ask = { ask->policy, ask->at, ask->at_is_proven };
    switch (ask->policy->revocation) {
    case REVOCATION_OFF: return E_OK;
    case REVOCATION_CRL:
    case REVOCATION_ONLINE: break;
    }
    return crl_check_path(path->certs, path->n, &crl_ask, findings, err);
}

/* note_wanted: a way that fails for something else, or is revoked already, is not worth a question,
 * and may be a stranger's. */
static enum errc note_wanted(const struct chain_ask *ask, const struct chain_path *path,
                             const struct findings *findings, struct err *err)
{
    const bool is_for_stamp = chain_is_for_timestamp(ask);
    if (ask->wants == NULL || ask->policy->revocation != REVOCATION_ONLINE ||
        !findings_have(findings, REASON_REVOCATION_UNKNOWN) ||
        findings_have(findings, REASON_REVOKED) || (!is_for_stamp && !has_publisher(ask)))
        return E_OK;
    return crl_note_wanted(path->certs, path->n, ask->policy, ask->wants, err);
}

static enum errc judge_path(void *ctx, const struct chain_path *path, bool *stop, struct err *err)
{
    struct best *best = ctx;
    const struct chain_ask *ask = best->ask;
    struct findings findings = { 0 };
    enum errc rc = chain_check_path(ask, path, &findings, err);
    const bool holds = !verdict_would_refuse(&findings, ask->policy) && has_pin(ask, path);
    if (rc == E_OK)
        rc = check_revocation(ask, path, &findings, err);
    if (rc == E_OK && holds)
        rc = note_wanted(ask, path, &findings, err);
    if (rc != E_OK)
        return rc;
    check_pins(ask, path, &findings);
    unsigned cost = cost_of(&findings);
    if (!best->is_any || cost < best->cost) {
        best->is_any = true;
        best->cost = cost;
        best->path = *path;
        best->findings = findings;
    }
    *stop = cost == 0;
    return E_OK;
}

/* --- what is said where no way leads to an end */

static void add_dead_end(const struct chain_ask *ask, const struct chain_path *path,
                         struct findings *findings)
{
    const struct cert *top = path->certs[path->n - 1];
    enum reason reason = chain_reason(ask, FAULT_UNTRUSTED);
    struct cert_facts facts;
    cert_describe(top, &facts);
    if (cert_names_issuer(top, top))
        findings_add(findings, reason, WEIGHT_FATAL, NO_OFFSET, "the root is not an anchor: %s",
                     facts.subject);
    else
        findings_add(findings, reason, WEIGHT_FATAL, NO_OFFSET,
                     "no anchor, and nothing in the file, is the issuer %s", facts.issuer);
}

static void add_gave_up(const struct chain_ask *ask, struct findings *findings)
{
    findings_add(findings, chain_reason(ask, FAULT_UNTRUSTED), WEIGHT_FATAL, NO_OFFSET,
                 "more than %d certificates in a chain, or %d ways to build one", CHAIN_MAX,
                 CHAIN_PATHS_MAX);
}

/* --- the order */

static void copy_findings(const struct findings *from, struct findings *to)
{
    for (size_t i = 0; i < from->n; i++)
        findings_add(to, from->items[i].reason, from->items[i].weight, from->items[i].at, "%s",
                     from->items[i].text);
}

static void report_path(const struct chain_path *path, struct chain_report *out)
{
    out->n = path->n;
    for (size_t i = 0; i < path->n; i++)
        cert_subject_text(path->certs[i], out->subjects[i], sizeof(out->subjects[i]));
}

enum errc chain_judge(const struct chain_ask *ask, struct findings *findings, uint32_t *out_proven,
                      struct chain_report *out_report, struct err *err)
{
    struct best best = { .ask = ask };
    struct chain_path longest = { 0 };
    bool gave_up = false;
    uint32_t proven = 0;
    enum errc rc = chain_each_path(ask, judge_path, &best, &longest, &gave_up, err);
    if (rc != E_OK)
        return rc;
    if (!best.is_any) {
        add_dead_end(ask, &longest, findings);
        best.path = longest;
        check_pins(ask, &longest, findings);
    }
    copy_findings(&best.findings, findings);
    if (best.is_any && !findings_have_weight(&best.findings, WEIGHT_FATAL))
        proven |= FACT_CHAIN;
    else if (gave_up)
        add_gave_up(ask, findings);

    /* Pins have been checked with the way; without a proven chain nobody is who they say. */
    bool is_stamp = chain_is_for_timestamp(ask);
    if (!is_stamp && check_publisher(ask, findings) && (proven & FACT_CHAIN) != 0)
        proven |= FACT_SIGNER;
    if (findings_have_weight(findings, WEIGHT_FATAL) && openssl_nomem())
        return err_nomem(err);
    report_path(&best.path, out_report);
    *out_proven = proven;
    return E_OK;
}
