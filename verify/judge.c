#include "verify/judge.h"

#include <string.h>

#include "verify/authenticode.h"
#include "verify/catalog.h"
#include "verify/detached.h"
#include "verify/format.h"

/* Opens the container. What cannot be opened is a finding, and *out_format stays NULL. */
static enum errc open_format(struct source *src, struct verdict *v, struct format **out_format,
                             struct err *err)
{
    const struct format_ops *ops = NULL;
    v->type = "other";
    enum errc rc = format_find(src, &ops, err);
    if (rc != E_OK || ops == NULL)
        return rc;
    v->type = ops->word;
    rc = ops->open(src, &v->report, out_format, err);
    if (rc == E_OK || !errc_is_about_bytes(rc))
        return rc;
    *out_format = NULL;
    findings_add(&v->report.findings, REASON_MALFORMED, WEIGHT_CONTAINER, NO_OFFSET, "%s",
                 err->text);
    return E_OK;
}

static enum errc judge_inside(struct source *src, struct format *f, const struct policy *p,
                              struct verdict *v, struct err *err)
{
    if (p->catalog != NULL)
        return catalog_judge(p->catalog, src, f, p, v, err);
    return f == NULL ? E_OK : authenticode_judge(f, p, v, err);
}

/* Without a key or anchor for its system nothing can be said of a signature. */
static bool can_judge(const struct policy *p, const struct judge_signature *signature)
{
    switch (detached_system(signature->bytes)) {
    case SYSTEM_MINISIGN: return trust_n_keys(p->trust) > 0;
    case SYSTEM_CMS: return policy_demands_chain(p);
    default: return true; /* that it is neither is soon said */
    }
}

static enum errc judge_one_beside(struct source *src, const struct judge_signature *signature,
                                  const struct policy *p, struct verdict *v, struct err *err)
{
    size_t before = v->n_sigs;
    enum errc rc = detached_judge(src, signature->bytes, p, v, err);
    for (; before < v->n_sigs; before++)
        v->sigs[before]->whole_file = true;
    return rc;
}

/* The ones that can be judged come first. One that only lies there, with nothing to judge it by, is
 * passed over if the file has another; else it is judged all the same, and so refused with the
 * reason. */
static enum errc judge_beside(struct source *src, const struct judge_ask *ask, struct verdict *v,
                              struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < ask->n_signatures && rc == E_OK; i++) {
        const struct judge_signature *signature = &ask->signatures[i];
        if (signature->was_named || can_judge(ask->policy, signature))
            rc = judge_one_beside(src, signature, ask->policy, v, err);
    }
    bool has_another = v->n_sigs > 0;
    for (size_t i = 0; i < ask->n_signatures && rc == E_OK; i++) {
        const struct judge_signature *signature = &ask->signatures[i];
        if (signature->was_named || can_judge(ask->policy, signature))
            continue;
        if (has_another)
            findings_add(&v->report.findings, REASON_NOT_LOOKED_AT, WEIGHT_NOTE, NO_OFFSET,
                         "a %s signature lies beside the file; nothing was given to judge it by",
                         sig_system_word(detached_system(signature->bytes)));
        else
            rc = judge_one_beside(src, signature, ask->policy, v, err);
    }
    return rc;
}

static void note_unsigned(struct verdict *v)
{
    if (v->n_sigs > 0 || findings_have_weight(&v->report.findings, WEIGHT_CONTAINER))
        return;
    bool other = v->type[0] == 'o';
    findings_add(&v->report.findings, other ? REASON_UNSUPPORTED : REASON_UNSIGNED, WEIGHT_FATAL,
                 NO_OFFSET,
                 other ? "of no kind that can carry a signature, and none lies beside it"
                       : "carries no signature, and none lies beside it");
}

