#ifndef SUREFOOT_CORE_SURVEY_H
#define SUREFOOT_CORE_SURVEY_H

/* survey.h: a picture of the installed tree: what the releases list, what the product file says of
 * the rest, and what stands in the way of an upgrade. Names and sizes alone; no file is read.
 *
 * What it does not check: whether listed files are as the release has them (stage.h does, where it
 * reuses them). */

#include "installer/core/setup.h"
#include "manifest/release.h"

#define SURVEY_ENTRIES_MAX 1000000

enum survey_class {
    SURVEY_LISTED,        /* by the installed release or the one to come */
    SURVEY_CONFIGURATION, /* of <configuration> */
    SURVEY_DATA,    /* a <data path>: the folder or file itself; what is in it is not listed */
    SURVEY_CARRY,   /* unlisted, comes along */
    SURVEY_LEAVE,   /* unlisted, stays behind */
    SURVEY_STOP,    /* unlisted, and the upgrade may not begin */
    SURVEY_FOREIGN, /* a mount point, a device, a socket: nothing that an upgrade can take along */
};

struct survey_entry {
    const char *path; /* relative to the tree */
    enum survey_class class;
    struct fs_info info;
};

struct survey {
    size_t n;
    struct survey_entry
        *entries; /* sorted bytewise by path; a folder stands before what is in it */
    size_t n_of[SURVEY_FOREIGN + 1];
    uint64_t carry_bytes; /* of files that are copied: CARRY and CONFIGURATION */
    uint64_t *data_bytes; /* by place in product.files.data, inside the tree or outside */
    void *memory;         /* the caller does not look in here */
};

/* survey_make walks the tree. `installed` and `coming` are payloads of releases, or NULL where they
 * are not known; `tree` is NULL where nobody but Windows Installer knows its files: then only
 * data outside is looked at. Folders count as listed where they hold something listed. Caller frees
 * with survey_free; NULL is fine. */
MUST_USE enum errc survey_make(const struct setup *setup, const char *tree,
                               const struct payload *installed, const struct payload *coming,
                               struct survey **out, struct err *err);
void survey_free(struct survey *s);

/* survey_find is the entry at this path, NULL where there is none. */
const struct survey_entry *survey_find(const struct survey *s, const char *path);

#endif
