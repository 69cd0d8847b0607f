#ifndef SUREFOOT_PUBLISH_RELEASE_PRIVATE_H
#define SUREFOOT_PUBLISH_RELEASE_PRIVATE_H

/* release_private.h: what the files behind release_make.h share: a release on its way.
 * release_look.c finds out what was given and what is there; release_demand.c what clients are to
 * demand; release_put.c writes the payload and signs it; release_make.c has the order and the
 * document. */

#include "keys/publish/feed_place.h"
#include "keys/publish/release_make.h"
#include "manifest/arena.h"

#define RELEASE_DOCUMENT_NAME "release.xml"
#define RELEASE_WRITTEN_MAX (1 + SIGNERS_MAX)

/* A signature that this run has replaced. */
struct release_replaced {
    char path[RELEASE_MAKE_PATH_ROOM];
    struct buf bytes;
};

struct release_making {
    const struct release_ask *ask;
    struct release_made *made;
    struct platform *platform;
    struct arena arena;
    struct payload payload;
    bool has_old;
    struct release old;             /* the document that is there */
    struct source *source;          /* the file that was given; NULL for a folder */
    struct tree *tree;              /* the folder that was given; NULL for a file */
    struct buf document;            /* the new document */
    struct sink *sink;              /* of a payload that is not in its place yet, or NULL */
    bool made_dir;                  /* DIR */
    struct feed_place_lock lock;    /* of DIR */
    bool lacks_folder, made_folder; /* DIR/V */
    size_t n_written;
    char written[RELEASE_WRITTEN_MAX][RELEASE_MAKE_PATH_ROOM]; /* what this run has put there */
    size_t n_replaced;
    struct release_replaced replaced[SIGNERS_MAX];
    struct err *err;
};

/* --- paths */

/* release_name_path puts the path before the text of an error, and returns its code.
 * release_prefix_path does so with the release's own, unless `rc`, which it returns, is E_OK. */
enum errc release_name_path(const char *path, struct err *err);
enum errc release_prefix_path(const struct release_making *m, enum errc rc, const char *path);

/* release_join: DIR/V/NAME and, where `suffix` is not NULL, .SUFFIX. release_name_folder: DIR/V. */
MUST_USE enum errc release_join(const struct release_making *m, const char *name,
                                const char *suffix, char to[RELEASE_MAKE_PATH_ROOM]);
MUST_USE enum errc release_name_folder(const struct release_making *m,
                                       char to[RELEASE_MAKE_PATH_ROOM]);
MUST_USE enum errc release_kind_at(const struct release_making *m, const char *path,
                                   enum fs_kind *out);

/* release_refuse: bytes that clients would not take are E_REFUSED here, other errors what they are.
 */
enum errc release_refuse(enum errc rc, struct err *err);

/* --- the pieces of work, in their order */

/* release_check_folders, release_check_not_in_feed: is there a place for it, and may it go there?
 * The first makes DIR where only that is missing: all else would fail without it. */
MUST_USE enum errc release_check_folders(struct release_making *m);
MUST_USE enum errc release_check_not_in_feed(const struct release_making *m);

/* release_open_given finds out what was given (a folder, an installer package, else an archive),
 * for which system, and what its payload is called. */
MUST_USE enum errc release_open_given(struct release_making *m);

/* release_settle_demands fills in demands and mirrors. */
MUST_USE enum errc release_settle_demands(struct release_making *m);

/* release_read_old reads the document that is there, and says whether this payload may follow it.
 */
MUST_USE enum errc release_read_old(struct release_making *m);

/* release_check_places: is there no file but signatures where those of the payload are to go? */
MUST_USE enum errc release_check_places(const struct release_making *m);

/* release_list_unwanted lists what a folder that is packed must not hold, and returns how many
 * there are. The texts are the arena's. */
#define RELEASE_UNWANTED_MAX (2 + SIGNERS_FILES_MAX)
MUST_USE enum errc release_list_unwanted(struct release_making *m,
                                         struct tree_unwanted out[RELEASE_UNWANTED_MAX],
                                         size_t *out_n);

/* release_read_given reads all of what was given and fills in the rest of the payload; of a folder
 * size and hash come with release_write_payload. */
MUST_USE enum errc release_read_given(struct release_making *m);

/* release_check_msi_signature is E_REFUSED where a demanded Authenticode signature is missing or
 * broken. */
MUST_USE enum errc release_check_msi_signature(const struct release_making *m);

/* release_write_payload makes DIR/V where it is missing and writes the payload, which
 * release_place_payload flushes and puts in its place. What lies on the disk then is read once
 * more, through one handle (caller closes it with source_close): release_check_placed holds it
 * against the document, release_sign_payload signs it; the two may run side by side.
 * release_write_signatures writes what was signed. What was made or replaced is noted. */
MUST_USE enum errc release_write_payload(struct release_making *m);
MUST_USE enum errc release_place_payload(struct release_making *m, struct source **out_placed);
MUST_USE enum errc release_check_placed(const struct release_making *m, struct source *placed,
                                        struct err *err);
MUST_USE enum errc release_sign_payload(const struct release_making *m, struct source *placed,
                                        struct signatures *out, struct err *err);
MUST_USE enum errc release_write_signatures(struct release_making *m, const struct signatures *s);

#endif
