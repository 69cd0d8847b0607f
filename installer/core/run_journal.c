/* The run's journal on the disk, and what an interrupted run left. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/run_private.h"
#include "platform/base/text.h"

/* --- writing */

static enum errc append(struct run *run, struct buf *bytes, struct err *err)
{
    struct platform *p = run->setup->platform;
    char path[SETUP_PATH_ROOM];
    enum errc rc = memory_path(run->memory, "journal", path, err);
    if (rc == E_OK)
        rc = p->fs->append(p->self, path, buf_span(bytes), err);
    return rc == E_OK ? rc : err_prefix(err, "journal: ");
}

enum errc run_note(struct run *run, enum journal_event event, const char *step, const char *name,
                   struct err *err)
{
    struct buf bytes;
    buf_init(&bytes, 1024);
    enum errc rc = journal_add(&run->journal, event, step, name, &bytes, err);
    if (rc == E_OK)
        rc = append(run, &bytes, err);
    buf_fini(&bytes);
    return rc;
}

static enum errc add_step(struct run *run, enum journal_event event, const struct plan_step *step,
                          struct buf *bytes, struct err *err)
{
    char i[16];
    if (step == NULL)
        return E_OK;
    (void)snprintf(i, sizeof(i), "%u", step->i);
    return journal_add(&run->journal, event, plan_step_word(step->kind), i, bytes, err);
}

enum errc run_note_steps(struct run *run, const struct plan_step *done,
                         const struct plan_step *begins, struct err *err)
{
    struct buf bytes;
    buf_init(&bytes, 1024);
    enum errc rc = add_step(run, JOURNAL_DONE, done, &bytes, err);
    if (rc == E_OK)
        rc = add_step(run, JOURNAL_BEGIN, begins, &bytes, err);
    if (rc == E_OK)
        rc = append(run, &bytes, err);
    buf_fini(&bytes);
    return rc;
}

enum errc run_note_step(struct run *run, enum journal_event event, const struct plan_step *step,
                        struct err *err)
{
    char i[16];
    (void)snprintf(i, sizeof(i), "%u", step->i);
    return run_note(run, event, plan_step_word(step->kind), i, err);
}

bool run_was_begun(const struct run *run, enum step_kind kind)
{
    for (size_t i = 0; i < run->journal.n; i++)
        if (run->journal.records[i].event == JOURNAL_BEGIN &&
            strcmp(run->journal.records[i].step, plan_step_word(kind)) == 0)
            return true;
    return false;
}

static enum errc write_attempt(struct run *run, struct err *err)
{
    struct attempt a = run->attempt;
    struct buf bytes;
    a.tree = run->new_name;
    a.old_tree = run->old_name[0] != '\0' ? run->old_name : NULL;
    a.result = NULL;
    a.reasons.n = 0;
    buf_init(&bytes, 64 * 1024);
    enum errc rc = attempt_write(&a, &bytes, err);
    if (rc == E_OK)
        rc = memory_write(run->memory, "run/attempt.xml", buf_span(&bytes), err);
    buf_fini(&bytes);
    return rc;
}

enum errc run_begin(struct run *run, struct err *err)
{
    journal_init(&run->journal);
    enum errc rc = memory_make_folder(run->memory, "run", err);
    if (rc == E_OK)
        rc = memory_write(run->memory, "run/product.xml", buf_span(&run->setup->bytes), err);
    if (rc == E_OK)
        rc = write_attempt(run, err);
    if (rc == E_OK)
        rc = run_note(run, JOURNAL_MARK, "staging", run->new_name, err);
    return rc;
}

/* --- reading */

/* A record that the crash tore is cut off, so that the next one follows whole ones. */
static enum errc read_journal(struct memory *memory, struct run *run, struct err *err)
{
    struct platform *p = memory->setup->platform;
    char path[SETUP_PATH_ROOM];
    struct buf bytes;
    size_t len = 0;
    enum errc rc = memory_read(memory, "journal", JOURNAL_BYTES_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    journal_init(&run->journal);
    rc = journal_read(buf_span(&bytes), &run->journal, &len, err);
    if (rc == E_OK && len < bytes.len)
        rc = memory_path(memory, "journal", path, err);
    if (rc == E_OK && len < bytes.len)
        rc = p->fs->cut(p->self, path, len, err);
    buf_fini(&bytes);
    return rc;
}

const char *run_mark_name(const struct journal *j, const char *step)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->records[i].event == JOURNAL_MARK && strcmp(j->records[i].step, step) == 0)
            return j->records[i].name;
    return "";
}

static enum errc take_names(struct run *run, struct err *err)
{
    const char *name = run_mark_name(&run->journal, "staging");
    const char *said = run->attempt.tree != NULL ? run->attempt.tree : "";
    if (strcmp(name, said) != 0 || name[0] == '\0')
        return err_set(err, E_MALFORMED, "the journal is of another run than run/attempt.xml");
    text_copy(run->new_name, sizeof(run->new_name), name);
    if (run->attempt.old_tree != NULL)
        text_copy(run->old_name, sizeof(run->old_name), run->attempt.old_tree);
    text_copy(run->new_id, sizeof(run->new_id), run_mark_name(&run->journal, "prepared"));
    run->was_switched =
        journal_has_mark(&run->journal, "switched") || journal_has_mark(&run->journal, "restart");
    return E_OK;
}

static enum errc read_copy(struct memory *memory, const char *word, struct setup *setup,
                           struct err *err)
{
    struct buf bytes;
    enum errc rc = memory_read(memory, "run/product.xml", PRODUCT_BYTES_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    rc = setup_recall(memory->setup->platform, word, buf_span(&bytes), setup, err);
    buf_fini(&bytes);
    return rc;
}

static enum errc read_attempt(struct memory *memory, struct attempt_document *document,
                              struct err *err)
{
    struct buf bytes;
    enum errc rc = memory_read(memory, "run/attempt.xml", HISTORY_BYTES_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    rc = attempt_read(buf_span(&bytes), document, err);
    buf_fini(&bytes);
    return rc;
}

/* A crash in the very first write leaves a journal without a whole record: nothing was begun. */
static enum errc drop_empty(struct memory *memory, struct err *err)
{
    return memory_remove(memory, "journal", err);
}

enum errc run_open(struct memory *memory, const char *product_word,
                   struct attempt_document *document, struct setup *setup, struct run *out,
                   bool *out_there, struct err *err)
{
    *out = (struct run){ .memory = memory, .setup = setup };
    enum errc rc = memory_recovery_is_pending(memory, out_there, err);
    if (rc != E_OK || !*out_there)
        return rc;
    rc = read_journal(memory, out, err);
    if (rc == E_OK && out->journal.n == 0) {
        *out_there = false;
        return drop_empty(memory, err);
    }
    if (rc == E_OK)
        rc = read_attempt(memory, document, err);
    if (rc != E_OK) {
        journal_fini(&out->journal);
        return rc;
    }
    out->attempt = document->attempt;
    rc = take_names(out, err);
    if (rc == E_OK)
        rc = read_copy(memory, product_word, setup, err);
    if (rc != E_OK) {
        attempt_fini(document);
        journal_fini(&out->journal);
    }
    return rc;
}
