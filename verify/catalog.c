#include "verify/catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "verify/authenticode.h"
#include "verify/der.h"

struct catalog {
    struct format *format; /* holds the bytes that the members point into; its source is gone */
    struct catalog_members members;
    uint32_t flat_algs, inner_algs; /* DIGEST_BIT of what the members of each kind use */
    struct verdict verdict;         /* of the catalog's own signatures, never settled */
};

static const enum digest_alg strongest_first[] = { DIGEST_SHA512, DIGEST_SHA384, DIGEST_SHA256,
                                                   DIGEST_SHA1 };

/* find_list goes down a SignedData to its content. Whether all of it is exact is checked once, by
 * authenticode_judge: a long list takes as long to check as to read. */
static enum errc find_list(struct span der, struct reader *out, struct err *err)
{
    struct reader r = reader_of(der, 0), info, explicit_tag, data, content, inner;
    struct der skipped;
    struct span type;
    enum errc rc = der_enter(&r, DER_SEQUENCE, "ContentInfo", &info, err);
    if (rc == E_OK)
        rc = der_read(&info, DER_OID, "ContentInfo contentType", &skipped, err);
    if (rc == E_OK)
        rc = der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "content", &explicit_tag, err);
    if (rc == E_OK)
        rc = der_enter(&explicit_tag, DER_SEQUENCE, "SignedData", &data, err);
    if (rc == E_OK)
        rc = der_read(&data, DER_INTEGER, "SignedData version", &skipped, err);
    if (rc == E_OK)
        rc = der_read(&data, DER_SET, "digestAlgorithms", &skipped, err);
    if (rc == E_OK)
        rc = der_enter(&data, DER_SEQUENCE, "EncapsulatedContentInfo", &content, err);
    if (rc == E_OK)
        rc = der_read_oid(&content, "eContentType", &type, err);
    if (rc == E_OK && oid_of(type) != OID_CTL)
        rc = err_set(err, E_MALFORMED, "the content is not a trust list");
    if (rc == E_OK)
        rc = der_enter(&content, DER_CONTEXT_CONSTRUCTED(0), "eContent", &inner, err);
    return rc == E_OK ? der_enter(&inner, DER_SEQUENCE, "trust list", out, err) : rc;
}

/* read_list reads the members out of a SignedData. */
static enum errc read_list(struct catalog *c, struct span der, struct err *err)
{
    struct reader list;
    enum errc rc = find_list(der, &list, err);
    if (rc == E_OK)
        rc = catalog_read_members(list.rest, list.at, &c->members, err);
    if (rc == E_OK)
        format_cat_has_read(c->format, list.rest);
    return rc;
}

/* index_members sorts them and notes which hashes a look-up needs. */
static void index_members(struct catalog *c)
{
    catalog_members_sort(&c->members);
    for (size_t i = 0; i < c->members.n; i++) {
        const struct catalog_member *m = &c->members.items[i];
        *(m->flat ? &c->flat_algs : &c->inner_algs) |= DIGEST_BIT(m->alg);
    }
}

/* read_signed reads what the signature covers and judges it. Without a signer, or where the list
 * does not read, there are no members; why it does not read is said by authenticode_judge. */
static enum errc read_signed(struct catalog *c, const struct policy *policy, struct err *err)
{
    struct format_signature signature;
    enum errc rc = format_cat.signature(c->format, &signature, err);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == E_OK)
        rc = read_list(c, signature.der, err);
    if (rc != E_OK && errc_is_about_bytes(rc)) {
        catalog_members_fini(&c->members);
        rc = E_OK;
    }
    if (rc == E_OK)
        rc = authenticode_judge(c->format, policy, &c->verdict, err);
    if (rc == E_OK)
        index_members(c);
    return rc;
}

enum errc catalog_open(struct source *src, const struct policy *policy, struct catalog **out,
                       struct err *err)
{
    struct catalog *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(err);
    enum errc rc = format_cat.open(src, &c->verdict.report, &c->format, err);
    if (rc == E_OK)
        rc = read_signed(c, policy, err);
    if (rc == E_OK) {
        *out = c;
        return E_OK;
    }
    catalog_free(c);
    return err_prefix(err, "catalog: ");
}

