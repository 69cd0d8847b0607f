#ifndef SUREFOOT_PUBLISH_FEED_EDIT_H
#define SUREFOOT_PUBLISH_FEED_EDIT_H

/* feed_edit.h: changes to a feed in memory, as the words of a person say them: a release added, set
 * (only what is said), withdrawn, removed; support of versions. Pure: no files, no clock.
 *
 *   --add 2.1.0 --status auto --rollout-percent 10 --rollout-step PT24H --from 1.4..2.1
 *   --set 2.1.0 --rollout-percent 50          --set 2.1.0 --install-by none
 *
 * What it does not check: what only the whole document shows (write_feed reads it back), and
 * whether a release exists. */

#include <stdbool.h>

#include "installer/cli/opt.h"
#include "manifest/feed.h"

#define FEED_EDIT_LIST_MAX 32    /* of --from, of --skip */
#define FEED_EDIT_CHANGES_MAX 64 /* of one run, each of releases and of support */

enum feed_change_kind { FEED_ADD, FEED_SET, FEED_WITHDRAW, FEED_REMOVE };

struct feed_change {
    enum feed_change_kind kind;
    struct version version;
    bool has_status, has_severity, has_start, has_percent, has_step, has_install_by;
    bool has_os, has_arch, has_from, has_skip; /* said at all: then the lists below replace */
    int status, severity;
    int64_t start, step_s, install_by; /* install_by 0, step_s 0: none */
    uint64_t percent;                  /* 0: none */
    uint32_t os, arch;                 /* 0: any */
    size_t n_from, n_skip;
    struct version_range from[FEED_EDIT_LIST_MAX];
    struct feed_skip skip[FEED_EDIT_LIST_MAX];
    struct document_ref document; /* FEED_ADD: the caller's, borrowed */
};

struct feed_support_change {
    struct version_pattern version;
    bool is_none; /* take it away */
    int64_t ends, notice_s;
};

struct feed_changes {
    size_t n, n_supports;
    struct feed_change *items; /* owned */
    struct feed_support_change supports[FEED_EDIT_CHANGES_MAX];
};

/* The options, for a command's table. */
extern const struct opt_spec feed_edit_specs[];
extern const size_t feed_edit_n_specs;

MUST_USE enum errc feed_changes_init(struct feed_changes *c, struct err *err);
void feed_changes_fini(struct feed_changes *c);

/* feed_edit_option takes one of the options, and says in *out_taken whether it was one. --add,
 * --set, --withdraw and --remove begin a change, the others speak of the last --add or --set.
 * E_ARGUMENT, with a text for the user, for a value that is none. */
MUST_USE enum errc feed_edit_option(struct feed_changes *c, const char *name, const char *value,
                                    bool *out_taken, struct err *err);

/* feed_edit_apply changes the feed, all of it or, where it fails, in part: the feed is then of no
 * more use. New memory comes from the feed's arena; documents are borrowed. `now` is where a
 * rollout begins that has no start. E_ARGUMENT for a version that is there already (--add) or is
 * not there (the others), and for a rollout that makes no sense. */
MUST_USE enum errc feed_edit_apply(const struct feed_changes *c, struct feed *feed, int64_t now,
                                   struct err *err);

#endif
