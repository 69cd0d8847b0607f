/* What Windows has no way for, or none here yet: each says so, and none does it by halves. */

#include "platform/win32/fs_parts.h"

enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                   struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "access lists of files are not read on Windows yet");
}

enum errc fs_has_writer(void *self, const char *path, bool *out_has, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out_has);
    return err_set(err, E_UNSUPPORTED, "who writes to a file is not asked on Windows yet");
}

enum errc fs_make_private_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    return err_set(err, E_UNSUPPORTED, "private folders are not made on Windows yet");
}

enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err)
{
    UNUSED(self);
    UNUSED(target);
    UNUSED(path);
    return err_set(err, E_UNSUPPORTED, "symbolic links are not made on Windows");
}

enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err)
{
    UNUSED(self);
    UNUSED(from);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "second names are not given on Windows yet");
}

enum errc fs_clone(void *self, const char *from, const char *to, struct err *err)
{
    UNUSED(self);
    UNUSED(from);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "blocks of files are not shared on Windows");
}

enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(mode);
    return err_set(err, E_UNSUPPORTED, "files have no permission bits on Windows");
}

enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                       struct err *err)
{
    UNUSED(self);
    UNUSED(from);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "owners and access lists are not copied on Windows yet");
}

enum errc fs_exchange(void *self, const char *a, const char *b, struct err *err)
{
    UNUSED(self);
    UNUSED(a);
    UNUSED(b);
    return err_set(err, E_UNSUPPORTED, "Windows cannot exchange two names in one step");
}

enum errc fs_point(void *self, const char *link, const char *target, struct err *err)
{
    UNUSED(self);
    UNUSED(link);
    UNUSED(target);
    return err_set(err, E_UNSUPPORTED, "pointers are not kept as links on Windows");
}

enum errc fs_append(void *self, const char *path, struct span record, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(record);
    return err_set(err, E_UNSUPPORTED, "records are not added to files on Windows yet");
}

enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(size);
    return err_set(err, E_UNSUPPORTED, "files are not cut on Windows yet");
}

enum errc fs_sync_folder(void *self, const char *folder, struct err *err)
{
    UNUSED(self);
    UNUSED(folder);
    return err_set(err, E_UNSUPPORTED, "folders are not flushed on Windows yet");
}

enum errc fs_flush_tree(void *self, const char *folder, struct err *err)
{
    UNUSED(self);
    UNUSED(folder);
    return err_set(err, E_UNSUPPORTED, "trees are not flushed on Windows yet");
}

enum errc fs_lock(void *self, const char *path, struct fs_lock **out_lock, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out_lock);
    return err_set(err, E_UNSUPPORTED, "files are not locked on Windows yet");
}

void fs_unlock(void *self, struct fs_lock *lock)
{
    UNUSED(self);
    UNUSED(lock);
}

enum errc fs_is_mount_point(void *self, const char *path, bool *out_is, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out_is);
    return err_set(err, E_UNSUPPORTED, "mount points are not looked for on Windows yet");
}

enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                       struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(owner);
    UNUSED(group);
    return err_set(err, E_UNSUPPORTED, "owners are not set by number on Windows");
}

enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(mtime_ns);
    return err_set(err, E_UNSUPPORTED, "times are not set on Windows yet");
}

enum errc fs_is_locked(void *self, const char *path, bool *out_is, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out_is);
    return err_set(err, E_UNSUPPORTED, "locks are not looked for on Windows yet");
}

enum errc fs_can_write(void *self, const char *folder, bool *out_can, struct err *err)
{
    UNUSED(self);
    UNUSED(folder);
    UNUSED(out_can);
    return err_set(err, E_UNSUPPORTED, "rights are not looked at on Windows yet");
}
