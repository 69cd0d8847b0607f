/* The order of work of an upgrade, from the product file to the outcome. */

#include "installer/core/upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/marker.h"
#include "installer/core/own_program.h"
#include "installer/core/recover.h"
#include "installer/core/settle.h"
#include "installer/core/support.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"

/* --- outcomes */

void outcome_begin(struct upgrade_outcome *out)
{
    memset(out, 0, sizeof(*out));
    out->downtime_ms = -1;
}

enum result_class outcome_class(const struct upgrade_outcome *out)
{
    struct result r;
    if (out->result[0] == '\0' || result_read(span_text(out->result), &r, NULL) != E_OK)
        return RESULT_CLASS_NONE;
    return r.class;
}

void outcome_end(struct upgrade_outcome *out, const char *result, const char *why)
{
    text_copy(out->result, sizeof(out->result), result);
    (void)text_printable(span_text(why), out->why, sizeof(out->why));
}

void outcome_wait(struct upgrade_outcome *out, const char *why)
{
    out->needs_restart = true;
    (void)text_printable(span_text(why), out->why, sizeof(out->why));
}

void outcome_refuse(struct upgrade_outcome *out, const char *word, const char *why)
{
    char result[80];
    (void)snprintf(result, sizeof(result), "%s-%s", result_name(RESULT_PRE_FAILURE), word);
    outcome_end(out, result, why);
}

void outcome_end_of_fetch(struct upgrade_outcome *out, enum errc rc, const char *word,
                          const struct err *err)
{
    switch (rc) {
    case E_REFUSED: outcome_refuse(out, word, err->text); break;
    case E_IO:
    case E_TIMEOUT:
    case E_ABSENT:
    case E_ACCESS:
    case E_MALFORMED:
    case E_TRUNCATED:
    case E_LIMIT: outcome_end(out, result_name(RESULT_DOWNLOAD_FAILED), err->text); break;
    case E_SPACE: outcome_end(out, result_name(RESULT_INSUFFICIENT_DISK_SPACE), err->text); break;
    default: break; /* our own, and said by whoever asked */
    }
}

void outcome_end_with(struct upgrade_outcome *out, const struct preflight_finding *first)
{
    outcome_end(out, first->result[0] != '\0' ? first->result : result_name(RESULT_PRE_FAILURE),
                first->text);
}

static bool is_real(const struct upgrade *u)
{
    return u->ask->mode != MODE_CHECK && !u->ask->dry_run;
}

int upgrade_command(const struct upgrade *u)
{
    switch (u->ask->mode) {
    case MODE_RUN: return ATTEMPT_RUN;
    case MODE_INSTALL: return ATTEMPT_INSTALL;
    default: return ATTEMPT_UPGRADE;
    }
}

/* --- memory, under its lock; a check goes without where it can't have it */

static enum errc open_memory(struct upgrade *u, struct err *err)
{
    enum errc rc = memory_open(u->setup, true, &u->memory, err);
    if (rc == E_BUSY && is_real(u)) {
        outcome_end(u->out, result_name(RESULT_ALREADY_RUNNING), err->text);
        return rc;
    }
    if (rc != E_OK && rc != E_MALFORMED && !is_real(u))
        rc = memory_open(u->setup, false, &u->memory, err);
    if ((rc == E_ACCESS || rc == E_SPACE || rc == E_ABSENT) && is_real(u))
        outcome_end(u->out, result_name(RESULT_COULD_NOT_SET_MARKER), err->text);
    u->has_memory = rc == E_OK;
    return rc;
}

static enum errc recover_first(struct upgrade *u, struct err *err)
{
    bool pending = false;
    if (is_real(u))
        return recover_first_of_all(&u->memory, u->ask->word, u->ask->events, u->out, err);
    enum errc rc = memory_recovery_is_pending(&u->memory, &pending, err);
    if (rc == E_OK && pending)
        events_say(u->ask->events, EVENT_WARNING,
                   "an upgrade was interrupted; surefoot recover finishes or undoes it");
    return rc;
}

