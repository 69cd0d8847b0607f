#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "platform/source.h"
#include "platform/win32/w32.h"

struct file_source {
    struct source base;
    HANDLE handle;
};

/* A read with an offset of its own: safe from several threads, and the handle's position means
 * nothing. */
static enum errc read_once(HANDLE handle, uint64_t at, void *to, size_t len, DWORD *out_n,
                           struct err *err)
{
    OVERLAPPED where = { .Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32) };
    DWORD want = len > (1U << 30) ? (1U << 30) : (DWORD)len;
    if (!ReadFile(handle, to, want, out_n, &where) && GetLastError() != ERROR_HANDLE_EOF)
        return w32_err_set(err, GetLastError(), "cannot read at %" PRIu64, at);
    return E_OK;
}

static enum errc file_read_at(struct source *src, uint64_t at, void *to, size_t len,
                              struct err *err)
{
    const struct file_source *file = (const struct file_source *)src;
    uint8_t *fill = to;
    while (len > 0) {
        DWORD n = 0;
        enum errc rc = read_once(file->handle, at, fill, len, &n, err);
        if (rc != E_OK)
            return rc;
        if (n == 0)
            return err_set(err, E_TRUNCATED,
                           "the file became shorter while it was read, it ends at %" PRIu64, at);
        fill += n;
        at += n;
        len -= n;
    }
    return E_OK;
}

static void file_close(struct source *src)
{
    struct file_source *file = (struct file_source *)src;
    (void)CloseHandle(file->handle);
    free(file);
}

static const struct source_ops file_ops = { file_read_at, file_close };

bool w32_source_handle(const struct source *src, HANDLE *out)
{
    if (src->ops != &file_ops)
        return false;
    *out = ((const struct file_source *)src)->handle;
    return true;
}

/* check_is_file gives what is known of it to *out, whose operations it leaves. */
static enum errc check_is_file(HANDLE handle, bool opened_itself, struct source *out,
                               struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (GetFileType(handle) != FILE_TYPE_DISK)
        return err_set(err, E_ARGUMENT, "is no regular file");
    if (!GetFileInformationByHandle(handle, &info))
        return w32_err_set(err, GetLastError(), "cannot look at");
    if (opened_itself && (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return err_set(err, E_ACCESS, "is a link of some kind, which is not followed");
    if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return err_set(err, E_ARGUMENT, "is a folder; name the files in it");
    out->size = ((uint64_t)info.nFileSizeHigh << 32) | info.nFileSizeLow;
    out->id[0] = info.dwVolumeSerialNumber;
    out->id[1] = ((uint64_t)info.nFileIndexHigh << 32) | info.nFileIndexLow;
    return E_OK;
}

/* `how`: FILE_FLAG_OPEN_REPARSE_POINT opens a link itself, which then is refused. */
static enum errc open_source(const char *path, DWORD how, struct source **out_src, struct err *err)
{
    wchar_t *wide = NULL;
    struct file_source *file = NULL;
    struct source base = { .ops = &file_ops };
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    /* Others may read it; nobody may write or delete it while we hold it. BACKUP_SEMANTICS: so that
     * a folder opens and can be told from a file that is denied. */
    HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                                FILE_FLAG_SEQUENTIAL_SCAN | FILE_FLAG_BACKUP_SEMANTICS | how, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        rc = w32_err_set(err, GetLastError(), "cannot open");
    else
        rc = check_is_file(handle, how != 0, &base, err);
    if (rc == E_OK) {
        file = malloc(sizeof(*file));
        rc = file == NULL ? err_nomem(err) : E_OK;
    }
    if (rc == E_OK) {
        *file = (struct file_source){ .base = base, .handle = handle };
        *out_src = &file->base;
    } else if (handle != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(handle);
    }
    free(wide);
    return rc;
}

enum errc source_file_open(const char *path, struct source **out_src, struct err *err)
{
    return open_source(path, 0, out_src, err);
}

enum errc w32_source_open_nofollow(const char *path, struct source **out_src, struct err *err)
{
    return open_source(path, FILE_FLAG_OPEN_REPARSE_POINT, out_src, err);
}
