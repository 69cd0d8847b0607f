/* initguid.h makes the GUIDs that knownfolders.h only declares. */
#include <initguid.h>

#include <windows.h>

#include <bcrypt.h>
#include <knownfolders.h>
#include <shlobj.h>
#include <wincrypt.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>

#include "platform/base/text.h"
#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define SLEEP_MAX (24 * 3600 * 1000)

static int64_t host_now(void *self)
{
    UNUSED(self);
    return (int64_t)time(NULL);
}

static enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    wchar_t *wide = NULL;
    char *text = NULL;
    UNUSED(self);
    if (SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &wide) != S_OK)
        return err_set(err, E_ABSENT, "Windows does not say where ProgramData is");
    enum errc rc = w32_utf8(wide, &text, err);
    CoTaskMemFree(wide);
    if (rc != E_OK)
        return rc;
    int n = snprintf(to, room, "%s/Surefoot", text);
    free(text);
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for the configuration folder's path");
    return E_OK;
}

static enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                                   struct err *err)
{
    enum errc rc = host_config_folder(self, to, room, err);
    size_t len = rc == E_OK ? strlen(to) : 0;
    int n = rc == E_OK ? snprintf(to + len, room - len, "/%s",
                                  which == HOST_STATE   ? "state"
                                  : which == HOST_CACHE ? "cache"
                                                        : "config")
                       : 0;
    if (rc == E_OK && (n < 0 || (size_t)n >= room - len))
        rc = err_set(err, E_LIMIT, "no room for a folder's path");
    return rc;
}

static enum errc host_absolute_path(void *self, const char *path, char *to, size_t room,
                                    struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(to);
    UNUSED(room);
    return err_set(err, E_UNSUPPORTED, "paths are not made absolute on Windows yet");
}

static enum errc host_system_anchors(void *self, host_cert_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                      CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG, L"ROOT");
    if (store == NULL)
        return w32_err_set(err, GetLastError(), "cannot open the ROOT store");
    enum errc rc = E_OK;
    const CERT_CONTEXT *cert = NULL;
    while (rc == E_OK && (cert = CertEnumCertificatesInStore(store, cert)) != NULL)
        rc = fn(ctx, span_of(cert->pbCertEncoded, cert->cbCertEncoded), err);
    if (cert != NULL)
        (void)CertFreeCertificateContext(cert);
    (void)CertCloseStore(store, 0);
    return rc;
}

static int64_t host_monotonic_ms(void *self)
{
    UNUSED(self);
    return (int64_t)GetTickCount64();
}

static void host_sleep_ms(void *self, int64_t ms)
{
    UNUSED(self);
    for (; ms > 0; ms -= SLEEP_MAX)
        Sleep(ms < SLEEP_MAX ? (DWORD)ms : (DWORD)SLEEP_MAX);
}

static enum errc host_calendar(void *self, int64_t unix_s, enum host_zone zone,
                               struct host_time *out, struct err *err)
{
    struct tm tm;
    time_t t = (time_t)unix_s;
    UNUSED(self);
    if ((zone == HOST_LOCAL ? localtime_s(&tm, &t) : gmtime_s(&tm, &t)) != 0)
        return err_set(err, E_ARGUMENT, "%lld seconds since 1970 is in no year that there is",
                       (long long)unix_s);
    *out = (struct host_time){
        .year = tm.tm_year + 1900,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .weekday = tm.tm_wday,
        .minute = tm.tm_hour * 60 + tm.tm_min,
        .second = tm.tm_sec,
    };
    out->offset_s = (int)(_mkgmtime(&tm) - t);
    return E_OK;
}

static enum errc host_random(void *self, uint8_t *to, size_t len, struct err *err)
{
    UNUSED(self);
    if (len > ULONG_MAX ||
        BCryptGenRandom(NULL, to, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
        return err_set(err, E_IO, "the system gives no random bytes");
    return E_OK;
}

static enum errc host_name(void *self, char *to, size_t room, struct err *err)
{
    wchar_t wide[256];
    char *text = NULL;
    DWORD len = (DWORD)ARRAY_LEN(wide);
    UNUSED(self);
    if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &len))
        return w32_err_set(err, GetLastError(), "the system does not say its name");
    enum errc rc = w32_utf8(wide, &text, err);
    if (rc == E_OK)
        (void)text_printable(span_text(text), to, room);
    free(text);
    return rc;
}

static enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(to);
    UNUSED(room);
    return err_set(err, E_UNSUPPORTED,
                   "the folder for temporary files is not asked on Windows yet");
}

static enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err)
{
    UNUSED(self);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "the machine is not asked for its id on Windows yet");
}

static enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err)
{
    UNUSED(self);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "starts of the machine are not told apart on Windows yet");
}

static enum errc host_os(void *self, struct host_os *out, struct err *err)
{
    UNUSED(self);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "Windows is not asked for its version yet");
}

static enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                                const char *text, struct err *err)
{
    UNUSED(self);
    UNUSED(id);
    UNUSED(level);
    UNUSED(source);
    UNUSED(text);
    return err_set(err, E_UNSUPPORTED, "the event log is not written on Windows yet");
}

const struct host_ops win32_host_ops = {
    .now = host_now,
    .monotonic_ms = host_monotonic_ms,
    .sleep_ms = host_sleep_ms,
    .calendar = host_calendar,
    .config_folder = host_config_folder,
    .usual_folder = host_usual_folder,
    .absolute_path = host_absolute_path,
    .temp_folder = host_temp_folder,
    .system_anchors = host_system_anchors,
    .machine_id = host_machine_id,
    .boot_id = host_boot_id,
    .random = host_random,
    .name = host_name,
    .os = host_os,
    .group_exists = host_group_exists,
    .sid_exists = host_sid_exists,
    .mutex_held = host_mutex_held,
    .log_event = host_log_event,
};