static enum errc check_file_hash(struct source *src, const struct policy *p, struct verdict *v,
                                 struct err *err)
{
    if (!p->has_sha256 && !p->want_file_digest)
        return E_OK;
    struct digest_set set;
    enum errc rc = digest_source(src, DIGEST_BIT(DIGEST_SHA256), &set, err);
    if (rc != E_OK)
        return rc;
    v->has_sha256 = true;
    v->sha256 = set.of[DIGEST_SHA256];
    if (p->has_sha256 &&
        !span_equal(digest_span(&v->sha256), span_of(p->sha256, sizeof(p->sha256))))
        findings_add(&v->report.findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the SHA-256 of the file is not the one that was demanded");
    return E_OK;
}

static void note_no_publisher(const struct policy *p, struct verdict *v)
{
    bool key_decides = trust_n_keys(p->trust) > 0 &&
                       ((p->required_systems & SYSTEM_MINISIGN) != 0 || !policy_demands_chain(p));
    if (p->n_publishers == 0 && p->n_pins == 0 && !key_decides && v->n_sigs > 0)
        findings_add(&v->report.findings, REASON_NO_PUBLISHER_DEMANDED, WEIGHT_NOTE, NO_OFFSET,
                     "any holder of a certificate under these anchors would pass");
}

/* --- the system's own word */

static bool has_signature_inside(const struct verdict *v)
{
    for (size_t i = 0; i < v->n_sigs; i++)
        if (v->sigs[i]->system == SYSTEM_AUTHENTICODE && !v->sigs[i]->whole_file &&
            !v->sigs[i]->must_hold)
            return true;
    return false;
}

/* ask_witness comes last: the witness reads nothing that we refuse, and what it says can take an
 * acceptance away and never give one. */
static void ask_witness(struct source *src, const struct policy *p, struct verdict *v)
{
    struct witness_answer answer = { .word = WITNESS_UNAVAILABLE };
    if (p->witness == NULL || v->outcome != OUTCOME_ACCEPTED || strcmp(v->type, "pe") != 0 ||
        !has_signature_inside(v))
        return;
    p->witness->ask(p->witness_self, src, &answer);
    switch (answer.word) {
    case WITNESS_UNAVAILABLE:
    case WITNESS_INTACT: return;
    case WITNESS_CHAIN:
        findings_add(&v->report.findings, REASON_WITNESS_CHAIN, WEIGHT_NOTE, NO_OFFSET,
                     "the system's own check does not trust the signer: %s", answer.text);
        break;
    case WITNESS_BROKEN:
        findings_add(&v->report.findings, REASON_WITNESS_REFUSES, WEIGHT_FATAL, NO_OFFSET,
                     "the system's own check finds the file altered or unsigned: %s", answer.text);
        break;
    case WITNESS_BANNED:
        findings_add(&v->report.findings, REASON_WITNESS_REFUSES, WEIGHT_FATAL, NO_OFFSET,
                     "this system is told to distrust a certificate of the signature: %s",
                     answer.text);
        break;
    case WITNESS_UNKNOWN:
        findings_add(&v->report.findings, REASON_WITNESS_REFUSES, WEIGHT_FATAL, NO_OFFSET,
                     "the system's own check says what is not understood here: %s", answer.text);
        break;
    }
    verdict_settle(v, p);
}

/* --- the order */

static enum errc judge_all(struct source *src, const struct judge_ask *ask, struct format **f,
                           struct verdict *v, struct err *err)
{
    enum errc rc = open_format(src, v, f, err);
    if (rc == E_OK)
        rc = judge_inside(src, *f, ask->policy, v, err);
    if (rc == E_OK)
        rc = judge_beside(src, ask, v, err);
    if (rc == E_OK)
        rc = check_file_hash(src, ask->policy, v, err);
    return rc;
}

enum errc judge_file(struct source *src, const struct judge_ask *ask, struct verdict *v,
                     struct err *err)
{
    struct err here = { .code = E_OK };
    struct format *f = NULL;
    *v = (struct verdict){ .type = "other", .size = src->size };
    enum errc rc = judge_all(src, ask, &f, v, &here);
    if (rc == E_LIMIT) { /* a table of the report is full: that is said of the file */
        findings_add_err(&v->report.findings, &here, NO_OFFSET);
        rc = E_OK;
    }
    if (rc == E_OK) {
        note_unsigned(v);
        note_no_publisher(ask->policy, v);
    } else {
        findings_add(&v->report.findings, REASON_READ_ERROR, WEIGHT_FATAL, NO_OFFSET, "%s",
                     here.text);
    }
    verdict_settle(v, ask->policy);
    ask_witness(src, ask->policy, v);
    if (f != NULL)
        format_ops_of(f)->close(f);
    if (rc != E_OK && err != NULL)
        *err = here;
    return rc;
}
