/* Pointers are junctions, which any administrator may make (symbolic links need a privilege of
 * their own). A junction's target is absolute. A pointer's is as it is given, mostly relative to
 * the folder that it is in: it is made absolute when it is set, and read as relative where it lies
 * below that folder, so that what was set is what is read. If the folder itself gets another name
 * its pointers lead to the old one until they are set again.
 *
 * One that is there is made to lead elsewhere by one change of the file system; a new one is made
 * under another name and then gets its own, so that it is at no time a folder without contents.
 * Each is read back: a file system that takes it and keeps it not has no pointers. */

#include <windows.h>

#include <bcrypt.h>
#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/reparse.h"
#include "platform/win32/w32.h"

#define PREFIX_LEN 4 /* of \\?\ */
#define SIDE_NAME_LEN 40

/* --- reading */

/* Where `target` is below `folder`, what comes behind it; else NULL. */
static const wchar_t *below(const wchar_t *target, const wchar_t *folder)
{
    size_t len = wcslen(folder);
    while (len > 0 && folder[len - 1] == L'\\')
        len--;
    return _wcsnicmp(target, folder, len) == 0 && target[len] == L'\\' && target[len + 1] != L'\0'
               ? target + len + 1
               : NULL;
}

static enum errc add_target(const wchar_t *wide, const wchar_t *target, struct buf *out,
                            struct err *err)
{
    char *text = NULL;
    wchar_t *folder = fs_parent_of(wide);
    if (folder == NULL)
        return err_nomem(err);
    const wchar_t *rest = below(target, folder + PREFIX_LEN);
    enum errc rc = w32_utf8(rest != NULL ? rest : target, &text, err);
    if (rc == E_OK) {
        for (char *c = text; *c != '\0'; c++)
            if (*c == '\\')
                *c = '/';
        rc = buf_add_text(out, text, err);
    }
    free(text);
    free(folder);
    return rc;
}

enum errc fs_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    wchar_t *wide = NULL, *target = NULL;
    enum reparse_kind link = REPARSE_NONE;
    bool is_relative = false;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK && reparse_attributes(wide) == INVALID_FILE_ATTRIBUTES)
        rc = w32_err_set(err, GetLastError(), "cannot read the link");
    if (rc == E_OK)
        rc = fs_link_kind(wide, &link, err);
    if (rc == E_OK && link != REPARSE_JUNCTION && link != REPARSE_SYMLINK)
        rc = err_set(err, E_ARGUMENT, "is no link");
    if (rc == E_OK)
        rc = reparse_get(wide, &target, &is_relative, err);
    if (rc == E_OK)
        rc = add_target(wide, target, out, err);
    free(target);
    free(wide);
    return rc;
}

/* --- setting */

/* Takes `link` as w32_path makes it; gives an absolute path without a prefix. */
static enum errc make_absolute(const wchar_t *link, const char *target, wchar_t **out,
                               struct err *err)
{
    wchar_t *folder = fs_parent_of(link), *wide = NULL;
    char *text = NULL;
    struct buf joined;
    if (folder == NULL)
        return err_nomem(err);
    buf_init(&joined, 128 * 1024);
    const bool is_absolute =
        target[0] == '/' || target[0] == '\\' || (target[0] != '\0' && target[1] == ':');
    enum errc rc = w32_utf8(folder + PREFIX_LEN, &text, err);
    if (rc == E_OK && !is_absolute)
        rc = buf_add_text(&joined, text, err);
    if (rc == E_OK && !is_absolute)
        rc = buf_add_byte(&joined, '\\', err);
    if (rc == E_OK)
        rc = buf_add_text(&joined, target, err);
    if (rc == E_OK)
        rc = buf_add_byte(&joined, '\0', err);
    if (rc == E_OK)
        rc = w32_path((const char *)joined.ptr, &wide, err);
    if (rc == E_OK && wide[PREFIX_LEN + 1] != L':')
        rc = err_set(err, E_UNSUPPORTED, "leads to another machine, which no junction can");
    if (rc == E_OK)
        *out = _wcsdup(wide + PREFIX_LEN);
    if (rc == E_OK && *out == NULL)
        rc = err_nomem(err);
    free(wide);
    free(text);
    free(folder);
    buf_fini(&joined);
    return rc;
}

static enum errc set_and_check(const wchar_t *at, const wchar_t *target, struct err *err)
{
    wchar_t *now = NULL;
    bool is_relative = false;
    enum errc rc = reparse_set(at, target, err);
    if (rc != E_OK)
        return rc;
    rc = reparse_get(at, &now, &is_relative, err);
    if (rc != E_OK || is_relative || _wcsicmp(now, target) != 0)
        rc = err_set(err, E_UNSUPPORTED, "its file system does not keep junctions");
    free(now);
    return rc;
}

static enum errc side_name(const wchar_t *link, wchar_t **out, struct err *err)
{
    unsigned char random[12];
    const size_t len = wcslen(link), room = len + SIDE_NAME_LEN;
    wchar_t *name = calloc(room, sizeof(*name));
    if (name == NULL)
        return err_nomem(err);
    if (BCryptGenRandom(NULL, random, sizeof(random), BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
        free(name);
        return err_set(err, E_IO, "the system gives no random bytes");
    }
    wmemcpy(name, link, len);
    wchar_t *end = wcsrchr(name, L'\\') + 1;
    end += swprintf(end, SIDE_NAME_LEN, L".surefoot-");
    for (size_t i = 0; i < sizeof(random); i++)
        end += swprintf(end, 3, L"%02x", (unsigned)random[i]);
    *end = L'\0';
    *out = name;
    return E_OK;
}

static enum errc point_new(const wchar_t *link, const wchar_t *target, struct err *err)
{
    wchar_t *side = NULL;
    struct err ignored;
    enum errc rc = side_name(link, &side, err);
    if (rc != E_OK)
        return rc;
    if (!CreateDirectoryW(side, NULL)) {
        rc = w32_err_set(err, GetLastError(), "cannot make a link in its folder");
        free(side);
        return rc;
    }
    rc = set_and_check(side, target, err);
    if (rc == E_OK) {
        const DWORD os = reparse_rename(side, link);
        if (os != ERROR_SUCCESS)
            rc = w32_err_set(err, os, "cannot put the new link in place");
    }
    if (rc != E_OK)
        (void)!reparse_remove(side, &ignored);
    free(side);
    return rc;
}

static enum errc point_wide(const wchar_t *link, const wchar_t *target, struct err *err)
{
    enum reparse_kind kind = REPARSE_NONE;
    if (reparse_attributes(link) == INVALID_FILE_ATTRIBUTES) {
        const DWORD os = GetLastError();
        return os == ERROR_FILE_NOT_FOUND ? point_new(link, target, err)
                                          : w32_err_set(err, os, "cannot look at");
    }
    enum errc rc = fs_link_kind(link, &kind, err);
    if (rc == E_OK && kind != REPARSE_JUNCTION)
        rc = err_set(err, E_EXISTS, "is there, is no junction, and so is not replaced");
    return rc == E_OK ? set_and_check(link, target, err) : rc;
}

enum errc fs_point(void *self, const char *link, const char *target, struct err *err)
{
    wchar_t *wide = NULL, *absolute = NULL;
    UNUSED(self);
    enum errc rc = w32_path(link, &wide, err);
    if (rc == E_OK)
        rc = make_absolute(wide, target, &absolute, err);
    if (rc == E_OK)
        rc = point_wide(wide, absolute, err);
    free(absolute);
    free(wide);
    return rc;
}
