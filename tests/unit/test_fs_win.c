/* Files on Windows, by the machine's own means: for Windows. Under wine with pointers that the host
 * keeps (tests/win32), and with access lists that are the host's permission bits: nobody, everyone.
 */

#include <windows.h>

#include <sddl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"
#include "wine.h"

#define FS(op, ...) CALL(fs, op, __VA_ARGS__)
#define EVERYONE L"D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)"
#define READABLE L"D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FRFX;;;WD)"

/* --- a folder of its own for each test */

static enum errc sweep(const char *path, struct err *err);

static enum errc sweep_name(void *ctx, const char *name, struct err *err)
{
    char path[500];
    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
    return sweep(path, err);
}

static enum errc sweep(const char *path, struct err *err)
{
    struct platform *p = platform_native();
    struct fs_info info = { .kind = FS_ABSENT };
    char copy[500];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    enum errc rc = p->fs->stat_link(p->self, path, &info, err);
    if (rc == E_OK && info.kind == FS_FOLDER) {
        rc = p->fs->list(p->self, path, sweep_name, copy, err);
        return rc == E_OK ? p->fs->remove_folder(p->self, path, err) : rc;
    }
    return rc == E_OK ? p->fs->remove(p->self, path, err) : rc;
}

static int enter_folder(void **state)
{
    static unsigned n;
    char path[80];
    (void)snprintf(path, sizeof(path), "C:/surefoot-test-%lu-%u",
                   (unsigned long)GetCurrentProcessId(), n++);
    if (!GIVES(E_OK, FS(make_private_folder, path)) || !SetCurrentDirectoryA(path))
        return -1;
    *state = _strdup(path);
    return 0;
}

static int leave_folder(void **state)
{
    int failed = SetCurrentDirectoryA("C:\\") ? 0 : -1;
    if (sweep(*state, &why) != E_OK) {
        print_error("%s: %s\n", (const char *)*state, why.text);
        failed = -1;
    }
    free(*state);
    *state = NULL;
    return failed;
}

/* --- things to look at, made without our code */

static void make_file(const char *path, const char *text)
{
    DWORD n = 0;
    HANDLE h = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
    assert_true(WriteFile(h, text, (DWORD)strlen(text), &n, NULL));
    assert_true(CloseHandle(h));
}

static void make_folder(const char *path)
{
    assert_true(CreateDirectoryA(path, NULL));
}

static void set_list(const char *path, const wchar_t *text)
{
    PSECURITY_DESCRIPTOR sd = NULL;
    HANDLE h =
        CreateFileA(path, WRITE_DAC, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
    assert_true(
        ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &sd, NULL));
    assert_true(SetKernelObjectSecurity(h, DACL_SECURITY_INFORMATION, sd));
    (void)LocalFree(sd);
    assert_true(CloseHandle(h));
}

static void assert_holds(const char *path, const char *text)
{
    struct buf b;
    IS(E_OK, platform_read_file(platform_native(), path, 1 << 20, &b, &why));
    assert_int_equal(b.len, strlen(text));
    assert_true(span_equal_text(buf_span(&b), text));
    buf_fini(&b);
}

static struct fs_info info_of(const char *path)
{
    struct fs_info info = { .kind = FS_OTHER };
    IS(E_OK, FS(stat_link, path, &info));
    return info;
}

static void assert_leads(const char *path, const char *target)
{
    struct buf b;
    buf_init(&b, 500);
    IS(E_OK, FS(read_link, path, &b));
    IS(E_OK, buf_add_byte(&b, '\0', &why));
    assert_string_equal((const char *)b.ptr, target);
    buf_fini(&b);
}

/* --- whose word counts */

static struct fs_guard guard_of(const char *path, unsigned flags)
{
    struct fs_guard guard = { .is_safe = true };
    IS(E_OK, FS(guard, path, flags, &guard));
    return guard;
}

static void assert_unsafe(const char *path, unsigned flags, const char *culprit, const char *reason)
{
    char end[80];
    struct fs_guard guard = guard_of(path, flags);
    assert_false(guard.is_safe);
    (void)snprintf(end, sizeof(end), "\\%s", culprit);
    size_t len = strlen(guard.path), tail = strlen(end);
    assert_true(len > tail && strcmp(guard.path + len - tail, end) == 0);
    assert_non_null(strstr(guard.why, reason));
}

static void guard_names_what_others_may_change(void **state)
{
    UNUSED(state);
    make_folder("open");
    make_folder("open/inner");
    make_file("open/inner/file", "x");
    assert_true(guard_of("open/inner/file", 0).is_safe);
    assert_true(guard_of("open/../open/./inner", 0).is_safe);
    set_list("open/inner/file", EVERYONE);
    assert_unsafe("open/inner/file", 0, "file", "may be changed by Everyone");
    set_list("open", EVERYONE);
    assert_unsafe("open/inner/file", 0, "open", "may be changed by Everyone");
    assert_unsafe("open\\inner", 0, "open", "may be changed by Everyone");
    set_list("open", READABLE);
    assert_true(guard_of("open/inner", 0).is_safe);
}

