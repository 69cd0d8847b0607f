#include "verify/package.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/judge.h"
#include "verify/minisign.h"
#include "verify/package_private.h"

struct verified_package {
    struct source *source; /* owned: the payload, this and no other */
    const struct payload *payload;
    const struct verified_release *release;
};

/* One floor's judgement of the payload. */
struct judging {
    const struct release *release;
    struct source *payload;
    const struct payload *of;
    const struct payload_floor *floor;
    struct policy policy;  /* the floor's, narrowed by what the release demands */
    const char *publisher; /* the release's own */
    const struct span *signatures;
    size_t n_signatures;
};

/* narrow makes the policy that meets the floor and the release both. verified_release_admits has
 * seen to it that the release names one of the floor's publishers where the floor names any. */
static void narrow(struct judging *j)
{
    const struct payload_demand *demand = package_find_demand(j->of, j->floor->system);
    j->policy = *j->floor->policy;
    j->policy.catalog = NULL;
    j->policy.required_systems = 0; /* no other system is looked at */
    j->policy.has_sha256 = true;
    memcpy(j->policy.sha256, j->of->sha256, sizeof(j->policy.sha256));
    if (demand != NULL && demand->needs_timestamp)
        j->policy.require_timestamp = true;
    if (demand != NULL && demand->publisher != NULL) {
        j->publisher = demand->publisher;
        j->policy.publishers = &j->publisher;
        j->policy.n_publishers = 1;
    }
}

/* --- what lies beside it */

/* find_word gives what follows NAME in the tab-separated words of a trusted comment. */
static bool find_word(struct span comment, const char *name, struct span *out)
{
    while (comment.len > 0) {
        const uint8_t *tab = memchr(comment.ptr, '\t', comment.len);
        size_t len = tab == NULL ? comment.len : (size_t)(tab - comment.ptr);
        struct span word = span_sub(comment, 0, len);
        if (span_starts_with(word, span_text(name))) {
            *out = span_sub(word, strlen(name), word.len);
            return true;
        }
        comment = span_sub(comment, len + 1, comment.len);
    }
    return false;
}

/* check_words: what the trusted comment says of product and version, as surefoot-publish release
 * writes it there, holds: else whoever may sign feeds could offer an old payload under a new name.
 * One that says nothing of them is bound to neither. */
static void check_words(const struct judging *j, struct span signature, struct findings *findings)
{
    struct minisign_signature s;
    struct version version;
    struct span word;
    char shown[80];
    if (minisign_read_signature(signature, &s, NULL) != E_OK)
        return; /* refused already */
    if (find_word(s.trusted_comment, "product:", &word) &&
        !span_equal_text(word, j->release->product))
        findings_add(findings, REASON_WRONG_PRODUCT, WEIGHT_FATAL, NO_OFFSET,
                     "was signed as of product %s, the release is of %s",
                     text_printable(word, shown, sizeof(shown)), j->release->product);
    if (find_word(s.trusted_comment, "version:", &word) &&
        (version_read(word, &version, NULL) != E_OK ||
         version_compare(&version, &j->release->version) != 0))
        findings_add(findings, REASON_WRONG_DOCUMENT, WEIGHT_FATAL, NO_OFFSET,
                     "was signed as version %s, the release document calls it %s",
                     text_printable(word, shown, sizeof(shown)), j->release->version.text);
}

static enum errc judge_detached(const struct judging *j, struct verdict *v, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < j->n_signatures && rc == E_OK; i++) {
        if (detached_system(j->signatures[i]) != j->floor->system)
            continue;
        rc = detached_judge(j->payload, j->signatures[i], &j->policy, v, err);
        if (rc == E_OK && j->floor->system == SYSTEM_MINISIGN)
            check_words(j, j->signatures[i], &v->report.findings);
    }
    for (size_t i = 0; i < v->n_sigs; i++)
        v->sigs[i]->whole_file = true;
    if (rc == E_OK && v->n_sigs == 0)
        findings_add(&v->report.findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET,
                     "no %s signature lies beside it", sig_system_word(j->floor->system));
    return rc;
}

