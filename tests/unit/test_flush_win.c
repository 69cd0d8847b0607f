/* That what must last is flushed, in its order: for Windows. Two of its functions are stood in for
 * by ones that write down what they are called with, call the system's own, or fail: the program's
 * imports of them lead here. */

#include "win_kit.h"

#include "platform/sink.h"

#define FS(op, ...) CALL(fs, op, __VA_ARGS__)

typedef BOOL(WINAPI *flush_fn)(HANDLE);
typedef BOOL(WINAPI *move_fn)(LPCWSTR, LPCWSTR, DWORD);

static char said[2000];
static DWORD fails_with;  /* of the next flush; 0: none */
static unsigned n_before; /* flushes before that */

static void say(const char *what, const char *path)
{
    const char *name = strrchr(path, '/');
    const size_t len = strlen(said);
    const int n =
        snprintf(said + len, sizeof(said) - len, "%s %s\n", what, name == NULL ? path : name + 1);
    assert_true(n > 0 && (size_t)n < sizeof(said) - len);
}

/* The last name of a path; a file that has not yet its own is "(new)". */
static void say_wide(const char *what, const wchar_t *wide)
{
    char path[PATH_ROOM];
    assert_true(WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, PATH_ROOM, NULL, NULL) > 0);
    for (char *c = path; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    say(what, strstr(path, "/.surefoot-") != NULL ? "(new)" : path);
}

static FARPROC systems_own(const char *name)
{
    FARPROC own = GetProcAddress(GetModuleHandleA("kernel32.dll"), name);
    assert_non_null(own);
    return own;
}

static BOOL WINAPI flush(HANDLE handle)
{
    wchar_t path[PATH_ROOM];
    const DWORD len = GetFinalPathNameByHandleW(handle, path, PATH_ROOM, 0);
    assert_true(len > 0 && len < PATH_ROOM);
    say_wide("flush", path);
    if (fails_with != 0 && n_before-- == 0) {
        SetLastError(fails_with);
        fails_with = 0;
        return FALSE;
    }
    return ((flush_fn)(void (*)(void))systems_own("FlushFileBuffers"))(handle);
}

static BOOL WINAPI move(LPCWSTR from, LPCWSTR to, DWORD how)
{
    say_wide((how & MOVEFILE_WRITE_THROUGH) != 0 ? "move through, to" : "move to", to);
    return ((move_fn)(void (*)(void))systems_own("MoveFileExW"))(from, to, how);
}

extern flush_fn imported_flush __asm__("__imp_FlushFileBuffers");
extern move_fn imported_move __asm__("__imp_MoveFileExW");
flush_fn imported_flush = flush;
move_fn imported_move = move;

static int begin(void **state)
{
    fails_with = 0;
    n_before = 0;
    said[0] = '\0';
    return enter_folder(state);
}

static void fail_flush(unsigned after, DWORD os)
{
    said[0] = '\0';
    n_before = after;
    fails_with = os;
}