/* --- the look */

static enum errc look(struct upgrade *u, struct err *err)
{
    u->look_ask = (struct look_ask){ .setup = u->setup,
                                     .demands = u->demands,
                                     .memory = &u->memory,
                                     .events = u->ask->events,
                                     .now = u->now };
    enum errc rc = look_at_feed(&u->look_ask, &u->look, err);
    outcome_end_of_fetch(u->out, rc, u->look.refusal, err);
    if (rc == E_OK) {
        memory_note_marks(&u->memory, &u->look.marks);
        u->memory.state.looked = u->now;
    }
    return rc;
}

static void warn_of_support(struct upgrade *u)
{
    const struct version *v = &u->memory.state.installed;
    struct support support;
    char when[32];
    if (!u->memory.state.has_installed)
        return;
    support_of(verified_feed_get(u->look.feed), v, u->now, &support);
    if (support.is_withdrawn)
        events_say(u->ask->events, EVENT_WITHDRAWN,
                   "version %s, which is installed, was withdrawn by its maker", v->text);
    if (support.is_near)
        events_say(u->ask->events, EVENT_SUPPORT_ENDS, "support of version %s %s at %s", v->text,
                   support.has_ended ? "ended" : "ends", text_format_time(support.ends, when));
}

/* --- the decision */

static enum errc read_clock(const struct upgrade *u, struct decide_clock *out, struct err *err)
{
    struct platform *p = u->setup->platform;
    enum errc rc = E_OK;
    out->now = u->now;
    for (int zone = 0; zone < 2 && rc == E_OK; zone++) {
        struct host_time t;
        rc = p->host->calendar(p->self, u->now, zone == ZONE_UTC ? HOST_UTC : HOST_LOCAL, &t, err);
        if (rc != E_OK)
            break;
        out->in_zone[zone].weekday = (t.weekday + 6) % 7;
        out->in_zone[zone].minute = t.minute;
    }
    return rc;
}

static enum errc decide_now(struct upgrade *u, struct err *err)
{
    char machine[MEMORY_MACHINE_ROOM], reason[RESULT_TEXT_MAX + 1];
    struct decide_ask ask = { .mode = u->ask->mode == MODE_RUN ? DECIDE_RUN : DECIDE_UPGRADE,
                              .feed = verified_feed_get(u->look.feed),
                              .policy = &u->setup->product.policy,
                              .product = u->setup->product.name,
                              .machine_id = machine,
                              .os = u->os,
                              .arch = u->arch,
                              .to = u->ask->to };
    enum errc rc = memory_machine(&u->memory, machine, err);
    if (rc == E_OK)
        rc = read_clock(u, &ask.clock, err);
    /* The product file's default is looked at anew each time, and never written down. */
    if (rc == E_OK && u->ask->mode == MODE_RUN)
        rc = settle_default(&u->memory, &ask.word, reason, err);
    if (rc != E_OK)
        return rc;
    decide(&ask, &u->memory.state, &u->decided);
    u->out->decision = u->decided.decision;
    u->out->when = u->decided.when;
    text_copy(u->out->why, sizeof(u->out->why), u->decided.why);
    if (u->decided.release != NULL)
        u->out->to = u->decided.release->version;
    u->out->newer_available =
        u->decided.release != NULL && u->decided.decision != DECISION_UP_TO_DATE &&
        u->decided.decision != DECISION_DOWNGRADE && u->decided.decision != DECISION_NOT_OFFERED;
    return E_OK;
}

/* --- the release and the machine */

