#include "verify/authenticode.h"

#include <stdlib.h>

#include "platform/work.h"

#define NESTED_MAX 4 /* of real files, few have more than one */
#define ITEMS_MAX (1 + NESTED_MAX)

/* One SignedData: the embedded one or one nested in it. */
struct item {
    struct sig_verdict *sig;
    uint64_t at; /* of its DER */
    size_t len;
    struct cms cms;
    bool has_content; /* the content octets can be hashed */
    struct span octets;
    bool has_spc;
    struct spc spc;
    bool fits; /* the content is of this kind of file, and all but the digests holds */
};

struct judging {
    struct format *f;
    const struct format_ops *ops;
    const struct policy *policy;
    struct verdict *v;
    struct format_signature signature;
    struct report report; /* of the signature's bytes: offsets as in `signature` */
    size_t n;
    struct item items[ITEMS_MAX];
    struct digest_set digests; /* of the file */
};

/* --- reading the signatures */

static bool place_is_known(const struct judging *j)
{
    return j->signature.at != NO_OFFSET;
}

/* add_item reads one SignedData. What does not read is a finding of its sig_verdict, and no item.
 */
static enum errc add_item(struct judging *j, struct span der, uint64_t at, struct err *err)
{
    struct item *item = &j->items[j->n];
    enum errc e = verdict_add_sig(j->v, &item->sig, err);
    if (e != E_OK)
        return e;
    item->sig->system = SYSTEM_AUTHENTICODE;
    item->sig->required = FACTS_ALL;
    item->sig->nested = j->n > 0;
    e = cms_read(der, at, &item->cms, err);
    if (e == E_OK) {
        item->sig->digest = item->cms.signer.digest;
        item->at = at;
        item->len = der.len;
        j->n++;
        return E_OK;
    }
    findings_add_err(&item->sig->findings, err, place_is_known(j) ? at : NO_OFFSET);
    return E_OK;
}

static enum errc add_values(struct judging *j, const struct cms_attr *attr, struct err *err)
{
    struct reader r = der_inside(&attr->values);
    for (size_t n = 0; !reader_is_done(&r); n++) {
        struct der value;
        if (n == NESTED_MAX)
            return err_set(err, E_LIMIT, "more than %d nested signatures", NESTED_MAX);
        enum errc e = der_read_any(&r, "nested signature", &value, err);
        if (e == E_OK)
            e = add_item(j, value.whole, value.at, err);
        if (e != E_OK)
            return e;
    }
    return E_OK;
}

static enum errc add_nested(struct judging *j, struct err *err)
{
    struct item *primary = &j->items[0];
    const struct cms_attr *attr = NULL;
    enum errc e =
        cms_attr_find(&primary->cms.signer.unsigned_attrs, OID_SPC_NESTED_SIGNATURE, &attr, err);
    if (e == E_OK && attr != NULL)
        e = add_values(j, attr, err);
    if (!errc_is_about_bytes(e))
        return e;
    findings_add_err(&primary->sig->findings, err, NO_OFFSET);
    return E_OK;
}

static enum errc read_signatures(struct judging *j, struct err *err)
{
    enum errc e = add_item(j, j->signature.der, place_is_known(j) ? j->signature.at : 0, err);
    if (e == E_OK && j->n > 0)
        e = add_nested(j, err);
    return e;
}

/* --- what was signed */

/* find_octets gives the content octets, which messageDigest covers, and the SEQUENCE's in them. */
static bool find_octets(struct item *item, struct span *out_sequence, uint64_t *out_at)
{
    struct findings *findings = &item->sig->findings;
    struct der inner = item->cms.content;
    struct err err;
    if (!item->cms.has_content) {
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "the signature has no content: there is nothing to compare");
        return false;
    }
    item->octets = item->cms.content.content;
    if (item->cms.content.tag == DER_OCTET_STRING) {
        struct reader r = der_inside(&item->cms.content);
        findings_add(findings, REASON_MALFORMED, WEIGHT_LENIENT, item->cms.content.at,
                     "the content lies in an OCTET STRING");
        if (der_read(&r, DER_SEQUENCE, "content", &inner, &err) != E_OK ||
            der_end(&r, "content", &err) != E_OK) {
            findings_add_err(findings, &err, item->cms.content.at);
            return false;
        }
    }
    if (inner.tag != DER_SEQUENCE) {
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, inner.at,
                     "the content is no SEQUENCE but has tag 0x%02X", inner.tag);
        return false;
    }
    item->has_content = true;
    *out_sequence = inner.content;
    *out_at = der_inside(&inner).at;
    return true;
}

