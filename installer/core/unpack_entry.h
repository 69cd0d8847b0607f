#ifndef SUREFOOT_CORE_UNPACK_ENTRY_H
#define SUREFOOT_CORE_UNPACK_ENTRY_H

/* unpack_entry.h: the judge of an archive's entries. It sees each entry's name, kind, size, mode
 * and target before anything is done with it, remembers what was there before, and refuses what no
 * release tree may hold. It is pure: names in, a yes or an error out. What it accepts, one entry
 * after another, can be written into an empty folder on any system without leaving the folder,
 * without two entries meeting in one place, and within the limits.
 *
 * Refused (E_MALFORMED): every path that path_check refuses; a second entry at a path, also in
 * another case (path_fold), and a folder spelt in two ways; anything below what is no folder;
 * device nodes, named pipes, sockets; setuid, setgid and sticky bits; encrypted entries; links that
 * leave the tree; hard links to what was not yet seen as a file, or with bytes of their own.
 * Refused (E_LIMIT): what is past one of the limits.
 *
 * What it does not check: that a link's target exists; that the bytes that come are as many as the
 * size says (unpack_data does); whether the entry belongs to a release (the release document's
 * list does). */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

enum unpack_kind {
    UNPACK_NONE = 0,
    UNPACK_FILE,
    UNPACK_FOLDER,
    UNPACK_LINK,     /* symbolic */
    UNPACK_HARDLINK, /* another name of a file that came before */
    UNPACK_DEVICE,   /* from here on: never accepted */
    UNPACK_FIFO,
    UNPACK_SOCKET,
};

/* An entry. `path` has no "/" at its end. `target` is a link's, as it stands there, or the path of
 * the file that a hard link names. Spans are valid until the next entry is read. */
struct unpack_entry {
    enum unpack_kind kind;
    struct span path, target;
    uint64_t size; /* bytes of a file, else 0 */
    unsigned mode; /* permission bits */
    bool is_encrypted;
};

/* unpack_entry_kind_of_mode is the kind that the high bits of a Unix mode say, UNPACK_NONE where
 * they say none. */
enum unpack_kind unpack_entry_kind_of_mode(unsigned mode);

/* What is too much. The ratio is that of everything unpacked to the archive's own size, once more
 * than `ratio_free_bytes` are out. */
struct unpack_limits {
    uint64_t entry_bytes, total_bytes;
    uint64_t ratio, ratio_free_bytes;
    uint32_t n_entries, depth;
};

/* unpack_entry_limits is what suits a server product: a million entries 32 folders deep, 16 GiB in
 * one and 64 GiB in all, 250 : 1 past 64 MiB. */
struct unpack_limits unpack_entry_limits(void);

/* unpack_entry_check_ratio is E_LIMIT where `unpacked` bytes are too many for `packed`. */
MUST_USE enum errc unpack_entry_check_ratio(const struct unpack_limits *limits, uint64_t unpacked,
                                            uint64_t packed, struct err *err);

/* A judge of one archive of `packed` bytes. Caller frees with unpack_entry_judge_free. */
struct unpack_entry_judge;
MUST_USE enum errc unpack_entry_judge_new(const struct unpack_limits *limits, uint64_t packed,
                                          struct unpack_entry_judge **out, struct err *err);
void unpack_entry_judge_free(struct unpack_entry_judge *j);

/* unpack_entry_judge accepts the next entry and remembers it (its strings are copied), or says why
 * not: E_MALFORMED, E_LIMIT, naming the entry. After an error the judge is of no more use. */
MUST_USE enum errc unpack_entry_judge(struct unpack_entry_judge *j, const struct unpack_entry *e,
                                      struct err *err);

#endif
