#include "platform/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define LOOK_AGAIN_MS 100

struct console console_init(void)
{
    /* A reader that goes away must end in a failed write that we report, not in a silent death. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may ignore it: then no end is told */
    /* libcurl would write the keys of connections to the file that this names. */
    if (posix_is_elevated())
        (void)unsetenv("SSLKEYLOGFILE");
    return (struct console){ .code_page = 0 };
}

void console_fini(const struct console *before)
{
    UNUSED(before);
}

enum errc console_arguments(int argc, char **argv, int *out_argc, char ***out_argv, struct err *err)
{
    UNUSED(err);
    *out_argc = argc;
    *out_argv = argv;
    return E_OK;
}

bool console_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

bool console_wants_colour(void)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    if (no_colour != NULL && no_colour[0] != '\0')
        return false;
    return console_is_terminal(1) && term != NULL && strcmp(term, "dumb") != 0;
}

enum errc console_read_descriptor(int fd, uint8_t *to, size_t room, size_t *out_len,
                                  struct err *err)
{
    uint8_t more;
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, len < room ? to + len : &more, len < room ? room - len : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_err_set(err, errno, "cannot read descriptor %d", fd);
        if (n == 0)
            break;
        if (len == room)
            return err_set(err, E_LIMIT, "descriptor %d gives more than %zu bytes", fd, room);
        len += (size_t)n;
    }
    *out_len = len;
    return E_OK;
}

/* --- secrets on the terminal */

/* What would end or stop the program while the terminal does not show what is typed. SIGTTIN and
 * SIGTTOU are not among them: a program in the background stops before it changes anything. */
static const int held_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };

static bool signal_waits(void)
{
    sigset_t pending;
    if (sigpending(&pending) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(held_signals); i++)
        if (sigismember(&pending, held_signals[i]) == 1)
            return true;
    return false;
}

/* What cannot be shown is not worth failing for. */
static void show_text(int tty, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(tty, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

/* Waits for a typed line; *out_ready stays false where a held signal came first. */
static enum errc wait_for_line(int tty, bool *out_ready, struct err *err)
{
    struct pollfd p = { .fd = tty, .events = POLLIN };
    while (!signal_waits()) {
        int n = poll(&p, 1, LOOK_AGAIN_MS);
        if (n < 0 && errno != EINTR)
            return os_err_set(err, errno, "cannot wait for the terminal");
        if (n > 0) {
            *out_ready = true;
            return E_OK;
        }
    }
    return E_OK;
}

/* The terminal gives whole lines: one read is one line, unless it has no room. */
static enum errc read_line(int tty, uint8_t *to, size_t room, size_t *out_len, struct err *err)
{
    ssize_t n = read(tty, to, room);
    if (n < 0)
        return os_err_set(err, errno, "cannot read from the terminal");
    if (n == 0)
        return err_set(err, E_ABSENT, "nothing was typed");
    if (to[n - 1] != '\n') {
        (void)tcflush(tty, TCIFLUSH);
        return err_set(err, E_LIMIT, "more than %zu bytes were typed", room - 1);
    }
    *out_len = (size_t)n - 1;
    return E_OK;
}

/* One try. *out_done is false where a signal came instead of a line; it acts when the caller lets
 * it, and then the terminal is as it was. */
static enum errc try_secret(int tty, const char *prompt, uint8_t *to, size_t room, size_t *out_len,
                            bool *out_done, struct err *err)
{
    struct termios shown, hidden;
    if (tcgetattr(tty, &shown) != 0)
        return os_err_set(err, errno, "cannot look at the terminal");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
        return os_err_set(err, errno, "cannot hide what is typed");
    show_text(tty, prompt);
    enum errc rc = wait_for_line(tty, out_done, err);
    if (rc == E_OK && *out_done)
        rc = read_line(tty, to, room, out_len, err);
    if (tcsetattr(tty, TCSADRAIN, &shown) != 0 && rc == E_OK)
        rc = os_err_set(err, errno, "cannot show again what is typed");
    show_text(tty, "\n");
    return rc;
}

enum errc console_read_secret(const char *prompt, uint8_t *to, size_t room, size_t *out_len,
                              struct err *err)
{
    sigset_t held, before;
    bool done = false;
    enum errc rc = E_OK;
    int tty = again_open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
    if (tty < 0)
        return err_set(err, E_UNSUPPORTED, "there is no terminal to ask on");
    (void)sigemptyset(&held);
    for (size_t i = 0; i < ARRAY_LEN(held_signals); i++)
        (void)sigaddset(&held, held_signals[i]);
    while (rc == E_OK && !done) {
        (void)sigprocmask(SIG_BLOCK, &held, &before);
        rc = try_secret(tty, prompt, to, room, out_len, &done, err);
        (void)sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that waited acts here */
    }
    (void)close(tty);
    return rc;
}
