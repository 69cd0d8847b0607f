#ifndef SUREFOOT_CORE_TREE_MATCH_H
#define SUREFOOT_CORE_TREE_MATCH_H

/* tree_match.h: is an archive exactly the tree that the release document lists, no more and no
 * less? Entries are told one after another; each answer says what the document has at that path.
 * Modes are the document's: those in the archive are not looked at.
 *
 * What it does not check: whether paths are safe (the reader of the document and the judge of
 * entries have done so), and the bytes of files: the caller holds their hash against the answer. */

#include "installer/core/unpack_entry.h"
#include "manifest/path.h"
#include "manifest/release.h"

struct tree_match;

/* tree_match_new begins; `payload` must outlive it. Caller frees with tree_match_free. */
MUST_USE enum errc tree_match_new(const struct payload *payload, struct tree_match **out,
                                  struct err *err);
void tree_match_free(struct tree_match *m);

/* tree_match_entry tells one entry. For a file, also one that is a hard link, *out_file is the
 * document's (its hash is to be checked); NULL for folders and links. E_MALFORMED where the
 * document does not list it so: path, kind, size, a link's target. A folder must be listed or hold
 * something that is. */
MUST_USE enum errc tree_match_entry(struct tree_match *m, const struct unpack_entry *entry,
                                    const struct release_file **out_file, struct err *err);

/* tree_match_end is E_MALFORMED, naming the first, where something that the document lists did not
 * come. Folders may be missing: they are made. */
MUST_USE enum errc tree_match_end(const struct tree_match *m, struct err *err);

#endif
