#ifndef SUREFOOT_MANIFEST_HISTORY_H
#define SUREFOOT_MANIFEST_HISTORY_H

/* history.h: what was tried on this machine (urn:surefoot:history:1, history.rng), the newest last,
 * and the attempt that is under way: two small files in the state folder, each replaced as a whole.
 *
 *   <history xmlns="urn:surefoot:history:1" product="orchard">
 *     <attempt command="upgrade" from="2.0.0" to="2.1.0" result="Success"
 *              started="2026-11-25T22:00:00Z" ended="2026-11-25T22:01:10Z">
 *       <downtime ms="182"/>
 *       <reason result="UpgradeAborted..." text="why, for people"/>
 *     </attempt>
 *   </history>
 *
 *   <attempt xmlns="urn:surefoot:history:1" ... tree="2.1.0-1f0c" old-tree="2.0.0-77aa"/>
 *
 * What it does not check: whether it happened. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/schema.h"
#include "manifest/version.h"
#include "platform/base/buf.h"

#define HISTORY_NS "urn:surefoot:history:1"
#define HISTORY_ATTEMPTS_MAX 500
#define HISTORY_REASONS_MAX 32
#define HISTORY_BYTES_MAX (16 * 1024 * 1024)

enum attempt_command {
    ATTEMPT_UPGRADE,
    ATTEMPT_RUN,
    ATTEMPT_INSTALL,
    ATTEMPT_ROLLBACK,
    ATTEMPT_RECOVER,
};
extern const char *const attempt_command_words[];

struct attempt_reason {
    const char *result; /* NULL: nothing could be found out */
    const char *text;
};

struct attempt {
    int command;         /* enum attempt_command */
    struct version from; /* "" where nothing was installed, or not known */
    struct version to;
    const char *result; /* NULL: it is under way */
    bool has_downtime;
    uint64_t downtime_ms;
    int64_t started, ended;
    const char *tree, *old_tree; /* generated names, of the one under way; NULL: none */
    LIST_OF(struct attempt_reason) reasons;
};

struct history {
    const char *product;
    LIST_OF(struct attempt) attempts; /* the oldest first */
    struct arena arena;
};

/* history_read reads the file. E_MALFORMED with line and cause, E_LIMIT, E_NOMEM. Caller frees with
 * history_fini. */
MUST_USE enum errc history_read(struct span bytes, struct history *out, struct err *err);
void history_fini(struct history *h);

/* history_write appends the document of all but the oldest attempts (HISTORY_ATTEMPTS_MAX stay),
 * with `added` (or NULL) at its end. */
MUST_USE enum errc history_write(const struct history *h, const char *product,
                                 const struct attempt *added, struct buf *out, struct err *err);

/* attempt_read and attempt_write are those of one attempt, as a document of its own. */
struct attempt_document {
    struct attempt attempt;
    struct arena arena;
};
MUST_USE enum errc attempt_read(struct span bytes, struct attempt_document *out, struct err *err);
void attempt_fini(struct attempt_document *d);
MUST_USE enum errc attempt_write(const struct attempt *a, struct buf *out, struct err *err);

#endif
