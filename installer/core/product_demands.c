#include "installer/core/product_demands.h"

#include <stdlib.h>
#include <string.h>

#include "installer/core/trust_files.h"
#include "platform/base/text.h"

#define DEMANDS_MAX 40 /* policies of one product file: signers of the feed, floors of payloads */
#define TEXTS_MAX 32   /* publishers, pins of one signer: the reader's own limit */
#define FLOORS_MAX 3

/* One policy and what it points to. */
struct demand {
    struct policy policy;
    struct trust *trust;
    struct crl_wants wants; /* what the last proof found wanting */
    const char *publishers[TEXTS_MAX];
    struct pin pins[TEXTS_MAX];
};

struct product_demands {
    struct trust_files files;
    int64_t now;
    size_t n;
    struct demand *all[DEMANDS_MAX]; /* owned */
    size_t n_feed, n_floors;
    const struct policy *feed[DEMANDS_MAX];
    struct payload_floor floors[FLOORS_MAX];
    struct revocation_lists *lists; /* owned; NULL: nobody is asked */
};

static enum errc add_demand(struct product_demands *d, struct demand **out, struct err *err)
{
    if (d->n == DEMANDS_MAX)
        return err_set(err, E_ARGUMENT, "the product file names more than %d signers", DEMANDS_MAX);
    struct demand *demand = calloc(1, sizeof(*demand));
    if (demand == NULL)
        return err_nomem(err);
    d->all[d->n++] = demand;
    enum errc rc = trust_new(&demand->trust, err);
    demand->policy = (struct policy){ .trust = demand->trust,
                                      .now = d->now,
                                      .publishers = demand->publishers,
                                      .pins = demand->pins,
                                      .witness = d->files.platform->witness,
                                      .witness_self = d->files.platform->self };
    *out = demand;
    return rc;
}

/* --- minisign keys */

static enum errc name_file(const char *name, struct err *err)
{
    char shown[100];
    return err_prefix(err, "%s: ", text_printable(span_text(name), shown, sizeof(shown)));
}

static enum errc add_file(const struct product_demands *d, enum trust_file what, const char *name,
                          struct trust *trust, struct err *err)
{
    enum errc rc = trust_files_add(&d->files, what, name, trust, err);
    return rc == E_OK ? rc : name_file(name, err);
}

static enum errc add_keys(struct product_demands *d, const struct trust_minisign *m,
                          struct demand *demand, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < m->keys.n && rc == E_OK; i++) {
        const struct trust_key *key = &m->keys.items[i];
        if (key->file != NULL)
            rc = add_file(d, TRUST_FILE_KEY, key->file, demand->trust, err);
        else
            rc = trust_add_key(demand->trust, span_text(key->text), err);
    }
    return rc;
}

/* --- signers with certificates */

static uint32_t allowed_of(uint32_t words)
{
    static const uint32_t bits[] = {
        [TRUST_ALLOW_SHA1] = ALLOW_SHA1,
        [TRUST_ALLOW_RSA1024] = ALLOW_RSA1024,
        [TRUST_ALLOW_UNSIGNED_METADATA] = ALLOW_UNSIGNED_METADATA,
        [TRUST_ALLOW_UNCOVERED_DATA] = ALLOW_UNCOVERED_DATA,
        [TRUST_ALLOW_CERTIFICATE_TABLE_PADDING] = ALLOW_CERTIFICATE_TABLE_PADDING,
        [TRUST_ALLOW_CHECKSUM_MISMATCH] = ALLOW_CHECKSUM,
    };
    uint32_t allowed = 0;
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if ((words >> i & 1) != 0)
            allowed |= bits[i];
    return allowed;
}

static enum revocation revocation_of(int word)
{
    switch (word) {
    case TRUST_REVOCATION_CRL: return REVOCATION_CRL;
    case TRUST_REVOCATION_ONLINE: return REVOCATION_ONLINE;
    default: return REVOCATION_OFF;
    }
}

static enum errc add_texts(const struct trust_signer *s, struct demand *demand, struct err *err)
{
    struct policy *p = &demand->policy;
    if (s->publishers.n > TEXTS_MAX || s->pins.n > TEXTS_MAX)
        return err_set(err, E_ARGUMENT, "more than %d publishers or pins", TEXTS_MAX);
    for (size_t i = 0; i < s->publishers.n; i++)
        demand->publishers[p->n_publishers++] = s->publishers.items[i].text;
    for (size_t i = 0; i < s->pins.n; i++) {
        enum errc rc = policy_read_pin(s->pins.items[i].text, &demand->pins[p->n_pins], err);
        if (rc != E_OK)
            return rc;
        p->n_pins++;
    }
    return s->eku == NULL ? E_OK : policy_read_eku(s->eku, &p->cms_eku, err);
}

static enum errc add_certificates(const struct product_demands *d, const struct trust_signer *s,
                                  struct demand *demand, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->anchors.n && rc == E_OK; i++)
        rc = add_file(d, TRUST_FILE_ANCHORS, s->anchors.items[i].text, demand->trust, err);
    for (size_t i = 0; i < s->timestamp_anchors.n && rc == E_OK; i++)
        rc = add_file(d, TRUST_FILE_TIMESTAMP_ANCHORS, s->timestamp_anchors.items[i].text,
                      demand->trust, err);
    for (size_t i = 0; i < s->crls.n && rc == E_OK; i++)
        rc = add_file(d, TRUST_FILE_CRL, s->crls.items[i].text, demand->trust, err);
    if (rc == E_OK && !policy_demands_chain(&demand->policy))
        rc = trust_files_add_default_anchors(&d->files, demand->trust, err);
    if (rc == E_OK && !policy_demands_chain(&demand->policy))
        rc = err_set(err, E_ARGUMENT,
                     "a signer without anchors, and none in anchors.d: nothing could be accepted");
    return rc;
}

