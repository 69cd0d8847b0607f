#include "verify/package.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/package_private.h"

struct verified_feed {
    struct feed feed;
    size_t n_keys; /* those whose signatures were accepted */
    char keys[SIGS_MAX][FRESH_KEY_ROOM];
};

/* --- what the steps share */

static const struct finding *first_fatal(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].fatal)
            return &findings->items[i];
    return NULL;
}

enum errc package_refuse(const struct verdict *v, const char *what, struct err *err)
{
    const struct finding *f = first_fatal(&v->report.findings);
    for (size_t i = 0; i < v->n_sigs && f == NULL; i++)
        f = first_fatal(&v->sigs[i]->findings);
    if (f == NULL)
        return err_set(err, E_REFUSED, "%s: did not prove genuine", what);
    return err_set(err, E_REFUSED, "%s: %s: %s", what, reason_word(f->reason), f->text);
}

enum errc package_refuse_document(struct verdict *v, const char *what, struct err *err)
{
    const struct policy none = { .profile = PROFILE_STRICT };
    verdict_settle(v, &none);
    return package_refuse(v, what, err);
}

enum errc package_read_failed(enum errc rc, struct verdict *v, struct err *err)
{
    if (!errc_is_about_bytes(rc))
        return rc;
    findings_add_err(&v->report.findings, err, NO_OFFSET);
    return E_OK;
}

/* --- signatures, before anything is parsed */

static enum errc judge_signatures(struct span feed, const struct span *signatures, size_t n,
                                  const struct policy *policy, struct verdict *v, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = detached_judge_bytes(feed, signatures[i], policy, v, err);
    for (size_t i = 0; i < v->n_sigs; i++)
        v->sigs[i]->whole_file = true;
    if (n == 0)
        findings_add(&v->report.findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET,
                     "no signature lies beside it");
    return rc;
}

/* Every signature must be accepted, not one of them: a feed has no weaker siblings. */
static bool are_all_accepted(struct verdict *v, const struct policy *policy)
{
    struct policy all = *policy;
    all.all_signatures = true;
    all.has_sha256 = false;
    all.catalog = NULL;
    verdict_settle(v, &all);
    return v->outcome == OUTCOME_ACCEPTED;
}

static void name_key(const struct sig_verdict *sig, char to[FRESH_KEY_ROOM])
{
    const bool is_minisign = sig->system == SYSTEM_MINISIGN;
    size_t len = strlen(text_copy(to, FRESH_KEY_ROOM, is_minisign ? "minisign:" : "cms:"));
    text_copy(to + len, FRESH_KEY_ROOM - len, is_minisign ? sig->key_id : sig->signer.spki_sha256);
}

static void keep_keys(const struct verdict *v, struct verified_feed *f)
{
    for (f->n_keys = 0; f->n_keys < v->n_sigs; f->n_keys++)
        name_key(v->sigs[f->n_keys], f->keys[f->n_keys]);
}

/* --- then its words */

static void check_product(const struct feed *feed, const struct feed_ask *ask,
                          struct findings *findings)
{
    if (strcmp(feed->product, ask->product) != 0)
        findings_add(findings, REASON_WRONG_PRODUCT, WEIGHT_FATAL, NO_OFFSET,
                     "the feed is of product %s, not %s", feed->product, ask->product);
    if (strcmp(feed->channel, ask->channel) != 0)
        findings_add(findings, REASON_WRONG_PRODUCT, WEIGHT_FATAL, NO_OFFSET,
                     "the feed is of channel %s, not %s", feed->channel, ask->channel);
}

static enum errc read_feed(struct span bytes, const struct feed_ask *ask, struct verdict *v,
                           struct verified_feed *f, struct err *err)
{
    enum errc rc = feed_read_unverified(bytes, &f->feed, err);
    if (rc != E_OK)
        return package_read_failed(rc, v, err);
    check_product(&f->feed, ask, &v->report.findings);
    for (size_t i = 0; i < f->n_keys; i++)
        fresh_check(&f->feed, f->keys[i], ask->marks, ask->policy->now, &v->report.findings);
    return E_OK;
}

static enum errc prove(struct span bytes, const struct span *signatures, size_t n,
                       const struct feed_ask *ask, struct verdict *v, struct verified_feed *f,
                       struct err *err)
{
    if (bytes.len > FEED_BYTES_MAX)
        findings_add(&v->report.findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "a feed of %zu bytes, at most %d", bytes.len, FEED_BYTES_MAX);
    else {
        enum errc rc = judge_signatures(bytes, signatures, n, ask->policy, v, err);
        if (rc != E_OK)
            return rc;
    }
    if (!are_all_accepted(v, ask->policy))
        return package_refuse(v, "feed", err);
    keep_keys(v, f);
    enum errc rc = read_feed(bytes, ask, v, f, err);
    if (rc != E_OK)
        return rc;
    return are_all_accepted(v, ask->policy) ? E_OK : package_refuse(v, "feed", err);
}

enum errc verified_feed_make(struct span unverified_feed, const struct span *unverified_signatures,
                             size_t n_signatures, const struct feed_ask *ask, struct verdict *v,
                             struct verified_feed **out, struct err *err)
{
    *v = (struct verdict){ .type = "feed", .size = unverified_feed.len };
    struct verified_feed *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_nomem(err);
    enum errc rc = prove(unverified_feed, unverified_signatures, n_signatures, ask, v, f, err);
    if (rc != E_OK)
        verified_feed_free(f);
    else
        *out = f;
    return rc;
}

void verified_feed_free(struct verified_feed *f)
{
    if (f == NULL)
        return;
    feed_fini(&f->feed);
    free(f);
}

const struct feed *verified_feed_get(const struct verified_feed *f)
{
    return &f->feed;
}

enum errc verified_feed_note(const struct verified_feed *f, struct fresh_marks *marks,
                             struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < f->n_keys && rc == E_OK; i++)
        rc = fresh_note(marks, f->keys[i], f->feed.serial, f->feed.issued, err);
    return rc;
}