static void guard_judges_links_where_they_may_be(void **state)
{
    char path[200];
    UNUSED(state);
    make_folder("real");
    make_file("real/file", "x");
    make_folder("open");
    make_folder("open/inner");
    make_file("open/inner/file", "x");
    set_list("open", EVERYONE);
    IS(E_OK, FS(point, "link", "real"));
    IS(E_OK, FS(point, "bad", "open/inner"));
    assert_unsafe("link/file", 0, "link", "is a link");
    assert_true(guard_of("link/file", FS_GUARD_LINKS).is_safe);
    assert_unsafe("bad/file", FS_GUARD_LINKS, "open", "may be changed by Everyone");
    IS(E_OK, FS(point, "second", "real"));
    (void)snprintf(path, sizeof(path), "%s/second", (const char *)*state);
    IS(E_OK, FS(point, "real/far", path));
    assert_true(guard_of("real/far/file", FS_GUARD_LINKS).is_safe);
}

static void guard_says_what_is_not_there_and_refuses_other_machines(void **state)
{
    struct fs_guard guard;
    UNUSED(state);
    IS(E_ABSENT, FS(guard, "no/such", 0, &guard));
    SAYS("\\no");
    make_file("file", "x");
    IS(E_ABSENT, FS(guard, "file/below", 0, &guard));
    IS(E_ARGUMENT, FS(guard, "", 0, &guard));
    assert_true(guard_of("C:/", 0).is_safe);
    IS(E_OK, FS(guard, "\\\\server\\share\\x", 0, &guard));
    assert_false(guard.is_safe);
    assert_non_null(strstr(guard.why, "another machine"));
}

/* --- private and shared */

static bool is_shared(const char *path)
{
    bool is = false;
    IS(E_OK, FS(is_shared, path, &is));
    return is;
}

static void a_private_folder_is_made_once_and_keeps_others_out(void **state)
{
    UNUSED(state);
    IS(E_OK, FS(make_private_folder, "new"));
    assert_int_equal(info_of("new").mode, 0700);
    assert_false(is_shared("new"));
    IS(E_EXISTS, FS(make_private_folder, "new"));
    make_file("file", "x");
    IS(E_EXISTS, FS(make_private_folder, "file"));
    IS(E_ABSENT, FS(make_private_folder, "no/such"));
}

/* --- nothing is inherited from above. Wine keeps no list as it was set, and no mark that one is
 * protected: what is asked for has to be looked at. */

typedef enum errc (*make_fn)(PSECURITY_DESCRIPTOR *out, struct err *err);

static WORD control_of(PSECURITY_DESCRIPTOR made)
{
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision;
    assert_true(GetSecurityDescriptorControl(made, &control, &revision));
    return control;
}

static bool is_safe_of_inheritance(make_fn make)
{
    PSECURITY_DESCRIPTOR made = NULL;
    IS(E_OK, make(&made, &why));
    const WORD control = control_of(made);
    (void)LocalFree(made);
    return (control & SE_DACL_PROTECTED) != 0;
}

/* Each entry gives all rights, here and below, to one who has the machine anyway, or to ourselves
 * where we have it not. */
static void what_is_private_is_safe_of_inheritance(void **state)
{
    struct security_self self;
    PSECURITY_DESCRIPTOR made = NULL;
    ACL *list = NULL;
    BOOL is_there = FALSE, is_default = FALSE;
    PSID owner = NULL;
    UNUSED(state);
    IS(E_OK, security_self(&self, &why));
    IS(E_OK, security_private(&made, &why));
    assert_true(GetSecurityDescriptorDacl(made, &is_there, &list, &is_default));
    assert_true(is_there && list != NULL);
    assert_int_equal(list->AceCount, self.is_elevated ? 2 : 3);
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace = NULL;
        assert_true(GetAce(list, i, (void **)&ace));
        assert_int_equal(ace->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
        assert_int_equal(ace->Header.AceFlags, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE);
        assert_int_equal(ace->Mask, FILE_ALL_ACCESS);
        PSID sid = &ace->SidStart;
        assert_true(IsWellKnownSid(sid, WinLocalSystemSid) ||
                    IsWellKnownSid(sid, WinBuiltinAdministratorsSid) ||
                    (!self.is_elevated && EqualSid(sid, self.acl.user)));
    }
    assert_true(GetSecurityDescriptorOwner(made, &owner, &is_default));
    assert_true((owner != NULL) == self.is_elevated);
    assert_true(owner == NULL || IsWellKnownSid(owner, WinBuiltinAdministratorsSid));
    (void)LocalFree(made);
    assert_true(is_safe_of_inheritance(security_private));
    assert_true(is_safe_of_inheritance(security_kept));
    assert_false(is_safe_of_inheritance(security_readable));
}

