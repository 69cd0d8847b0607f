/* Paths of a machine: what is absolute, what is above, and what a name in a file means, for both
 * ways of writing them. */

#include "platform/base/os_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

#define ROOM 64

/* clang-format off */
static const struct {
    const char *path;
    bool on_posix, on_windows;
} absolutes[] = {
    { "/x",                  true,  false }, /* the drive depends on where we are */
    { "/",                   true,  false },
    { "x",                   false, false },
    { "",                    false, false },
    { "C:/x",                false, true },
    { "c:\\x",               false, true },
    { "C:\\",                false, true },
    { "C:x",                 false, false }, /* where that drive was last */
    { "C:",                  false, false },
    { "1:/x",                false, false },
    { "\\x",                 false, false },
    { "\\\\server\\share",   false, true },
    { "//server/share",      true,  true },
    { "\\/server/share",     false, true },
    { "\\\\?\\C:\\x",        false, true },
};

static const struct {
    const char *path;
    size_t root_len;
    const char *above, *cut; /* without its name; without slashes at its end */
} inner[] = {
    { "/",                 1,  "/",               "/" },
    { "/x",                1,  "/",               "/x" },
    { "/x/y",              1,  "/x",              "/x/y" },
    { "/x//",              1,  "/x/",             "/x" },
    { "x",                 0,  "x",               "x" },
    { "x/y",               0,  "x",               "x/y" },
    { "",                  0,  "",                "" },
    { "C:/",               3,  "C:/",             "C:/" },
    { "C://",              3,  "C:/",             "C:/" },
    { "C:/x",              3,  "C:/",             "C:/x" },
    { "C:/x/y/",           3,  "C:/x/y",          "C:/x/y" },
    { "//server/share",    14, "//server/share",  "//server/share" },
    { "//server/share/",   15, "//server/share/", "//server/share/" },
    { "//server/share/x",  15, "//server/share/", "//server/share/x" },
    { "//server/share/x/y", 15, "//server/share/x", "//server/share/x/y" },
};

static const struct {
    enum os_path_style style;
    const char *base, *name, *is; /* NULL: refused */
} resolved[] = {
    { OS_PATH_POSIX,   "/etc/surefoot/", "/opt/x",         "/opt/x" },
    { OS_PATH_POSIX,   "/etc/surefoot/", "//opt/x",        "/opt/x" },
    { OS_PATH_POSIX,   "//etc/surefoot/", "x",             "/etc/surefoot/x" },
    { OS_PATH_POSIX,   "/etc/surefoot/", "x/y",            "/etc/surefoot/x/y" },
    { OS_PATH_POSIX,   "/etc/surefoot/", "a\\b",           "/etc/surefoot/a\\b" },
    { OS_PATH_POSIX,   "/etc/surefoot/", "\\b",            "/etc/surefoot/\\b" },
    { OS_PATH_POSIX,   "/etc/surefoot/", "C:/x",           "/etc/surefoot/C:/x" },
    { OS_PATH_POSIX,   "",               "x",              "x" },
    { OS_PATH_WINDOWS, "C:/etc/",        "D:\\Program Files\\x", "D:/Program Files/x" },
    { OS_PATH_WINDOWS, "C:/etc/",        "D:/x",           "D:/x" },
    { OS_PATH_WINDOWS, "C:/etc/",        "x\\y",           "C:/etc/x/y" },
    { OS_PATH_WINDOWS, "C:/etc/",        "..\\y",          "C:/etc/../y" },
    { OS_PATH_WINDOWS, "D:/etc/",        "\\x\\y",         "D:/x/y" },
    { OS_PATH_WINDOWS, "D:/etc/",        "/x/y",           "D:/x/y" },
    { OS_PATH_WINDOWS, "//s/share/etc/", "\\x",            "//s/share/x" },
    { OS_PATH_WINDOWS, "etc/",           "\\x",            "/x" },
    { OS_PATH_WINDOWS, "C:/etc/",        "\\\\s\\share\\x", "//s/share/x" },
    { OS_PATH_WINDOWS, "C:/etc/",        "D:x",            NULL },
    { OS_PATH_WINDOWS, "C:/etc/",        "file:stream",    "C:/etc/file:stream" },
    { OS_PATH_WINDOWS, "C:/etc/",        "a:stream",       NULL },
    { OS_PATH_WINDOWS, "",               "D:x\\y",         "D:x\\y" },
    { OS_PATH_WINDOWS, "C:/etc/",
      "0123456789012345678901234567890123456789012345678901234567890123456789", NULL },
};

