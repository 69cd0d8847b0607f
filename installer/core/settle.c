#include "installer/core/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/stage.h"
#include "platform/base/text.h"

static int64_t now_of(const struct memory *m)
{
    return m->setup->platform->host->now(m->setup->platform->self);
}

/* --- what is installed */

enum errc settle_commit(struct run *run, struct err *err)
{
    struct upgrade_state *s = &run->memory->state;
    const struct attempt *a = &run->attempt;
    struct version old = a->from;
    enum errc rc = E_OK;
    if (s->has_installed && strcmp(s->tree, run->new_name) == 0)
        return E_OK; /* it was taken over before */
    if (run->old_name[0] != '\0' && old.text[0] == '\0')
        rc = version_read(span_text("0.0.0-adopted"), &old, err);
    if (rc == E_OK && run->old_name[0] != '\0') {
        state_drop_kept(s, run->old_name);
        rc = state_keep(s, &old, run->old_name, now_of(run->memory), err);
    }
    if (rc != E_OK)
        return rc;
    state_drop_kept(s, run->new_name);
    s->has_installed = true;
    s->installed = a->to;
    s->switch_mode = run->place->mode;
    text_copy(s->tree, sizeof(s->tree), run->new_name);
    if (a->command == ATTEMPT_ROLLBACK)
        state_set_hold(s, &a->from, now_of(run->memory));
    else
        state_clear_hold(s, &a->to);
    return memory_save(run->memory, err);
}

/* --- the word and its reason */

static void set_word(const struct settle_ask *ask, enum state_word word, const char *reason)
{
    bool changed = false;
    memory_set_word(ask->memory, word, reason, now_of(ask->memory), &changed);
    if (changed)
        events_say(ask->events, EVENT_STATE_CHANGED, "state %s%s%s", state_words[word],
                   reason[0] != '\0' ? ": " : "", reason);
}

/* Suspended is of unattended runs alone; Disabled is never taken away by an attempt. */
static void settle_word(const struct settle_ask *ask)
{
    const struct upgrade_state *s = &ask->memory->state;
    const char *result = ask->outcome->result;
    const enum state_word word = (enum state_word)s->word;
    switch (outcome_class(ask->outcome)) {
    case RESULT_CLASS_ABORTED:
    case RESULT_CLASS_NOT_SUPPORTED:
        if (ask->command == ATTEMPT_RUN && word != STATE_DISABLED)
            set_word(ask, STATE_SUSPENDED, result);
        break;
    case RESULT_CLASS_SUCCESS:
        if (word != STATE_DISABLED)
            set_word(ask, STATE_ENABLED, "");
        break;
    case RESULT_CLASS_ROLLED_BACK:
    case RESULT_CLASS_ROLLBACK_FAILED: set_word(ask, word, result); break;
    default: break;
    }
}

/* Programs that keep an upgrade waiting may be ended after a time that begins here. */
static void settle_waiting(const struct settle_ask *ask)
{
    struct upgrade_state *s = &ask->memory->state;
    const struct preflight *reasons = &ask->outcome->reasons;
    bool waits = false;
    for (size_t i = 0; i < reasons->n; i++)
        waits = waits || reasons->items[i].phase == RESULT_PHASE_ACTIVITY;
    if (!waits || outcome_class(ask->outcome) != RESULT_CLASS_ABORTED) {
        s->has_waiting = false;
        s->waiting_since = 0;
    } else if (!s->has_waiting || version_compare(&s->waiting_version, &ask->outcome->to) != 0) {
        s->has_waiting = true;
        s->waiting_version = ask->outcome->to;
        s->waiting_since = now_of(ask->memory);
    }
}

static void settle_hold(const struct settle_ask *ask)
{
    struct upgrade_state *s = &ask->memory->state;
    if (!ask->sets_hold || state_is_on_hold(s, &ask->outcome->to))
        return;
    state_set_hold(s, &ask->outcome->to, now_of(ask->memory));
    events_say(ask->events, EVENT_HOLD_SET,
               "release %s is on hold until a newer one comes or it is asked for by name",
               ask->outcome->to.text);
}