/* What is changed afterwards: protected, or open again to what is above. */
static void a_list_that_is_set_is_protected_as_it_was_asked_for(void **state)
{
    const WORD inherited = SE_DACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED;
    PSECURITY_DESCRIPTOR made = NULL;
    HANDLE handle = NULL;
    wchar_t *wide = NULL;
    UNUSED(state);
    make_file("file", "x");
    IS(E_OK, w32_path("file", &wide, &why));
    IS(E_OK, security_open(wide, READ_CONTROL | WRITE_DAC, &handle, &why));
    free(wide);
    IS(E_OK, security_readable(&made, &why));
    IS(E_OK, security_set_list(handle, made, true, &why));
    assert_int_equal(control_of(made) & (SE_DACL_PROTECTED | inherited), SE_DACL_PROTECTED);
    IS(E_OK, security_set_list(handle, made, false, &why));
    assert_int_equal(control_of(made) & (SE_DACL_PROTECTED | inherited), inherited);
    (void)LocalFree(made);
    assert_true(CloseHandle(handle));
}

static void assert_nothing_of_others(const char *path)
{
    HANDLE handle = NULL;
    wchar_t *wide = NULL;
    struct security s;
    BYTE everyone[SECURITY_MAX_SID_SIZE];
    DWORD len = sizeof(everyone);
    assert_true(CreateWellKnownSid(WinWorldSid, NULL, everyone, &len));
    IS(E_OK, w32_path(path, &wide, &why));
    IS(E_OK, security_open(wide, READ_CONTROL, &handle, &why));
    free(wide);
    IS(E_OK, security_read(handle, &s, &why));
    assert_non_null(s.list);
    for (DWORD i = 0; i < s.list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace = NULL;
        assert_true(GetAce(s.list, i, (void **)&ace));
        assert_false(EqualSid(&ace->SidStart, everyone));
        assert_int_equal(ace->Header.AceFlags & INHERITED_ACE, 0);
    }
    if (!is_wine())
        assert_true(s.is_protected);
    security_fini(&s);
    assert_true(CloseHandle(handle));
}

/* ProgramData gives such rights to Users. */
static void below_a_folder_that_passes_rights_on_nothing_private_has_them(void **state)
{
    UNUSED(state);
    make_folder("above");
    set_list("above", L"D:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;WD)");
    IS(E_OK, FS(make_private_folder, "above/folder"));
    IS(E_OK,
       platform_write_file(platform_native(), "above/file", span_text("x"), SINK_PRIVATE, &why));
    IS(E_OK, platform_write_file(platform_native(), "above/folder/file", span_text("x"),
                                 SINK_PRIVATE, &why));
    make_file("above/other", "x");
    assert_true(is_shared("above/other")); /* so that the test can fail */
    assert_nothing_of_others("above/folder");
    assert_nothing_of_others("above/file");
    assert_nothing_of_others("above/folder/file");
    IS(E_OK, FS(set_mode, "above/other", 0600));
    assert_nothing_of_others("above/other");
}

/* As ProgramData does, the folder above gives everyone rights that must not be passed on. What is
 * made below by others' means gets the same list. */
static void a_readable_folder_lets_everyone_in_and_nobody_change_it(void **state)
{
    UNUSED(state);
    make_folder("open");
    set_list("open", EVERYONE);
    IS(E_OK, FS(make_readable_folder, "open/new"));
    assert_int_equal(info_of("open/new").mode, 0755);
    assert_true(is_shared("open/new"));
    assert_true(is_safe_of_inheritance(security_kept));
    IS(E_EXISTS, FS(make_readable_folder, "open/new"));
    IS(E_ABSENT, FS(make_readable_folder, "no/such"));
    IS(E_OK, FS(make_readable_folder, "kept"));
    assert_true(guard_of("kept", 0).is_safe);
}

static void a_private_file_is_made_so(void **state)
{
    UNUSED(state);
    IS(E_OK, platform_write_file(platform_native(), "private", span_text("x"), SINK_PRIVATE, &why));
    assert_int_equal(info_of("private").mode, 0600);
    assert_false(is_shared("private"));
    set_list("private", READABLE);
    assert_true(is_shared("private"));
    assert_int_equal(info_of("private").mode, 0644);
    set_list("private", EVERYONE);
    assert_int_equal(info_of("private").mode, 0666);
    bool is = false;
    IS(E_ABSENT, FS(is_shared, "no-such", &is));
}

static void an_unflushed_file_replaces_nothing(void **state)
{
    UNUSED(state);
    IS(E_OK, platform_write_file(platform_native(), "a", span_text("x"),
                                 SINK_PRIVATE | SINK_UNFLUSHED, &why));
    IS(E_EXISTS, platform_write_file(platform_native(), "a", span_text("y"), SINK_UNFLUSHED, &why));
    assert_holds("a", "x");
}

