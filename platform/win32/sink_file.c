#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <bcrypt.h>

#include "platform/sink.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define SIDE_NAME_LEN 40 /* "\.surefoot-", hex digits, NUL, and some to spare */

struct file_sink {
    struct sink base;
    HANDLE handle; /* NULL once closed */
    unsigned flags;
    bool is_temporary_there;
    wchar_t *path;      /* the name that the file gets */
    wchar_t *temporary; /* in the same folder */
};

static enum errc file_write(struct sink *s, struct span bytes, struct err *err)
{
    const struct file_sink *file = (const struct file_sink *)s;
    while (bytes.len > 0) {
        DWORD n = 0;
        DWORD want = bytes.len > (1U << 30) ? (1U << 30) : (DWORD)bytes.len;
        if (!WriteFile(file->handle, bytes.ptr, want, &n, NULL))
            return w32_err_set(err, GetLastError(), "cannot write");
        if (n == 0)
            return err_set(err, E_IO, "cannot write: the device takes nothing");
        bytes = span_of(bytes.ptr + n, bytes.len - n);
    }
    return E_OK;
}

static enum errc file_commit(struct sink *s, struct err *err)
{
    struct file_sink *file = (struct file_sink *)s;
    const bool is_flushed = (file->flags & SINK_UNFLUSHED) == 0;
    DWORD how = is_flushed ? MOVEFILE_WRITE_THROUGH : 0;
    if ((file->flags & (SINK_NO_REPLACE | SINK_UNFLUSHED)) == 0)
        how |= MOVEFILE_REPLACE_EXISTING;
    if (is_flushed && !FlushFileBuffers(file->handle))
        return w32_err_set(err, GetLastError(), "cannot flush to the device");
    HANDLE handle = file->handle;
    file->handle = NULL;
    if (!CloseHandle(handle))
        return w32_err_set(err, GetLastError(), "cannot write to the end");
    if (!MoveFileExW(file->temporary, file->path, how)) {
        DWORD os = GetLastError();
        if (os == ERROR_ALREADY_EXISTS || os == ERROR_FILE_EXISTS)
            return err_set(err, E_EXISTS, "is there already, and is not replaced");
        return w32_err_set(err, os, "cannot put the finished file in place");
    }
    file->is_temporary_there = false;
    return E_OK;
}

static void file_close(struct sink *s)
{
    struct file_sink *file = (struct file_sink *)s;
    if (file->handle != NULL)
        (void)CloseHandle(file->handle);
    if (file->is_temporary_there)
        (void)DeleteFileW(file->temporary);
    free(file->temporary);
    free(file->path);
    free(file);
}

static HANDLE create_new(const wchar_t *path, SECURITY_ATTRIBUTES *security)
{
    return CreateFileW(path, GENERIC_WRITE | GENERIC_READ | READ_CONTROL, 0, security, CREATE_NEW,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

static enum errc create_private(const wchar_t *path, HANDLE *out_handle, struct err *err)
{
    SECURITY_ATTRIBUTES security = { .nLength = sizeof(security) };
    enum errc rc = security_private(&security.lpSecurityDescriptor, err);
    if (rc != E_OK)
        return rc;
    *out_handle = create_new(path, &security);
    DWORD os = GetLastError();
    (void)LocalFree(security.lpSecurityDescriptor);
    if (*out_handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, os, "cannot write in its folder");
    return E_OK;
}

static enum errc open_temporary(struct file_sink *file, struct err *err)
{
    HANDLE handle = INVALID_HANDLE_VALUE;
    enum errc rc = E_OK;
    bool is_private = (file->flags & SINK_PRIVATE) != 0;
    if (is_private)
        rc = create_private(file->temporary, &handle, err);
    else if ((handle = create_new(file->temporary, NULL)) == INVALID_HANDLE_VALUE)
        rc = w32_err_set(err, GetLastError(), "cannot write in its folder");
    if (rc != E_OK)
        return rc;
    file->handle = handle;
    file->is_temporary_there = true;
    return is_private ? security_check_private(handle, err) : E_OK;
}

static enum errc check_name_is_free(const struct file_sink *file, struct err *err)
{
    DWORD attributes = GetFileAttributesW(file->path);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        DWORD os = GetLastError();
        return os == ERROR_FILE_NOT_FOUND ? E_OK : w32_err_set(err, os, "cannot look at");
    }
    if ((file->flags & (SINK_NO_REPLACE | SINK_UNFLUSHED)) != 0)
        return err_set(err, E_EXISTS, "is there already, and is not replaced");
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return err_set(err, E_ARGUMENT, "is a folder; name a file in it");
    if ((attributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DEVICE)) != 0)
        return err_set(err, E_ARGUMENT, "is there, is no regular file, and so is not replaced");
    return E_OK;
}

/* Both paths: that of the file, and one beside it with a random name. */
static enum errc set_paths(struct file_sink *file, const char *path, struct err *err)
{
    unsigned char random[12];
    enum errc rc = w32_path(path, &file->path, err);
    if (rc != E_OK)
        return rc;
    size_t len = wcslen(file->path);
    file->temporary = calloc(len + SIDE_NAME_LEN, sizeof(*file->temporary));
    if (file->temporary == NULL)
        return err_nomem(err);
    if (BCryptGenRandom(NULL, random, sizeof(random), BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
        return err_set(err, E_IO, "the system gives no random bytes");
    wmemcpy(file->temporary, file->path, len);
    wchar_t *slash = wcsrchr(file->temporary, L'\\');
    if (slash == NULL || slash[1] == L'\0')
        return err_set(err, E_ARGUMENT, "is no name of a file");
    wchar_t *end = slash + 1 + swprintf(slash + 1, SIDE_NAME_LEN, L".surefoot-");
    for (size_t i = 0; i < sizeof(random); i++)
        end += swprintf(end, 3, L"%02x", (unsigned)random[i]);
    return E_OK;
}

enum errc sink_file_create(const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    static const struct sink_ops ops = { file_write, file_commit, file_close };
    struct file_sink *file = malloc(sizeof(*file));
    if (file == NULL)
        return err_nomem(err);
    *file = (struct file_sink){ .base = { .ops = &ops }, .flags = flags };
    enum errc rc = set_paths(file, path, err);
    if (rc == E_OK)
        rc = check_name_is_free(file, err);
    if (rc == E_OK)
        rc = open_temporary(file, err);
    if (rc == E_OK)
        *out_sink = &file->base;
    else
        file_close(&file->base);
    return rc;
}
