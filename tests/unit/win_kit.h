#ifndef SUREFOOT_TESTS_WIN_KIT_H
#define SUREFOOT_TESTS_WIN_KIT_H

/* win_kit.h: a folder of its own for each test of Windows' machine, by Windows' own means. */

#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "platform/base/text.h"
#include "wine.h"

#define PATH_ROOM 1000

/* The test's folder is the current one; its path has '/' inside. */
static inline int enter_folder(void **state)
{
    static unsigned n;
    char temp[MAX_PATH], *path = calloc(1, PATH_ROOM);
    if (path == NULL || GetTempPathA(MAX_PATH, temp) == 0)
        return -1;
    (void)snprintf(path, PATH_ROOM, "%ssurefoot test %lu-%lu-%u", temp,
                   (unsigned long)GetTickCount(), (unsigned long)GetCurrentProcessId(), ++n);
    for (char *c = path; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    *state = path;
    return CreateDirectoryA(path, NULL) && SetCurrentDirectoryA(path) ? 0 : -1;
}

static inline void take_away(const char *folder)
{
    WIN32_FIND_DATAA found;
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof(path), "%s/*", folder);
    HANDLE list = FindFirstFileA(path, &found);
    for (BOOL more = list != INVALID_HANDLE_VALUE; more; more = FindNextFileA(list, &found)) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, found.cFileName);
        if (strcmp(found.cFileName, ".") == 0 || strcmp(found.cFileName, "..") == 0)
            continue;
        if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
            take_away(path);
        else
            (void)DeleteFileA(path);
    }
    (void)FindClose(list);
    (void)RemoveDirectoryA(folder);
}

static inline int leave_folder(void **state)
{
    const bool is_left = SetCurrentDirectoryA("C:\\") != 0;
    bool is_gone = false;
    /* what has just ended may hold on to it for a moment, as a console's host */
    for (int i = 0; i < 300 && !is_gone; i++) {
        Sleep(i == 0 ? 0 : 10);
        take_away(*state);
        is_gone = GetFileAttributesA(*state) == INVALID_FILE_ATTRIBUTES;
    }
    if (!is_gone)
        print_error("%s is still there\n", (const char *)*state);
    free(*state);
    *state = NULL;
    return is_left && is_gone ? 0 : -1;
}

/* A path below the test's folder. */
static inline const char *below(void **state, const char *name, char to[PATH_ROOM])
{
    (void)snprintf(to, PATH_ROOM, "%s/%s", (const char *)*state, name);
    return to;
}

static inline void make_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

/* A program that meson made, named in our environment as the host system has it. */
static inline const char *made_program(const char *variable, char to[PATH_ROOM])
{
    const char *path = getenv(variable);
    assert_non_null(path);
    IS(E_OK, CALL(host, absolute_path, path, to, PATH_ROOM));
    return to;
}

#endif