/* What is private is opened for reading, and closed again; a mode in between changes nothing. */
static void modes_open_for_reading_and_close(void **state)
{
    UNUSED(state);
    IS(E_OK, platform_write_file(platform_native(), "f", span_text("x"), SINK_PRIVATE, &why));
    IS(E_OK, FS(set_mode, "f", 0640));
    assert_int_equal(info_of("f").mode, 0600);
    IS(E_OK, FS(set_mode, "f", 0755));
    assert_int_equal(info_of("f").mode, 0644);
    IS(E_OK, FS(set_mode, "f", 0750));
    assert_int_equal(info_of("f").mode, 0644);
    IS(E_OK, FS(set_mode, "f", 0777));
    assert_int_equal(info_of("f").mode, 0644);
    IS(E_OK, FS(set_mode, "f", 0600));
    assert_int_equal(info_of("f").mode, 0600);
    IS(E_OK, FS(make_private_folder, "d"));
    IS(E_OK, FS(set_mode, "d", 0755));
    assert_int_equal(info_of("d").mode, 0755);
    IS(E_OK, FS(set_mode, "d", 0700));
    assert_int_equal(info_of("d").mode, 0700);
    IS(E_ARGUMENT, FS(set_mode, "f", 0100000));
    IS(E_ABSENT, FS(set_mode, "no-such", 0600));
    IS(E_OK, FS(point, "link", "d"));
    IS(E_ARGUMENT, FS(set_mode, "link", 0755));
    assert_int_equal(info_of("d").mode, 0700);
}

/* --- names */

static void symbolic_links_clones_and_exchanges_are_not_had(void **state)
{
    UNUSED(state);
    make_file("a", "x");
    make_file("b", "y");
    IS(E_UNSUPPORTED, FS(make_link, "a", "link"));
    IS(E_UNSUPPORTED, FS(clone, "a", "clone"));
    IS(E_UNSUPPORTED, FS(exchange, "a", "b"));
    IS(E_UNSUPPORTED, FS(set_owner, "a", 0, 0));
    assert_int_equal(info_of("link").kind, FS_ABSENT);
    assert_int_equal(info_of("clone").kind, FS_ABSENT);
    assert_holds("a", "x");
}

static void a_file_gets_a_second_name(void **state)
{
    UNUSED(state);
    make_file("file", "x");
    IS(E_OK, FS(hard_link, "file", "second"));
    assert_int_equal(info_of("second").id[1], info_of("file").id[1]);
    assert_int_equal(info_of("second").n_links, 2);
    IS(E_EXISTS, FS(hard_link, "file", "second"));
    make_folder("folder");
    IS(E_ARGUMENT, FS(hard_link, "folder", "third"));
    assert_int_equal(info_of("third").kind, FS_ABSENT);
    IS(E_ABSENT, FS(hard_link, "no-such", "third"));
}

/* What is proven and then used stays as it is, and where it is, until it is let go. */
static void what_is_held_is_not_written_moved_or_taken_away(void **state)
{
    struct source *held;
    UNUSED(state);
    make_file("file", "proven");
    assert_int_equal(source_file_open("file", &held, &why), E_OK);
    for (unsigned i = 0; i < 2; i++) {
        const DWORD rights = i == 0 ? GENERIC_WRITE : DELETE;
        assert_ptr_equal(CreateFileW(L"file", rights,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                     OPEN_EXISTING, 0, NULL),
                         INVALID_HANDLE_VALUE);
        assert_int_equal(GetLastError(), ERROR_SHARING_VIOLATION);
    }
    assert_false(DeleteFileW(L"file"));
    assert_false(MoveFileExW(L"file", L"other", 0));
    assert_holds("file", "proven");
    source_close(held);
    assert_true(MoveFileExW(L"file", L"other", 0));
}

/* Other machines' folders, and what has Windows' own prefix already. */
static void paths_get_the_prefix_that_lets_them_be_long(void **state)
{
    static const struct {
        const char *path;
        const wchar_t *wide;
    } table[] = {
        { "C:/a/b", L"\\\\?\\C:\\a\\b" },
        { "c:\\a/b", L"\\\\?\\c:\\a\\b" },
        { "//server/share/x", L"\\\\?\\UNC\\server\\share\\x" },
        { "\\\\server\\share\\x", L"\\\\?\\UNC\\server\\share\\x" },
        { "\\\\?\\C:\\a", L"\\\\?\\C:\\a" },
        { "\\\\?\\UNC\\server\\share", L"\\\\?\\UNC\\server\\share" },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        wchar_t *wide = NULL;
        assert_int_equal(w32_path(table[i].path, &wide, &why), E_OK);
        if (wcscmp(wide, table[i].wide) != 0)
            fail_msg("%s: %ls", table[i].path, wide);
        free(wide);
    }
}