static enum errc look_at_the_release(struct upgrade *u, struct err *err)
{
    buf_init(&u->document, RELEASE_BYTES_MAX);
    enum errc rc =
        look_at_release(&u->look_ask, &u->look, u->decided.release, &u->release, &u->document, err);
    outcome_end_of_fetch(u->out, rc, u->look.refusal, err);
    if (rc != E_OK)
        return rc;
    u->payload = release_find_payload(verified_release_get(u->release), u->os, u->arch,
                                      (enum payload_kind)u->setup->product.install.kind);
    if (u->payload == NULL) {
        outcome_refuse(u->out, "NoPayload", "the release has no payload for this system");
        return err_set(err, E_REFUSED, "the release has no payload for this system");
    }
    return E_OK;
}

static enum errc admit(struct upgrade *u, struct err *err)
{
    size_t n;
    const struct payload_floor *floors = product_demands_of_payload(u->demands, &n);
    struct verdict v;
    enum errc rc = verified_release_admits(u->release, u->payload, floors, n, &v, err);
    if (rc == E_REFUSED) {
        const char *word = package_refusal(&v, 1);
        outcome_refuse(u->out, word != NULL ? word : "Malformed", err->text);
    }
    verdict_fini(&v);
    return rc;
}

/* A place that can't be had is this machine's configuration. */
static enum errc open_place(struct upgrade *u, struct err *err)
{
    enum errc rc = place_open(u->setup, &u->memory.state, &u->place, err);
    if (rc == E_OK && u->memory.state.switch_mode != STATE_SWITCH_NONE)
        rc = place_probe(&u->place, err);
    if (rc == E_UNSUPPORTED)
        outcome_end(u->out, "UpgradeNotSupportedSwitchMode", err->text);
    else if (rc == E_ACCESS)
        outcome_end(u->out, "UpgradeAbortedInsufficientPermissions", err->text);
    else if (rc == E_ABSENT)
        outcome_end(u->out, result_name(RESULT_PRE_FAILURE), err->text);
    u->has_place = rc == E_OK;
    if (rc == E_OK && is_real(u)) {
        char part[UPGRADE_PAYLOAD_ROOM];
        upgrade_payload_name(u->payload, ".part", part);
        settle_sweep(&u->memory, &u->place, part, u->ask->events);
    }
    return rc;
}

static enum errc picture_the_machine(struct upgrade *u, struct err *err)
{
    enum errc rc = installed_find(&u->place, &u->memory, u->os, u->arch, &u->installed, err);
    const bool is_msi = setup_is_msi(u->setup);
    if (rc == E_OK && !u->installed.is_there && u->ask->mode != MODE_INSTALL && is_msi) {
        rc = err_set(err, E_ABSENT,
                     "version %s was installed, and Windows Installer knows the product no more: "
                     "\"surefoot install\" the newest",
                     u->memory.state.installed.text);
        outcome_end(u->out, result_name(RESULT_PRE_FAILURE), err->text);
    } else if (rc == E_OK && !u->installed.is_there && u->ask->mode != MODE_INSTALL) {
        rc = err_set(err, E_ABSENT,
                     "nothing is at \"%.120s\", where version %s was installed: put it back, or "
                     "\"surefoot install\" the newest",
                     u->setup->install, u->memory.state.installed.text);
        outcome_end(u->out, result_name(RESULT_PRE_FAILURE), err->text);
    }
    if (rc == E_OK && u->installed.is_there)
        rc = survey_make(u->setup, is_msi ? NULL : u->installed.tree, u->installed.payload,
                         u->payload, &u->survey, err);
    if (rc == E_OK && is_msi && u->installed.is_there)
        rc = upgrade_msi_find_old(u, &u->has_old_package, err);
    return rc;
}

static void end_of_preflight(struct upgrade *u)
{
    const struct preflight *found = &u->out->reasons;
    for (size_t i = 0; i < found->n; i++)
        events_send(u->ask->events, &(struct event){ .kind = EVENT_NOT_READY,
                                                     .result = found->items[i].result,
                                                     .text = found->items[i].text,
                                                     .to = &u->out->to,
                                                     .downtime_ms = -1 });
    outcome_end_with(u->out, &found->items[0]);
}

