#define SF_API __attribute__((visibility("default")))
#include "verify/surefoot.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/judge.h"
#include "verify/policy.h"

#define PUBLISHERS_MAX 64
#define PINS_MAX 64
#define SIGNATURES_MAX 8

struct sf_verifier {
    struct trust *trust;
    struct policy policy;
    char *publishers[PUBLISHERS_MAX];
    struct pin pins[PINS_MAX];
    char *eku;
    struct err err;
};

struct sf_verdict {
    struct verdict inner;
};

static sf_status status_of(enum errc rc)
{
    switch (rc) {
    case E_OK: return SF_OK;
    case E_NOMEM: return SF_NOMEM;
    case E_IO:
    case E_ABSENT:
    case E_ACCESS:
    case E_BUSY: return SF_IO;
    case E_ARGUMENT:
    case E_MALFORMED:
    case E_TRUNCATED: return SF_USAGE;
    default: return SF_FAILED;
    }
}

static sf_status finish(sf_verifier *v, enum errc rc)
{
    if (rc == E_OK)
        v->err.text[0] = '\0';
    return status_of(rc);
}

const char *sf_version(void)
{
    return SF_VERSION;
}

sf_verifier *sf_verifier_new(void)
{
    sf_verifier *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    if (trust_new(&v->trust, &v->err) != E_OK) {
        free(v);
        return NULL;
    }
    v->policy.trust = v->trust;
    v->policy.publishers = (const char *const *)v->publishers;
    v->policy.pins = v->pins;
    return v;
}

void sf_verifier_free(sf_verifier *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->policy.n_publishers; i++)
        free(v->publishers[i]);
    free(v->eku);
    trust_free(v->trust);
    free(v);
}

const char *sf_verifier_error(const sf_verifier *v)
{
    return v->err.text;
}

sf_status sf_verifier_add_anchors(sf_verifier *v, sf_anchor_use use, const void *bytes, size_t len)
{
    enum anchor_use inner = use == SF_ANCHOR_TIMESTAMP ? ANCHOR_TIMESTAMP : ANCHOR_CODE;
    return finish(v, trust_add_anchors(v->trust, inner, span_of(bytes, len), &v->err));
}

sf_status sf_verifier_add_crls(sf_verifier *v, const void *bytes, size_t len)
{
    enum errc rc = trust_add_crls(v->trust, span_of(bytes, len), &v->err);
    if (rc == E_OK)
        v->policy.revocation = REVOCATION_CRL;
    return finish(v, rc);
}

sf_status sf_verifier_add_key(sf_verifier *v, const void *bytes, size_t len)
{
    return finish(v, trust_add_key(v->trust, span_of(bytes, len), &v->err));
}

sf_status sf_verifier_demand_publisher(sf_verifier *v, const char *name)
{
    if (name[0] == '\0' || !text_is_utf8(span_text(name)))
        return finish(
            v, err_set(&v->err, E_ARGUMENT, "a publisher's name is UTF-8 text and not empty"));
    if (v->policy.n_publishers == PUBLISHERS_MAX)
        return finish(v, err_set(&v->err, E_LIMIT, "more than %d publishers", PUBLISHERS_MAX));
    char *copy = strdup(name);
    if (copy == NULL)
        return finish(v, err_nomem(&v->err));
    v->publishers[v->policy.n_publishers++] = copy;
    return finish(v, E_OK);
}

sf_status sf_verifier_pin(sf_verifier *v, const char *pin)
{
    if (v->policy.n_pins == PINS_MAX)
        return finish(v, err_set(&v->err, E_LIMIT, "more than %d pins", PINS_MAX));
    enum errc rc = policy_read_pin(pin, &v->pins[v->policy.n_pins], &v->err);
    if (rc == E_OK)
        v->policy.n_pins++;
    return finish(v, rc);
}

sf_status sf_verifier_allow(sf_verifier *v, const char *code)
{
    uint32_t bit = policy_allowance_of(code);
    if (bit == 0)
        return finish(v, err_set(&v->err, E_ARGUMENT, "no such allowance"));
    v->policy.allowed |= bit;
    return finish(v, E_OK);
}

sf_status sf_verifier_require(sf_verifier *v, const char *systems)
{
    return finish(v, policy_read_systems(systems, &v->policy.required_systems, &v->err));
}