/* As a program that runs, or one that is read and may not be written meanwhile. */
static void a_file_in_use_gets_no_second_name(void **state)
{
    UNUSED(state);
    make_file("file", "x");
    HANDLE reader = CreateFileA("file", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, 0, NULL);
    assert_true(reader != INVALID_HANDLE_VALUE);
    IS(E_UNSUPPORTED, FS(hard_link, "file", "second"));
    assert_int_equal(info_of("second").kind, FS_ABSENT);
    assert_true(CloseHandle(reader));
    IS(E_OK, FS(hard_link, "file", "second"));
}

static void a_rename_replaces_nothing(void **state)
{
    UNUSED(state);
    make_folder("a");
    make_folder("b");
    make_file("f", "x");
    make_file("g", "y");
    IS(E_EXISTS, FS(rename_new, "a", "b"));
    IS(E_EXISTS, FS(rename_new, "f", "g"));
    IS(E_EXISTS, FS(rename_new, "f", "b"));
    IS(E_EXISTS, FS(rename_new, "a", "f"));
    assert_holds("g", "y");
    IS(E_OK, FS(rename_new, "a", "c"));
    assert_int_equal(info_of("a").kind, FS_ABSENT);
    assert_int_equal(info_of("c").kind, FS_FOLDER);
    IS(E_ABSENT, FS(rename_new, "a", "d"));
    IS(E_OK, FS(point, "link", "b"));
    IS(E_OK, FS(rename_new, "link", "moved"));
    assert_int_equal(info_of("moved").kind, FS_LINK);
    assert_int_equal(info_of("b").kind, FS_FOLDER);
}

static enum errc refuse_temporary(void *ctx, const char *name, struct err *err)
{
    UNUSED(ctx);
    return strncmp(name, ".surefoot-", 10) == 0 ? err_set(err, E_EXISTS, "%s is left", name) : E_OK;
}

static void a_pointer_leads_elsewhere_in_one_step(void **state)
{
    struct buf b;
    enum fs_kind kind = FS_ABSENT;
    UNUSED(state);
    make_folder("versions");
    make_folder("versions/one");
    make_folder("versions/two");
    make_file("versions/one/file", "1");
    make_file("versions/two/file", "2");
    IS(E_OK, FS(point, "current", "versions/one"));
    assert_holds("current/file", "1");
    assert_leads("current", "versions/one");
    assert_int_equal(info_of("current").kind, FS_LINK);
    IS(E_OK, FS(kind, "current", &kind));
    assert_int_equal(kind, FS_FOLDER);
    IS(E_OK, FS(point, "current", "versions/two"));
    assert_holds("current/file", "2");
    assert_leads("current", "versions/two");
    IS(E_EXISTS, FS(point, "versions", "versions/two"));
    IS(E_EXISTS, FS(point, "versions/two/file", "x"));
    IS(E_ABSENT, FS(point, "no/current", "one"));
    IS(E_OK, FS(list, ".", refuse_temporary, NULL));
    buf_init(&b, 100);
    IS(E_ARGUMENT, FS(read_link, "versions", &b));
    IS(E_ABSENT, FS(read_link, "no-such", &b));
    buf_fini(&b);
}

static void a_pointer_is_taken_away_without_what_it_leads_to(void **state)
{
    UNUSED(state);
    make_folder("one");
    make_file("one/file", "1");
    IS(E_OK, FS(point, "current", "one"));
    IS(E_ABSENT, FS(remove_folder, "current"));
    IS(E_OK, FS(remove, "current"));
    assert_int_equal(info_of("current").kind, FS_ABSENT);
    assert_holds("one/file", "1");
}

static void a_pointer_may_lead_nowhere(void **state)
{
    enum fs_kind kind = FS_FILE;
    UNUSED(state);
    IS(E_OK, FS(point, "current", "nowhere"));
    assert_int_equal(info_of("current").kind, FS_LINK);
    IS(E_OK, FS(kind, "current", &kind));
    assert_int_equal(kind, FS_ABSENT);
    assert_leads("current", "nowhere");
    IS(E_OK, FS(remove, "current"));
    assert_int_equal(info_of("current").kind, FS_ABSENT);
}

static void what_is_marked_read_only_is_taken_away_and_folders_are_not_files(void **state)
{
    UNUSED(state);
    make_file("file", "x");
    assert_true(SetFileAttributesA("file", FILE_ATTRIBUTE_READONLY));
    IS(E_OK, FS(remove, "file"));
    assert_int_equal(info_of("file").kind, FS_ABSENT);
    IS(E_ABSENT, FS(remove, "file"));
    make_folder("folder");
    make_file("folder/file", "x");
    IS(E_ACCESS, FS(remove, "folder"));
    IS(E_BUSY, FS(remove_folder, "folder"));
    IS(E_ABSENT, FS(remove_folder, "folder/file"));
    assert_holds("folder/file", "x");
}

/* --- records */

static enum errc append_text(const char *path, const char *text)
{
    return FS(append, path, span_text(text));
}

