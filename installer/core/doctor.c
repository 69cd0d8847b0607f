#include "installer/core/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/health.h"
#include "installer/core/look.h"
#include "installer/core/memory.h"
#include "installer/core/own_program.h"
#include "installer/core/place.h"
#include "installer/core/preflight.h"
#include "installer/core/schedule_task.h"
#include "installer/core/scheduler.h"
#include "installer/core/services.h"
#include "installer/core/support.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"

struct examination {
    const struct setup *setup;
    struct doctor *out;
    struct memory memory;
    struct product_demands *demands;
    struct look look;
    int64_t now;
};

static struct doctor_row *add_row(struct doctor *d, const char *what, enum doctor_word word,
                                  const char *fmt, ...) PRINTF_FORMAT(4, 5);
static struct doctor_row *add_row(struct doctor *d, const char *what, enum doctor_word word,
                                  const char *fmt, ...)
{
    struct doctor_row *row = &d->rows[d->n < DOCTOR_ROWS_MAX ? d->n++ : DOCTOR_ROWS_MAX - 1];
    va_list args;
    *row = (struct doctor_row){ .what = what, .word = word };
    va_start(args, fmt);
    (void)text_print(row->text, sizeof(row->text), fmt, args);
    va_end(args);
    return row;
}

static void fault(struct doctor *d, const char *what, enum errc code, const char *text,
                  const char *mend)
{
    struct doctor_row *row = add_row(d, what, DOCTOR_FAULT, "%s", text);
    row->code = code;
    text_copy(row->mend, sizeof(row->mend), mend);
}

/* --- this machine's own things */

static enum errc memory_row(struct examination *x, struct err *err)
{
    bool pending = false;
    enum errc rc = memory_open(x->setup, false, &x->memory, err);
    if (rc != E_OK) {
        fault(x->out, "state", rc, err->text,
              "restore the state folder from a backup; without it old feeds can't be told from "
              "new ones");
        return rc;
    }
    add_row(x->out, "state", DOCTOR_WELL, "%s%s", x->setup->state,
            x->memory.was_there ? "" : " (nothing is in it yet)");
    if (memory_recovery_is_pending(&x->memory, &pending, err) != E_OK)
        fault(x->out, "recovery", err->code, err->text, "see who may read the state folder");
    else if (pending)
        fault(x->out, "recovery", E_BUSY, "an upgrade was interrupted",
              "run surefoot recover, or wait for the one that is under way");
    return E_OK;
}

static void trust_row(struct examination *x)
{
    struct err err;
    size_t n_feed = 0, n_payload = 0;
    if (product_demands_load(x->setup->platform, &x->setup->product, x->setup->base, x->now,
                             &x->demands, &err) != E_OK) {
        fault(x->out, "keys", E_ARGUMENT, err.text,
              "put the file there, or mend <trust> in the product file");
        return;
    }
    (void)product_demands_of_feed(x->demands, &n_feed);
    (void)product_demands_of_payload(x->demands, &n_payload);
    add_row(x->out, "keys", DOCTOR_WELL,
            "every key and certificate that <trust> names reads (%zu of feeds, %zu of payloads)",
            n_feed, n_payload);
}

static void place_row(struct examination *x)
{
    struct place place;
    struct err err;
    enum errc rc = place_open(x->setup, &x->memory.state, &place, &err);
    if (rc == E_OK)
        rc = place_probe(&place, &err);
    if (rc == E_OK) {
        add_row(x->out, "switch", DOCTOR_WELL, "by %s", state_switch_words[place.mode]);
        place_drop_store(&place);
        return;
    }
    fault(x->out, "switch", rc, err.text,
          rc == E_ABSENT   ? "make the folder that the install folder is put into"
          : rc == E_ACCESS ? "the folder above the install folder must be ours to write"
                           : "see <install switch=\"...\"> in surefoot-product(5)");
}

static void services_row(struct examination *x)
{
    const struct product_services *services = &x->setup->product.services;
    for (size_t i = 0; i < services->items.n; i++) {
        const char *name = services->items.items[i].name;
        struct service_status status;
        struct err err;
        if (services_status(x->setup, i, &status, &err) != E_OK)
            fault(x->out, "service", err.code, err.text,
                  "name a unit that systemd knows, or give it start, stop and status commands");
        else if (status.is == SERVICE_IS_RUNNING)
            add_row(x->out, "service", DOCTOR_WELL, "%.100s runs", name);
        else if (!x->memory.state.has_installed)
            add_row(x->out, "service", DOCTOR_WARNING,
                    "%.100s does not run; nothing is installed yet", name);
        else
            fault(x->out, "service", E_BUSY, name, "it does not run: start it");
    }
}