static enum errc check_hash(const struct judging *j, struct verdict *v, struct err *err)
{
    struct digest_set set;
    enum errc rc = digest_source(j->payload, DIGEST_BIT(DIGEST_SHA256), &set, err);
    if (rc != E_OK)
        return rc;
    v->has_sha256 = true;
    v->sha256 = set.of[DIGEST_SHA256];
    if (!span_equal(digest_span(&v->sha256), span_of(j->of->sha256, sizeof(j->of->sha256))))
        findings_add(&v->report.findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the SHA-256 of the payload is not the one in the release document");
    return E_OK;
}

static enum errc judge_beside(const struct judging *j, struct verdict *v, struct err *err)
{
    *v = (struct verdict){ .type = "other", .size = j->payload->size };
    enum errc rc = judge_detached(j, v, err);
    if (rc == E_OK)
        rc = check_hash(j, v, err);
    if (rc == E_OK)
        verdict_settle(v, &j->policy);
    return rc;
}

/* --- the order */

static void check_size(const struct judging *j, struct verdict *v)
{
    if (j->payload->size != j->of->size)
        findings_add(&v->report.findings, REASON_DIGEST_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the payload has %" PRIu64 " bytes, the release document says %" PRIu64,
                     j->payload->size, j->of->size);
    if (j->of->kind == PAYLOAD_MSI && j->floor->system == SYSTEM_AUTHENTICODE &&
        strcmp(v->type, "msi") != 0)
        findings_add(&v->report.findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the payload is no Windows Installer package but of type %s", v->type);
}

static enum errc judge_floor(struct judging *j, struct verdict *v, struct err *err)
{
    struct judge_ask ask = { .policy = &j->policy };
    narrow(j);
    enum errc rc = j->floor->system == SYSTEM_AUTHENTICODE ? judge_file(j->payload, &ask, v, err)
                                                           : judge_beside(j, v, err);
    if (rc != E_OK)
        return rc;
    check_size(j, v);
    verdict_settle(v, &j->policy);
    return v->outcome == OUTCOME_ACCEPTED ? E_OK : E_REFUSED;
}

/* All floors are judged, so that everything that is wrong is said at once. */
static enum errc judge_floors(struct judging *j, const struct payload_floor *floors, size_t n,
                              struct verdict *v, struct err *err)
{
    enum errc result = E_OK;
    for (size_t i = 0; i < n; i++) {
        j->floor = &floors[i];
        enum errc rc = judge_floor(j, &v[i], err);
        if (rc == E_REFUSED && result == E_OK)
            result = package_refuse(&v[i], j->of->path, err);
        else if (rc != E_OK && rc != E_REFUSED)
            return rc;
    }
    return result;
}

enum errc verified_package_make(struct source *payload, const struct payload *of,
                                const struct verified_release *release,
                                const struct payload_floor *floors, size_t n_floors,
                                const struct span *unverified_signatures, size_t n_signatures,
                                struct verdict *v, struct verified_package **out, struct err *err)
{
    struct judging j = { .release = verified_release_get(release),
                         .payload = payload,
                         .of = of,
                         .signatures = unverified_signatures,
                         .n_signatures = n_signatures };
    for (size_t i = 0; i < n_floors; i++)
        v[i] = (struct verdict){ .outcome = OUTCOME_NONE };
    struct verdict admission;
    enum errc rc = verified_release_admits(release, of, floors, n_floors, &admission, err);
    if (n_floors > 0)
        v[0] = admission;
    if (rc == E_OK)
        rc = judge_floors(&j, floors, n_floors, v, err);
    if (rc != E_OK)
        return rc;
    struct verified_package *p = malloc(sizeof(*p));
    if (p == NULL)
        return err_nomem(err);
    *p = (struct verified_package){ .source = payload, .payload = of, .release = release };
    *out = p;
    return E_OK;
}

void verified_package_free(struct verified_package *p)
{
    if (p == NULL)
        return;
    source_close(p->source);
    free(p);
}

struct source *verified_package_source(const struct verified_package *p)
{
    return p->source;
}

const struct payload *verified_package_payload(const struct verified_package *p)
{
    return p->payload;
}

const struct release *verified_package_release(const struct verified_package *p)
{
    return verified_release_get(p->release);
}