static void records_are_added_to_a_private_file(void **state)
{
    UNUSED(state);
    IS(E_OK, append_text("journal", "one\n"));
    IS(E_OK, append_text("journal", "two\n"));
    assert_holds("journal", "one\ntwo\n");
    assert_int_equal(info_of("journal").mode, 0600);
    IS(E_ABSENT, append_text("no/journal", "x"));
}

static void append_refuses_what_is_not_ours_alone(void **state)
{
    UNUSED(state);
    make_file("file", "x");
    IS(E_OK, FS(hard_link, "file", "second"));
    IS(E_ACCESS, append_text("file", "y"));
    SAYS("2 names");
    make_file("shared", "x");
    set_list("shared", EVERYONE);
    IS(E_ACCESS, append_text("shared", "y"));
    SAYS("Everyone");
    make_folder("folder");
    IS(E_ARGUMENT, append_text("folder", "y"));
    IS(E_OK, FS(point, "link", "folder"));
    IS(E_ACCESS, append_text("link", "y"));
    assert_holds("file", "x");
    assert_holds("shared", "x");
}

static void a_file_is_cut_after_its_last_whole_record(void **state)
{
    UNUSED(state);
    IS(E_OK, append_text("journal", "one\ntw"));
    IS(E_OK, FS(cut, "journal", 4));
    IS(E_OK, append_text("journal", "three\n"));
    assert_holds("journal", "one\nthree\n");
    IS(E_TRUNCATED, FS(cut, "journal", 11));
    IS(E_ABSENT, FS(cut, "no-such", 0));
    set_list("journal", EVERYONE);
    IS(E_ACCESS, FS(cut, "journal", 0));
    assert_holds("journal", "one\nthree\n");
}

static void folders_and_trees_are_flushed(void **state)
{
    UNUSED(state);
    make_folder("folder");
    make_folder("folder/inner");
    make_file("folder/inner/file", "x");
    make_file("folder/marked", "x");
    assert_true(SetFileAttributesA("folder/marked", FILE_ATTRIBUTE_READONLY));
    IS(E_OK, FS(point, "folder/link", "inner"));
    IS(E_OK, FS(sync_folder, "folder"));
    IS(E_OK, FS(flush_tree, "folder"));
    assert_true((GetFileAttributesA("folder/marked") & FILE_ATTRIBUTE_READONLY) != 0);
    IS(E_ABSENT, FS(sync_folder, "folder/inner/file"));
    IS(E_ABSENT, FS(sync_folder, "no-such"));
    IS(E_ABSENT, FS(flush_tree, "no-such"));
    IS(E_OK, FS(point, "link", "folder"));
    IS(E_ACCESS, FS(flush_tree, "link"));
}

