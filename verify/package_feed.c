#include "verify/package.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/package_private.h"

struct verified_feed {
    struct feed feed;
    size_t n_keys; /* those whose signatures were accepted */
    char keys[FEED_SIGNATURES_MAX][FRESH_KEY_ROOM];
};

/* --- what the steps share */

static const struct finding *first_fatal(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].fatal)
            return &findings->items[i];
    return NULL;
}

const char *package_refusal(const struct verdict *v, size_t n_verdicts)
{
    const struct finding *f = NULL;
    for (size_t i = 0; i < n_verdicts && f == NULL; i++) {
        f = first_fatal(&v[i].report.findings);
        for (size_t k = 0; k < v[i].n_sigs && f == NULL; k++)
            f = first_fatal(&v[i].sigs[k]->findings);
    }
    return f == NULL ? NULL : reason_word(f->reason);
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

static bool can_judge(const struct policy *policy, enum sig_system system)
{
    return system == SYSTEM_CMS ? policy_demands_chain(policy) : trust_n_keys(policy->trust) > 0;
}

/* is_known: it was accepted before, and is recalled. */
static enum errc judge_under(struct span feed, struct span signature, const struct policy *policy,
                             bool is_known, struct verdict *v, struct err *err)
{
    struct policy whole = *policy; /* what is said of files does not hold for a feed */
    if (is_known && whole.revocation == REVOCATION_ONLINE)
        whole.revocation = REVOCATION_OFF;
    whole.all_signatures = true;
    whole.has_sha256 = false;
    whole.catalog = NULL;
    whole.required_systems = 0;
    *v = (struct verdict){ .type = "feed", .size = feed.len };
    enum errc rc = detached_judge_bytes(feed, signature, &whole, v, err);
    for (size_t i = 0; i < v->n_sigs; i++)
        v->sigs[i]->whole_file = true;
    if (rc == E_OK)
        verdict_settle(v, &whole);
    return rc;
}

/* judge_signature: by each policy that can, until one accepts; the last one's reasons stay. */
static enum errc judge_signature(struct span feed, struct span signature,
                                 const struct feed_ask *ask, bool is_known, struct verdict *v,
                                 struct err *err)
{
    const enum sig_system system = detached_system(signature);
    bool was_judged = false;
    for (size_t i = 0; i < ask->n_policies && v->outcome != OUTCOME_ACCEPTED; i++) {
        if (system != SYSTEM_NONE && !can_judge(ask->policies[i], system))
            continue;
        verdict_fini(v);
        was_judged = true;
        enum errc rc = judge_under(feed, signature, ask->policies[i], is_known, v, err);
        if (rc != E_OK)
            return rc;
    }
    if (!was_judged)
        findings_add(&v->report.findings, REASON_KEY_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "there is nothing to judge a %s signature by", sig_system_word(system));
    return E_OK;
}

static enum errc judge_signatures(struct span feed, const struct span *signatures, size_t n,
                                  const struct feed_ask *ask, bool is_known, struct verdict *v,
                                  struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        enum errc rc = judge_signature(feed, signatures[i], ask, is_known, &v[1 + i], err);
        if (rc != E_OK)
            return rc;
    }
    if (n == 0)
        findings_add(&v->report.findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET,
                     "no signature lies beside it");
    return E_OK;
}

static void name_key(const struct sig_verdict *sig, char to[FRESH_KEY_ROOM])
{
    const bool is_minisign = sig->system == SYSTEM_MINISIGN;
    size_t len = strlen(text_copy(to, FRESH_KEY_ROOM, is_minisign ? "minisign:" : "cms:"));
    text_copy(to + len, FRESH_KEY_ROOM - len,
              is_minisign ? sig->key_sha256 : sig->signer.spki_sha256);
}

static void keep_keys(const struct verdict *v, size_t n, struct verified_feed *f)
{
    for (f->n_keys = 0; f->n_keys < n; f->n_keys++)
        name_key(v[1 + f->n_keys].sigs[0], f->keys[f->n_keys]);
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
    return E_OK;
}

static enum errc read_new_feed(struct span bytes, const struct feed_ask *ask, struct verdict *v,
                               struct verified_feed *f, struct err *err)
{
    enum errc rc = read_feed(bytes, ask, v, f, err);
    for (size_t i = 0; rc == E_OK && i < f->n_keys && f->feed.product != NULL; i++)
        fresh_check(&f->feed, f->keys[i], ask->marks, ask->now, &v->report.findings);
    return rc;
}

