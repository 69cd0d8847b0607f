#include "verify/cert_private.h"
#include "verify/chain_private.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* A walk in depth. OpenSSL's own building takes the first issuer that seems fit and never comes
 * back to another; with an intermediate that comes twice (expired and renewed), or roots that sign
 * each other, the right way may be the second. */
struct walk {
    const struct chain_ask *ask;
    enum anchor_use use;
    chain_path_fn fn;
    void *ctx;
    struct chain_path path, longest;
    size_t n_paths, n_steps;
    bool stop, gave_up;
};

static bool span_is_bytes(struct span s, const uint8_t bytes[32])
{
    return span_equal(s, span_of(bytes, 32));
}

bool chain_pin_matches(const struct policy *policy, const struct cert *c)
{
    for (size_t i = 0; i < policy->n_pins; i++) {
        const struct pin *pin = &policy->pins[i];
        if (pin->kind == PIN_CERT_SHA256 && span_is_bytes(digest_span(&c->sha256), pin->bytes))
            return true;
        if (pin->kind == PIN_SPKI_SHA256 && span_is_bytes(digest_span(&c->spki_sha256), pin->bytes))
            return true;
    }
    return false;
}

bool chain_is_for_timestamp(const struct chain_ask *ask)
{
    return ask->purpose == CHAIN_TIMESTAMP || ask->purpose == CHAIN_TIMESTAMP_LEGACY;
}

static bool is_same(const struct cert *a, const struct cert *b)
{
    return span_is_bytes(digest_span(&a->sha256), b->sha256.bytes);
}

static bool is_pinned_whole(const struct policy *policy, const struct cert *c)
{
    for (size_t i = 0; i < policy->n_pins; i++)
        if (policy->pins[i].kind == PIN_CERT_SHA256 &&
            span_is_bytes(digest_span(&c->sha256), policy->pins[i].bytes))
            return true;
    return false;
}

/* is_end: with anchors, only they end a chain, and pins narrow it; without any, a certificate that
 * is pinned whole does. A timestamp has no pins. */
static bool is_end(const struct walk *w, const struct cert *c)
{
    const struct policy *policy = w->ask->policy;
    size_t n = trust_n_anchors(policy->trust, w->use);
    for (size_t i = 0; i < n; i++)
        if (is_same(trust_anchor(policy->trust, w->use, i), c))
            return true;
    return n == 0 && !chain_is_for_timestamp(w->ask) && is_pinned_whole(policy, c);
}

static bool is_on_path(const struct chain_path *path, const struct cert *c)
{
    for (size_t i = 0; i < path->n; i++)
        if (is_same(path->certs[i], c))
            return true;
    return false;
}

/* may_issue: an issuer that lacks the right to sign, or whose extensions do not read, is looked at
 * all the same, so that the report can say what is wrong with it. */
static bool may_issue(const struct cert *issuer, const struct cert *c)
{
    if (!cert_names_issuer(c, issuer))
        return false;
    int rc = X509_check_issued(issuer->x509, c->x509);
    if (rc != X509_V_OK) /* it may have wanted for memory, without saying so: asked for twice */
        rc = X509_check_issued(issuer->x509, c->x509);
    return rc == X509_V_OK || rc == X509_V_ERR_KEYUSAGE_NO_CERTSIGN || rc == X509_V_ERR_UNSPECIFIED;
}

static enum errc look_at(struct walk *w, struct err *err);

static enum errc step_to(struct walk *w, const struct cert *issuer, struct err *err)
{
    if (!may_issue(issuer, w->path.certs[w->path.n - 1]) || is_on_path(&w->path, issuer))
        return E_OK;
    if (w->path.n == CHAIN_MAX || w->n_steps == CHAIN_STEPS_MAX) {
        w->gave_up = true;
        return E_OK;
    }
    w->n_steps++;
    w->path.certs[w->path.n++] = issuer;
    enum errc rc = look_at(w, err);
    w->path.n--;
    return rc;
}

static enum errc report_end(struct walk *w, struct err *err)
{
    if (w->n_paths == CHAIN_PATHS_MAX) {
        w->gave_up = true;
        w->stop = true;
        return E_OK;
    }
    w->n_paths++;
    return w->fn(w->ctx, &w->path, &w->stop, err);
}

/* look_at takes the last certificate of the path: reports it if it is an end, and goes on to all
 * that may have issued it, anchors before those that came with the file. */
static enum errc look_at(struct walk *w, struct err *err)
{
    const struct trust *trust = w->ask->policy->trust;
    const struct cert_bag *bag = w->ask->bag;
    enum errc rc = E_OK;
    if (w->path.n > w->longest.n)
        w->longest = w->path;
    if (is_end(w, w->path.certs[w->path.n - 1]))
        rc = report_end(w, err);
    size_t n_anchors = trust_n_anchors(trust, w->use);
    for (size_t i = 0; i < n_anchors && rc == E_OK && !w->stop; i++)
        rc = step_to(w, trust_anchor(trust, w->use, i), err);
    for (size_t i = 0; i < bag->n && rc == E_OK && !w->stop; i++)
        if (n_anchors == 0 || !is_end(w, bag->certs[i]))
            rc = step_to(w, bag->certs[i], err);
    return rc;
}

enum errc chain_each_path(const struct chain_ask *ask, chain_path_fn fn, void *ctx,
                          struct chain_path *out_longest, bool *out_gave_up, struct err *err)
{
    struct walk w = {
        .ask = ask,
        .use = chain_is_for_timestamp(ask) ? ANCHOR_TIMESTAMP : ANCHOR_CODE,
        .fn = fn,
        .ctx = ctx,
        .path = { .n = 1, .certs = { ask->leaf } },
    };
    openssl_begin();
    enum errc rc = look_at(&w, err);
    *out_longest = w.longest;
    *out_gave_up = w.gave_up;
    return rc;
}
