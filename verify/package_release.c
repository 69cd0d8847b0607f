#include "verify/package.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/package_private.h"

struct verified_release {
    struct release release;
};

/* --- is it the document that the feed names? */

static enum errc check_bytes(struct span document, const struct document_ref *ref,
                             struct verdict *v, struct err *err)
{
    struct digest sha256;
    enum errc rc = digest_bytes(DIGEST_SHA256, document, &sha256, err);
    if (rc != E_OK)
        return rc;
    v->has_sha256 = true;
    v->sha256 = sha256;
    if (document.len != ref->size)
        findings_add(&v->report.findings, REASON_WRONG_DOCUMENT, WEIGHT_FATAL, NO_OFFSET,
                     "%s has %zu bytes, the feed says %" PRIu64, ref->path, document.len,
                     ref->size);
    else if (!span_equal(digest_span(&sha256), span_of(ref->sha256, sizeof(ref->sha256))))
        findings_add(&v->report.findings, REASON_WRONG_DOCUMENT, WEIGHT_FATAL, NO_OFFSET,
                     "%s is not the document that the feed names (SHA-256)", ref->path);
    return E_OK;
}

static void check_identity(const struct release *r, const struct feed *feed,
                           const struct feed_release *from, struct findings *findings)
{
    if (strcmp(r->product, feed->product) != 0)
        findings_add(findings, REASON_WRONG_PRODUCT, WEIGHT_FATAL, NO_OFFSET,
                     "the release is of product %s, the feed of %s", r->product, feed->product);
    if (version_compare(&r->version, &from->version) != 0)
        findings_add(findings, REASON_WRONG_DOCUMENT, WEIGHT_FATAL, NO_OFFSET,
                     "the release is version %s, the feed calls it %s", r->version.text,
                     from->version.text);
}

/* --- does it demand as much as the product file? */

static bool has_publisher(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_publishers; i++)
        if (strcmp(policy->publishers[i], name) == 0)
            return true;
    return false;
}

enum sig_system package_system_of(const struct payload_demand *demand)
{
    switch (demand->system) {
    case DEMAND_AUTHENTICODE: return SYSTEM_AUTHENTICODE;
    case DEMAND_CMS: return SYSTEM_CMS;
    case DEMAND_MINISIGN: return SYSTEM_MINISIGN;
    default: return SYSTEM_NONE;
    }
}

const struct payload_demand *package_find_demand(const struct payload *p, enum sig_system system)
{
    for (size_t i = 0; i < p->demands.n; i++)
        if (package_system_of(&p->demands.items[i]) == system)
            return &p->demands.items[i];
    return NULL;
}

static void check_publisher(const struct payload *p, const struct payload_demand *demand,
                            const struct policy *floor, const char *system,
                            struct findings *findings)
{
    if (floor->n_publishers == 0)
        return;
    if (demand->publisher == NULL)
        findings_add(findings, REASON_DEMANDS_TOO_LITTLE, WEIGHT_FATAL, NO_OFFSET,
                     "%.60s: names no publisher for %s, the product file does", p->path, system);
    else if (!has_publisher(floor, demand->publisher))
        findings_add(findings, REASON_DEMANDS_TOO_LITTLE, WEIGHT_FATAL, NO_OFFSET,
                     "%.60s: wants publisher %.40s, whom the product file does not name", p->path,
                     demand->publisher);
}

static void check_floor(const struct payload *p, const struct payload_floor *floor,
                        struct findings *findings)
{
    const struct payload_demand *demand = package_find_demand(p, floor->system);
    const char *system = sig_system_word(floor->system);
    if (demand == NULL) {
        findings_add(findings, REASON_DEMANDS_TOO_LITTLE, WEIGHT_FATAL, NO_OFFSET,
                     "%.60s: demands no %s signature, the product file does", p->path, system);
        return;
    }
    if (floor->system == SYSTEM_MINISIGN)
        return; /* a key says who; it has no publisher and no timestamp */
    if (floor->policy->require_timestamp && !demand->needs_timestamp)
        findings_add(findings, REASON_DEMANDS_TOO_LITTLE, WEIGHT_FATAL, NO_OFFSET,
                     "%.60s: demands no timestamp for %s, the product file does", p->path, system);
    check_publisher(p, demand, floor->policy, system, findings);
}

/* What a release demands on top must be met as well, and there is nothing to judge it by. */
static void check_extra(const struct payload *p, const struct payload_floor *floors,
                        size_t n_floors, struct findings *findings)
{
    for (size_t i = 0; i < p->demands.n; i++) {
        enum sig_system system = package_system_of(&p->demands.items[i]);
        bool there = false;
        for (size_t k = 0; k < n_floors; k++)
            there = there || floors[k].system == system;
        if (!there)
            findings_add(findings, REASON_REQUIRED_SIGNATURE_MISSING, WEIGHT_FATAL, NO_OFFSET,
                         "%.60s: demands a %s signature, for which the product file has no trust",
                         p->path, sig_system_word(system));
    }
}

static bool is_of(const struct verified_release *r, const struct payload *of)
{
    for (size_t i = 0; i < r->release.payloads.n; i++)
        if (&r->release.payloads.items[i] == of)
            return true;
    return false;
}

enum errc verified_release_admits(const struct verified_release *r, const struct payload *of,
                                  const struct payload_floor *floors, size_t n_floors,
                                  struct verdict *v, struct err *err)
{
    *v = (struct verdict){ .type = "release" };
    if (n_floors == 0)
        return err_set(err, E_ARGUMENT, "the product file demands nothing of a payload");
    if (!is_of(r, of))
        return err_set(err, E_INTERNAL, "a payload of another release");
    for (size_t k = 0; k < n_floors; k++)
        check_floor(of, &floors[k], &v->report.findings);
    check_extra(of, floors, n_floors, &v->report.findings);
    return v->report.findings.n == 0 ? E_OK : package_refuse_document(v, "release document", err);
}

/* --- the order */

static enum errc prove(struct span document, const struct feed *feed,
                       const struct feed_release *from, struct verdict *v,
                       struct verified_release *r, struct err *err)
{
    enum errc rc = check_bytes(document, &from->document, v, err);
    if (rc != E_OK)
        return rc;
    if (v->report.findings.n > 0)
        return package_refuse_document(v, "release document", err);
    rc = release_read_unverified(document, &r->release, err);
    if (rc != E_OK) {
        rc = package_read_failed(rc, v, err);
        return rc == E_OK ? package_refuse_document(v, "release document", err) : rc;
    }
    check_identity(&r->release, feed, from, &v->report.findings);
    if (v->report.findings.n > 0)
        return package_refuse_document(v, "release document", err);
    return E_OK;
}

enum errc verified_release_make(struct span unverified_document, const struct verified_feed *feed,
                                const struct feed_release *from, struct verdict *v,
                                struct verified_release **out, struct err *err)
{
    *v = (struct verdict){ .type = "release", .size = unverified_document.len };
    struct verified_release *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return err_nomem(err);
    enum errc rc = prove(unverified_document, verified_feed_get(feed), from, v, r, err);
    if (rc != E_OK)
        verified_release_free(r);
    else
        *out = r;
    return rc;
}

void verified_release_free(struct verified_release *r)
{
    if (r == NULL)
        return;
    release_fini(&r->release);
    free(r);
}

const struct release *verified_release_get(const struct verified_release *r)
{
    return &r->release;
}
