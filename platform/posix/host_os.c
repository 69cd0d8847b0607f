#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/host_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define RELEASE_ROOM 8192

struct word {
    const char *theirs, *ours;
};

static const struct word systems[] = { { "Linux", "linux" },
                                       { "FreeBSD", "freebsd" },
                                       { "Darwin", "macos" } };
static const struct word archs[] = {
    { "amd64", "x86_64" }, { "arm64", "aarch64" }, { "i386", "x86" },     { "i486", "x86" },
    { "i586", "x86" },     { "i686", "x86" },      { "armv7l", "armv7" }, { "armv8l", "armv7" },
};

static const char *translate(const struct word *words, size_t n, const char *theirs)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i].theirs, theirs) == 0)
            return words[i].ours;
    return theirs;
}

/* The value of a line NAME=value, as os-release(5) has it: bare, or in quotes with backslashes. */
static void read_value(const char *text, const char *name, char *to, size_t room)
{
    char value[256];
    size_t n = 0, len = strlen(name);
    const char *line = text;
    while (line != NULL && (strncmp(line, name, len) != 0 || line[len] != '=')) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    if (line == NULL)
        return;
    const char *at = line + len + 1;
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
    while (*at != '\0' && *at != '\n' && *at != quote && n < sizeof(value)) {
        if (*at == '\\' && quote != '\'' && at[1] != '\0')
            at++;
        value[n++] = *at++;
    }
    (void)text_printable(span_of(value, n), to, room);
}

static void read_distribution(struct host_os *os)
{
    char text[RELEASE_ROOM];
    if (posix_read_small("/etc/os-release", text, sizeof(text), NULL) != E_OK &&
        posix_read_small("/usr/lib/os-release", text, sizeof(text), NULL) != E_OK)
        return;
    read_value(text, "ID", os->id, sizeof(os->id));
    read_value(text, "VERSION_ID", os->version, sizeof(os->version));
}

enum errc host_os(void *self, struct host_os *out, struct err *err)
{
    struct utsname kernel;
    struct host_os os = { .id = "", .version = "" };
    UNUSED(self);
    if (uname(&kernel) != 0)
        return os_err_set(err, errno, "the system does not say what it is");
    (void)text_copy(os.os, sizeof(os.os), translate(systems, ARRAY_LEN(systems), kernel.sysname));
    (void)text_copy(os.arch, sizeof(os.arch), translate(archs, ARRAY_LEN(archs), kernel.machine));
    (void)text_copy(os.kernel, sizeof(os.kernel), kernel.release);
    read_distribution(&os);
    *out = os;
    return E_OK;
}

enum errc host_name(void *self, char *to, size_t room, struct err *err)
{
    struct utsname kernel;
    UNUSED(self);
    if (uname(&kernel) != 0)
        return os_err_set(err, errno, "the system does not say its name");
    (void)text_printable(span_text(kernel.nodename), to, room);
    return E_OK;
}

/* machine-id(5): 32 hex digits, or "uninitialized" while the machine is being made. */
enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err)
{
    uint8_t id[HOST_MACHINE_ID_LEN];
    char text[HOST_MACHINE_ID_LEN * 2 + 16];
    UNUSED(self);
    enum errc rc = posix_read_small("/etc/machine-id", text, sizeof(text), err);
    if (rc == E_ABSENT)
        rc = posix_read_small("/var/lib/dbus/machine-id", text, sizeof(text), err);
    if (rc != E_OK)
        return rc;
    text[strcspn(text, "\n")] = '\0';
    struct span digits = span_text(text);
    if (!text_from_hex(digits, id, sizeof(id)) || span_is_filled(span_of(id, sizeof(id)), 0))
        return err_set(err, E_ABSENT, "/etc/machine-id holds no id");
    memcpy(to, id, sizeof(id));
    return E_OK;
}

enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err)
{
    char text[HOST_BOOT_ID_ROOM];
    UNUSED(self);
    enum errc rc = posix_read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text), err);
    if (rc != E_OK)
        return rc;
    text[strcspn(text, "\n")] = '\0';
    if (text[0] == '\0')
        return err_set(err, E_MALFORMED, "/proc/sys/kernel/random/boot_id is empty");
    (void)text_copy(to, HOST_BOOT_ID_ROOM, text);
    return E_OK;
}