struct preflight_ask upgrade_preflight_ask(const struct upgrade *u, uint32_t phases)
{
    return (struct preflight_ask){
        .setup = u->setup,
        .events = u->ask->events,
        .phases = phases,
        .is_first = !u->installed.is_there || u->ask->mode == MODE_INSTALL,
        .payload = u->payload,
        .survey = u->survey,
        .stage_folder = u->place.store,
        .n_related = u->installed.n_related,
        .is_old_lost = setup_is_msi(u->setup) && u->installed.is_there && !u->has_old_package &&
                       !u->ask->no_rollback,
        .busy_since = u->memory.state.has_waiting ? u->memory.state.waiting_since : 0,
        .may_terminate = is_real(u),
    };
}

static enum errc preflight(struct upgrade *u, struct err *err)
{
    const struct preflight_ask ask = upgrade_preflight_ask(u, PREFLIGHT_ALL);
    enum errc rc = preflight_run(&ask, &u->out->reasons, err);
    if (rc == E_OK && u->out->reasons.n > 0) {
        end_of_preflight(u);
        return err_set(err, E_REFUSED, "%s", u->out->why);
    }
    return rc;
}

/* --- what is shown of a plan */

static enum errc show_plan(struct upgrade *u, struct err *err)
{
    struct plan *plan = malloc(sizeof(*plan));
    struct plan_ask ask = { .product = &u->setup->product,
                            .has_old = u->installed.is_there,
                            .has_stage = !setup_is_msi(u->setup),
                            .scheduler_is_on = u->setup->product.scheduler.is_there };
    struct buf line;
    enum errc rc = plan == NULL ? err_nomem(err) : E_OK;
    if (rc != E_OK)
        return rc;
    plan_make(&ask, plan);
    buf_init(&line, 4096);
    for (size_t i = 0; i < plan->n && rc == E_OK; i++) {
        buf_clear(&line);
        rc = plan_describe(&u->setup->product, &plan->steps[i], &line, err);
        if (rc == E_OK)
            events_say(u->ask->events, EVENT_PLANNED, "%.*s", (int)line.len,
                       (const char *)line.ptr);
    }
    for (size_t k = 0; k < u->setup->product.files.data.n && rc == E_OK; k++) {
        const struct files_data *d = &u->setup->product.files.data.items[k];
        if (d->protect == DATA_NONE)
            events_say(u->ask->events, EVENT_PLANNED, "not rolled back on failure: %.200s",
                       d->path != NULL ? d->path : d->folder);
    }
    buf_fini(&line);
    free(plan);
    return rc;
}

/* --- the order */

static enum errc set_marker(struct upgrade *u, struct err *err)
{
    enum errc rc = marker_set(&u->memory, &u->out->to, u->now, err);
    if (rc != E_OK)
        outcome_end(u->out, result_name(RESULT_COULD_NOT_SET_MARKER), err->text);
    return rc;
}

/* An eligible look ends a suspension, before the attempt that it allows. */
static void end_suspension(struct upgrade *u)
{
    bool changed = false;
    if (u->memory.state.word != STATE_SUSPENDED || !is_real(u))
        return;
    memory_set_word(&u->memory, STATE_ENABLED, "", u->now, &changed);
    events_say(u->ask->events, EVENT_STATE_CHANGED, "state enabled: the machine is eligible again");
}

static enum errc ready(struct upgrade *u, struct err *err)
{
    enum errc rc = look_at_the_release(u, err);
    if (rc == E_OK)
        rc = admit(u, err);
    if (rc == E_OK)
        rc = open_place(u, err);
    if (rc == E_OK)
        rc = picture_the_machine(u, err);
    return rc == E_OK ? preflight(u, err) : rc;
}

