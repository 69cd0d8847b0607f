#ifndef SUREFOOT_MANIFEST_PATH_H
#define SUREFOOT_MANIFEST_PATH_H

/* path.h: which paths a release tree or an archive may hold. One rule on every system: a tree that
 * is accepted on Linux is safe on Windows and macOS too. A path is UTF-8, relative, "/" between its
 * components, no "/" at its end.
 *
 * Every accepted path is its own normal form (NFC): what is no starter (combining marks), what may
 * compose with what is before it (conjoining Hangul jamo, some vowel signs) and what another
 * character stands for (U+212B for U+00C5) is refused. So of two different accepted paths no two
 * normalise alike, and what is left to compare is case: path_fold.
 *
 * Closed by this, for the characters of Unicode 17.0 (tests/e2e/test_path_fold.py asks Python's
 * tables about each): NFC and NFD; upper, lower and full case folding, alone or with either form,
 * with and without the Turkish i; characters that some systems ignore (zero-width, variation
 * selectors) or take for others (U+F000..F0FF), which are refused; names that Windows makes up for
 * long ones (PROGRA~1), refused.
 * Not closed: characters that Unicode has added since and that a file system knows better than we;
 * compatibility forms (full-width A is another letter than A: no file system that we know joins
 * them); names converted to an 8-bit code page; letters that only look alike.
 *
 * What it does not check: what is on the disk. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define PATH_TREE_MAX 1024     /* bytes of a path */
#define PATH_COMPONENT_MAX 255 /* bytes, which are never fewer than the UTF-16 units */
#define PATH_DEPTH_MAX 64      /* components */
#define PATH_SET_MAX 1000000   /* paths of a tree */
#define PATH_FOLD_GROWTH 2     /* a key has at most so many times the bytes of its path */

/* path_check is E_OK for a path that a tree may hold. E_MALFORMED names the component and what is
 * wrong with it; E_LIMIT a path, component or depth past its maximum. */
MUST_USE enum errc path_check(struct span path, struct err *err);

/* path_check_link is E_OK where a symbolic link at `at` may point to `target`: `at` is a path of
 * the tree, `target` is relative and does not leave the tree. Its components are as path_check's;
 * "." may stand anywhere, ".." only before the first name (x/../y is elsewhere if x is itself a
 * link). So no chain of links leads out, if no path of the tree goes through a link:
 * path_set_check, where links are no folders. It does not check that the target exists, nor that
 * links do not go round in circles. Errors as path_check's. */
MUST_USE enum errc path_check_link(struct span at, struct span target, struct err *err);

/* path_fold appends a key, UTF-8 with "/" as in the path, that is equal for two paths which some
 * file system could take for one. It joins rather too much than too little. The path is one that
 * path_check accepts; of others it notices broken UTF-8, E_MALFORMED, and more than PATH_TREE_MAX
 * bytes, E_LIMIT. The buf needs a cap of PATH_FOLD_GROWTH times the path's bytes; E_LIMIT and
 * E_NOMEM are also the buf's. It is left as it was then. */
MUST_USE enum errc path_fold(struct span path, struct buf *out, struct err *err);

/* struct path_entry: what a tree has at a path. Only folders may have others below them. */
struct path_entry {
    struct span path;
    bool is_folder;
};

/* path_set_check is E_OK where the paths of a tree, each of which path_check accepts, can be side
 * by side on every file system. Folders need not be listed. E_MALFORMED where two of them clash:
 * they are equal or fold alike, one lies below the other and that is no folder, or they lie in one
 * folder and spell it differently; then alone *out_a and *out_b are written, the numbers of the two
 * (either may be NULL), and the message shows both. E_LIMIT past PATH_SET_MAX; E_NOMEM. Takes n log
 * n steps whatever the order, and fewest where the paths are listed folder by folder. */
MUST_USE enum errc path_set_check(const struct path_entry *entries, size_t n, size_t *out_a,
                                  size_t *out_b, struct err *err);

#endif
