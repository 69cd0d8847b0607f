/* The bag of certificates: what is in it, and who vouches for each. */

#include "verify/cms.h"

#include <inttypes.h>

/* --- reading */

static enum errc add_uncovered(struct report *report, const struct der *d, const char *what,
                               struct err *err)
{
    enum errc e = report_uncovered(report, d->at, d->whole.len, what, err);
    if (e == E_OK)
        findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, d->at,
                     "%s: %zu bytes in the signature that nothing signs", what, d->whole.len);
    return e;
}

static bool bag_has(const struct cert_bag *bag, struct span der)
{
    for (size_t i = 0; i < bag->n; i++)
        if (span_equal(cert_der(bag->certs[i]), der))
            return true;
    return false;
}

static enum errc read_cert(const struct der *d, struct cert_bag *bag, struct report *report,
                           struct err *err)
{
    struct cert *cert;
    if (bag_has(bag, d->whole))
        return E_OK;
    if (bag->n == CERT_BAG_MAX)
        return err_set(err, E_LIMIT, "more than %d certificates", CERT_BAG_MAX);
    enum errc e = cert_read_known(d->whole, bag->memo, &cert, err);
    if (errc_is_about_bytes(e))
        return add_uncovered(report, d, "certificate that does not read", err);
    if (e == E_OK)
        bag->certs[bag->n++] = cert;
    return e;
}

/* count_cert: each certificate costs time and a multiple of its size in memory, and a file can have
 * a bag in each of its signatures and timestamps. */
static enum errc count_cert(const struct der *d, struct effort *effort, struct err *err)
{
    effort->n_certs++;
    effort->cert_bytes += d->whole.len;
    if (effort->n_certs > CMS_FILE_CERTS_MAX)
        return err_set(err, E_LIMIT, "more than %d certificates in a file", CMS_FILE_CERTS_MAX);
    if (effort->cert_bytes > CMS_FILE_CERT_BYTES_MAX)
        return err_set(err, E_LIMIT, "certificates of more than %d bytes in a file",
                       CMS_FILE_CERT_BYTES_MAX);
    return E_OK;
}

/* read_choice: CertificateChoices of RFC 5652 10.2.2. */
static enum errc read_choice(const struct der *d, struct cert_bag *bag, struct report *report,
                             struct err *err)
{
    switch (d->tag) {
    case DER_SEQUENCE: return read_cert(d, bag, report, err);
    case DER_CONTEXT_CONSTRUCTED(1):
    case DER_CONTEXT_CONSTRUCTED(2): return add_uncovered(report, d, "attribute certificate", err);
    case DER_CONTEXT_CONSTRUCTED(0):
    case DER_CONTEXT_CONSTRUCTED(3):
        return add_uncovered(report, d, "certificate of another format", err);
    default:
        return err_set(err, E_MALFORMED, "certificates: tag 0x%02X at %" PRIu64, d->tag, d->at);
    }
}

enum errc cms_read_certs(const struct cms *cms, struct cert_bag *bag, struct report *report,
                         struct err *err)
{
    struct reader r = der_inside(&cms->certs);
    *bag = (struct cert_bag){ .memo = bag->memo };
    if (cms->crls.tag != 0) {
        enum errc e = add_uncovered(report, &cms->crls, "revocation lists", err);
        if (e != E_OK)
            return e;
    }
    if (cms->certs.tag == 0)
        return E_OK;
    if (reader_is_done(&r))
        return err_set(err, E_MALFORMED, "certificates: present and empty at %" PRIu64,
                       cms->certs.at);
    while (!reader_is_done(&r)) {
        struct der d;
        enum errc e = der_read_any(&r, "certificate", &d, err);
        if (e == E_OK)
            e = count_cert(&d, &report->effort, err);
        if (e == E_OK)
            e = read_choice(&d, bag, report, err);
        if (e != E_OK)
            return e;
    }
    return E_OK;
}

/* --- who vouches for whom */

/* What is known of the bag's certificates, by number. */
struct bag_graph {
    const struct cert_bag *bag;
    bool signs[CERT_BAG_MAX][CERT_BAG_MAX]; /* [i][j]: i's key verifies j's signature */
    bool is_rooted[CERT_BAG_MAX];           /* an anchor, signed by one, or pinned */
    bool hangs_together[CERT_BAG_MAX];      /* with a signer or with what is rooted */
};