static void scheduler_row(struct examination *x)
{
    enum scheduler_is is;
    struct err err;
    if (!x->setup->product.scheduler.is_there)
        return;
    if (scheduler_status(x->setup, &is, &err) != E_OK)
        fault(x->out, "scheduler", err.code, err.text, "mend <scheduler> in the product file");
    else
        add_row(x->out, "scheduler", is == SCHEDULER_ON ? DOCTOR_WELL : DOCTOR_WARNING,
                "the product's own scheduler is %s", is == SCHEDULER_ON ? "on" : "off");
}

/* --- what calls us */

static const char mend_tasks[] =
    "run surefoot schedule install, by the program that is installed: it "
    "writes both tasks and the copy for recovery anew";
static const char mend_rights[] = "what runs with the system's rights must be an administrator's "
                                  "alone to change: take the rights of others away";

/* The copy of the program is there while the program itself may not be, and follows it. */
static void kept_row(struct examination *x, const char *runs, const char *recovers)
{
    char kept[SETUP_PATH_ROOM];
    bool is_same = false;
    struct err err;
    enum errc rc = own_program_kept_path(x->setup, kept, &err);
    if (rc == E_OK && strcmp(kept, recovers) != 0) {
        fault(x->out, "task", E_ARGUMENT,
              "the task for recovery does not name the copy of the program that is kept for it: "
              "while Surefoot itself is replaced it can't run",
              mend_tasks);
        return;
    }
    if (rc == E_OK)
        rc = own_program_is_same(x->setup->platform, runs, recovers, &is_same, &err);
    if (rc != E_OK)
        fault(x->out, "task", rc, err.text, mend_tasks);
    else if (!is_same)
        add_row(x->out, "task", DOCTOR_WARNING,
                "the copy of the program that recovers is of another version; the next surefoot "
                "run renews it");
    else
        add_row(x->out, "task", DOCTOR_WELL, "both programs are there: %.120s, %.120s", runs,
                recovers);
}

static void no_recovery_row(struct examination *x, bool has_run)
{
    bool is_ours = false;
    struct err ignored;
    if (own_program_is_of(x->setup, &is_ours, &ignored) != E_OK || !(is_ours || has_run))
        return;
    struct doctor_row *row = add_row(
        x->out, "task", DOCTOR_WARNING, "%s",
        is_ours ? "no task recovers Surefoot where an upgrade of it is cut off: then there may be "
                  "no program at its place, and no run comes"
                : "no task recovers when the machine starts: what was cut off waits for the next "
                  "run");
    text_copy(row->mend, sizeof(row->mend), "run surefoot schedule install");
}

static void tasks_row(struct examination *x)
{
    char program[SCHEDULE_TASKS][SETUP_PATH_ROOM], text[300], name[SCHEDULE_NAME_ROOM];
    bool there[SCHEDULE_TASKS] = { false };
    size_t n_well = 0;
    for (int which = 0; which < SCHEDULE_TASKS; which++) {
        struct err err;
        enum errc rc = schedule_task_check(x->setup, (enum schedule_task)which, &there[which],
                                           program[which], &err);
        if (rc == E_UNSUPPORTED)
            return;
        n_well += rc == E_OK && there[which];
        (void)snprintf(text, sizeof(text), "\\%s: %.190s",
                       schedule_task_name(x->setup, (enum schedule_task)which, name),
                       rc == E_OK ? "" : err.text);
        if (rc != E_OK)
            fault(x->out, "task", rc, text, rc == E_ARGUMENT ? mend_rights : mend_tasks);
    }
    if (n_well == SCHEDULE_TASKS)
        kept_row(x, program[SCHEDULE_TASK_RUN], program[SCHEDULE_TASK_RECOVER]);
    if (!there[SCHEDULE_TASK_RECOVER])
        no_recovery_row(x, there[SCHEDULE_TASK_RUN]);
}

static const char mend_checks[] = "make it hold, or change <checks> in the product file: until "
                                  "then no upgrade begins";