static void check_weak(const struct spc *spc, struct findings *findings)
{
    if (spc->digest_alg == DIGEST_MD5)
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_FATAL, NO_OFFSET,
                     "the file's digest is MD5");
    if (spc->digest_alg == DIGEST_SHA1)
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET,
                     "the file's digest is SHA-1");
    if (spc->page_alg == DIGEST_SHA1 && spc->digest_alg != DIGEST_SHA1)
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET,
                     "the page hashes are SHA-1");
}

static bool check_agreement(const struct item *item)
{
    if (item->spc.digest_alg == item->cms.signer.digest)
        return true;
    findings_add(&item->sig->findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                 "the file's digest is %s and the signer's is %s",
                 digest_word(item->spc.digest_alg), digest_word(item->cms.signer.digest));
    return false;
}

static void read_spc(const struct judging *j, struct item *item, struct span sequence, uint64_t at)
{
    struct spc_binding binding;
    struct err err;
    if (spc_read(sequence, at, &item->spc, &err) != E_OK) {
        findings_add_err(&item->sig->findings, &err, place_is_known(j) ? at : NO_OFFSET);
        return;
    }
    item->has_spc = true;
    item->sig->digest = item->spc.digest_alg;
    check_weak(&item->spc, &item->sig->findings);
    j->ops->binding(j->f, &binding);
    bool is_bound = spc_check_binding(&item->spc, &binding, &item->sig->findings);
    item->fits = check_agreement(item) && is_bound;
}

static void read_list(const struct judging *j, struct item *item, struct span sequence, uint64_t at)
{
    struct err err;
    enum errc e = j->ops->check_content(j->f, sequence, at, &err);
    if (e != E_OK)
        findings_add_err(&item->sig->findings, &err, place_is_known(j) ? at : NO_OFFSET);
    item->fits = e == E_OK;
}

static void read_content(const struct judging *j, struct item *item)
{
    struct span sequence;
    uint64_t at;
    bool is_list = j->ops->check_content != NULL;
    char text[64];
    if (item->cms.content_oid != (is_list ? OID_CTL : OID_SPC_INDIRECT_DATA)) {
        findings_add(&item->sig->findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the content is of type %s, which no signature of this kind of file has",
                     oid_text(item->cms.content_type, text, sizeof(text)));
        return;
    }
    if (!find_octets(item, &sequence, &at))
        return;
    if (is_list)
        read_list(j, item, sequence, at);
    else
        read_spc(j, item, sequence, at);
}

/* --- hashing the file: its digests and its page hashes side by side, each with its own report */

struct piece {
    struct item *item; /* whose page hashes; NULL for the file's digests */
    struct report report;
    enum errc rc;
    struct err err;
};

struct pieces {
    struct judging *j;
    uint32_t algs;
    size_t n;
    struct piece items[1 + ITEMS_MAX];
};

static void run_piece(void *ctx, size_t i)
{
    struct pieces *p = ctx;
    struct judging *j = p->j;
    struct piece *piece = &p->items[i];
    if (piece->item == NULL)
        piece->rc = j->ops->digest(j->f, p->algs, &j->digests, &piece->report, &piece->err);
    else
        piece->rc =
            j->ops->check_page_hashes(j->f, piece->item->spc.page_alg, piece->item->spc.page_hashes,
                                      &piece->report, &piece->err);
}

static void plan_pieces(struct judging *j, struct pieces *p)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->items[i].has_spc && j->items[i].spc.digest_alg != DIGEST_MD5)
            p->algs |= DIGEST_BIT(j->items[i].spc.digest_alg);
    if (p->algs != 0)
        p->n++;
    for (size_t i = 0; i < j->n; i++) {
        if (!j->items[i].has_spc || j->items[i].spc.page_alg == DIGEST_NONE)
            continue;
        if (j->ops->check_page_hashes != NULL)
            p->items[p->n++].item = &j->items[i];
        else
            findings_add(&j->items[i].sig->findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                         "page hashes, which this kind of file does not have");
    }
}

