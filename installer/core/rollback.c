#include "installer/core/rollback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/own_program.h"
#include "installer/core/recover.h"
#include "installer/core/scheduler.h"
#include "installer/core/settle.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"

struct rollback {
    const struct setup *setup;
    const char *word;
    const struct events *events;
    struct upgrade_outcome *out;
    struct memory memory;
    struct place place;
    bool has_place;
    const struct state_kept *kept; /* of memory.state: valid until it changes */
    struct state_kept target;
    struct run run;
    bool is_settled; /* the attempt is recorded */
    int64_t now;
};

static enum errc cannot(struct rollback *r, const char *why, struct err *err)
{
    outcome_end(r->out, result_name(RESULT_PRE_FAILURE), why);
    return err_set(err, E_REFUSED, "%s", why);
}

/* --- which one */

/* The stored feed says what was withdrawn, as far as it was ever seen. */
static bool is_withdrawn(struct rollback *r, const struct version *v)
{
    struct product_demands *demands = NULL;
    struct look look;
    struct err ignored;
    bool is = false;
    if (product_demands_load(r->setup->platform, &r->setup->product, r->setup->base, r->now,
                             &demands, &ignored) != E_OK)
        return false;
    struct look_ask ask = {
        .setup = r->setup, .demands = demands, .memory = &r->memory, .now = r->now
    };
    if (look_recall(&ask, &look, &ignored) == E_OK) {
        const struct feed_release *release = feed_find_release(verified_feed_get(look.feed), v);
        is = release != NULL && release->status == STATUS_WITHDRAWN;
        look_fini(&look);
    }
    product_demands_free(demands);
    return is;
}

static enum errc choose(struct rollback *r, const struct version *to, struct err *err)
{
    const struct upgrade_state *s = &r->memory.state;
    char why[200];
    if (to != NULL) {
        r->kept = state_find_kept(s, to);
        (void)snprintf(why, sizeof(why),
                       "version %.60s is not kept; surefoot status shows which "
                       "are",
                       to->text);
        if (r->kept == NULL)
            return cannot(r, why, err);
    }
    for (size_t i = s->n_kept; i > 0 && r->kept == NULL; i--)
        if (!is_withdrawn(r, &s->kept[i - 1].version))
            r->kept = &s->kept[i - 1];
    if (r->kept == NULL)
        return cannot(r,
                      s->n_kept == 0 ? "no old version is kept"
                                     : "every version that is kept was withdrawn by its maker; "
                                       "rollback --to VERSION goes there all the same",
                      err);
    r->target = *r->kept;
    r->out->to = r->target.version;
    return E_OK;
}

/* --- is it what its maker signed */

struct proof {
    struct buf stored, document;
    struct product_demands *demands;
    struct verified_feed *feed;
    struct verified_release *release;
};

static void proof_fini(struct proof *p)
{
    verified_release_free(p->release);
    verified_feed_free(p->feed);
    product_demands_free(p->demands);
    buf_fini(&p->stored);
    buf_fini(&p->document);
}

static enum errc read_proof(struct rollback *r, const char *file, size_t cap, struct buf *out,
                            struct err *err)
{
    char name[STATE_TREE_ROOM + 32];
    (void)snprintf(name, sizeof(name), "proof/%s/%s", r->target.tree, file);
    return memory_read(&r->memory, name, cap, out, err);
}