static bool is_there(const char *path)
{
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

static enum errc write_file(const char *path, unsigned flags)
{
    said[0] = '\0';
    return platform_write_file(platform_native(), path, span_text("x"), flags, &why);
}

static void a_file_is_flushed_before_it_gets_its_name(void **state)
{
    UNUSED(state);
    IS(E_OK, write_file("file", 0));
    assert_string_equal(said, "flush (new)\nmove through, to file\n");
    IS(E_OK, write_file("private", SINK_PRIVATE | SINK_NO_REPLACE));
    assert_string_equal(said, "flush (new)\nmove through, to private\n");
    IS(E_OK, write_file("later", SINK_UNFLUSHED));
    assert_string_equal(said, "move to later\n");
}

static void a_file_that_cannot_be_flushed_gets_no_name(void **state)
{
    UNUSED(state);
    fail_flush(0, ERROR_DISK_FULL);
    IS(E_SPACE, platform_write_file(platform_native(), "file", span_text("x"), 0, &why));
    SAYS("cannot flush to the device");
    assert_string_equal(said, "flush (new)\n");
    assert_false(is_there("file"));
}

static void a_folder_is_flushed(void **state)
{
    UNUSED(state);
    assert_true(CreateDirectoryA("folder", NULL));
    IS(E_OK, FS(sync_folder, "folder"));
    assert_string_equal(said, "flush folder\n");
    fail_flush(0, ERROR_IO_DEVICE);
    IS(E_IO, FS(sync_folder, "folder"));
    SAYS("cannot flush its names");
}

/* NTFS, which is what wine says of its drives, keeps what comes before in its log. */
static void a_folder_that_may_not_be_flushed_lasts_on_a_file_system_with_a_log(void **state)
{
    wchar_t name[MAX_PATH] = L"";
    UNUSED(state);
    assert_true(CreateDirectoryA("folder", NULL));
    assert_true(GetVolumeInformationW(L"C:\\", NULL, 0, NULL, NULL, NULL, name, MAX_PATH));
    fail_flush(0, ERROR_ACCESS_DENIED);
    if (wcscmp(name, L"NTFS") == 0 || wcscmp(name, L"ReFS") == 0)
        IS(E_OK, FS(sync_folder, "folder"));
    else
        IS(E_ACCESS, FS(sync_folder, "folder"));
    assert_string_equal(said, "flush folder\n");
}

static void make_tree(void)
{
    assert_true(CreateDirectoryA("tree", NULL));
    assert_true(CreateDirectoryA("tree/inner", NULL));
    make_file("tree/inner/file", "x");
    make_file("tree/marked", "x");
    assert_true(SetFileAttributesA("tree/marked", FILE_ATTRIBUTE_READONLY));
}

/* Files of a folder come in any order, but before its own names. */
static void a_tree_is_flushed_to_its_last_file(void **state)
{
    UNUSED(state);
    make_tree();
    IS(E_OK, FS(flush_tree, "tree"));
    assert_true(strcmp(said, "flush file\nflush inner\nflush marked\nflush tree\n") == 0 ||
                strcmp(said, "flush marked\nflush file\nflush inner\nflush tree\n") == 0);
    for (unsigned at = 0; at < 4; at++) {
        fail_flush(at, ERROR_IO_DEVICE);
        IS(E_IO, FS(flush_tree, "tree"));
    }
    assert_true(SetFileAttributesA("tree/marked", FILE_ATTRIBUTE_NORMAL));
}

static void a_record_is_flushed_and_a_new_files_name(void **state)
{
    char folder[PATH_ROOM];
    UNUSED(state);
    IS(E_OK, FS(append, "journal", span_text("one\n")));
    (void)snprintf(folder, sizeof(folder), "flush journal\nflush %s\n", strrchr(*state, '/') + 1);
    assert_string_equal(said, folder);
    said[0] = '\0';
    IS(E_OK, FS(append, "journal", span_text("two\n")));
    assert_non_null(strstr(said, "flush journal\n"));
    said[0] = '\0';
    IS(E_OK, FS(cut, "journal", 4));
    assert_string_equal(said, "flush journal\n");
    fail_flush(0, ERROR_IO_DEVICE);
    IS(E_IO, FS(append, "journal", span_text("three\n")));
}

static void a_new_name_is_written_through(void **state)
{
    UNUSED(state);
    make_file("old", "x");
    IS(E_OK, FS(rename_new, "old", "new"));
    assert_string_equal(said, "move through, to new\n");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_flushed_before_it_gets_its_name),
        IN_FOLDER(a_file_that_cannot_be_flushed_gets_no_name),
        IN_FOLDER(a_folder_is_flushed),
        IN_FOLDER(a_folder_that_may_not_be_flushed_lasts_on_a_file_system_with_a_log),
        IN_FOLDER(a_tree_is_flushed_to_its_last_file),
        IN_FOLDER(a_record_is_flushed_and_a_new_files_name),
        IN_FOLDER(a_new_name_is_written_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