static enum errc add_signer(struct product_demands *d, const struct trust_signer *s,
                            struct demand *demand, struct err *err)
{
    struct policy *p = &demand->policy;
    p->profile = s->profile == TRUST_WINDOWS ? PROFILE_WINDOWS : PROFILE_STRICT;
    p->revocation = revocation_of(s->revocation);
    p->require_timestamp = s->needs_timestamp;
    p->allowed = allowed_of(s->allowed);
    enum errc rc = add_texts(s, demand, err);
    return rc == E_OK ? add_certificates(d, s, demand, err) : rc;
}

/* --- what the product file says */

static enum errc load_feed(struct product_demands *d, const struct product_trust *t,
                           struct err *err)
{
    struct demand *demand;
    enum errc rc = E_OK;
    if (t->feed_minisign.keys.n > 0) {
        rc = add_demand(d, &demand, err);
        if (rc == E_OK)
            rc = add_keys(d, &t->feed_minisign, demand, err);
        if (rc == E_OK)
            d->feed[d->n_feed++] = &demand->policy;
    }
    for (size_t i = 0; i < t->feed_cms.n && rc == E_OK; i++) {
        rc = add_demand(d, &demand, err);
        if (rc == E_OK)
            rc = add_signer(d, &t->feed_cms.items[i], demand, err);
        if (rc == E_OK)
            d->feed[d->n_feed++] = &demand->policy;
    }
    return rc;
}

static enum errc load_floor(struct product_demands *d, enum sig_system system,
                            const struct trust_signer *signer, const struct trust_minisign *keys,
                            struct err *err)
{
    struct demand *demand;
    enum errc rc = add_demand(d, &demand, err);
    if (rc == E_OK)
        rc = signer != NULL ? add_signer(d, signer, demand, err) : add_keys(d, keys, demand, err);
    if (rc == E_OK)
        d->floors[d->n_floors++] = (struct payload_floor){ system, &demand->policy };
    return rc;
}

static enum errc load_payload(struct product_demands *d, const struct product_trust *t,
                              struct err *err)
{
    enum errc rc = E_OK;
    if (t->minisign.keys.n > 0)
        rc = load_floor(d, SYSTEM_MINISIGN, NULL, &t->minisign, err);
    if (rc == E_OK && t->has_cms)
        rc = load_floor(d, SYSTEM_CMS, &t->cms, NULL, err);
    if (rc == E_OK && t->has_authenticode)
        rc = load_floor(d, SYSTEM_AUTHENTICODE, &t->authenticode, NULL, err);
    return rc;
}

enum errc product_demands_load(struct platform *platform, const struct product *product,
                               const char *base, int64_t now, struct product_demands **out,
                               struct err *err)
{
    struct product_demands *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_nomem(err);
    d->files = (struct trust_files){ platform, base };
    d->now = now;
    enum errc rc = load_feed(d, &product->trust, err);
    if (rc == E_OK)
        rc = load_payload(d, &product->trust, err);
    if (rc == E_OK && (d->n_feed == 0 || d->n_floors == 0))
        rc = err_set(err, E_ARGUMENT, "the product file demands no signature of the %s",
                     d->n_feed == 0 ? "feed" : "payload");
    if (rc != E_OK)
        product_demands_free(d);
    else
        *out = d;
    return rc;
}

void product_demands_free(struct product_demands *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++) {
        crl_wants_fini(&d->all[i]->wants);
        trust_free(d->all[i]->trust);
        free(d->all[i]);
    }
    revocation_free(d->lists);
    free(d);
}

/* --- lists from the network */

bool product_demands_is_online(const struct product_demands *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->all[i]->policy.revocation == REVOCATION_ONLINE)
            return true;
    return false;
}

void product_demands_go_online(struct product_demands *d, struct revocation_lists *lists)
{
    revocation_free(d->lists);
    d->lists = lists;
    for (size_t i = 0; i < d->n; i++)
        d->all[i]->policy.wants = &d->all[i]->wants;
}

/* Where memory is lacking, what was refused for want of a list stays so. */
bool product_demands_again(const struct product_demands *d)
{
    bool any = false;
    for (size_t i = 0; i < d->n && d->lists != NULL; i++) {
        struct err ignored;
        bool again = false;
        if (d->all[i]->wants.n > 0 && revocation_fetch(d->lists, &d->all[i]->wants,
                                                       d->all[i]->trust, &again, &ignored) == E_OK)
            any = any || again;
    }
    return any;
}

const struct policy *const *product_demands_of_feed(const struct product_demands *d, size_t *out_n)
{
    *out_n = d->n_feed;
    return d->feed;
}

const struct payload_floor *product_demands_of_payload(const struct product_demands *d,
                                                       size_t *out_n)
{
    *out_n = d->n_floors;
    return d->floors;
}
