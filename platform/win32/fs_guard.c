/* Whose word counts on a path: each component from the root of its volume on is opened, itself and
 * not what it leads to, and its owner and access list are judged by acl.h. One that was judged
 * stays what it is, since no other can rename it or what is in it.
 *
 * Not judged: privileges (whoever may restore backups may write everything), programs that hold a
 * component open from before, and rights on a share of another machine, which is refused whole. Not
 * yet seen on Microsoft's own Windows; wine shows a host's permission bits as access lists. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/fs_parts.h"
#include "platform/win32/reparse.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define LINKS_MAX 40
#define PREFIX_LEN 4 /* of \\?\ */

struct walk {
    struct security_self self;
    wchar_t *path;  /* as w32_path makes it */
    size_t root;    /* length of the volume's root with its backslash */
    size_t end;     /* of the component that is judged */
    bool in_shared; /* others may make files in the folder above it */
    unsigned flags;
    int n_links;
    struct fs_guard *out;
};

/* --- saying what is wrong */

static void show_path(const struct walk *w, char *to, size_t room)
{
    char *text = NULL;
    wchar_t end = w->path[w->end];
    w->path[w->end] = L'\0';
    if (w32_utf8(w->path + PREFIX_LEN, &text, NULL) == E_OK)
        (void)text_printable(span_text(text), to, room);
    else
        to[0] = '\0';
    w->path[w->end] = end;
    free(text);
}

static void name_culprit(const struct walk *w, const char *why)
{
    *w->out = (struct fs_guard){ .is_safe = false };
    show_path(w, w->out->path, sizeof(w->out->path));
    (void)text_copy(w->out->why, sizeof(w->out->why), why);
}

/* --- the root */

/* A drive of one's own (subst) leads to a folder that nobody has judged. */
static bool is_real_drive(const wchar_t *drive)
{
    wchar_t device[512];
    if (QueryDosDeviceW(drive, device, ARRAY_LEN(device)) == 0)
        return false;
    return wcsncmp(device, L"\\??\\", 4) != 0;
}

static const char *why_root_unfit(const wchar_t *path)
{
    wchar_t drive[4] = { path[PREFIX_LEN], L':', L'\0', L'\0' };
    if (_wcsnicmp(path + PREFIX_LEN, L"UNC\\", 4) == 0)
        return "lies on another machine, whose administrators are others";
    if (path[PREFIX_LEN + 1] != L':')
        return NULL;
    if (!is_real_drive(drive))
        return "is a drive that stands for a folder";
    drive[2] = L'\\';
    return GetDriveTypeW(drive) == DRIVE_REMOTE
               ? "lies on another machine, whose administrators are others"
               : NULL;
}

static enum errc go_to_root(struct walk *w, struct err *err)
{
    const wchar_t *slash = wcschr(w->path + PREFIX_LEN, L'\\');
    if (slash == NULL)
        return err_set(err, E_ARGUMENT, "is no path from the root of a volume");
    w->root = w->end = (size_t)(slash - w->path) + 1;
    w->in_shared = false;
    const char *why = why_root_unfit(w->path);
    if (why != NULL)
        name_culprit(w, why);
    return E_OK;
}

/* --- one component */

static bool is_last(const struct walk *w)
{
    return w->path[w->end + wcsspn(w->path + w->end, L"\\")] == L'\0';
}

static enum acl_place place_of(const struct walk *w, bool is_folder, bool is_link)
{
    if (is_link || !is_folder || is_last(w))
        return ACL_AT_END;
    return w->end == w->root ? ACL_ROOT_ON_THE_WAY : ACL_ON_THE_WAY;
}

