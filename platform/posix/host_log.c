/* The system's log without its libraries, so that what nobody took is an error. The journal's
 * socket takes fields, one a line (systemd's "Native Journal Protocol"); syslog's takes one line
 * (RFC 3164, as its writers on one machine have it: without host, the time left to the reader). */

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "platform/base/buf.h"
#include "platform/base/text.h"
#include "platform/posix/host_parts.h"
#include "platform/posix/os_err.h"

#define RECORD_MAX 8192
#define TEXT_ROOM 2048

static int priority_of(enum host_level level)
{
    switch (level) {
    case HOST_INFO: return LOG_INFO;
    case HOST_WARNING: return LOG_WARNING;
    case HOST_ERROR: return LOG_ERR;
    }
    return LOG_ERR;
}

/* A name before ": " and "[": what would end it early, or a space in it, is written as "_". */
static const char *make_tag(const char *source, char to[HOST_SOURCE_ROOM])
{
    (void)text_printable(span_text(source), to, HOST_SOURCE_ROOM);
    for (char *c = to; *c != '\0'; c++)
        if (*c == ' ' || *c == ':' || *c == '[' || *c == ']')
            *c = '_';
    return to;
}

enum errc host_log_format(enum host_log_kind kind, int id, enum host_level level,
                          const char *source, const char *text, struct buf *out, struct err *err)
{
    char name[HOST_SOURCE_ROOM], line[TEXT_ROOM];
    int priority = priority_of(level);
    (void)text_printable(span_text(text), line, sizeof(line));
    if (kind == HOST_LOG_SYSLOG)
        return buf_printf(out, err, "<%d>%s[%ld]: %d %s", LOG_DAEMON | priority,
                          make_tag(source, name), (long)getpid(), id, line);
    return buf_printf(out, err,
                      "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n"
                      "SUREFOOT_EVENT=%d\nMESSAGE=%s\n",
                      priority, LOG_DAEMON >> 3,
                      text_printable(span_text(source), name, sizeof(name)), (long)getpid(), id,
                      line);
}

enum errc host_log_send(const char *path, struct span record, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (n < 0 || (size_t)n >= sizeof(address.sun_path))
        return err_set(err, E_ARGUMENT, "%s is too long for a socket's path", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot make a socket");
    enum errc rc = E_OK;
    ssize_t sent = sendto(fd, record.ptr, record.len, MSG_NOSIGNAL, (struct sockaddr *)&address,
                          sizeof(address));
    if (sent != (ssize_t)record.len)
        rc = sent < 0 && errno == ECONNREFUSED
                 ? err_set(err, E_ABSENT, "nobody listens at %s", path)
                 : os_err_set(err, errno, "cannot write to the log at %s", path);
    (void)close(fd);
    return rc;
}

static enum errc log_to(enum host_log_kind kind, const char *path, int id, enum host_level level,
                        const char *source, const char *text, struct err *err)
{
    struct buf record;
    buf_init(&record, RECORD_MAX);
    enum errc rc = host_log_format(kind, id, level, source, text, &record, err);
    if (rc == E_OK)
        rc = host_log_send(path, buf_span(&record), err);
    buf_fini(&record);
    return rc;
}

enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                         const char *text, struct err *err)
{
    UNUSED(self);
    enum errc rc =
        log_to(HOST_LOG_JOURNAL, "/run/systemd/journal/socket", id, level, source, text, err);
    if (rc == E_ABSENT)
        rc = log_to(HOST_LOG_SYSLOG, "/dev/log", id, level, source, text, err);
    if (rc == E_ABSENT)
        return err_set(err, E_UNSUPPORTED, "no journal and no syslog takes records here");
    return rc;
}
