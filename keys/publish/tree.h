#ifndef SUREFOOT_PUBLISH_TREE_H
#define SUREFOOT_PUBLISH_TREE_H

/* tree.h: a folder of built files, as it is to be released: files, symbolic links and, where asked
 * or empty, folders; sorted bytewise by path, each file with its size and SHA-256. The same files
 * give the same list whatever the order they were made in, the umask, the clock or the owner: modes
 * are 755 where anyone may execute a file and 644 elsewhere, hard links are files of their own,
 * times and owners are left out.
 *
 * Refused: paths that no release tree may hold (path_check), and ones that can't be side by side on
 * every system (path_set_check); links that leave the tree; devices, pipes and sockets; setuid,
 * setgid and sticky bits of files; trees of more than TREE_ENTRIES_MAX entries; the files and
 * folders that the caller does not want in it, by whatever name.
 *
 * Someone may write in the folder while it is read. A link in the place of a file that was listed
 * is never followed. A folder above it that was exchanged, for a link too, is noticed where it
 * still is when the file has been opened: the path then leads to another file than the one listed.
 * What is not noticed: a folder that is exchanged and put back around that very moment, and a file
 * whose bytes change after its hash was taken (pack_tree notices that). A file system that numbers
 * its files anew meanwhile can't be packed from. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/platform.h"
#include "verify/digest.h"

#define TREE_ENTRIES_MAX 500000
#define TREE_HEAD_MAX (64U * 1024)

enum tree_kind { TREE_FILE = 1, TREE_FOLDER, TREE_LINK };

struct tree_entry {
    enum tree_kind kind;
    const char *path;     /* UTF-8, relative, "/" between its components */
    const char *target;   /* of a link, else NULL */
    uint64_t size;        /* bytes of a file, else 0 */
    unsigned mode;        /* 0644 or 0755; 0777 of a link */
    uint64_t id[2];       /* fs_info's, when it was listed */
    struct digest sha256; /* of a file; a len of 0: not hashed yet */
};

/* Called from one thread at a time, more and more `done` bytes of `total`. */
typedef void (*tree_progress_fn)(void *ctx, uint64_t done, uint64_t total);

/* Looks at the first TREE_HEAD_MAX bytes of a file, or at all of a smaller one, and may refuse it.
 * Called from several threads at once. */
typedef enum errc (*tree_head_fn)(void *ctx, struct span head, struct err *err);

/* A file or folder that the tree must not hold, and be it under another name. */
struct tree_unwanted {
    uint64_t id[2];  /* fs_info's */
    const char *why; /* "is the release folder: ..." */
};

struct tree_options {
    bool lists_folders;  /* all of them, not the empty ones alone */
    bool leaves_hashing; /* pack_tree hashes the files, which it reads anyway */
    const struct tree_unwanted *unwanted;
    size_t n_unwanted;
    tree_progress_fn progress;
    void *progress_ctx; /* may be NULL, as may progress */
};

struct tree;

/* tree_read lists `folder` and hashes its files on all cores, unless that is left. E_MALFORMED for
 * what is refused above, naming the path, or both; E_ARGUMENT with its `why` for what is not
 * wanted; E_BUSY where a folder was exchanged meanwhile; E_LIMIT; E_UNSUPPORTED for links on
 * Windows; and what reading fails with. `p` is borrowed and must outlive the tree. Caller frees
 * with tree_free. */
MUST_USE enum errc tree_read(struct platform *p, const char *folder,
                             const struct tree_options *options, struct tree **out,
                             struct err *err);
void tree_free(struct tree *t);

size_t tree_n(const struct tree *t);
const struct tree_entry *tree_get(const struct tree *t, size_t i);

/* tree_set_sha256 fills in the hash of file number `i`, which had none. */
void tree_set_sha256(struct tree *t, size_t i, const struct digest *sha256);

/* tree_bytes is the sum of all sizes. */
uint64_t tree_bytes(const struct tree *t);

/* tree_open opens file number `i` again, never through a link in its place (E_ACCESS). E_BUSY,
 * naming it, where it is another file now; E_MALFORMED where it is of another size. Caller ends it
 * with source_close. May be called from several threads. */
MUST_USE enum errc tree_open(const struct tree *t, size_t i, struct source **out, struct err *err);

/* tree_identify says what a path leads to in the end, FS_ABSENT where that is nothing; E_LIMIT for
 * links in a ring. Where links can't be read, as on Windows, it is the link itself. */
MUST_USE enum errc tree_identify(struct platform *p, const char *path, struct fs_info *out,
                                 struct err *err);

#endif