/* --- the history */

static enum errc add_history(const struct settle_ask *ask, struct err *err)
{
    const struct upgrade_outcome *o = ask->outcome;
    struct attempt_reason items[HISTORY_REASONS_MAX];
    struct err damage;
    char texts[HISTORY_REASONS_MAX][PREFLIGHT_TEXT_ROOM];
    struct attempt a = { .command = ask->command,
                         .from = o->from,
                         .to = o->to,
                         .result = o->result,
                         .has_downtime = o->downtime_ms >= 0,
                         .downtime_ms = o->downtime_ms >= 0 ? (uint64_t)o->downtime_ms : 0,
                         .started = ask->started,
                         .ended = now_of(ask->memory) };
    a.reasons.items = items;
    for (size_t i = 0; i < o->reasons.n && a.reasons.n < HISTORY_REASONS_MAX; i++) {
        const struct preflight_finding *f = &o->reasons.items[i];
        (void)text_printable(span_text(f->text), texts[a.reasons.n], PREFLIGHT_TEXT_ROOM);
        items[a.reasons.n] =
            (struct attempt_reason){ .result = f->result[0] != '\0' ? f->result : NULL,
                                     .text = texts[a.reasons.n] };
        a.reasons.n++;
    }
    if (a.reasons.n == 0 && o->why[0] != '\0') {
        (void)text_printable(span_text(o->why), texts[0], PREFLIGHT_TEXT_ROOM);
        items[0] = (struct attempt_reason){ .text = texts[0] };
        a.reasons.n = 1;
    }
    enum errc rc = memory_add_history(ask->memory, &a, &damage, err);
    if (rc == E_OK && damage.code != E_OK)
        events_say(ask->events, EVENT_WARNING,
                   "%s; it is kept as history.xml.damaged-%" PRId64 ", and a new one begins",
                   damage.text, a.ended);
    return rc;
}

static void tell_end(const struct settle_ask *ask)
{
    static const enum event_kind kinds[] = {
        [RESULT_CLASS_NONE] = EVENT_UP_TO_DATE,
        [RESULT_CLASS_SUCCESS] = EVENT_SUCCESS,
        [RESULT_CLASS_ABORTED] = EVENT_ABORTED,
        [RESULT_CLASS_NOT_SUPPORTED] = EVENT_NOT_SUPPORTED,
        [RESULT_CLASS_ROLLED_BACK] = EVENT_ROLLED_BACK,
        [RESULT_CLASS_ROLLBACK_FAILED] = EVENT_ROLLBACK_FAILED,
        [RESULT_CLASS_PRE_FAILURE] = EVENT_PRE_FAILURE,
    };
    const struct upgrade_outcome *o = ask->outcome;
    enum event_kind kind = kinds[outcome_class(o)];
    if (kind == EVENT_PRE_FAILURE && strchr(o->result, '-') != NULL)
        kind = EVENT_REFUSED;
    if (kind == EVENT_SUCCESS && ask->command == ATTEMPT_ROLLBACK)
        kind = EVENT_WENT_BACK;
    if (kind == EVENT_SUCCESS && ask->command == ATTEMPT_INSTALL)
        kind = EVENT_INSTALLED;
    events_send(ask->events, &(struct event){ .kind = kind,
                                              .step = "end",
                                              .result = o->result,
                                              .text = o->why,
                                              .from = &o->from,
                                              .to = &o->to,
                                              .downtime_ms = o->downtime_ms });
}