/* Where others may make files they may give one of ours a second name, under which we meet it. */
static const char *why_unfit(const struct walk *w, const BY_HANDLE_FILE_INFORMATION *info,
                             enum reparse_kind link)
{
    if (link == REPARSE_OTHER)
        return "is a reparse point of an unknown kind";
    if (link != REPARSE_NONE)
        return (w->flags & FS_GUARD_LINKS) == 0 ? "is a link" : NULL;
    if (w->in_shared && (info->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 &&
        info->nNumberOfLinks > 1)
        return "has a second name, and lies where others may give it one";
    return NULL;
}

static void judge_list(struct walk *w, const struct security *s, enum acl_place place)
{
    char name[70], why[120];
    PSID who = NULL;
    const DWORD unsafe = acl_unsafe_rights(place);
    const DWORD rights = acl_rights_of_others(&w->self.acl, s->owner, s->list, unsafe, &who);
    w->in_shared = (rights & FILE_WRITE_DATA) != 0;
    if (!acl_is_trusted(&w->self.acl, s->owner))
        (void)snprintf(why, sizeof(why), "belongs to %s",
                       security_name(s->owner, name, sizeof(name)));
    else if ((rights & unsafe) != 0)
        (void)snprintf(why, sizeof(why), "may be changed by %s",
                       security_name(who, name, sizeof(name)));
    else
        return;
    name_culprit(w, why);
}

static enum errc judge(struct walk *w, HANDLE handle, enum reparse_kind link, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    struct security s;
    if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileInformationByHandle(handle, &info)) {
        name_culprit(w, "is neither a file nor a folder");
        return E_OK;
    }
    const char *why = why_unfit(w, &info, link);
    if (why != NULL) {
        name_culprit(w, why);
        return E_OK;
    }
    enum errc rc = security_read(handle, &s, err);
    if (rc != E_OK)
        return rc;
    const bool is_folder = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    judge_list(w, &s, place_of(w, is_folder, link != REPARSE_NONE));
    security_fini(&s);
    return E_OK;
}

/* --- the walk */

/* The walk begins anew where the link leads, with what was still to come behind that. */
static enum errc follow(struct walk *w, struct err *err)
{
    wchar_t *target = NULL, *joined = NULL;
    char *text = NULL;
    bool is_relative = false;
    if (++w->n_links > LINKS_MAX)
        return err_set(err, E_LIMIT, "leads through more than %d links", LINKS_MAX);
    wchar_t *rest = w->path + w->end;
    wchar_t end = *rest;
    *rest = L'\0';
    enum errc rc = reparse_get(w->path, &target, &is_relative, err);
    wchar_t *slash = wcsrchr(w->path, L'\\');
    if (rc == E_OK) {
        const size_t room = wcslen(w->path) + wcslen(target) + wcslen(rest + 1) + 4;
        slash[is_relative ? 1 : 0] = L'\0';
        *rest = end;
        joined = calloc(room, sizeof(*joined));
        if (joined == NULL)
            rc = err_nomem(err);
        else
            (void)swprintf(joined, room, L"%ls%ls%ls", is_relative ? w->path + PREFIX_LEN : L"",
                           target, rest);
    }
    if (rc == E_OK)
        rc = w32_utf8(joined, &text, err);
    free(joined);
    free(target);
    if (rc == E_OK) {
        free(w->path);
        w->path = NULL;
        rc = w32_path(text, &w->path, err);
    }
    free(text);
    return rc == E_OK ? go_to_root(w, err) : rc;
}

static enum errc step(struct walk *w, struct err *err)
{
    char shown[160];
    HANDLE handle = NULL;
    enum reparse_kind link = REPARSE_NONE;
    wchar_t end = w->path[w->end];
    w->path[w->end] = L'\0';
    enum errc rc = security_open(w->path, READ_CONTROL | FILE_READ_ATTRIBUTES, &handle, err);
    if (rc == E_OK && w->end != w->root)
        rc = reparse_kind_of(w->path, &link, err);
    w->path[w->end] = end;
    if (rc == E_OK)
        rc = judge(w, handle, link, err);
    if (handle != NULL)
        (void)CloseHandle(handle);
    if (rc != E_OK) {
        show_path(w, shown, sizeof(shown));
        return err_prefix(err, "%s: ", shown);
    }
    return link != REPARSE_NONE && w->out->is_safe ? follow(w, err) : E_OK;
}

/* False where there is no further component. */
static bool next_component(struct walk *w)
{
    size_t at = w->end + wcsspn(w->path + w->end, L"\\");
    if (w->path[at] == L'\0')
        return false;
    w->end = at + wcscspn(w->path + at, L"\\");
    return true;
}

static enum errc walk_all(struct walk *w, struct err *err)
{
    enum errc rc = go_to_root(w, err);
    if (rc == E_OK && w->out->is_safe)
        rc = step(w, err);
    while (rc == E_OK && w->out->is_safe && next_component(w))
        rc = step(w, err);
    return rc;
}

enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                   struct err *err)
{
    struct fs_guard found = { .is_safe = true };
    struct walk w = { .flags = flags, .out = &found };
    UNUSED(self);
    if (path[0] == '\0')
        return err_set(err, E_ARGUMENT, "is an empty path");
    enum errc rc = w32_path(path, &w.path, err);
    if (rc == E_OK)
        rc = security_self(&w.self, err);
    if (rc == E_OK)
        rc = walk_all(&w, err);
    free(w.path);
    if (rc == E_OK)
        *out = found;
    return rc;
}