void catalog_free(struct catalog *c)
{
    if (c == NULL)
        return;
    catalog_members_fini(&c->members);
    verdict_fini(&c->verdict);
    format_cat.close(c->format);
    free(c);
}

size_t catalog_n_members(const struct catalog *c)
{
    return c->members.n;
}

/* A member speaks of a whole file, or of the inside of a file of the bound kind (`binding` is then
 * not NULL). */
static bool speaks_of(const struct catalog_member *m, const struct spc_binding *binding)
{
    if (binding == NULL || m->flat)
        return binding == NULL && m->flat;
    if (binding->type == OID_UNKNOWN || m->type != binding->type)
        return false;
    return m->type != OID_SPC_SIP_INFO ||
           span_equal(m->sip_guid, span_of(binding->sip_guid, sizeof(binding->sip_guid)));
}

static bool is_listed(const struct catalog *c, const struct digest *digest,
                      const struct spc_binding *binding)
{
    const struct catalog_members *all = &c->members;
    for (size_t i = catalog_members_find(all, digest); i < all->n; i++) {
        const struct catalog_member *m = &all->items[i];
        if (m->alg != digest->alg || !span_equal(m->hash, digest_span(digest)))
            return false;
        if (speaks_of(m, binding))
            return true;
    }
    return false;
}

/* The strongest algorithm under which one of the digests is listed, DIGEST_NONE where none is. */
static enum digest_alg strongest_listed(const struct catalog *c, const struct digest_set *set,
                                        const struct spc_binding *binding)
{
    for (size_t i = 0; i < ARRAY_LEN(strongest_first); i++) {
        enum digest_alg alg = strongest_first[i];
        if ((set->algs & DIGEST_BIT(alg)) != 0 && is_listed(c, &set->of[alg], binding))
            return alg;
    }
    return DIGEST_NONE;
}

static enum errc match_whole(const struct catalog *c, struct source *src, enum digest_alg *out,
                             struct err *err)
{
    struct digest_set set;
    if (c->flat_algs == 0)
        return E_OK;
    enum errc rc = digest_source(src, c->flat_algs, &set, err);
    if (rc == E_OK)
        *out = strongest_listed(c, &set, NULL);
    return rc;
}

/* match_inside looks up the Authenticode hash. A file that has none, because it is broken, is in no
 * list. */
static enum errc match_inside(const struct catalog *c, struct format *f, struct report *report,
                              enum digest_alg *out, struct err *err)
{
    const struct format_ops *ops = format_ops_of(f);
    struct digest_set set;
    struct spc_binding binding;
    if (c->inner_algs == 0 || ops->digest == NULL)
        return E_OK;
    enum errc rc = ops->digest(f, c->inner_algs, &set, report, err);
    if (rc != E_OK)
        return errc_is_about_bytes(rc) ? E_OK : rc;
    ops->binding(f, &binding);
    *out = strongest_listed(c, &set, &binding);
    return E_OK;
}

/* match_and_judge_inside does the same for a file that may carry signatures of its own. Those are
 * no part of that hash, so that they are judged where it is what matched. */
static enum errc match_and_judge_inside(const struct catalog *c, struct format *f,
                                        const struct policy *policy, struct verdict *v,
                                        enum digest_alg *out, struct err *err)
{
    struct format_signature signature;
    enum errc rc = format_ops_of(f)->signature(f, &signature, err);
    if (rc == E_ABSENT)
        return match_inside(c, f, &v->report, out, err);
    if (rc != E_OK && !errc_is_about_bytes(rc))
        return rc;
    struct report again = { 0 }; /* authenticode_judge says the same of the file */
    rc = match_inside(c, f, &again, out, err);
    report_fini(&again);
    return rc == E_OK && *out != DIGEST_NONE ? authenticode_judge(f, policy, v, err) : rc;
}

