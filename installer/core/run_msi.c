/* The switch where Windows Installer has the files: another package is installed. */

#include <stdlib.h>
#include <string.h>

#include "installer/core/msi_switch.h"
#include "installer/core/run_private.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define HOLDERS_SAID 5
#define BACK_TRIES 3
#define BACK_WAIT_MS 2000
/* Bytes of Windows Installer's log, of one switch and its ways back. */
#define LOG_MAX (64 * 1024 * 1024)

static struct msi_ask ask_of(const struct run *run, char log[SETUP_PATH_ROOM])
{
    struct msi_ask ask = { .setup = run->setup, .events = run->events };
    struct err ignored;
    if (memory_path(run->memory, "msi.log", log, &ignored) == E_OK)
        ask.log = log;
    return ask;
}

/* What failed is in the log, and the way back is added to it: a switch begins a new one. A way back
 * that is tried again at each start of the machine does not fill the disk. */
static void begin_log(const struct run *run, const struct msi_ask *ask, bool is_switch)
{
    struct platform *p = run->setup->platform;
    struct fs_info info;
    struct err ignored;
    if (ask->log == NULL)
        return;
    if (is_switch ||
        (p->fs->stat_link(p->self, ask->log, &info, &ignored) == E_OK && info.size > LOG_MAX))
        (void)!p->fs->remove(p->self, ask->log, &ignored);
}

static enum errc hold(struct run *run, const char *name, struct msi_held *held, struct err *err)
{
    return held->source != NULL ? E_OK : msi_kept_hold(run->memory, run->place, name, held, err);
}

enum errc run_boot(const struct run *run, char to[JOURNAL_NAME_ROOM], struct err *err)
{
    struct platform *p = run->setup->platform;
    char boot[HOST_BOOT_ID_ROOM];
    struct digest d;
    char hex[TEXT_HEX_LEN(32)];
    enum errc rc = p->host->boot_id(p->self, boot, err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, span_text(boot), &d, err);
    if (rc == E_OK)
        (void)text_copy(to, 33, text_to_hex(digest_span(&d), hex));
    return rc;
}

static enum errc note_restart(struct run *run, struct err *err)
{
    char boot[JOURNAL_NAME_ROOM];
    enum errc rc = run_boot(run, boot, err);
    run->needs_restart = true;
    return rc == E_OK ? run_note(run, JOURNAL_MARK, "restart", boot, err) : rc;
}

/* --- who is in the way */

struct holders {
    const struct run *run;
    size_t n;
};

static enum errc say_holder(void *ctx, const struct proc_info *info, enum proc_hold how,
                            const char *held, struct err *err)
{
    struct holders *h = ctx;
    char name[60], file[160];
    UNUSED(how);
    UNUSED(err);
    if (h->n++ < HOLDERS_SAID)
        events_say(h->run->events, EVENT_WARNING,
                   "%s (process %lld) has %s open, for which the machine must be restarted",
                   text_printable(span_text(info->name), name, sizeof(name)), (long long)info->pid,
                   text_printable(span_text(held), file, sizeof(file)));
    return E_OK;
}

/* What is in use, Windows Installer puts off to the machine's next start, and does not say who has
 * it. Asked only then, since it takes its time. It is advice: what can't be found out is passed
 * over. */
static void say_who_is_in_the_way(const struct run *run)
{
    struct platform *p = run->setup->platform;
    struct holders h = { .run = run };
    size_t n_hidden = 0;
    struct err ignored;
    if (run->setup->install[0] != '\0')
        (void)!p->proc->holders(p->self, run->setup->install, say_holder, &h, &n_hidden, &ignored);
}

static enum errc look(const struct run *run, struct run_product *out, struct err *err)
{
    struct msi_installed *now = malloc(sizeof(*now));
    if (now == NULL)
        return err_nomem(err);
    enum errc rc = msi_switch_look(run->setup, now, err);
    if (rc == E_OK) {
        *out = (struct run_product){ .n = now->n };
        if (now->n == 1) {
            (void)text_copy(out->code, sizeof(out->code), now->items[0].product.code);
            (void)text_copy(out->version, sizeof(out->version), now->items[0].product.version);
        }
    }
    free(now);
    return rc;
}

/* Whatever came of it, Windows Installer was at work, unless it did not begin: where all is as it
 * was before (switch_back looks), nothing is to be rolled back. */
enum errc run_msi_switch(struct run *run, struct err *err)
{
    char log[SETUP_PATH_ROOM];
    const struct msi_ask ask = ask_of(run, log);
    enum errc rc = look(run, &run->before, err);
    if (rc == E_OK)
        rc = hold(run, run->new_name, &run->held_new, err);
    if (rc != E_OK)
        return rc;
    begin_log(run, &ask, true);
    rc = msi_switch_to(&ask, &run->held_new, &run->wants_restart, err);
    run->was_busy = rc == E_BUSY;
    run->was_switched = !run->was_busy;
    if (rc != E_OK || !run->wants_restart)
        return rc;
    rc = note_restart(run, err);
    say_who_is_in_the_way(run);
    return rc;
}