static void a_tree_with_a_file_that_cannot_be_written_is_not_flushed(void **state)
{
    UNUSED(state);
    make_folder("folder");
    make_file("folder/held", "x");
    HANDLE h =
        CreateFileA("folder/held", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
    IS(E_BUSY, FS(flush_tree, "folder"));
    SAYS("held: ");
    (void)CloseHandle(h);
    IS(E_OK, FS(flush_tree, "folder"));
}

/* --- locks */

static int as_another(const char *what)
{
    struct fs_lock *lock = NULL;
    bool is = false;
    char *holder = getenv("SUREFOOT_TEST_HOLDER");
    if (strcmp(what, "held") == 0)
        return GIVES(E_BUSY, FS(lock, "lock", &lock)) && holder != NULL &&
                       strstr(why.text, holder) != NULL &&
                       GIVES(E_OK, FS(is_locked, "lock", &is)) && is
                   ? 0
                   : 1;
    return GIVES(E_OK, FS(lock, "lock", &lock)) ? 0 : 1; /* and dies with it */
}

static void run_another(const char *what)
{
    char program[MAX_PATH], command[MAX_PATH + 40], holder[60];
    STARTUPINFOA start = { .cb = sizeof(start) };
    PROCESS_INFORMATION process;
    DWORD code = 99;
    assert_true(GetModuleFileNameA(NULL, program, sizeof(program)) > 0);
    (void)snprintf(holder, sizeof(holder), "process %lu (test_fs_win.exe)",
                   (unsigned long)GetCurrentProcessId());
    assert_true(SetEnvironmentVariableA("SUREFOOT_TEST_HOLDER", holder));
    (void)snprintf(command, sizeof(command), "\"%s\" %s", program, what);
    assert_true(
        CreateProcessA(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process));
    assert_int_equal(WaitForSingleObject(process.hProcess, 60000), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(process.hProcess, &code));
    (void)CloseHandle(process.hThread);
    (void)CloseHandle(process.hProcess);
    assert_int_equal(code, 0);
}

static void a_lock_is_held_once_and_until_unlock(void **state)
{
    struct fs_lock *lock = NULL, *second = NULL;
    bool is = true;
    UNUSED(state);
    IS(E_OK, FS(lock, "lock", &lock));
    assert_int_equal(info_of("lock").mode, 0600);
    run_another("held");
    IS(E_BUSY, FS(lock, "lock", &second));
    assert_null(second);
    assert_false(DeleteFileA("lock")); /* else there would be two */
    platform_native()->fs->unlock(NULL, lock);
    IS(E_OK, FS(is_locked, "lock", &is));
    assert_false(is);
    run_another("free");
    IS(E_OK, FS(lock, "lock", &lock));
    platform_native()->fs->unlock(NULL, lock);
    platform_native()->fs->unlock(NULL, NULL);
    assert_holds("lock", "");
}

static void a_lock_refuses_what_is_not_ours_alone(void **state)
{
    struct fs_lock *lock = NULL;
    UNUSED(state);
    make_file("shared", "x");
    set_list("shared", EVERYONE);
    IS(E_ACCESS, FS(lock, "shared", &lock));
    make_folder("folder");
    IS(E_ARGUMENT, FS(lock, "folder", &lock));
    assert_holds("shared", "x");
}

static void locks_of_others_are_seen(void **state)
{
    OVERLAPPED where = { .Offset = 100 };
    bool is = true;
    UNUSED(state);
    IS(E_OK, FS(is_locked, "no-such", &is));
    assert_false(is);
    make_file("file", "x");
    HANDLE h = CreateFileA("file", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
    IS(E_OK, FS(is_locked, "file", &is));
    assert_false(is);
    assert_true(LockFileEx(h, LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &where)); /* a shared one */
    IS(E_OK, FS(is_locked, "file", &is));
    assert_true(is);
    (void)CloseHandle(h);
    h = CreateFileA("file", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    IS(E_OK, FS(is_locked, "file", &is));
    assert_true(is);
    (void)CloseHandle(h);
}

/* --- volumes, writers */

static void a_writer_is_found_out(void **state)
{
    bool has = false;
    UNUSED(state);
    make_file("file", "x");
    HANDLE h = CreateFileA("file", GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    assert_ptr_not_equal(h, INVALID_HANDLE_VALUE);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_true(has);
    (void)CloseHandle(h);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_false(has);
    h = CreateFileA("file", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    IS(E_OK, FS(has_writer, "file", &has));
    assert_false(has);
    (void)CloseHandle(h);
    make_folder("folder");
    IS(E_ARGUMENT, FS(has_writer, "folder", &has));
    IS(E_ABSENT, FS(has_writer, "no-such", &has));
}

static void volumes_and_rights_are_told(void **state)
{
    bool is = true;
    uint64_t bytes = 0;
    UNUSED(state);
    make_folder("folder");
    make_file("file", "x");
    IS(E_OK, FS(is_mount_point, "folder", &is));
    assert_false(is);
    IS(E_OK, FS(is_mount_point, "C:/", &is));
    assert_true(is);
    IS(E_ABSENT, FS(is_mount_point, "no-such", &is));
    is = false;
    IS(E_OK, FS(can_write, "folder", &is));
    assert_true(is);
    IS(E_ABSENT, FS(can_write, "file", &is));
    IS(E_ABSENT, FS(can_write, "no-such", &is));
    IS(E_OK, FS(free_bytes, ".", &bytes));
    assert_true(bytes > 0);
}

/* --- being like another */

static void the_list_and_the_attributes_are_copied(void **state)
{
    UNUSED(state);
    make_file("from", "x");
    make_file("to", "y");
    set_list("from", READABLE);
    set_list("to", EVERYONE);
    assert_true(SetFileAttributesA("from", FILE_ATTRIBUTE_READONLY));
    IS(E_OK, FS(copy_owner_and_attributes, "from", "to"));
    assert_int_equal(info_of("to").mode, 0644);
    assert_true((GetFileAttributesA("to") & FILE_ATTRIBUTE_READONLY) != 0);
    assert_holds("to", "y");
    IS(E_OK, FS(make_private_folder, "private"));
    make_folder("open");
    set_list("open", EVERYONE);
    IS(E_OK, FS(copy_owner_and_attributes, "private", "open"));
    assert_int_equal(info_of("open").mode, 0700);
    IS(E_ARGUMENT, FS(copy_owner_and_attributes, "from", "open"));
    IS(E_ABSENT, FS(copy_owner_and_attributes, "no-such", "to"));
    IS(E_ABSENT, FS(copy_owner_and_attributes, "from", "no-such"));
}

static void times_are_set_to_the_tenth_of_a_microsecond(void **state)
{
    const int64_t when = INT64_C(1700000000123456700);
    UNUSED(state);
    make_file("file", "x");
    IS(E_OK, FS(set_mtime, "file", when));
    assert_true(info_of("file").mtime_ns == when);
    make_folder("folder");
    IS(E_OK, FS(set_mtime, "folder", when));
    assert_true(info_of("folder").mtime_ns == when);
    IS(E_OK, FS(set_mtime, "file", -100));
    assert_true(info_of("file").mtime_ns == -100);
    IS(E_OK, FS(set_mtime, "file", -when / 2)); /* 1943 */
    assert_true(info_of("file").mtime_ns == -when / 2 - 50);
    IS(E_ABSENT, FS(set_mtime, "no-such", when));
}

/* --- paths */

static void names_that_windows_takes_for_others_are_refused(void **state)
{
    static const char *const bad[] = {
        "NUL",         "con.txt",     "sub/aux/file", "COM1",    "lpt9.log", "COM\xC2\xB9",
        "C:/CONOUT$",  "file:stream", "name.",        "name ",   "a /b",     "...",
        "\\\\.\\COM1", "//./pipe/x",  "nul .txt",     "prn.a.b", "C:x:y",
    };
    static const char *const good[] = {
        "console", "com", "com10x", "nulx", "a.b", ".hidden", "lpt", "con-fig", "..gather",
    };
    enum fs_kind kind = FS_FILE;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (!GIVES(E_ARGUMENT, FS(kind, bad[i], &kind)))
            print_error("%s\n", bad[i]);
        IS(E_ARGUMENT, FS(kind, bad[i], &kind));
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        make_file(good[i], "x");
        IS(E_OK, FS(kind, good[i], &kind));
        assert_int_equal(kind, FS_FILE);
    }
}

static void long_paths_are_made_and_walked(void **state)
{
    char path[600];
    UNUSED(state);
    size_t len = (size_t)snprintf(path, sizeof(path), "%s", (const char *)*state);
    for (int i = 0; i < 8; i++) {
        len += (size_t)snprintf(path + len, sizeof(path) - len, "/%050d", i);
        IS(E_OK, FS(make_private_folder, path));
    }
    assert_true(len > 400);
    assert_true(guard_of(path, 0).is_safe);
    (void)snprintf(path + len, sizeof(path) - len, "/journal");
    IS(E_OK, append_text(path, "x"));
    assert_holds(path, "x");
    IS(E_OK, FS(flush_tree, *state));
    (void)snprintf(path + len, sizeof(path) - len, "/");
    assert_int_equal(info_of(path).kind, FS_FOLDER);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(guard_names_what_others_may_change),
        IN_FOLDER(guard_judges_links_where_they_may_be),
        IN_FOLDER(guard_says_what_is_not_there_and_refuses_other_machines),
        IN_FOLDER(a_private_folder_is_made_once_and_keeps_others_out),
        cmocka_unit_test(what_is_private_is_safe_of_inheritance),
        IN_FOLDER(a_list_that_is_set_is_protected_as_it_was_asked_for),
        IN_FOLDER(below_a_folder_that_passes_rights_on_nothing_private_has_them),
        IN_FOLDER(a_readable_folder_lets_everyone_in_and_nobody_change_it),
        IN_FOLDER(a_private_file_is_made_so),
        IN_FOLDER(an_unflushed_file_replaces_nothing),
        IN_FOLDER(modes_open_for_reading_and_close),
        IN_FOLDER(symbolic_links_clones_and_exchanges_are_not_had),
        IN_FOLDER(a_file_gets_a_second_name),
        IN_FOLDER(a_file_in_use_gets_no_second_name),
        IN_FOLDER(what_is_held_is_not_written_moved_or_taken_away),
        cmocka_unit_test(paths_get_the_prefix_that_lets_them_be_long),
        IN_FOLDER(a_rename_replaces_nothing),
        IN_FOLDER(a_pointer_leads_elsewhere_in_one_step),
        IN_FOLDER(a_pointer_is_taken_away_without_what_it_leads_to),
        IN_FOLDER(a_pointer_may_lead_nowhere),
        IN_FOLDER(what_is_marked_read_only_is_taken_away_and_folders_are_not_files),
        IN_FOLDER(records_are_added_to_a_private_file),
        IN_FOLDER(append_refuses_what_is_not_ours_alone),
        IN_FOLDER(a_file_is_cut_after_its_last_whole_record),
        IN_FOLDER(folders_and_trees_are_flushed),
        IN_FOLDER(a_tree_with_a_file_that_cannot_be_written_is_not_flushed),
        IN_FOLDER(a_lock_is_held_once_and_until_unlock),
        IN_FOLDER(a_lock_refuses_what_is_not_ours_alone),
        IN_FOLDER(locks_of_others_are_seen),
        IN_FOLDER(a_writer_is_found_out),
        IN_FOLDER(volumes_and_rights_are_told),
        IN_FOLDER(the_list_and_the_attributes_are_copied),
        IN_FOLDER(times_are_set_to_the_tenth_of_a_microsecond),
        IN_FOLDER(names_that_windows_takes_for_others_are_refused),
        IN_FOLDER(long_paths_are_made_and_walked),
    };
    if (argc > 1)
        return as_another(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
