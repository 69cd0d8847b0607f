/* The event log's Application channel. The texts of our events are in our program itself (a message
 * table, events.rc), and a source has to be registered to be shown by it: that is done where it is
 * missing and we may; a record of a source that is not is written all the same, and shown with a
 * remark. Not yet seen on Microsoft's own Windows: under wine nothing is kept. */

#include <windows.h>

#include <stdlib.h>

#include "platform/base/text.h"
#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define TEXT_ROOM 2048
#define CHANNEL L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"

static WORD type_of(enum host_level level)
{
    switch (level) {
    case HOST_INFO: return EVENTLOG_INFORMATION_TYPE;
    case HOST_WARNING: return EVENTLOG_WARNING_TYPE;
    case HOST_ERROR: return EVENTLOG_ERROR_TYPE;
    }
    return EVENTLOG_ERROR_TYPE;
}

static void set_source(HKEY key)
{
    const DWORD types = EVENTLOG_INFORMATION_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_ERROR_TYPE;
    wchar_t program[MAX_PATH];
    const DWORD len = GetModuleFileNameW(NULL, program, MAX_PATH);
    if (len == 0 || len >= MAX_PATH)
        return;
    (void)RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof(types));
    (void)RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program,
                         (len + 1) * sizeof(*program));
}

/* One that has a message file is left as it is: it may be another's. */
static void register_source(const wchar_t *source)
{
    wchar_t path[ARRAY_LEN(CHANNEL) + HOST_SOURCE_ROOM];
    HKEY key = NULL;
    (void)swprintf(path, ARRAY_LEN(path), L"%ls%ls", CHANNEL, source);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, path, L"EventMessageFile",
                     RRF_RT_ANY | RRF_NOEXPAND | RRF_SUBKEY_WOW6464KEY, NULL, NULL,
                     NULL) == ERROR_SUCCESS)
        return;
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL,
                        &key, NULL) != ERROR_SUCCESS)
        return;
    set_source(key);
    (void)RegCloseKey(key);
}

static enum errc report(const wchar_t *source, WORD type, DWORD id, const wchar_t *text,
                        struct err *err)
{
    HANDLE log = RegisterEventSourceW(NULL, source);
    if (log == NULL && GetLastError() == RPC_S_SERVER_UNAVAILABLE)
        return err_set(err, E_UNSUPPORTED, "the event log does not run here");
    if (log == NULL)
        return w32_err_set(err, GetLastError(), "cannot open the event log");
    enum errc rc = E_OK;
    if (!ReportEventW(log, type, 0, id, NULL, 1, 0, &text, NULL))
        rc = w32_err_set(err, GetLastError(), "cannot write to the event log");
    (void)DeregisterEventSource(log);
    return rc;
}

enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                         const char *text, struct err *err)
{
    char name[HOST_SOURCE_ROOM], line[TEXT_ROOM];
    wchar_t *wide_name = NULL, *wide_line = NULL;
    UNUSED(self);
    (void)text_printable(span_text(source), name, sizeof(name));
    (void)text_printable(span_text(text), line, sizeof(line));
    for (char *c = name; *c != '\0'; c++)
        if (*c == '\\') /* else it would be a key below another */
            *c = '_';
    enum errc rc = w32_wide(name, &wide_name, err);
    if (rc == E_OK)
        rc = w32_wide(line, &wide_line, err);
    if (rc == E_OK) {
        register_source(wide_name);
        rc = report(wide_name, type_of(level), (DWORD)id, wide_line, err);
    }
    free(wide_line);
    free(wide_name);
    return rc;
}