static void checks_row(struct examination *x)
{
    struct preflight *found = calloc(1, sizeof(*found));
    struct preflight_ask ask = { .setup = x->setup,
                                 .phases = PREFLIGHT_ALL,
                                 .is_first = !x->memory.state.has_installed,
                                 .stage_folder = x->setup->install[0] != '\0' ? x->setup->install
                                                                              : x->setup->state };
    struct err err;
    if (found == NULL)
        return;
    if (preflight_run(&ask, found, &err) != E_OK)
        fault(x->out, "checks", err.code, err.text, mend_checks);
    for (size_t i = 0; i < found->n; i++) {
        const struct preflight_finding *f = &found->items[i];
        char text[400];
        (void)snprintf(text, sizeof(text), "%s%s%s",
                       f->result[0] != '\0' ? f->result : "could not be found out", ": ", f->text);
        fault(x->out, "checks", f->result[0] != '\0' ? E_BUSY : E_IO, text, mend_checks);
    }
    if (found->n == 0)
        add_row(x->out, "checks", DOCTOR_WELL, "all checks of the product file hold");
    free(found);
}

/* --- what is elsewhere */

static const char *mend_refusal(const char *word)
{
    static const struct {
        const char *word, *mend;
    } table[] = {
        { "Expired", "the maker has not signed a feed for too long, or this machine's clock runs "
                     "ahead: compare it with another one" },
        { "OlderThanSeen", "the server gives an old feed: a mirror or cache that is behind, or "
                           "somebody who holds updates back" },
        { "SerialJump", "the maker's serial jumped; ask the maker, then give the product file its "
                        "new key" },
        { "IssuedAhead", "the feed is of the future: set this machine's clock (timedatectl, "
                         "chronyc)" },
        { "ClockBehind", "this machine's clock is behind what it has seen signed: set it "
                         "(timedatectl, chronyc)" },
        { "KeyMismatch", "the feed is signed by a key that the product file does not name: has the "
                         "maker announced a new one?" },
        { "Unsigned", "no signature lies beside the feed (.minisig or .p7s): see the URL" },
        { "WrongProduct", "the URL leads to another product's or channel's feed" },
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].word, word) == 0)
            return table[i].mend;
    return "do not use it; ask the maker";
}

static const char *mend_fetch(enum errc rc)
{
    switch (rc) {
    case E_ACCESS: return "see <fetch ca=...>, the server's certificate, and the proxy's login";
    case E_ABSENT: return "see the feed's URL";
    case E_TIMEOUT: return "see the network, the proxy and the firewall";
    default: return "see the name, the network and the proxy";
    }
}

static void clock_row(struct examination *x, const struct feed *feed)
{
    const int64_t ahead = feed->issued - x->now;
    char now[32];
    if (ahead > 0)
        add_row(x->out, "clock", DOCTOR_WARNING,
                "%s, which is %" PRId64 " s before the feed was signed",
                text_format_time(x->now, now), ahead);
    else
        add_row(x->out, "clock", DOCTOR_WELL, "%s, and nothing signed is of later",
                text_format_time(x->now, now));
}

static void feed_row(struct examination *x)
{
    struct look_ask ask = {
        .setup = x->setup, .demands = x->demands, .memory = &x->memory, .now = x->now
    };
    struct err err;
    char expires[32];
    if (x->demands == NULL)
        return;
    enum errc rc = look_at_feed(&ask, &x->look, &err);
    if (rc != E_OK) {
        fault(x->out, "feed", rc, err.text,
              rc == E_REFUSED ? mend_refusal(x->look.refusal) : mend_fetch(rc));
        return;
    }
    const struct feed *feed = verified_feed_get(x->look.feed);
    add_row(x->out, "feed", DOCTOR_WELL, "serial %" PRIu64 " of %zu releases, valid until %s",
            feed->serial, feed->releases.n, text_format_time(feed->expires, expires));
    clock_row(x, feed);
    if (x->memory.state.has_installed) {
        struct support support;
        support_of(feed, &x->memory.state.installed, x->now, &support);
        if (support.is_withdrawn || support.is_near)
            add_row(x->out, "support", DOCTOR_WARNING, "version %s %s",
                    x->memory.state.installed.text,
                    support.is_withdrawn ? "was withdrawn by its maker" : "loses its support");
    }
}

enum errc doctor_examine(const struct setup *setup, struct doctor *out, struct err *err)
{
    struct examination *x = calloc(1, sizeof(*x));
    out->n = 0;
    if (x == NULL)
        return err_nomem(err);
    x->setup = setup;
    x->out = out;
    x->now = setup->platform->host->now(setup->platform->self);
    add_row(out, "product", DOCTOR_WELL, "%s", setup->path);
    if (memory_row(x, err) == E_OK) {
        trust_row(x);
        feed_row(x);
        place_row(x);
        services_row(x);
        scheduler_row(x);
        tasks_row(x);
        checks_row(x);
        memory_close(&x->memory);
    }
    look_fini(&x->look);
    product_demands_free(x->demands);
    free(x);
    return E_OK;
}