static enum errc recall_feed(struct rollback *r, struct proof *p, struct err *err)
{
    struct stored_feed pair;
    int64_t accepted = 0;
    enum errc rc = stored_read(buf_span(&p->stored), &pair, err);
    if (rc == E_OK && !text_parse_time(pair.accepted, &accepted))
        rc = err_set(err, E_MALFORMED, "the stored feed does not say when it was accepted");
    if (rc == E_OK)
        rc = product_demands_load(r->setup->platform, &r->setup->product, r->setup->base, accepted,
                                  &p->demands, err);
    struct verdict *v = rc == E_OK ? calloc(1 + STORED_SIGNATURES_MAX, sizeof(*v)) : NULL;
    if (rc == E_OK && v == NULL)
        rc = err_nomem(err);
    if (rc != E_OK)
        return rc;
    struct feed_ask ask = { .product = r->setup->product.name,
                            .channel = r->setup->product.channel,
                            .now = accepted };
    ask.policies = product_demands_of_feed(p->demands, &ask.n_policies);
    rc =
        verified_feed_recall(pair.feed, pair.signatures, pair.n_signatures, &ask, v, &p->feed, err);
    for (size_t i = 0; i <= pair.n_signatures; i++)
        verdict_fini(&v[i]);
    free(v);
    return rc;
}

static enum errc recall_release(struct rollback *r, struct proof *p, struct err *err)
{
    const struct feed_release *named =
        feed_find_release(verified_feed_get(p->feed), &r->target.version);
    struct verdict v;
    if (named == NULL)
        return err_set(err, E_REFUSED, "the feed that it came with does not name it");
    enum errc rc =
        verified_release_make(buf_span(&p->document), p->feed, named, &v, &p->release, err);
    verdict_fini(&v);
    return rc;
}

/* The package is held from here on. */
static enum errc prove_package(struct rollback *r, const struct payload *payload, struct err *err)
{
    struct msi_held *held = &r->run.held_new;
    enum errc rc = msi_kept_hold(&r->memory, &r->place, r->target.tree, held, err);
    if (rc == E_OK && !span_equal(span_of(held->id.sha256, 32), span_of(payload->sha256, 32)))
        rc = err_set(err, E_REFUSED, "the package is not the one that its release names");
    return rc;
}

static enum errc prove_tree(struct rollback *r, const struct proof *p, struct err *err)
{
    char tree[SETUP_PATH_ROOM];
    enum target_os os;
    enum target_arch arch;
    enum errc rc = upgrade_target(r->setup, &os, &arch, err);
    if (rc == E_OK)
        rc = place_put_away(&r->place, r->target.tree, tree, err);
    if (rc != E_OK)
        return rc;
    const struct payload *payload =
        release_find_payload(verified_release_get(p->release), os, arch,
                             (enum payload_kind)r->setup->product.install.kind);
    if (payload == NULL)
        return err_set(err, E_REFUSED, "its release has no payload for this system");
    if (payload->kind == PAYLOAD_MSI)
        return prove_package(r, payload, err);
    return stage_check_tree(r->setup, tree, payload, err);
}

static enum errc prove(struct rollback *r, struct err *err)
{
    struct proof p = { .feed = NULL };
    char why[300];
    enum errc rc = read_proof(r, "feed.stored", STORED_BYTES_MAX, &p.stored, err);
    if (rc == E_OK)
        rc = read_proof(r, "release.xml", RELEASE_BYTES_MAX, &p.document, err);
    if (rc == E_OK)
        rc = recall_feed(r, &p, err);
    if (rc == E_OK)
        rc = recall_release(r, &p, err);
    if (rc == E_OK)
        rc = prove_tree(r, &p, err);
    proof_fini(&p);
    if (rc == E_OK || rc == E_NOMEM || rc == E_ARGUMENT || rc == E_IO)
        return rc;
    (void)snprintf(why, sizeof(why), "the kept version %.60s can't be proven: %.200s",
                   r->target.version.text, err->text);
    outcome_refuse(r->out, rc == E_ABSENT ? "Unsigned" : "KeptTreeChanged", why);
    return err_set(err, E_REFUSED, "%s", why);
}

/* --- going there */

