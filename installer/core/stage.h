#ifndef SUREFOOT_CORE_STAGE_H
#define SUREFOOT_CORE_STAGE_H

/* stage.h: the new tree, whole and flushed, beside the old one, before anything is stopped. It is
 * made of the verified package's files (each byte hashed again on its way), of installed files that
 * are the very same (reused, see below), of configuration as the product file says, and of unlisted
 * files that are carried along.
 *
 * Reuse: a file of the installed tree whose hash is the release's: reflink first; a hard link only
 * where the file belongs to root or to us, no one else may write it, has no open writer, and mode,
 * owner and attributes are just what the new one's are to be; it is hashed through the new name
 * after linking. Otherwise it comes from the package. Configuration is never linked.
 *
 * Owners and attributes: what is at the same path in the installed tree gives its own; else the
 * nearest folder above that is there. Modes are the release's; configuration and carried files keep
 * theirs. Setuid and setgid bits that the release does not list are never set.
 *
 * What it does not check: the package (it was verified), and room on the disk (preflight). */

#include "installer/core/event.h"
#include "installer/core/setup.h"
#include "installer/core/survey.h"
#include "verify/package.h"

#define STAGE_STOPS_MAX 64
#define STAGE_CONFLICT_RESULT "UpgradeNotSupportedConfigurationConflict"

struct stage_ask {
    const struct setup *setup;
    const struct events *events;     /* or NULL */
    const char *tree;                /* the new one: not there yet, in a private folder */
    const char *pristine;            /* folder to make: the release's own configuration files */
    const char *old_tree;            /* NULL: none is installed */
    const struct survey *survey;     /* of old_tree */
    const struct payload *installed; /* what the installed release lists; NULL: not known */
    const char *old_pristine;        /* of the installed release; NULL: not known */
};

struct stage_stop {
    char path[256];
    char why[160]; /* "no base to merge from", "lines 12 to 14 were changed here and in 2.0.0" */
};

struct stage_report {
    uint64_t n_files, n_reused, bytes_written;
    size_t n_stops; /* configuration that can't be merged: nothing may be stopped then */
    struct stage_stop stops[STAGE_STOPS_MAX];
};

struct stage; /* what was made from what */

/* stage_build makes the tree and flushes it. E_MALFORMED, E_LIMIT, E_UNSUPPORTED: the archive is
 * not what the release document says. E_SPACE. After an error *out is NULL and whatever was made
 * lies in `tree` for the caller to sweep. With stops *out is there, and of no use but to be freed.
 */
MUST_USE enum errc stage_build(const struct stage_ask *ask, struct verified_package *package,
                               struct stage_report *report, struct stage **out, struct err *err);

/* stage_refresh, after the stop: configuration and carried files that have changed, come or gone
 * since stage_build are made again (E_EXISTS where a merge now has a conflict), and flushed. The
 * tree may have been built in another process before (`s` NULL): nothing is known then, E_ARGUMENT.
 * The ask must be as it was. */
MUST_USE enum errc stage_refresh(struct stage *s, struct err *err);

/* stage_moved: the tree has another name from now on. */
void stage_moved(struct stage *s, const char *tree);
void stage_free(struct stage *s);

/* stage_sweep takes away a whole tree of ours, whatever is in it; a symbolic link itself, a mount
 * point never (E_BUSY). E_OK where there is none. */
MUST_USE enum errc stage_sweep(struct platform *platform, const char *tree, struct err *err);

/* stage_check_tree holds a tree that was kept against the release that it came from: every listed
 * file, link and folder there with its hash, kind and mode, configuration and data aside.
 * E_REFUSED, naming the first that is not so. */
MUST_USE enum errc stage_check_tree(const struct setup *setup, const char *tree,
                                    const struct payload *payload, struct err *err);

#endif
