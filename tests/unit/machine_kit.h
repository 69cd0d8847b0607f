#ifndef SUREFOOT_TESTS_MACHINE_KIT_H
#define SUREFOOT_TESTS_MACHINE_KIT_H

/* machine_kit.h: a folder of its own for each test of the machine, and the machine's answers
 * asserted. For POSIX. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answers.h"
#include "platform/base/text.h"

#define NOBODY 65534

#define FS(op, ...) CALL(fs, op, __VA_ARGS__)

/* The test's folder is the current one, and private. */
static inline int enter_folder(void **state)
{
    const char *base = *state != NULL ? *state : "/tmp";
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/surefoot-test-XXXXXX", base);
    if (mkdtemp(path) == NULL || chdir(path) != 0)
        return -1;
    *state = strdup(path);
    return 0;
}

static inline int leave_folder(void **state)
{
    char *path = *state;
    const char *argv[] = { "/bin/rm", "-rf", path, NULL };
    struct proc_command rm = { .argv = argv, .timeout_ms = 10000 };
    struct proc_result result;
    int failed = chdir("/");
    if (CALL(proc, run, &rm, &result) != E_OK || result.code != 0)
        failed = -1;
    free(path);
    *state = NULL;
    return failed;
}

static inline void make_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void make_folder(const char *path, mode_t mode)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline void assert_holds(const char *path, const char *text)
{
    struct buf b;
    IS(E_OK, platform_read_file(platform_native(), path, 1 << 20, &b, &why));
    assert_int_equal(b.len, strlen(text));
    assert_true(span_equal_text(buf_span(&b), text));
    buf_fini(&b);
}

static inline struct fs_info info_of(const char *path)
{
    struct fs_info info = { .kind = FS_OTHER };
    IS(E_OK, FS(stat_link, path, &info));
    return info;
}

/* Runs `body` in another process, as nobody where `as_nobody`, and asserts its answer: cmocka's own
 * asserts work in the first process only. */
static inline void in_other_process(bool as_nobody, bool (*body)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (as_nobody && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(2);
        _exit(body() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define NEEDS_ROOT()                                                                               \
    do {                                                                                           \
        if (geteuid() != 0)                                                                        \
            skip();                                                                                \
    } while (0)

#endif