static enum errc refuse_unless_accepted(struct verdict *v, size_t n_signatures, struct err *err)
{
    if (v->report.findings.n > 0)
        return package_refuse_document(v, "feed", err);
    for (size_t i = 1; i <= n_signatures; i++)
        if (v[i].outcome != OUTCOME_ACCEPTED)
            return package_refuse(&v[i], "feed", err);
    return E_OK;
}

static enum errc prove(struct span bytes, const struct span *signatures, size_t n,
                       const struct feed_ask *ask, bool is_known, struct verdict *v,
                       struct verified_feed *f, struct err *err)
{
    enum errc rc = judge_signatures(bytes, signatures, n, ask, is_known, v, err);
    if (rc == E_OK)
        rc = refuse_unless_accepted(v, n, err);
    if (rc != E_OK)
        return rc;
    keep_keys(v, n, f);
    rc = is_known ? read_feed(bytes, ask, v, f, err) : read_new_feed(bytes, ask, v, f, err);
    return rc == E_OK ? refuse_unless_accepted(v, n, err) : rc;
}

static enum errc make(struct span unverified_feed, const struct span *unverified_signatures,
                      size_t n_signatures, const struct feed_ask *ask, bool is_known,
                      struct verdict *v, struct verified_feed **out, struct err *err)
{
    for (size_t i = 0; i <= n_signatures; i++)
        v[i] = (struct verdict){ .type = "feed", .size = unverified_feed.len };
    if (n_signatures > FEED_SIGNATURES_MAX)
        return err_set(err, E_LIMIT, "%zu signatures of a feed, at most %d", n_signatures,
                       FEED_SIGNATURES_MAX);
    if (unverified_feed.len > FEED_BYTES_MAX)
        return err_set(err, E_LIMIT, "a feed of %zu bytes, at most %d", unverified_feed.len,
                       FEED_BYTES_MAX);
    struct verified_feed *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_nomem(err);
    enum errc rc =
        prove(unverified_feed, unverified_signatures, n_signatures, ask, is_known, v, f, err);
    if (rc != E_OK)
        verified_feed_free(f);
    else
        *out = f;
    return rc;
}

enum errc verified_feed_make(struct span unverified_feed, const struct span *unverified_signatures,
                             size_t n_signatures, const struct feed_ask *ask, struct verdict *v,
                             struct verified_feed **out, struct err *err)
{
    return make(unverified_feed, unverified_signatures, n_signatures, ask, false, v, out, err);
}

enum errc verified_feed_recall(struct span unverified_feed,
                               const struct span *unverified_signatures, size_t n_signatures,
                               const struct feed_ask *ask, struct verdict *v,
                               struct verified_feed **out, struct err *err)
{
    return make(unverified_feed, unverified_signatures, n_signatures, ask, true, v, out, err);
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

/* --- marks of keys that count no more */

static bool is_key_of(const struct trust *trust, const char *name)
{
    for (size_t i = 0; i < trust_n_keys(trust); i++) {
        const struct minisign_key *key = trust_key(trust, i);
        char hex[TEXT_SHA256_ROOM];
        struct digest d;
        if (digest_bytes(DIGEST_SHA256, span_of(key->ed25519, sizeof(key->ed25519)), &d, NULL) !=
                E_OK ||
            strcmp(text_to_hex(digest_span(&d), hex), name) == 0)
            return true; /* what can't be told apart is kept */
    }
    return false;
}

static bool counts(const struct policy *const *policies, size_t n, const char *key)
{
    static const char minisign[] = "minisign:";
    const bool is_minisign = strncmp(key, minisign, sizeof(minisign) - 1) == 0;
    for (size_t i = 0; i < n; i++)
        if (is_minisign ? is_key_of(policies[i]->trust, key + sizeof(minisign) - 1)
                        : policy_demands_chain(policies[i]))
            return true;
    return false;
}

void package_forget_marks(const struct policy *const *policies, size_t n_policies,
                          struct fresh_marks *marks)
{
    size_t n = 0;
    for (size_t i = 0; i < marks->n; i++)
        if (counts(policies, n_policies, marks->items[i].key))
            marks->items[n++] = marks->items[i];
    marks->n = n;
}