static void move_findings(const struct findings *from, struct findings *to)
{
    for (size_t i = 0; i < from->n; i++)
        findings_add(to, from->items[i].reason, from->items[i].weight, from->items[i].at, "%s",
                     from->items[i].text);
}

static enum errc move_ranges(const struct report *from, struct report *to, struct err *err)
{
    for (size_t i = 0; i < from->n_ranges; i++) {
        const struct uncovered *u = &from->ranges[i];
        enum errc e = report_uncovered(to, u->at, u->len, u->what, err);
        if (e != E_OK)
            return e;
    }
    return E_OK;
}

static bool has_fault(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].weight != WEIGHT_NOTE)
            return true;
    return false;
}

/* take_piece: what was found in the file's bytes is the file's; a wrong page is its signature's. */
static enum errc take_piece(struct judging *j, struct piece *piece, struct err *err)
{
    struct findings *to =
        piece->item == NULL ? &j->v->report.findings : &piece->item->sig->findings;
    if (piece->rc != E_OK && !errc_is_about_bytes(piece->rc)) {
        *err = piece->err;
        return piece->rc;
    }
    if (piece->rc != E_OK)
        findings_add_err(to, &piece->err, NO_OFFSET);
    move_findings(&piece->report.findings, to);
    if (piece->item != NULL && (piece->rc != E_OK || has_fault(&piece->report.findings)))
        piece->item->fits = false;
    return move_ranges(&piece->report, &j->v->report, err);
}

static enum errc hash_file(struct judging *j, struct err *err)
{
    struct pieces *p = calloc(1, sizeof(*p));
    enum errc e = E_OK;
    if (p == NULL)
        return err_nomem(err);
    p->j = j;
    plan_pieces(j, p);
    work_run(p->n, run_piece, p);
    for (size_t i = 0; i < p->n && e == E_OK; i++)
        e = take_piece(j, &p->items[i], err);
    for (size_t i = 0; i < p->n; i++)
        report_fini(&p->items[i].report);
    free(p);
    return e;
}

/* --- each signature */