static enum errc plan_run(struct rollback *r, struct err *err)
{
    enum scheduler_is is = SCHEDULER_OFF;
    bool has_old = false;
    char tree[SETUP_PATH_ROOM];
    enum errc rc = setup_is_msi(r->setup) ? upgrade_msi_is_there(r->setup, &has_old, err)
                                          : place_current(&r->place, tree, &has_old, err);
    if (rc == E_OK && r->setup->product.scheduler.is_there)
        rc = scheduler_status(r->setup, &is, err);
    struct plan_ask ask = { .product = &r->setup->product,
                            .has_old = has_old,
                            .scheduler_is_on = is == SCHEDULER_ON };
    if (rc == E_OK)
        plan_make(&ask, &r->run.plan);
    return rc;
}

static struct settle_ask settle_ask_of(struct rollback *r)
{
    return (struct settle_ask){ .memory = &r->memory,
                                .events = r->events,
                                .command = ATTEMPT_ROLLBACK,
                                .outcome = r->out,
                                .started = r->now };
}

static enum errc take_steps(struct rollback *r, struct err *err)
{
    enum run_end end_of = RUN_NONE;
    char result[RUN_RESULT_ROOM], why[240];
    enum errc rc = run_steps(&r->run, &end_of, result, why, err);
    if (rc != E_OK)
        return rc;
    msi_kept_release(&r->run.held_new);
    msi_kept_release(&r->run.held_old);
    if (end_of == RUN_WAITS) {
        r->is_settled = true;
        outcome_wait(r->out, why);
        events_say(r->events, EVENT_RESTART_NEEDED, "%s", why);
        return E_OK;
    }
    r->out->downtime_ms = run_downtime_ms(&r->run);
    if (end_of == RUN_COMMITTED)
        (void)snprintf(why, sizeof(why), "version %.60s is back", r->target.version.text);
    outcome_end(r->out, result, why);
    const struct settle_ask ask = settle_ask_of(r);
    settle_run(&r->run, end_of, &ask);
    r->is_settled = true;
    return E_OK;
}

/* What is installed now may be needed again: its package is held as well, whoever installed it. */
static enum errc hold_what_is_installed(struct rollback *r, struct err *err)
{
    struct installed *now = calloc(1, sizeof(*now));
    enum target_os os;
    enum target_arch arch;
    struct err why;
    if (now == NULL)
        return err_nomem(err);
    enum errc rc = upgrade_target(r->setup, &os, &arch, err);
    if (rc == E_OK)
        rc = installed_find(&r->place, &r->memory, os, arch, now, err);
    if (rc == E_OK && now->n_related > 1) {
        rc = err_set(&why, E_REFUSED,
                     "%zu products with this upgrade code are installed side by side: take all but "
                     "one away",
                     now->n_related);
        outcome_end(r->out, "UpgradeNotSupportedSeveralProducts", why.text);
        if (err != NULL)
            *err = why;
    }
    if (rc == E_OK && now->is_there && r->run.old_name[0] == '\0')
        rc = place_new_name(&r->place, &r->out->from, r->run.old_name, err);
    if (rc == E_OK && now->is_there) {
        rc = msi_kept_secure(&r->memory, &r->place, r->run.old_name, &now->msi.product,
                             &r->run.held_old, &why);
        if (rc == E_ABSENT || rc == E_REFUSED || rc == E_MALFORMED) {
            outcome_end(r->out, "UpgradeNotSupportedNoOldPackage", why.text);
            rc = E_REFUSED;
        }
        if (rc != E_OK && err != NULL)
            *err = why;
    }
    installed_fini(now);
    free(now);
    return rc;
}