/* An installation that was cut off may have written files that belong to no product: where Windows
 * Installer knows neither version, the new one is brought to its end, so that it can be taken away
 * with all that it has. */
static void finish_new(struct run *run, const struct msi_ask *ask)
{
    struct run_product now;
    struct err err = { .text = "" };
    bool restart = false;
    enum errc rc = look(run, &now, &err);
    if (rc == E_OK && now.n != 1) {
        rc = hold(run, run->new_name, &run->held_new, &err);
        if (rc == E_OK)
            rc = msi_switch_to(ask, &run->held_new, &restart, &err);
    }
    if (rc != E_OK)
        events_say(run->events, EVENT_WARNING, "%s; files of it may be left over", err.text);
}

static bool was_product(const struct run *run, const char *code, const char *version)
{
    return strcmp(run->before.code, code) == 0 && strcmp(run->before.version, version) == 0;
}

/* Is exactly that installed which was before the switch? Known only to the run that began it: what
 * a run that was cut off has left may be half of it, whatever Windows Installer has on record. */
static enum errc is_as_before(const struct run *run, bool *out, struct err *err)
{
    struct run_product now;
    enum errc rc = look(run, &now, err);
    if (rc == E_OK)
        *out = run->old_name[0] == '\0' ? now.n == 0
                                        : now.n == 1 && was_product(run, now.code, now.version);
    return rc;
}

/* The new package is of the very product and version that were there: which files are in place,
 * nobody can say by looking. */
static bool is_same_as_new(const struct run *run)
{
    struct msi_identity id;
    struct err ignored;
    return msi_kept_recall(run->memory, run->new_name, &id, &ignored) != E_OK ||
           was_product(run, id.code, id.version);
}

/* Where its package is not to be had (--no-rollback), the old version is back if Windows Installer
 * itself has brought it back, as it does after most failures; whether it is well is asked then. */
static enum errc back_by_itself(struct run *run, struct err *err)
{
    const struct err why = *err;
    bool is_back = false;
    enum errc rc = is_as_before(run, &is_back, err);
    if (rc != E_OK)
        return rc;
    if (!is_back || is_same_as_new(run)) {
        *err = why;
        return why.code;
    }
    events_say(run->events, EVENT_WARNING, "%s; Windows Installer has brought the old version back",
               why.text);
    run->came_back = true;
    return E_OK;
}

static enum errc back_once(struct run *run, const struct msi_ask *ask, struct err *err)
{
    if (run->old_name[0] == '\0')
        return msi_switch_away(ask, &run->wants_restart, err);
    enum errc rc = hold(run, run->old_name, &run->held_old, err);
    if (rc != E_OK)
        rc = err_prefix(err, "the package of the old version: ");
    if (rc == E_ABSENT || rc == E_REFUSED || rc == E_MALFORMED)
        return back_by_itself(run, err);
    return rc == E_OK ? msi_switch_to(ask, &run->held_old, &run->wants_restart, err) : rc;
}

/* There is nothing behind the way back: what fails may be a file that is open for a moment, of a
 * program that was just ended or of one that looks at every file, or an installation of somebody
 * else that began in the same moment. */
static enum errc back(struct run *run, const struct msi_ask *ask, struct err *err)
{
    struct platform *p = run->setup->platform;
    enum errc rc = back_once(run, ask, err);
    for (unsigned i = 1; i < BACK_TRIES && (rc == E_IO || rc == E_BUSY); i++) {
        events_say(run->events, EVENT_WARNING, "%s; once more", err->text);
        p->host->sleep_ms(p->self, BACK_WAIT_MS);
        rc = back_once(run, ask, err);
    }
    return rc;
}

/* Refused before it began. */
static bool is_untouched(const struct run *run)
{
    struct err ignored;
    bool is = false;
    return run->was_busy && is_as_before(run, &is, &ignored) == E_OK && is;
}

enum errc run_msi_switch_back(struct run *run, struct err *err)
{
    char log[SETUP_PATH_ROOM];
    struct msi_ask ask = ask_of(run, log);
    if (is_untouched(run))
        return E_OK;
    run->was_switched |= run->was_busy; /* it had begun: an old product was taken away */
    enum errc rc = msi_switch_await(&ask, err);
    if (rc != E_OK)
        return rc;
    begin_log(run, &ask, false);
    if (run->held_new.source == NULL) /* we were not there when it ended */
        finish_new(run, &ask);
    msi_kept_release(&run->held_new);
    ask.is_back = true;
    rc = back(run, &ask, err);
    if (rc == E_OK && run->wants_restart)
        rc = err_set(err, E_BUSY, "the machine must be restarted before the old version is whole");
    return rc;
}
