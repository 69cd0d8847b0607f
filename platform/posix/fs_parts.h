#ifndef SUREFOOT_POSIX_FS_PARTS_H
#define SUREFOOT_POSIX_FS_PARTS_H

/* fs_parts.h: operations of fs_ops that have files of their own; platform.h says what they do. */

#include "platform/platform.h"

/* fs_guard.c */
enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                   struct err *err);

/* fs_owner.c */
enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err);
enum errc fs_make_private_folder(void *self, const char *path, struct err *err);
enum errc fs_make_readable_folder(void *self, const char *path, struct err *err);
enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                       struct err *err);

enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                       struct err *err);
enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err);

/* fs_attributes.c: the second half of the one above, by paths whose links are followed. */
MUST_USE enum errc fs_copy_attributes(const char *from, const char *to, struct err *err);

/* fs_names.c */
enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err);
enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err);
enum errc fs_clone(void *self, const char *from, const char *to, struct err *err);
enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err);
enum errc fs_exchange(void *self, const char *a, const char *b, struct err *err);
enum errc fs_point(void *self, const char *link, const char *target, struct err *err);

/* fs_own.c: files that none but we write to. fs_open_own opens one as append has it, and makes it
 * where `may_make`. Caller closes *out_fd. */
MUST_USE enum errc fs_open_own(const char *path, int flags, bool may_make, int *out_fd,
                               bool *out_is_new, struct err *err);
enum errc fs_append(void *self, const char *path, struct span record, struct err *err);
enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err);

/* fs_lock.c */
enum errc fs_lock(void *self, const char *path, struct fs_lock **out_lock, struct err *err);
void fs_unlock(void *self, struct fs_lock *lock);

enum errc fs_is_locked(void *self, const char *path, bool *out_is, struct err *err);

/* fs_volume.c */
enum errc fs_can_write(void *self, const char *folder, bool *out_can, struct err *err);
enum errc fs_sync_folder(void *self, const char *folder, struct err *err);
enum errc fs_flush_tree(void *self, const char *folder, struct err *err);
enum errc fs_free_bytes(void *self, const char *path, uint64_t *out_bytes, struct err *err);
enum errc fs_is_mount_point(void *self, const char *path, bool *out_is, struct err *err);
enum errc fs_has_writer(void *self, const char *path, bool *out_has, struct err *err);

#endif