sf_status sf_verifier_set_eku(sf_verifier *v, const char *dotted_oid_or_any)
{
    char *copy = strdup(dotted_oid_or_any);
    if (copy == NULL)
        return finish(v, err_nomem(&v->err));
    free(v->eku);
    v->eku = copy;
    v->policy.cms_eku = copy;
    return finish(v, E_OK);
}

sf_status sf_verifier_set_profile(sf_verifier *v, sf_profile profile)
{
    if (profile != SF_PROFILE_STRICT && profile != SF_PROFILE_WINDOWS)
        return finish(v, err_set(&v->err, E_ARGUMENT, "no such profile"));
    v->policy.profile = profile == SF_PROFILE_WINDOWS ? PROFILE_WINDOWS : PROFILE_STRICT;
    return finish(v, E_OK);
}

sf_status sf_verifier_require_timestamp(sf_verifier *v, int yes)
{
    v->policy.require_timestamp = yes != 0;
    return finish(v, E_OK);
}

sf_status sf_verifier_all_signatures(sf_verifier *v, int yes)
{
    v->policy.all_signatures = yes != 0;
    return finish(v, E_OK);
}

static sf_status judge(const sf_verifier *v, struct source *src,
                       const sf_signature_bytes *signatures, size_t n, int64_t now,
                       sf_verdict *verdict)
{
    struct judge_signature list[SIGNATURES_MAX];
    struct policy policy = v->policy;
    struct err err = { .code = E_OK };
    if (n > SIGNATURES_MAX)
        return SF_USAGE;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct judge_signature){ span_of(signatures[i].bytes, signatures[i].len), true };
    policy.now = now;
    if (policy_check_usable(&policy, &err) != E_OK)
        return SF_USAGE;
    struct judge_ask ask = { &policy, list, n };
    return status_of(judge_file(src, &ask, &verdict->inner, &err));
}

/* Takes the source, whatever happens. */
static sf_status judge_and_close(const sf_verifier *v, struct source *src,
                                 const sf_signature_bytes *signatures, size_t n, int64_t now,
                                 sf_verdict **out_verdict)
{
    sf_verdict *verdict = calloc(1, sizeof(*verdict));
    sf_status status = verdict == NULL ? SF_NOMEM : judge(v, src, signatures, n, now, verdict);
    source_close(src);
    if (status == SF_OK || status == SF_IO)
        *out_verdict = verdict;
    else
        sf_verdict_free(verdict);
    return status;
}

sf_status sf_verify_file(const sf_verifier *v, const char *path,
                         const sf_signature_bytes *signatures, size_t n_signatures, int64_t now,
                         sf_verdict **out_verdict)
{
    struct source *src = NULL;
    struct err err = { .code = E_OK };
    *out_verdict = NULL;
    enum errc rc = source_file_open(path, &src, &err);
    if (rc == E_OK)
        return judge_and_close(v, src, signatures, n_signatures, now, out_verdict);
    sf_verdict *verdict = calloc(1, sizeof(*verdict));
    if (verdict == NULL)
        return SF_NOMEM;
    verdict->inner.type = "other";
    findings_add(&verdict->inner.report.findings, REASON_READ_ERROR, WEIGHT_FATAL, NO_OFFSET, "%s",
                 err.text);
    verdict_settle(&verdict->inner, &v->policy);
    *out_verdict = verdict;
    return SF_IO;
}

sf_status sf_verify_memory(const sf_verifier *v, const void *bytes, size_t len,
                           const sf_signature_bytes *signatures, size_t n_signatures, int64_t now,
                           sf_verdict **out_verdict)
{
    struct source *src = NULL;
    struct err err = { .code = E_OK };
    *out_verdict = NULL;
    enum errc rc = source_memory_new(span_of(bytes, len), &src, &err);
    return rc != E_OK ? status_of(rc)
                      : judge_and_close(v, src, signatures, n_signatures, now, out_verdict);
}

struct reader_source {
    struct source base;
    sf_reader reader;
};

static enum errc reader_read_at(struct source *src, uint64_t at, void *to, size_t len,
                                struct err *err)
{
    const struct reader_source *s = (const struct reader_source *)src;
    if (s->reader.read_at(s->reader.ctx, at, to, len) != 0)
        return err_set(err, E_IO, "the caller's reader failed");
    return E_OK;
}