static enum errc go(struct rollback *r, struct err *err)
{
    struct run *run = &r->run;
    const struct msi_held held_new = run->held_new;
    struct err ignored;
    *run = (struct run){ .setup = r->setup,
                         .events = r->events,
                         .memory = &r->memory,
                         .place = &r->place,
                         .attempt = { .command = ATTEMPT_ROLLBACK,
                                      .started = r->now,
                                      .from = r->out->from,
                                      .to = r->target.version } };
    text_copy(run->new_name, sizeof(run->new_name), r->target.tree);
    text_copy(run->old_name, sizeof(run->old_name), r->memory.state.tree);
    run->held_new = held_new;
    enum errc rc = place_make_store(&r->place, err);
    if (rc == E_OK && setup_is_msi(r->setup))
        rc = hold_what_is_installed(r, err);
    if (rc == E_OK && setup_is_msi(r->setup))
        rc = own_program_prepare(r->setup, err);
    if (rc == E_OK)
        rc = place_id(&r->place, run->new_name, run->new_id, err);
    if (rc == E_OK)
        rc = plan_run(r, err);
    if (rc == E_OK)
        rc = run_begin(run, err);
    if (rc == E_OK) {
        rc = take_steps(r, err);
        if (rc != E_OK && run_tidy(run, false, &ignored) != E_OK)
            events_say(r->events, EVENT_WARNING, "tidying up: %s", ignored.text);
    }
    run_close(run);
    return rc;
}

/* --- the order */

static enum errc walk(struct rollback *r, const struct version *to, bool dry_run, struct err *err)
{
    if (!r->memory.state.has_installed)
        return cannot(r, "no version is known to be installed", err);
    r->out->from = r->memory.state.installed;
    enum errc rc = choose(r, to, err);
    if (rc == E_OK)
        rc = place_open(r->setup, &r->memory.state, &r->place, err);
    r->has_place = rc == E_OK;
    if (rc == E_OK)
        rc = prove(r, err);
    if (rc != E_OK)
        return rc;
    events_say(r->events, EVENT_VERIFIED, "version %s, which is kept, is what its maker signed",
               r->target.version.text);
    if (dry_run) {
        (void)snprintf(r->out->why, sizeof(r->out->why), "would go back to %s",
                       r->target.version.text);
        return E_OK;
    }
    return go(r, err);
}

static enum errc write_down(struct rollback *r, struct err *err)
{
    const struct settle_ask ask = settle_ask_of(r);
    if (r->out->result[0] == '\0')
        return E_OK;
    enum errc rc = r->is_settled ? E_OK : settle_attempt(&ask, err);
    if (rc == E_OK && r->has_place && outcome_class(r->out) == RESULT_CLASS_SUCCESS)
        settle_collect(r->setup, &r->memory, &r->place, r->events);
    return rc;
}

enum errc rollback_do(const struct setup *setup, const char *product_word,
                      const struct events *events, const struct version *to, bool dry_run,
                      struct upgrade_outcome *out, struct err *err)
{
    struct rollback *r = calloc(1, sizeof(*r));
    outcome_begin(out);
    if (r == NULL)
        return err_nomem(err);
    r->setup = setup;
    r->word = product_word;
    r->events = events;
    r->out = out;
    r->now = setup->platform->host->now(setup->platform->self);
    enum errc rc = memory_open(setup, true, &r->memory, err);
    if (rc == E_OK) {
        rc = recover_first_of_all(&r->memory, r->word, r->events, r->out, err);
        if (rc == E_OK)
            rc = walk(r, to, dry_run, err);
        if (rc != E_OK && rc != E_ARGUMENT && out->result[0] == '\0' && !out->needs_restart)
            outcome_end(r->out, result_name(RESULT_PRE_FAILURE), err->text);
        if (rc != E_ARGUMENT && write_down(r, err) != E_OK)
            events_say(events, EVENT_WARNING, "%s", err->text);
        msi_kept_release(&r->run.held_new); /* of a dry run, or one that did not begin */
        msi_kept_release(&r->run.held_old);
        if (!dry_run)
            own_program_settle(&r->memory, false, events);
        memory_close(&r->memory);
    } else if (rc == E_BUSY) {
        outcome_end(r->out, result_name(RESULT_ALREADY_RUNNING), err->text);
        rc = E_OK;
    }
    free(r);
    if (out->needs_restart)
        return E_OK;
    return rc == E_ARGUMENT || (rc != E_OK && out->result[0] == '\0') ? rc : E_OK;
}
