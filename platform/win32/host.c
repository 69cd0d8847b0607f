#include <windows.h>

#include <bcrypt.h>
#include <wincrypt.h>

#include <limits.h>
#include <time.h>

#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define SLEEP_MAX (24 * 3600 * 1000)

static int64_t host_now(void *self)
{
    UNUSED(self);
    return (int64_t)time(NULL);
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
    .proxy_for = host_proxy_for,
    .log_event = host_log_event,
};
