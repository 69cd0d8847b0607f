#ifndef SUREFOOT_CORE_JOURNAL_H
#define SUREFOOT_CORE_JOURNAL_H

/* journal.h: what an upgrade was about to do and what it has done, so that after a crash at any
 * instant the next start can finish it or undo it. Pure: records to bytes and back; who appends and
 * flushes them is the runner.
 *
 *   a record  SEQ " " EVENT " " STEP " " NAME " " SUM LF
 *   SEQ       decimal, 1, 2, 3, ...
 *   EVENT     begin, done, undo, undone, or mark (prepared, switched, committed, ...)
 *   STEP      the kind of step; lower-case letters and "-"
 *   NAME      a name that was generated for this run, or "-": never a path, never a command
 *   SUM       16 hex digits: SHA-256 over the sum of the record before (none: sixteen 0) and this
 *             record up to its sum
 *
 * Each sum holds all that came before it, so a record can't be taken out, put in or moved. A last
 * record that is cut off or does not hold its sum was torn by the crash and is dropped: its step is
 * looked at again. Any other damage is E_MALFORMED, and nothing is done by such a journal. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define JOURNAL_STEP_ROOM 32
#define JOURNAL_NAME_ROOM 96
#define JOURNAL_SUM_LEN 16
#define JOURNAL_RECORDS_MAX 4096
#define JOURNAL_BYTES_MAX (1024 * 1024)

enum journal_event { JOURNAL_BEGIN, JOURNAL_DONE, JOURNAL_UNDO, JOURNAL_UNDONE, JOURNAL_MARK };
const char *journal_event_word(enum journal_event event);

struct journal_record {
    enum journal_event event;
    char step[JOURNAL_STEP_ROOM];
    char name[JOURNAL_NAME_ROOM]; /* "-" where there is none */
};

/* struct journal: the records so far, and the sum that the next one goes on from. */
struct journal {
    size_t n, n_room;
    struct journal_record *records; /* owned */
    char sum[JOURNAL_SUM_LEN + 1];
};

void journal_init(struct journal *j);
void journal_fini(struct journal *j);

/* journal_read reads a file's bytes into an empty journal; *out_len is how many of them are whole
 * records: what is behind that was torn. E_MALFORMED with the record's number, E_LIMIT, E_NOMEM. */
MUST_USE enum errc journal_read(struct span bytes, struct journal *j, size_t *out_len,
                                struct err *err);

/* journal_add puts one more record into `j` and its bytes into `out` (which the caller appends to
 * the file and flushes before it acts). E_ARGUMENT for a step or name of other characters. */
MUST_USE enum errc journal_add(struct journal *j, enum journal_event event, const char *step,
                               const char *name, struct buf *out, struct err *err);

/* journal_has_mark: was this mark set? */
bool journal_has_mark(const struct journal *j, const char *step);

/* journal_step_state is how far step `step` with `name` got: the last event of it that is no mark;
 * false where it has not begun. */
bool journal_step_state(const struct journal *j, const char *step, const char *name,
                        enum journal_event *out);

#endif