static void reader_close(struct source *src)
{
    free(src);
}

sf_status sf_verify_source(const sf_verifier *v, const sf_reader *reader,
                           const sf_signature_bytes *signatures, size_t n_signatures, int64_t now,
                           sf_verdict **out_verdict)
{
    static const struct source_ops ops = { reader_read_at, reader_close };
    struct reader_source *src = malloc(sizeof(*src));
    *out_verdict = NULL;
    if (src == NULL)
        return SF_NOMEM;
    *src =
        (struct reader_source){ .base = { .ops = &ops, .size = reader->size }, .reader = *reader };
    return judge_and_close(v, &src->base, signatures, n_signatures, now, out_verdict);
}

void sf_verdict_free(sf_verdict *verdict)
{
    if (verdict == NULL)
        return;
    verdict_fini(&verdict->inner);
    free(verdict);
}

sf_outcome sf_verdict_outcome(const sf_verdict *verdict)
{
    if (verdict == NULL)
        return SF_NOTHING;
    switch (verdict->inner.outcome) {
    case OUTCOME_NONE: return SF_NOTHING;
    case OUTCOME_ACCEPTED: return SF_ACCEPTED;
    case OUTCOME_REFUSED: return SF_REFUSED;
    case OUTCOME_UNSIGNED: return SF_UNSIGNED;
    case OUTCOME_UNSUPPORTED: return SF_UNSUPPORTED;
    case OUTCOME_ERROR: return SF_ERROR;
    }
    return SF_NOTHING;
}

const char *sf_verdict_type(const sf_verdict *verdict)
{
    return verdict == NULL ? "" : verdict->inner.type;
}

/* The nth finding of this sort, counted over the file's own and then each signature's; NULL past
 * the last. */
static const struct finding *nth_reason(const sf_verdict *verdict, int tolerated, size_t n,
                                        size_t *out_seen)
{
    size_t seen = 0;
    const struct finding *found = NULL;
    for (size_t k = 0; verdict != NULL && k <= verdict->inner.n_sigs; k++) {
        const struct findings *list =
            k == 0 ? &verdict->inner.report.findings : &verdict->inner.sigs[k - 1]->findings;
        for (size_t i = 0; i < list->n; i++) {
            if (list->items[i].fatal == (tolerated != 0))
                continue;
            if (seen++ == n)
                found = &list->items[i];
        }
    }
    *out_seen = seen;
    return found;
}

size_t sf_verdict_n_reasons(const sf_verdict *verdict, int tolerated)
{
    size_t n;
    (void)nth_reason(verdict, tolerated, SIZE_MAX, &n);
    return n;
}

const char *sf_verdict_reason_code(const sf_verdict *verdict, int tolerated, size_t i)
{
    size_t n;
    const struct finding *f = nth_reason(verdict, tolerated, i, &n);
    return f == NULL ? "" : reason_word(f->reason);
}

const char *sf_verdict_reason_detail(const sf_verdict *verdict, int tolerated, size_t i)
{
    size_t n;
    const struct finding *f = nth_reason(verdict, tolerated, i, &n);
    return f == NULL ? "" : f->text;
}

static const struct sig_verdict *sig_of(const sf_verdict *verdict, size_t i)
{
    return verdict == NULL || i >= verdict->inner.n_sigs ? NULL : verdict->inner.sigs[i];
}

size_t sf_verdict_n_signatures(const sf_verdict *verdict)
{
    return verdict == NULL ? 0 : verdict->inner.n_sigs;
}

int sf_signature_is_accepted(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig != NULL && sig->ruling == RULING_ACCEPTED;
}

const char *sf_signature_kind(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL ? "" : sig_system_word(sig->system);
}

const char *sf_signature_digest(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL ? "" : digest_word(sig->digest);
}

const char *sf_signature_subject(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL ? "" : sig->signer.subject;
}

const char *sf_signature_issuer(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL ? "" : sig->signer.issuer;
}

const char *sf_signature_thumbprint(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL ? "" : sig->signer.sha256;
}

int64_t sf_signature_signed_at(const sf_verdict *verdict, size_t i)
{
    const struct sig_verdict *sig = sig_of(verdict, i);
    return sig == NULL || !sig->has_signed_at ? 0 : sig->signed_at;
}