enum errc settle_attempt(const struct settle_ask *ask, struct err *err)
{
    struct upgrade_state *s = &ask->memory->state;
    const struct upgrade_outcome *o = ask->outcome;
    tell_end(ask);
    settle_word(ask);
    settle_waiting(ask);
    settle_hold(ask);
    if (o->to.text[0] != '\0') {
        s->has_last = true;
        s->last_version = o->to;
        s->last_time = now_of(ask->memory);
        text_copy(s->last_result, sizeof(s->last_result), o->result);
    }
    struct err untold;
    enum errc rc = memory_save(ask->memory, err);
    if (ask->is_told || add_history(ask, &untold) == E_OK)
        return rc;
    if (rc == E_OK && err != NULL)
        *err = untold;
    return rc == E_OK ? untold.code : rc;
}

/* --- the end of a run */

static enum errc take_over(struct run *run, struct err *err)
{
    struct err scheduler;
    const enum errc resumed = run_resume_scheduler(run, &scheduler);
    enum errc rc = settle_commit(run, err);
    if (rc != E_OK || resumed == E_OK)
        return rc;
    *err = scheduler;
    return err_prefix(err, "the product's scheduler: ");
}

void settle_run(struct run *run, enum run_end end, const struct settle_ask *ask)
{
    struct err err, untold;
    enum errc rc = end == RUN_COMMITTED ? take_over(run, &err) : E_OK;
    if (settle_attempt(ask, &untold) != E_OK && rc == E_OK) {
        err = untold;
        rc = err.code;
    }
    if (rc == E_OK && end != RUN_STUCK)
        rc = run_tidy(run, end == RUN_COMMITTED, &err);
    if (rc != E_OK)
        events_say(run->events, EVENT_WARNING, "%s; surefoot recover goes on from here", err.text);
}

/* --- old versions */

/* Forgotten first: a tree that nobody knows is swept away later, one that is known and gone would
 * be offered to whoever wants to go back. */
static enum errc collect_one(struct memory *memory, const struct place *place, const char *tree,
                             struct err *err)
{
    state_drop_kept(&memory->state, tree);
    enum errc rc = memory_save(memory, err);
    if (rc == E_OK)
        rc = place_discard(place, tree, err);
    return rc == E_OK ? memory_forget_tree(memory, tree, err) : rc;
}

void settle_collect(const struct setup *setup, struct memory *memory, const struct place *place,
                    const struct events *events)
{
    struct upgrade_state *s = &memory->state;
    struct err err;
    while (s->n_kept > setup->product.policy.keep) {
        struct state_kept oldest = s->kept[0];
        if (collect_one(memory, place, oldest.tree, &err) != E_OK) {
            events_say(events, EVENT_WARNING, "version %s can't be taken away: %s",
                       oldest.version.text, err.text);
            return;
        }
        events_say(events, EVENT_COLLECTED, "version %s is kept no more", oldest.version.text);
    }
    place_drop_store(place);
}

/* --- what nobody knows any more */

struct sweeping {
    const struct memory *memory;
    const struct events *events;
    const char *folder;
    bool keeps_parts; /* of the store: "NAME.part", */
    const char *part; /* of that name alone; NULL: any */
    /* Of a pointer's versions alone: what we did not make stays, and what it leads to, whatever the
     * state says. */
    bool is_versions;
    uint64_t current[2]; /* the latter's identity, as struct fs_info has it */
};

static bool is_known(const struct upgrade_state *s, const char *name)
{
    for (size_t i = 0; i < s->n_kept; i++)
        if (strcmp(s->kept[i].tree, name) == 0)
            return true;
    return strcmp(s->tree, name) == 0;
}

static bool is_part(const struct sweeping *s, const char *name)
{
    const size_t len = strlen(name);
    if (s->part != NULL)
        return strcmp(name, s->part) == 0;
    return len > 5 && strcmp(name + len - 5, ".part") == 0;
}

static bool stays_among_versions(const struct sweeping *s, const char *name, const char *path)
{
    struct platform *p = s->memory->setup->platform;
    struct fs_info info;
    struct err ignored;
    return !place_is_tree_name(name) || p->fs->stat_link(p->self, path, &info, &ignored) != E_OK ||
           memcmp(info.id, s->current, sizeof(info.id)) == 0;
}