/* add_findings copies what was said of the catalog. Offsets in it mean nothing in the file. */
static void add_findings(struct findings *to, const struct findings *from)
{
    for (size_t i = 0; i < from->n; i++)
        findings_add(to, from->items[i].reason, from->items[i].weight, NO_OFFSET, "catalog: %s",
                     from->items[i].text);
}

/* add_nested says what signatures nested in the catalog's own mean here: they must be intact, as
 * everywhere, and they vouch for no member, because each has a list of its own. */
static void add_nested(struct findings *to, const struct verdict *own)
{
    for (size_t i = 1; i < own->n_sigs; i++) {
        bool intact = (own->sigs[i]->proven & FACTS_INTACT) == FACTS_INTACT;
        findings_add(to, intact ? REASON_NOT_LOOKED_AT : REASON_SIGNATURE_INVALID,
                     intact ? WEIGHT_NOTE : WEIGHT_FATAL, NO_OFFSET,
                     intact ? "catalog: a nested signature vouches for no member"
                            : "catalog: a nested signature does not hold");
    }
}

/* copy_own gives the sig_verdict that the file starts from: all that holds of the catalog's outer
 * signature, and no digest yet. */
static void copy_own(const struct catalog *c, struct sig_verdict *sig)
{
    const struct verdict *own = &c->verdict;
    if (own->n_sigs == 0) {
        sig->system = SYSTEM_AUTHENTICODE;
        sig->required = FACTS_ALL;
        findings_add(&sig->findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET,
                     "the catalog itself carries no signature");
    } else {
        *sig = *own->sigs[0];
        sig->required = FACTS_ALL;
        sig->ruling = RULING_NONE;
        sig->proven &= ~(uint32_t)FACT_DIGEST;
    }
    add_findings(&sig->findings, &own->report.findings);
    add_nested(&sig->findings, own);
}

/* own_list_holds is true if the list that the members were read from is the one that was signed. */
static bool own_list_holds(const struct catalog *c)
{
    return c->verdict.n_sigs > 0 && (c->verdict.sigs[0]->proven & FACT_DIGEST) != 0;
}

static void settle_match(const struct catalog *c, enum digest_alg alg, bool whole,
                         struct sig_verdict *sig)
{
    if (alg == DIGEST_NONE) {
        findings_add(&sig->findings, REASON_NOT_IN_CATALOG, WEIGHT_FATAL, NO_OFFSET,
                     "none of the catalog's %zu members is this file", c->members.n);
        return;
    }
    (void)snprintf(sig->member, sizeof(sig->member), "%s of %s", digest_word(alg),
                   whole ? "the whole file" : "the signed part (Authenticode)");
    sig->whole_file = whole;
    if (alg == DIGEST_SHA1)
        findings_add(&sig->findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET,
                     "the catalog lists the file by its SHA-1 only");
    if (own_list_holds(c))
        sig_verdict_prove(sig, FACT_DIGEST);
}

enum errc catalog_judge(const struct catalog *c, struct source *src, struct format *f,
                        const struct policy *policy, struct verdict *v, struct err *err)
{
    struct sig_verdict *sig;
    enum digest_alg whole = DIGEST_NONE, inside = DIGEST_NONE;
    enum errc rc = verdict_add_sig(v, &sig, err);
    if (rc != E_OK)
        return rc;
    copy_own(c, sig);
    sig->must_hold = true;

    rc = match_whole(c, src, &whole, err);
    bool is_enough = whole != DIGEST_NONE && whole != DIGEST_SHA1;
    if (rc == E_OK && f != NULL && !is_enough)
        rc = match_and_judge_inside(c, f, policy, v, &inside, err);
    if (rc != E_OK)
        return rc;
    bool by_whole = is_enough || inside == DIGEST_NONE || inside == DIGEST_SHA1;
    by_whole = by_whole && whole != DIGEST_NONE;
    settle_match(c, by_whole ? whole : inside, by_whole, sig);
    return E_OK;
}