static enum errc find_edges(struct bag_graph *g, struct effort *effort, struct err *err)
{
    for (size_t i = 0; i < g->bag->n; i++) {
        for (size_t j = 0; j < g->bag->n; j++) {
            if (!cert_names_issuer(g->bag->certs[j], g->bag->certs[i]) ||
                (i != j && !cert_may_issue(g->bag->certs[i])))
                continue;
            if (++effort->n_cert_checks > CMS_FILE_CHECKS_MAX)
                return err_set(err, E_LIMIT,
                               "certificates: more than %d pairs of issuer and issued in a file",
                               CMS_FILE_CHECKS_MAX);
            enum errc e = cert_check_issuer(g->bag->certs[j], g->bag->certs[i], err);
            if (e != E_OK && e != E_REFUSED)
                return e;
            g->signs[i][j] = e == E_OK;
        }
    }
    return E_OK;
}

static bool is_pinned(const struct policy *policy, const struct cert *cert)
{
    struct span sha256 = digest_span(cert_sha256(cert));
    for (size_t i = 0; i < policy->n_pins; i++)
        if (policy->pins[i].kind == PIN_CERT_SHA256 &&
            span_equal(sha256, span_of(policy->pins[i].bytes, sizeof(policy->pins[i].bytes))))
            return true;
    return false;
}

static enum errc mark_rooted(struct bag_graph *g, const struct policy *policy, struct err *err)
{
    for (size_t i = 0; i < g->bag->n; i++) {
        enum errc e = is_pinned(policy, g->bag->certs[i])
                          ? E_OK
                          : trust_check_signed(policy->trust, g->bag->certs[i], err);
        if (e != E_OK && e != E_REFUSED)
            return e;
        g->is_rooted[i] = e == E_OK;
    }
    return E_OK;
}

static void mark_signer(struct bag_graph *g, const struct cms_signer *signer)
{
    const struct cert *cert = cms_find_signer(signer, g->bag);
    for (size_t i = 0; i < g->bag->n; i++)
        if (g->bag->certs[i] == cert)
            g->hangs_together[i] = true;
}

/* mark_countersigners passes over what does not read: the timestamp's judge says so. */
static void mark_countersigners(struct bag_graph *g, const struct cms_attrs *attrs)
{
    for (size_t i = 0; i < attrs->n; i++) {
        struct reader r = der_inside(&attrs->items[i].values);
        struct cms_signer signer;
        if (attrs->items[i].oid == OID_COUNTERSIGNATURE &&
            cms_read_signer(&r, &signer, NULL) == E_OK)
            mark_signer(g, &signer);
    }
}

/* spread marks what signs (up) or is signed by (down) what is marked, until nothing changes. */
static void spread(struct bag_graph *g, bool up)
{
    bool changed;
    do {
        changed = false;
        for (size_t i = 0; i < g->bag->n; i++) {
            for (size_t j = 0; j < g->bag->n && !g->hangs_together[i]; j++) {
                bool linked = up ? g->signs[i][j] : g->signs[j][i];
                g->hangs_together[i] = linked && g->hangs_together[j];
                changed = changed || g->hangs_together[i];
            }
        }
    } while (changed);
}

static void mark_from_roots(struct bag_graph *g)
{
    for (size_t i = 0; i < g->bag->n; i++)
        g->hangs_together[i] = g->hangs_together[i] || g->is_rooted[i];
}

static bool is_vouched_for(const struct bag_graph *g, size_t i)
{
    if (g->is_rooted[i])
        return true;
    for (size_t j = 0; j < g->bag->n; j++)
        if (g->signs[j][i] && g->hangs_together[j])
            return true;
    return false;
}

/* report_strangers goes through the bag as it lies, to say where. */
static enum errc report_strangers(const struct bag_graph *g, const struct cms *cms,
                                  struct report *report, struct err *err)
{
    struct reader r = der_inside(&cms->certs);
    enum errc e = E_OK;
    while (cms->certs.tag != 0 && !reader_is_done(&r) && e == E_OK) {
        struct der d;
        e = der_read_any(&r, "certificate", &d, err);
        for (size_t i = 0; e == E_OK && i < g->bag->n; i++)
            if (span_equal(cert_der(g->bag->certs[i]), d.whole) && !is_vouched_for(g, i))
                e = add_uncovered(report, &d, "certificate that no key at hand signs", err);
    }
    return e;
}

enum errc cms_check_bag(const struct cert_bag *bag, const struct cms *cms,
                        const struct policy *policy, struct report *report, struct err *err)
{
    struct bag_graph g = { .bag = bag };
    enum errc e = find_edges(&g, &report->effort, err);
    if (e == E_OK)
        e = mark_rooted(&g, policy, err);
    if (e != E_OK)
        return e;
    mark_signer(&g, &cms->signer);
    mark_countersigners(&g, &cms->signer.unsigned_attrs);
    spread(&g, true);
    mark_from_roots(&g);
    spread(&g, false);
    return report_strangers(&g, cms, report, err);
}