static const struct {
    enum os_path_style style;
    const char *path, *is;
} urls[] = {
    { OS_PATH_POSIX,   "/C:/x",    "/C:/x" },
    { OS_PATH_POSIX,   "/a\\b",    "/a\\b" },
    { OS_PATH_WINDOWS, "/C:/x y",  "C:/x y" },
    { OS_PATH_WINDOWS, "/C:/",     "C:/" },
    { OS_PATH_WINDOWS, "/C:",      NULL },
    { OS_PATH_WINDOWS, "/C:x",     NULL },
    { OS_PATH_WINDOWS, "/x",       NULL },
    { OS_PATH_WINDOWS, "/",        NULL },
    { OS_PATH_WINDOWS, "",         NULL },
    { OS_PATH_WINDOWS, "/C:/a\\b", NULL },
};

static const struct {
    enum os_path_style style;
    const char *path;
    const char *name;
} names[] = {
    { OS_PATH_POSIX,   "/a/b",      "b" },
    { OS_PATH_POSIX,   "b",         "b" },
    { OS_PATH_POSIX,   "/a\\b",     "a\\b" },
    { OS_PATH_WINDOWS, "C:/a\\b",   "b" },
    { OS_PATH_WINDOWS, "C:\\a/b",   "b" },
};
/* clang-format on */

static void os_path_knows_what_is_absolute(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(absolutes); i++) {
        if (os_path_is_absolute(OS_PATH_POSIX, absolutes[i].path) != absolutes[i].on_posix)
            fail_msg("\"%s\" on POSIX", absolutes[i].path);
        if (os_path_is_absolute(OS_PATH_WINDOWS, absolutes[i].path) != absolutes[i].on_windows)
            fail_msg("\"%s\" on Windows", absolutes[i].path);
    }
}

static void os_path_stops_at_the_root(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
        char path[ROOM];
        const char *from = inner[i].path;
        if (os_path_root_len(from) != inner[i].root_len)
            fail_msg("the root of \"%s\" has %zu bytes", from, os_path_root_len(from));
        assert_int_equal(os_path_is_root(from),
                         from[0] != '\0' && strlen(from) == inner[i].root_len);
        os_path_cut_name(text_copy(path, sizeof(path), from));
        assert_string_equal(path, inner[i].above);
        os_path_cut_slashes(text_copy(path, sizeof(path), from));
        assert_string_equal(path, inner[i].cut);
    }
}

static void os_path_says_what_a_name_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(resolved); i++) {
        char path[ROOM] = "untouched";
        struct err err = { .code = E_OK };
        enum errc rc = os_path_resolve(resolved[i].style, resolved[i].base, resolved[i].name, path,
                                       sizeof(path), &err);
        if (rc != (resolved[i].is != NULL ? E_OK : E_ARGUMENT))
            fail_msg("%s: %s", resolved[i].name, err.text);
        if (resolved[i].is != NULL)
            assert_string_equal(path, resolved[i].is);
    }
}

static void os_path_takes_the_drive_from_a_url(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char path[ROOM];
        struct err err = { .code = E_OK };
        enum errc rc =
            os_path_from_url(urls[i].style, text_copy(path, sizeof(path), urls[i].path), &err);
        if (rc != (urls[i].is != NULL ? E_OK : E_MALFORMED))
            fail_msg("%s: %s", urls[i].path, err.text);
        if (urls[i].is != NULL)
            assert_string_equal(path, urls[i].is);
    }
}

static void os_path_finds_the_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(os_path_name(names[i].style, names[i].path), names[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(os_path_knows_what_is_absolute),
        cmocka_unit_test(os_path_stops_at_the_root),
        cmocka_unit_test(os_path_says_what_a_name_means),
        cmocka_unit_test(os_path_takes_the_drive_from_a_url),
        cmocka_unit_test(os_path_finds_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
