#ifndef SUREFOOT_CORE_STAGE_PRIVATE_H
#define SUREFOOT_CORE_STAGE_PRIVATE_H

/* stage_private.h: what the pieces of a stage share; stage.c has the order of work. */

#include "installer/core/stage.h"
#include "verify/digest.h"

/* A configuration or carried file as it was when it was taken over. */
struct stage_taken {
    const char *path;    /* of the survey or the product file */
    struct fs_info info; /* FS_ABSENT: it was not there */
};

struct stage {
    struct stage_ask ask;
    char tree[SETUP_PATH_ROOM], pristine[SETUP_PATH_ROOM];
    char old_tree[SETUP_PATH_ROOM], old_pristine[SETUP_PATH_ROOM]; /* "": none */
    const struct payload *payload;
    struct platform *p;
    uint8_t *reused;       /* a bit for each of payload->files */
    struct fs_info root;   /* of the old tree, or of the folder that the new one is in */
    struct hasher *hasher; /* SHA-256 */
    struct stage_report *report;
    size_t n_taken, n_taken_room;
    struct stage_taken *taken;
};

bool stage_is_reused(const struct stage *s, size_t i);
MUST_USE enum errc stage_path(const struct stage *s, const char *rel, char to[SETUP_PATH_ROOM],
                              struct err *err);
MUST_USE enum errc stage_old_path(const struct stage *s, const char *rel, char to[SETUP_PATH_ROOM],
                                  struct err *err);

/* stage_file.c */
MUST_USE enum errc stage_make_parents(const struct stage *s, const char *root, const char *rel,
                                      struct err *err);
/* stage_dress gives a new file, folder or link the owner and attributes that it is to have, then
 * the mode (07777 and up: none). */
#define STAGE_NO_MODE 010000U
MUST_USE enum errc stage_dress(const struct stage *s, const char *rel, unsigned mode,
                               struct err *err);
MUST_USE enum errc stage_write_bytes(const struct stage *s, const char *path, struct span bytes,
                                     struct err *err);

/* stage_check_hash ends the running hash and is E_MALFORMED where it is not the release's. */
MUST_USE enum errc stage_check_hash(const struct stage *s, const struct release_file *file,
                                    struct err *err);

/* stage_reuse.c */
MUST_USE enum errc stage_reuse_all(struct stage *s, struct err *err);

/* stage_unpack.c: the archive's entries, each where it belongs. */
MUST_USE enum errc stage_unpack(struct stage *s, struct verified_package *package, struct err *err);

/* stage_configuration.c */
bool stage_is_configuration(const struct stage *s, const char *rel);
MUST_USE enum errc stage_configure_all(struct stage *s, struct err *err);
MUST_USE enum errc stage_configure_changed(struct stage *s, struct err *err);

/* stage_carry.c */
MUST_USE enum errc stage_carry_all(struct stage *s, struct err *err);
MUST_USE enum errc stage_carry_changed(struct stage *s, struct err *err);

/* stage_take remembers what was taken over; stage_find_taken gives it, or NULL. */
MUST_USE enum errc stage_take(struct stage *s, const char *path, const struct fs_info *info,
                              struct err *err);
struct stage_taken *stage_find_taken(struct stage *s, const char *path);
bool stage_is_same(const struct fs_info *a, const struct fs_info *b);

#endif