static void compare_digest(const struct judging *j, struct item *item)
{
    enum digest_alg alg = item->spc.digest_alg;
    if (!item->has_spc || (j->digests.algs & DIGEST_BIT(alg)) == 0)
        return;
    if (!span_equal(item->spc.digest, digest_span(&j->digests.of[alg]))) {
        findings_add(&item->sig->findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the file's %s is not the one that was signed", digest_word(alg));
        return;
    }
    if (item->fits)
        sig_verdict_prove(item->sig, FACT_DIGEST);
}

static enum errc judge_item(struct judging *j, struct item *item, struct err *err)
{
    struct digest digest = { .alg = DIGEST_NONE };
    struct signed_content content = { .cms = &item->cms,
                                      .content_digest = &digest,
                                      .system = SYSTEM_AUTHENTICODE };
    enum errc e = E_OK;
    compare_digest(j, item);
    if (!item->has_content)
        return E_OK;
    if (item->cms.signer.digest != DIGEST_NONE)
        e = digest_bytes(item->cms.signer.digest, item->octets, &digest, err);
    if (e == E_OK)
        e = authenticode_judge_signer(&content, j->policy, item->sig, &j->report, err);
    /* A list lies in the signature itself: what was signed is what is there. */
    if (e == E_OK && j->ops->kind == KIND_CAT && item->fits &&
        (item->sig->proven & FACT_SIGNATURE) != 0)
        sig_verdict_prove(item->sig, FACT_DIGEST);
    return e;
}

/* --- signatures that nobody asked for */

static bool is_by_demanded(const struct sig_verdict *sig)
{
    return (sig->proven & FACT_SIGNER) != 0;
}

static bool has_demanded(const struct verdict *v)
{
    for (size_t i = 0; i < v->n_sigs; i++)
        if (is_by_demanded(v->sigs[i]))
            return true;
    return false;
}

/* A signer whose certificate leads to no anchor: anybody can be that. One whose certificate has
 * expired, or who is not the publisher, is a weaker sibling: an authority that is trusted knows
 * him. */
static bool is_by_nobody(const struct sig_verdict *sig)
{
    return (sig->proven & FACT_CHAIN) == 0 && findings_have(&sig->findings, REASON_CHAIN_UNTRUSTED);
}

/* note_strangers: anybody can sign the same file, in a certificate and with attributes of his own
 * making, and put that beside, into or around the maker's signature. Nothing that anyone known has
 * signed covers those bytes. Where there is no signature by the demanded signer either, this is not
 * what is wrong. */
static enum errc note_strangers(struct judging *j, struct err *err)
{
    if (!has_demanded(j->v))
        return E_OK;
    for (size_t i = 0; i < j->n; i++) {
        const struct item *item = &j->items[i];
        if (!is_by_nobody(item->sig))
            continue;
        findings_add(&j->report.findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, item->at,
                     "a signature of %zu bytes by a signer whom no anchor knows", item->len);
        enum errc e = report_uncovered(&j->report, item->at, item->len,
                                       "signature by a signer whom no anchor knows", err);
        if (e != E_OK)
            return e;
    }
    return E_OK;
}

/* --- the order of proof */

/* give_place: offsets in a signature that lies in pieces or encoded are none in the file. */
static enum errc give_place(struct judging *j, struct err *err)
{
    static const char *const what = "in the signature, counted from its start";
    if (!place_is_known(j)) {
        for (size_t i = 0; i < j->report.findings.n; i++)
            j->report.findings.items[i].at = NO_OFFSET;
        for (size_t i = 0; i < j->report.n_ranges; i++)
            j->report.ranges[i].what = what;
        for (size_t i = 0; i < j->n; i++)
            for (size_t k = 0; k < j->items[i].sig->findings.n; k++)
                j->items[i].sig->findings.items[k].at = NO_OFFSET;
    }
    move_findings(&j->report.findings, &j->v->report.findings);
    return move_ranges(&j->report, &j->v->report, err);
}

static enum errc judge_all(struct judging *j, struct err *err)
{
    enum errc e = read_signatures(j, err);
    for (size_t i = 0; e == E_OK && i < j->n; i++)
        read_content(j, &j->items[i]);
    if (e == E_OK && j->ops->digest != NULL)
        e = hash_file(j, err);
    for (size_t i = 0; e == E_OK && i < j->n; i++)
        e = judge_item(j, &j->items[i], err);
    if (e == E_OK)
        e = note_strangers(j, err);
    if (e == E_OK)
        e = give_place(j, err);
    return e;
}

/* A signature that cannot even be found in the file is still one: the file is not unsigned. */
static enum errc refuse_unreadable(struct verdict *v, struct err *err)
{
    struct err why = *err;
    struct sig_verdict *sig;
    enum errc e = verdict_add_sig(v, &sig, err);
    if (e != E_OK)
        return e;
    sig->system = SYSTEM_AUTHENTICODE;
    sig->required = FACTS_ALL;
    findings_add_err(&sig->findings, &why, NO_OFFSET);
    return E_OK;
}

enum errc authenticode_judge(struct format *f, const struct policy *policy, struct verdict *v,
                             struct err *err)
{
    struct format_signature signature;
    struct err here;
    enum errc e = format_ops_of(f)->signature(f, &signature, &here);
    if (e == E_ABSENT)
        return E_OK;
    if (errc_is_about_bytes(e))
        return refuse_unreadable(v, &here);
    struct judging *j = e == E_OK ? calloc(1, sizeof(*j)) : NULL;
    if (e == E_OK && j == NULL)
        e = err_nomem(&here);
    if (j != NULL) {
        j->f = f;
        j->ops = format_ops_of(f);
        j->policy = policy;
        j->v = v;
        j->signature = signature;
        e = judge_all(j, &here);
        report_fini(&j->report);
        free(j);
    }
    if (e != E_OK && err != NULL)
        *err = here;
    return e;
}
