#include "keys/publish/release_private.h"

#include <string.h>

#include "verify/judge.h"

/* --- demands */

static bool has_signer(const struct release_making *m, enum sig_system system)
{
    for (size_t i = 0; i < m->ask->signers->n; i++)
        if (signer_describe(m->ask->signers->items[i])->system == system)
            return true;
    return false;
}

static uint32_t default_demands(const struct release_making *m)
{
    uint32_t demands = 0;
    if (m->payload.kind == PAYLOAD_MSI)
        demands |= 1U << DEMAND_AUTHENTICODE;
    if (has_signer(m, SYSTEM_CMS))
        demands |= 1U << DEMAND_CMS;
    if (has_signer(m, SYSTEM_MINISIGN))
        demands |= 1U << DEMAND_MINISIGN;
    return demands;
}

static enum errc check_demands(const struct release_making *m, uint32_t demands)
{
    const uint32_t certs = 1U << DEMAND_AUTHENTICODE | 1U << DEMAND_CMS;
    const struct release_ask *ask = m->ask;
    if (demands == 0)
        return err_set(m->err, E_ARGUMENT,
                       "no demand: clients would have nothing to prove the payload by; sign it "
                       "here (--key, ...) or say who signs it (--demand)");
    if (m->payload.kind == PAYLOAD_ARCHIVE && (demands & 1U << DEMAND_AUTHENTICODE) != 0)
        return err_set(m->err, E_ARGUMENT,
                       "--demand authenticode: an archive can't carry such a signature");
    if ((demands & certs) == 0 && ask->publisher != NULL)
        return err_set(m->err, E_ARGUMENT,
                       "--publisher speaks of certificates, and only minisign is demanded");
    if ((demands & certs) == 0 && ask->needs_timestamp)
        return err_set(m->err, E_ARGUMENT,
                       "--require-timestamp speaks of certificates, and only minisign is demanded");
    if (ask->needs_timestamp && (demands & 1U << DEMAND_CMS) != 0 && has_signer(m, SYSTEM_CMS))
        return err_set(m->err, E_ARGUMENT,
                       "--require-timestamp: CMS signatures that are made here have none, so no "
                       "client would accept the payload");
    return E_OK;
}

static enum errc add_mirrors(struct release_making *m)
{
    void *items;
    enum errc rc = arena_alloc(&m->arena, (m->ask->n_mirrors + 1) * sizeof(struct payload_mirror),
                               &items, m->err);
    if (rc != E_OK)
        return rc;
    m->payload.mirrors.items = items;
    for (size_t i = 0; i < m->ask->n_mirrors; i++)
        m->payload.mirrors.items[m->payload.mirrors.n++].url = m->ask->mirrors[i];
    return E_OK;
}

enum errc release_settle_demands(struct release_making *m)
{
    uint32_t demands = m->ask->demands == 0 ? default_demands(m) : m->ask->demands;
    void *items;
    enum errc rc = check_demands(m, demands);
    if (rc == E_OK)
        rc = arena_alloc(&m->arena, 3 * sizeof(*m->payload.demands.items), &items, m->err);
    if (rc != E_OK)
        return rc;
    m->payload.demands.items = items;
    for (int system = DEMAND_AUTHENTICODE; system <= DEMAND_MINISIGN; system++) {
        if ((demands >> system & 1) == 0)
            continue;
        bool is_cert = system != DEMAND_MINISIGN;
        m->payload.demands.items[m->payload.demands.n++] =
            (struct payload_demand){ system, is_cert ? m->ask->publisher : NULL,
                                     is_cert && m->ask->needs_timestamp };
    }
    return add_mirrors(m);
}

/* --- an installer package whose demand can't be met is found out here, not by clients */

static enum errc check_intact(const struct release_making *m, const struct verdict *v)
{
    if (v->outcome == OUTCOME_UNSIGNED || v->n_sigs == 0)
        return err_set(m->err, E_REFUSED,
                       "carries no Authenticode signature, which is demanded: sign it first, or "
                       "demand another system with --demand");
    for (size_t i = 0; i < v->n_sigs; i++)
        if ((v->sigs[i]->proven & FACTS_INTACT) != FACTS_INTACT)
            return err_set(m->err, E_REFUSED,
                           "was altered after it was signed, or its signature is broken (surefoot "
                           "verify says more)");
    return E_OK;
}

enum errc release_check_msi_signature(const struct release_making *m)
{
    struct trust *none = NULL;
    struct verdict v = { .outcome = OUTCOME_NONE };
    bool is_demanded = false;
    for (size_t i = 0; i < m->payload.demands.n; i++)
        is_demanded = is_demanded || m->payload.demands.items[i].system == DEMAND_AUTHENTICODE;
    if (!is_demanded)
        return E_OK;
    enum errc rc = trust_new(&none, m->err);
    struct policy policy = { .trust = none, .now = m->platform->host->now(m->platform->self) };
    struct judge_ask ask = { &policy, NULL, 0 };
    if (rc == E_OK)
        rc = judge_file(m->source, &ask, &v, m->err);
    if (rc == E_OK)
        rc = check_intact(m, &v);
    verdict_fini(&v);
    trust_free(none);
    return release_prefix_path(m, rc, m->ask->source);
}