static enum errc go(struct upgrade *u, struct err *err)
{
    struct platform *p = u->setup->platform;
    struct err ignored;
    enum errc rc = set_marker(u, err);
    if (rc != E_OK)
        return rc;
    rc = upgrade_begin_run(u, err);
    if (rc == E_OK)
        rc = upgrade_download(u, err);
    const bool is_downloaded = rc == E_OK;
    if (rc == E_OK)
        rc = upgrade_apply(u, err);
    verified_package_free(u->package);
    u->package = NULL;
    if (u->payload_path[0] != '\0' && !setup_is_msi(u->setup))
        (void)p->fs->remove(p->self, u->payload_path, &ignored);
    if (!is_downloaded && setup_is_msi(u->setup) && u->run.new_name[0] != '\0' &&
        place_discard(&u->place, u->run.new_name, &ignored) != E_OK)
        events_say(u->ask->events, EVENT_WARNING, "the package: %s", ignored.text);
    if (outcome_class(u->out) != RESULT_CLASS_ROLLBACK_FAILED && !u->out->needs_restart &&
        marker_clear(&u->memory, &ignored) != E_OK)
        events_say(u->ask->events, EVENT_WARNING, "the marker: %s", ignored.text);
    return rc;
}

static enum errc check_installed(struct upgrade *u, struct err *err)
{
    const bool has = u->memory.state.has_installed;
    if (u->ask->mode == MODE_INSTALL || has)
        return E_OK;
    outcome_end(u->out, result_name(RESULT_PRE_FAILURE),
                "no version is known to be installed; surefoot install puts the first one there, "
                "or takes over one that is there already");
    return err_set(err, E_REFUSED, "%s", u->out->why);
}

static enum errc wait_or_take(struct upgrade *u, struct err *err)
{
    const enum decision d = u->decided.decision;
    if (d == DECISION_UP_TO_DATE || d == DECISION_NONE || u->decided.release == NULL) {
        events_say(u->ask->events, EVENT_UP_TO_DATE, "%s", u->out->why);
        return E_OK;
    }
    if (d != DECISION_UPGRADE) {
        events_say(u->ask->events, EVENT_WAITS, "%s", u->out->why);
        return E_OK;
    }
    events_send(u->ask->events, &(struct event){ .kind = EVENT_FOUND,
                                                 .text = u->out->why,
                                                 .from = &u->out->from,
                                                 .to = &u->out->to,
                                                 .downtime_ms = -1 });
    enum errc rc = ready(u, err);
    if (rc != E_OK || u->ask->mode == MODE_CHECK)
        return rc;
    if (u->ask->dry_run)
        return show_plan(u, err);
    end_suspension(u);
    return go(u, err);
}

/* Somebody took the product away: it is installed anew as on a machine that never had it. */
static enum errc forget_what_is_gone(struct upgrade *u, struct err *err)
{
    struct upgrade_state *s = &u->memory.state;
    char tree[SETUP_PATH_ROOM];
    struct place place;
    bool there = true;
    if (!s->has_installed)
        return E_OK;
    enum errc rc = place_open(u->setup, s, &place, err);
    if (rc == E_OK)
        rc = setup_is_msi(u->setup) ? upgrade_msi_is_there(u->setup, &there, err)
                                    : place_current(&place, tree, &there, err);
    if (rc == E_OK && !there) {
        events_say(u->ask->events, EVENT_WARNING, "version %s was installed and is gone",
                   s->installed.text);
        s->has_installed = false;
        s->installed = (struct version){ .text = "" };
        s->tree[0] = '\0';
    }
    return rc;
}