static enum errc sweep_name(void *ctx, const char *name, struct err *err)
{
    const struct sweeping *s = ctx;
    char path[SETUP_PATH_ROOM];
    if (is_known(&s->memory->state, name) || (s->keeps_parts && is_part(s, name)))
        return E_OK;
    enum errc rc = setup_join(s->folder, name, path, err);
    if (rc == E_OK && s->is_versions && stays_among_versions(s, name, path))
        return E_OK;
    if (rc == E_OK && stage_sweep(s->memory->setup->platform, path, err) != E_OK)
        events_say(s->events, EVENT_WARNING, "can't be taken away: %s", err->text);
    return rc;
}

static void sweep_folder(const struct sweeping *s)
{
    struct platform *p = s->memory->setup->platform;
    struct sweeping ours = *s;
    struct err err;
    enum fs_kind kind = FS_ABSENT;
    if (p->fs->kind(p->self, s->folder, &kind, &err) == E_OK && kind == FS_FOLDER &&
        p->fs->list(p->self, s->folder, sweep_name, &ours, &err) != E_OK)
        events_say(s->events, EVENT_WARNING, "%.120s: %s", s->folder, err.text);
}

/* Where what is in place is not understood nothing is taken away. */
static void sweep_versions(const struct memory *memory, const struct place *place,
                           const struct events *events)
{
    struct platform *p = memory->setup->platform;
    char tree[SETUP_PATH_ROOM], folder[SETUP_PATH_ROOM];
    struct fs_info info = { .kind = FS_ABSENT };
    struct err ignored;
    bool there = false;
    if (place->mode != STATE_SWITCH_POINTER ||
        place_current(place, tree, &there, &ignored) != E_OK ||
        (!there && memory->state.has_installed) || place_versions(place, folder, &ignored) != E_OK)
        return;
    if (there &&
        (p->fs->stat_link(p->self, tree, &info, &ignored) != E_OK || info.kind != FS_FOLDER))
        return;
    sweep_folder(&(struct sweeping){ .memory = memory,
                                     .events = events,
                                     .folder = folder,
                                     .is_versions = true,
                                     .current = { info.id[0], info.id[1] } });
}

void settle_sweep(struct memory *memory, const struct place *place, const char *part,
                  const struct events *events)
{
    static const char *const own[] = { "proof", "pristine" };
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    sweep_folder(&(struct sweeping){ .memory = memory,
                                     .events = events,
                                     .folder = place->store,
                                     .keeps_parts = true,
                                     .part = part });
    sweep_versions(memory, place, events);
    memory_sweep(memory);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (memory_path(memory, own[i], path, &ignored) == E_OK)
            sweep_folder(&(struct sweeping){ .memory = memory, .events = events, .folder = path });
    place_drop_store(place);
}

/* --- the default */

enum errc settle_default(const struct memory *memory, enum state_word *out_word, char *out_reason,
                         struct err *err)
{
    const struct default_state *said = &memory->setup->product.policy.default_state;
    const struct upgrade_state *s = &memory->state;
    *out_word = (enum state_word)s->word;
    text_copy(out_reason, RESULT_TEXT_MAX + 1, s->reason);
    if (s->is_set)
        return E_OK;
    if (!said->is_enabled) {
        *out_word = STATE_DISABLED;
        return E_OK;
    }
    if (said->conditions.checks.n == 0)
        return E_OK;
    struct preflight *found = calloc(1, sizeof(*found));
    if (found == NULL)
        return err_nomem(err);
    enum errc rc = preflight_conditions(memory->setup, &said->conditions, found, err);
    if (rc == E_OK && found->n > 0) {
        *out_word = STATE_DISABLED;
        text_copy(out_reason, RESULT_TEXT_MAX + 1,
                  found->items[0].result[0] != '\0' ? found->items[0].result
                                                    : found->items[0].text);
    }
    free(found);
    return rc;
}