static enum errc walk(struct upgrade *u, struct err *err)
{
    bool was_adopted = false;
    enum errc rc = open_memory(u, err);
    if (rc == E_OK)
        rc = recover_first(u, err);
    if (rc == E_OK && u->ask->mode == MODE_INSTALL)
        rc = forget_what_is_gone(u, err);
    if (rc == E_OK && setup_is_msi(u->setup))
        rc = upgrade_msi_notice(u, err);
    if (rc == E_OK && u->memory.state.has_installed)
        u->out->from = u->memory.state.installed;
    if (rc == E_OK)
        rc = product_demands_load(u->setup->platform, &u->setup->product, u->setup->base, u->now,
                                  &u->demands, err);
    if (rc == E_OK)
        rc = look_go_online(u->setup, u->demands, err);
    if (rc == E_OK && u->ask->mode == MODE_INSTALL && u->memory.state.has_installed) {
        (void)snprintf(u->out->why, sizeof(u->out->why), "version %s is installed",
                       u->memory.state.installed.text);
        u->out->decision = DECISION_UP_TO_DATE;
        events_say(u->ask->events, EVENT_UP_TO_DATE, "%s", u->out->why);
        return E_OK;
    }
    if (rc == E_OK)
        rc = check_installed(u, err);
    if (rc == E_OK)
        rc = look(u, err);
    if (rc != E_OK)
        return rc;
    warn_of_support(u);
    rc = upgrade_target(u->setup, &u->os, &u->arch, err);
    if (rc == E_OK && u->ask->mode == MODE_INSTALL && !u->ask->dry_run && u->ask->to == NULL)
        rc = upgrade_adopt(u, &was_adopted, err);
    if (rc == E_OK && !was_adopted)
        rc = decide_now(u, err);
    return rc == E_OK && !was_adopted ? wait_or_take(u, err) : rc;
}

struct settle_ask upgrade_settle_ask(struct upgrade *u)
{
    return (struct settle_ask){ .memory = &u->memory,
                                .events = u->ask->events,
                                .command = upgrade_command(u),
                                .outcome = u->out,
                                .started = u->now,
                                .sets_hold = outcome_class(u->out) == RESULT_CLASS_ROLLED_BACK };
}

/* Whatever ended it is written down; a look without consequence only keeps what it saw. */
static enum errc write_down(struct upgrade *u, struct err *err)
{
    const struct settle_ask ask = upgrade_settle_ask(u);
    if (!u->has_memory || u->memory.lock == NULL)
        return E_OK;
    if (u->out->result[0] == '\0' || !is_real(u))
        return memory_save(&u->memory, err);
    enum errc rc = u->is_settled ? E_OK : settle_attempt(&ask, err);
    if (rc == E_OK && u->has_place && outcome_class(u->out) == RESULT_CLASS_SUCCESS)
        settle_collect(u->setup, &u->memory, &u->place, u->ask->events);
    return rc;
}

static void upgrade_fini(struct upgrade *u)
{
    if (u->has_place)
        place_drop_store(&u->place);
    survey_free(u->survey);
    installed_fini(&u->installed);
    verified_release_free(u->release);
    buf_fini(&u->document);
    look_fini(&u->look);
    product_demands_free(u->demands);
    if (u->has_memory)
        memory_close(&u->memory);
}

enum errc upgrade_do(const struct upgrade_ask *ask, struct upgrade_outcome *out, struct err *err)
{
    struct upgrade *u = calloc(1, sizeof(*u));
    struct err saving;
    outcome_begin(out);
    if (u == NULL)
        return err_nomem(err);
    u->ask = ask;
    u->setup = ask->setup;
    u->out = out;
    u->now = ask->setup->platform->host->now(ask->setup->platform->self);
    enum errc rc = walk(u, err);
    if (rc != E_OK && rc != E_ARGUMENT && out->result[0] == '\0' && !out->needs_restart)
        outcome_end(u->out, result_name(RESULT_PRE_FAILURE), err->text);
    if (rc != E_ARGUMENT && write_down(u, &saving) != E_OK) {
        events_say(ask->events, EVENT_WARNING, "how it ended can't be written down: %s",
                   saving.text);
        if (out->result[0] == '\0')
            outcome_end(u->out, result_name(RESULT_COULD_NOT_SET_MARKER), saving.text);
    }
    if (u->has_memory && is_real(u))
        own_program_settle(&u->memory, ask->mode == MODE_RUN, ask->events);
    upgrade_fini(u);
    free(u);
    return rc == E_ARGUMENT ? rc : E_OK;
}
